"""One command line of `overcoat logs`, answered: the logs it means, the view it asks for, the exit status."""

import argparse
import os
import re
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from overcoat.inspector._figures import show_export, show_sql, show_stats
from overcoat.inspector._files import STDIN, LogFiles
from overcoat.inspector._filters import Filters, QueryError
from overcoat.inspector._question import Question
from overcoat.inspector._requests import follow_requests, show_request, show_requests
from overcoat.inspector._text import note
from overcoat.inspector._times import parse_span

OK, NOTHING, USAGE = 0, 1, 2

_ID = re.compile(r"(?=.*[0-9])[0-9A-Za-z-]{6,128}")  # hardly the name of a log, but what people paste


def answer(arguments: argparse.Namespace) -> int:
    """Answer a command line on standard output; the exit status."""
    names = arguments.files or _default_names()
    if not names:
        note("no FILE: name a log, pipe one in, or set LOG_FILE")
        return USAGE
    try:
        filters = _filters(arguments)
    except ValueError as error:
        note(str(error))
        return USAGE
    for output in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # Where the locale cannot show a character, an escape stands for it.
            output.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    files = LogFiles(names, arguments.map)
    shown = False
    try:
        if files.readable:
            shown = _view(arguments)(Question(arguments, filters, files))
    except QueryError as error:
        note(str(error))
        return error.exit_status
    finally:
        for message in files.problems + files.skipped():
            note(message)
        for name in names:
            if _ID.fullmatch(name) and not Path(name).exists():
                note(f"if {name} is the id of a request: overcoat logs FILE --id {name}")
    if arguments.strict and files.skipped():
        return NOTHING
    return OK if shown and not files.problems else NOTHING


def _view(arguments: argparse.Namespace) -> Callable[[Question], bool]:
    if arguments.follow:
        return follow_requests
    if arguments.serve:
        from overcoat.inspector.page.serve import serve  # loads what a web server needs

        return serve
    if arguments.stats:
        return show_stats
    if arguments.sql is not None:
        return show_sql
    if arguments.export in {"csv", "parquet"}:
        return show_export
    if arguments.id and not arguments.export and not arguments.where:
        return show_request
    return show_requests


def _default_names() -> list[str]:
    """Standard input where it is a pipe or a file, else `$LOG_FILE`."""
    with suppress(OSError, ValueError, AttributeError):
        mode = os.fstat(sys.stdin.fileno()).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISREG(mode):
            return [STDIN]
    name = os.environ.get("LOG_FILE")
    return [name] if name else []


def _filters(arguments: argparse.Namespace) -> Filters:
    now = datetime.now(UTC) if arguments.utc else datetime.now().astimezone()
    since, until = parse_span(arguments.since, arguments.until, now=now)
    return Filters(
        since=since,
        until=until,
        statuses=arguments.status,
        path=arguments.path,
        route=arguments.route,
        request_id=arguments.id,
        errors=arguments.errors,
        slow_ms=arguments.slow,
        where=arguments.where,
    )
