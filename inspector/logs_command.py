"""`overcoat logs`: the last requests of a log, percentiles by route, one request in detail, or any query.

The arguments stand here; what answers them is loaded when the command runs.

>>> parser = argparse.ArgumentParser()
>>> add_arguments(parser)
>>> parser.parse_args(["app.log", "--errors", "--since", "2h"]).since
'2h'
"""

import argparse
import sys

from overcoat.inspector import _argument_types as argument_types

HELP = "show and query request logs"

_EPILOG = """\
A bare time is local (with --utc: UTC): 2026-11-23, '2026-11-23 10:00', 10:00; or RFC 3339 with a zone; or how long ago:
90s, 15m, 2h, 3d.

examples:
  overcoat logs app.log                            the last requests
  overcoat logs app.log -f --errors                those that fail, as they come
  overcoat logs app.log --serve                    all of it in a browser

  overcoat logs app.log --sort p95                 which routes are slow
  overcoat logs app.log --by client --sort errors  which clients fail
  overcoat logs app.log --by client --status 4xx   which clients are refused
  overcoat logs app.log --stats --errors           what fails, where, and a request to look at
  overcoat logs app.log --id 3d9c17                everything about one request
  overcoat logs app.log --slowest --since 1h       the slowest requests of the last hour

  overcoat logs app.log -w "tenant = 'acme'"       any field, the app's own too
  overcoat logs app.log --sql "SELECT client, max(duration_ms) FROM requests GROUP BY ALL"
  overcoat logs access.log* --stats                nginx and Apache too, rotated and packed
  docker logs web 2>&1 | overcoat logs --stats     from a pipe

fields: timestamp level method path route endpoint query status outcome duration_ms first_byte_ms response_bytes
request_bytes client peer scheme host http_version user_agent request_id trace_id span_id error_type error_message
error_at timings sample_rate, and whatever else is in the lines.

exit status: 0 something was shown; 1 nothing matched, or something could not be read; 2 wrong usage or a missing
extra; 130 interrupted by Ctrl-C.
"""
SORTS = ("requests", "errors", "error_share", "p50", "p90", "p95", "p99", "max", "bytes")
"""What the groups of `--stats` can be ordered by."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `overcoat logs`."""
    parser.description = (
        "Show the requests of logs: what overcoat.middleware.RequestLog wrote, under the names of any standard,\n"
        "Apache's and nginx's combined format, and with --map any JSON lines."
    )
    parser.usage = "%(prog)s [FILE ...] [OPTION ...]"  # a mistake is told below it, not below eight lines
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="a log, plain, gzip or zstd, or a pattern; - for standard input; without any: the pipe, or $LOG_FILE",
    )
    parser.add_argument(
        "--map",
        metavar="OURS=THEIRS,...",
        type=argument_types.mapping,
        help="where foreign JSON has our fields: status=.http.status,duration_ms=.took*1000",
    )
    parser.add_argument("--strict", action="store_true", help="a line that cannot be read is an error: exit with 1")

    chosen = parser.add_argument_group("which requests")
    chosen.add_argument("--since", metavar="TIME", type=argument_types.time_text, help="from this time on")
    chosen.add_argument(
        "--until", metavar="TIME", type=argument_types.time_text, help="before this time; a date: through its end"
    )
    chosen.add_argument(
        "--status", metavar="LIST", type=argument_types.statuses, default=(), help="such as 5xx, 404 or 400-499,502"
    )
    chosen.add_argument("--path", metavar="GLOB", help="such as '/item/*'; * spans slashes")
    chosen.add_argument("--route", metavar="ROUTE", help="a route as the app declares it, or a glob")
    chosen.add_argument(
        "--id",
        metavar="PREFIX",
        type=argument_types.id_prefix,
        help="the start of a request's or a trace's id; one match: all about it",
    )
    chosen.add_argument("--errors", action="store_true", help="a status of 500 and up, or an outcome of failed")
    chosen.add_argument("--slow", metavar="MS", type=argument_types.milliseconds, help="at least so many milliseconds")
    chosen.add_argument("-w", "--where", metavar="SQL", help="a condition over any field")

    shown = parser.add_argument_group("what to show", "a table, unless one of these is given")
    view = shown.add_mutually_exclusive_group()
    view.add_argument("-f", "--follow", action="store_true", help="go on with new requests, across log rotation")
    view.add_argument(
        "--stats",
        action="store_true",
        help="requests, errors, percentiles and bytes by route; with --errors: by what failed, and where",
    )
    view.add_argument("--slowest", action="store_true", help="the slowest requests instead of the last ones")
    view.add_argument("--sql", metavar="QUERY", help="the rows of a SELECT over the table requests")
    view.add_argument("--serve", action="store_true", help="in a browser: a page on 127.0.0.1, until Ctrl-C")
    shown.add_argument(
        "--port", metavar="PORT", type=argument_types.port, help="with --serve (default: 8765, or a free one)"
    )
    shown.add_argument(
        "--by",
        metavar="FIELD,...",
        type=argument_types.fields,
        default=(),
        help="group by any fields instead of the route; means --stats",
    )
    shown.add_argument(
        "--sort",
        choices=SORTS,
        metavar="COLUMN",
        help=f"the groups with most of it first; means --stats: {', '.join(SORTS)}",
    )
    shown.add_argument(
        "-n",
        metavar="N",
        type=argument_types.limit,
        default=None,
        help="so many requests, groups or rows, or all (default: 100, and no more groups than a terminal has room for;"
        " with --json, --export: all)",
    )

    how = parser.add_argument_group("how to show it")
    form = how.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the lines as written; with --stats, --sql: an object a row")
    form.add_argument("--export", choices=("csv", "parquet", "combined"), help="to standard output")
    how.add_argument("--utc", action="store_true", help="times in UTC rather than local")


def run(arguments: argparse.Namespace) -> int:
    """Answer a command line; the exit status."""
    views = (arguments.follow, arguments.slowest, arguments.sql is not None, arguments.serve)
    if (arguments.by or arguments.sort) and not any(views):
        arguments.stats = True
    problem = _conflict(arguments)
    if problem:
        print(f"overcoat logs: error: {problem}", file=sys.stderr)
        return 2
    from overcoat.inspector._answers import answer

    return answer(arguments)


def _conflict(arguments: argparse.Namespace) -> str | None:
    """What in a command line does not go together."""
    if (arguments.by or arguments.sort) and not (arguments.stats or arguments.serve):
        view = "-f" if arguments.follow else "--slowest" if arguments.slowest else "--sql"
        return f"{'--by' if arguments.by else '--sort'} means the groups of --stats: it does not go with {view}"
    if arguments.follow and arguments.where:
        return (
            "-w asks the database, which cannot follow a file: with -f use --status, --path, --route, --errors, --slow"
        )
    if arguments.follow and (arguments.export or arguments.id or arguments.until or arguments.strict):
        return "-f goes on for ever: it does not go with --export, --id, --until or --strict"
    if arguments.port is not None and not arguments.serve:
        return "--port goes with --serve"
    if arguments.serve and (arguments.where or arguments.json or arguments.export or arguments.n is not None):
        return "--serve shows a page: it does not go with -w, -n, --json or --export"
    if arguments.serve and arguments.strict:
        return "--serve goes on for ever: it does not go with --strict"
    if arguments.serve and (problem := _not_on_the_page(arguments)):
        return problem
    if arguments.slowest and (arguments.id or arguments.export in {"csv", "parquet"}):
        return "--slowest shows lines: it does not go with --id, --export csv or --export parquet"
    if arguments.export == "combined" and (arguments.stats or arguments.sql):
        return "--export combined has a line for each request: it does not go with --stats or --sql"
    if arguments.export == "parquet" and sys.stdout.isatty():
        return "--export parquet writes binary data: redirect it to a file"
    return None


def _not_on_the_page(arguments: argparse.Namespace) -> str | None:
    """What of the groups that are asked for the page does not have."""
    from overcoat.inspector.page._view import GROUPS as GROUPS_ON_PAGE
    from overcoat.inspector.page._view import SORTS as SORTS_ON_PAGE

    by = ",".join(arguments.by)
    if by and by not in GROUPS_ON_PAGE:
        return f"--serve shows groups by one of {', '.join(GROUPS_ON_PAGE)}: it does not go with --by {by}"
    if arguments.sort is not None and arguments.sort not in SORTS_ON_PAGE:
        return f"--serve sorts by one of {', '.join(SORTS_ON_PAGE)}: it does not go with --sort {arguments.sort}"
    return None
