"""`overcoat logs`: the last requests of a log, percentiles by route, one request in detail, or any query.

The arguments stand here; what answers them is loaded when the command runs.

>>> parser = argparse.ArgumentParser()
>>> add_arguments(parser)
>>> parser.parse_args(["app.log", "--errors", "--since", "2h"]).since
'2h'
"""

import argparse
import math
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from overcoat.inspector._times import parse_time

T = TypeVar("T")

HELP = "show and query request logs"

_EPILOG = """\
A bare time is local (with --utc: UTC): 2026-11-23, '2026-11-23 10:00', 10:00; or RFC 3339 with a zone; or how long ago:
90s, 15m, 2h, 3d.

examples:
  overcoat logs app.log -f                         the last requests, then new ones as they come
  overcoat logs app.log --errors --since 1h        what failed in the last hour
  overcoat logs app.log* --stats --slow 500        which routes are slow
  overcoat logs app.log --id 3d9c17                everything about one request
  overcoat logs app.log -w "tenant = 'acme'"       any field, the app's own too
  docker logs web 2>&1 | overcoat logs --stats     from a pipe

exit status: 0 something was shown; 1 nothing matched, or a file could not be read in full; 2 wrong usage or a missing
extra; 130 interrupted by Ctrl-C.
"""
_FIELD = re.compile(r"[^\s,\x00-\x1f]{1,128}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `overcoat logs`."""
    parser.description = "Show the requests of logs that overcoat.middleware.RequestLog wrote: one JSON object a line."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="a log, plain or gzip; - for standard input; without any: the pipe, or $LOG_FILE",
    )

    chosen = parser.add_argument_group("which requests")
    chosen.add_argument("--since", metavar="TIME", type=_time, help="from this time on")
    chosen.add_argument("--until", metavar="TIME", type=_time, help="before this time; a date: through its end")
    chosen.add_argument("--status", metavar="LIST", type=_statuses, default=(), help="such as 5xx, 404 or 400-499,502")
    chosen.add_argument("--path", metavar="GLOB", help="such as '/item/*'; * spans slashes")
    chosen.add_argument("--route", metavar="ROUTE", help="a route as the app declares it, or a glob")
    chosen.add_argument(
        "--id", metavar="PREFIX", type=_prefix, help="the start of a request id; one match: all about it"
    )
    chosen.add_argument("--errors", action="store_true", help="a status of 500 and up, or an outcome of failed")
    chosen.add_argument("--slow", metavar="MS", type=_milliseconds, help="at least so many milliseconds")
    chosen.add_argument("-w", "--where", metavar="SQL", help="a condition over any field")

    shown = parser.add_argument_group("what to show", "a table, unless one of these is given")
    view = shown.add_mutually_exclusive_group()
    view.add_argument("-f", "--follow", action="store_true", help="go on with new requests, across log rotation")
    view.add_argument("--stats", action="store_true", help="requests, errors, percentiles and bytes by route")
    view.add_argument("--sql", metavar="QUERY", help="the rows of a SELECT over the table requests")
    shown.add_argument(
        "--by", metavar="FIELD,...", type=_fields, default=(), help="with --stats: any fields instead of the route"
    )
    shown.add_argument(
        "-n",
        metavar="N",
        type=_limit,
        default=None,
        help="so many requests, groups or rows, or all (default: 100; with --json, --export: all)",
    )

    how = parser.add_argument_group("how to show it")
    form = how.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the lines as written; with --stats, --sql: an object a row")
    form.add_argument("--export", choices=("csv", "parquet", "combined"), help="to standard output")
    how.add_argument("--utc", action="store_true", help="times in UTC rather than local")


def run(arguments: argparse.Namespace) -> int:
    """Answer a command line; the exit status."""
    problem = _conflict(arguments)
    if problem:
        print(f"overcoat logs: error: {problem}", file=sys.stderr)
        return 2
    from overcoat.inspector._answers import answer

    return answer(arguments)


def _conflict(arguments: argparse.Namespace) -> str | None:
    """What in a command line does not go together."""
    if arguments.by and not arguments.stats:
        return "--by goes with --stats"
    if arguments.follow and arguments.where:
        return (
            "-w asks the database, which cannot follow a file: with -f use --status, --path, --route, --errors, --slow"
        )
    if arguments.follow and (arguments.export or arguments.id or arguments.until):
        return "-f goes on for ever: it does not go with --export, --id or --until"
    if arguments.export == "combined" and (arguments.stats or arguments.sql):
        return "--export combined has a line for each request: it does not go with --stats or --sql"
    if arguments.export == "parquet" and sys.stdout.isatty():
        return "--export parquet writes binary data: redirect it to a file"
    return None


def _checked(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _time(text: str) -> str:
    _checked(lambda value: parse_time(value, now=datetime.now(UTC)), text)
    return text


def _statuses(text: str) -> tuple[tuple[int, int], ...]:
    from overcoat.inspector._filters import parse_statuses

    return _checked(parse_statuses, text)


def _prefix(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("the start of an id is expected, at least one character")
    return text


def _milliseconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write milliseconds, such as 250")
    return value


def _limit(text: str) -> int | str:
    if text == "all":
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no count: write a number such as 20, or all")
    return int(text)


def _fields(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",")]
    if not all(_FIELD.fullmatch(name) for name in names):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of fields: write names separated by commas, such as method,status"
        )
    return tuple(dict.fromkeys(names))
