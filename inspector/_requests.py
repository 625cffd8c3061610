"""The requests themselves: as a table, as JSON, in the combined format; one in detail; new ones as they come."""

import sys
from collections.abc import Iterable

from overcoat.inspector._detail import find, ids_of, print_app_lines, print_request
from overcoat.inspector._export import combined
from overcoat.inspector._files import reason
from overcoat.inspector._filters import Filters
from overcoat.inspector._follow import Follower, follow
from overcoat.inspector._lines import forward
from overcoat.inspector._question import DEFAULT_LIMIT, Question
from overcoat.inspector._reader import Found, Reader
from overcoat.inspector._record import json_part, text
from overcoat.inspector._table import RequestTable
from overcoat.inspector._tail import BUDGET_BYTES, Latest, last_requests, read_request, stream, when
from overcoat.inspector._text import note, plural


class Printer:
    """Prints requests in the form that was asked for.

    Args:
        question: the command line.
    """

    def __init__(self, question: Question) -> None:
        self._question = question
        self._table: RequestTable | None = None
        self.printed = 0

    def print(self, requests: Iterable[Found]) -> bool:
        """Print requests as they come; whether there were any."""
        arguments, zone = self._question.arguments, self._question.zone
        for line, record in requests:
            if arguments.json:
                self._question.write_json(line)
            elif arguments.export:
                sys.stdout.write(combined(record, zone) + "\n")
            else:
                self._table = self._table or RequestTable(self._question.terminal, zone, arguments.slow)
                sys.stdout.write("".join(f"{row}\n" for row in self._table.lines(record)))
            self.printed += 1
        return self.printed > 0


def show_requests(question: Question) -> bool:
    """The last requests, or all; whether there were any."""
    printer = Printer(question)
    limit, files, filters = question.limit, question.files, question.filters
    arguments = question.arguments
    python = filters.where is None and not arguments.slowest
    large = (files.total_bytes or 0) > BUDGET_BYTES
    if python and limit is None and not large:
        with question.reading(printing=True):
            printer.print(stream(files, filters))
    elif (
        python
        and limit is not None
        and not arguments.strict  # which is about all lines
        and (latest := last_requests(files, filters, limit)) is not None
    ):
        printer.print(latest)
    else:
        with question.database() as database:
            with question.reading():
                lines = database.lines(last=limit, slowest=arguments.slowest)
                if arguments.slowest and limit is not None:
                    lines = iter(list(lines))
                elif limit is not None:
                    lines = reversed(list(lines))
            with question.reading(printing=True):
                if arguments.json:
                    printer.print((line, {}) for line in lines)
                else:
                    printer.print(found for line in lines if (found := json_part(line)))
            sys.stdout.flush()  # the answer first: counting reads the files once more
            database.count_broken()
    if not printer.printed:
        question.report_nothing()
    return printer.printed > 0


def show_request(question: Question) -> bool:
    """Everything about the request whose id begins as given, or a list of several; whether there was any."""
    with question.reading():
        matches = find(question.files, question.filters, question.limit)
    if question.arguments.strict:
        with question.database() as database:
            database.count_broken()
    alone = question.filters == Filters(request_id=question.filters.request_id)
    if not matches.request_count and not (alone and matches.app_lines):
        question.report_nothing()
        return False
    requests = [record for _, record in matches.requests]
    ids = {text(record, "request_id") for record in requests}
    related = set().union(*map(ids_of, requests))
    if question.arguments.json:
        for line, _ in sorted([*matches.app_lines, *matches.requests], key=when):
            question.write_json(line)
    elif len(ids) > 1:
        Printer(question).print(matches.requests)
        note(f"{plural(matches.request_count, 'request')} whose id begins so; with more of it there is one, in detail")
    else:
        for record in requests:
            print_request(question.terminal, record, question.zone)
        if not ids:
            note("the app logged under this id, but there is no line of its request (yet)")
        print_app_lines(
            question.terminal,
            [record for _, record in matches.app_lines if not requests or related & ids_of(record)],
            question.zone,
        )
    return True


def follow_requests(question: Question) -> bool:
    """The last requests, then new ones as they come, until the user ends it."""
    files, filters, printer = question.files, question.filters, Printer(question)

    def show(lines: Iterable[tuple[bytes, Reader]]) -> None:
        printer.print(found for line, reader in lines if (found := read_request(line, reader, files, filters)))
        sys.stdout.flush()

    if all(file.size_bytes is None for file in files.readable):
        for file in files.readable:
            reader = files.reader(file)
            for line in forward(files.blocks(file), files):
                show([(line, reader)])
        if not printer.printed:
            question.report_nothing()
        return printer.printed > 0
    followers = []
    for file in files.readable:
        if not file.seekable:
            files.problems.append(f"{file.name}: only plain files are followed")
            continue
        try:
            followers.append(Follower(file, files))
        except OSError as error:
            files.problems.append(f"{file.name}: {reason(error)}")
    limit = DEFAULT_LIMIT if question.limit is None and question.arguments.n is None else question.limit
    earlier = [found for follower in followers for found in _last(follower, question, limit)]
    printer.print(sorted(earlier, key=when) if len(followers) > 1 else earlier)
    sys.stdout.flush()
    if followers:
        for lines in follow(followers):
            show(lines)
    return False


def _last(follower: Follower, question: Question, limit: int | None) -> list[Found]:
    """The last requests that were there when following began."""
    latest = Latest(limit)
    if limit == 0:
        return []
    for line in follower.earlier():
        found = read_request(line, follower.reader, question.files, question.filters)
        if found and not latest.add_earlier(found):
            break
    return list(latest)
