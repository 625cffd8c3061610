"""The requests themselves: as a table, as JSON, in the combined format; one in detail; new ones as they come."""

import sys
from collections.abc import Iterable
from itertools import islice

from overcoat.inspector._detail import find, print_app_lines, print_request
from overcoat.inspector._export import combined
from overcoat.inspector._files import reason
from overcoat.inspector._filters import Filters
from overcoat.inspector._follow import Follower, follow
from overcoat.inspector._lines import forward
from overcoat.inspector._question import DEFAULT_LIMIT, Question
from overcoat.inspector._record import json_part, text
from overcoat.inspector._table import RequestTable
from overcoat.inspector._tail import BUDGET_BYTES, Found, last_requests, read_request, stream
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
    large = (files.total_bytes or 0) > BUDGET_BYTES
    if filters.where is None and limit is None and not large:
        printer.print(stream(files, filters))
    elif filters.where is None and limit is not None and (latest := last_requests(files, filters, limit)) is not None:
        printer.print(latest)
    else:
        with question.database() as database:
            lines = database.lines(last=limit)
            if limit is not None:
                lines = reversed(list(lines))
            if question.arguments.json:
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
    matches = find(question.files, question.filters, question.limit)
    alone = question.filters == Filters(request_id=question.filters.request_id)
    if not matches.request_count and not (alone and matches.app_lines):
        question.report_nothing()
        return False
    ids = {text(record, "request_id") for _, record in matches.requests}
    if question.arguments.json:
        for line, _ in sorted([*matches.app_lines, *matches.requests], key=_timestamp):
            question.write_json(line)
    elif len(ids) > 1:
        Printer(question).print(matches.requests)
        note(f"{plural(matches.request_count, 'request')} with such an id; more of it shows one in detail")
    else:
        for _, record in matches.requests:
            print_request(question.terminal, record, question.zone)
        if not ids:
            note("the app logged under this id, but there is no line of its request (yet)")
        print_app_lines(
            question.terminal,
            [record for _, record in matches.app_lines if not ids or text(record, "request_id") in ids],
            question.zone,
        )
    return True


def follow_requests(question: Question) -> bool:
    """The last requests, then new ones as they come, until the user ends it."""
    files, filters, printer = question.files, question.filters, Printer(question)

    def show(lines: Iterable[bytes]) -> None:
        printer.print(found for line in lines if (found := read_request(line, files, filters)))
        sys.stdout.flush()

    if all(file.size_bytes is None for file in files.readable):
        for file in files.readable:
            for line in forward(files.blocks(file), files):
                show([line])
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
    earlier = [found for follower in followers for found in _last(follower.earlier(), question, limit)]
    printer.print(sorted(earlier, key=_timestamp) if len(followers) > 1 else earlier)
    sys.stdout.flush()
    if followers:
        for lines in follow(followers):
            show(lines)
    return False


def _last(lines: Iterable[bytes], question: Question, limit: int | None) -> list[Found]:
    """The last requests of lines that come from the last one back."""
    requests = (found for line in lines if (found := read_request(line, question.files, question.filters)))
    return list(islice(requests, limit))[::-1]


def _timestamp(found: Found) -> str:
    return str(found[1].get("timestamp", ""))
