"""`overcoat check`: an app's layers, answers and grade; or a WSGI middleware against the rules of WSGI.

>>> parser = argparse.ArgumentParser()
>>> add_arguments(parser)
>>> run(parser.parse_args(["--middleware", "overcoat.middleware:RequestID", "--rules", "late-start,overlap"]))
RequestID: 2 of 2 rules kept, in 11 cases
pass  late-start  3 of 3  start_response may come as late as the first chunk. [PEP 3333, The start_response() Callable]
pass  overlap     8 of 8  Requests that overlap are kept apart. [PEP 3333, Thread Support]
0
"""

import argparse
import json
import math
import shutil
import sys
from typing import Any
from urllib.parse import urlsplit

from overcoat.inspector._load_app import UnusableError
from overcoat.inspector._text import escape

# From the best down, as the HTTP Observatory gives them.
_GRADES = ("A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D+", "D", "D-", "F")
_WIDEST = 120

_EPILOG = """\
examples:
  overcoat check shop:app
  overcoat check 'shop:create_app("production")' --path / --path /item --https-only
  overcoat check shop:app --fail-under A --json
  overcoat check --middleware mypackage.wrappers:Timing

An app is imported from the current directory, in a process of its own, and asked there for each path over http and
https; no network is needed, and only safe methods are sent. The grade is that of the MDN HTTP Observatory.

With --middleware, a factory takes an app and returns one: a class whose other options have defaults, or a function. It
runs through a zoo of apps, clients and requests; response headers may always be added.

exit status: 0 fine; 1 errors were found, the grade is too low, or rules are broken; 2 wrong usage, or nothing to check;
130 interrupted by Ctrl-C.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `overcoat check`."""
    parser.description = "Show what stands around a WSGI app, what its answers lack, and its security grade."
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "app", nargs="?", metavar="MODULE:APP", help="an app, or a function that makes one: shop:create_app()"
    )
    parser.add_argument(
        "--path", action="append", metavar="PATH", type=_path, help="a page to ask for, / by default; repeatable"
    )
    parser.add_argument(
        "--host", metavar="HOST", type=_host, help="the host to ask; by default one that a layer names, or example.com"
    )
    parser.add_argument(
        "--https-only", action="store_true", help="nobody is served over http: what stands in front redirects"
    )
    parser.add_argument(
        "--fail-under", metavar="GRADE", type=_grade, help="exit with 1 for a lower grade, such as A or B+"
    )
    parser.add_argument("--min-score", metavar="N", type=int, help="exit with 1 for fewer points")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=30.0,
        help="for the app to be imported and to answer; 30 by default",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument(
        "--middleware", metavar="MODULE:FACTORY", help="check a middleware in place of an app: what makes it"
    )
    parser.add_argument(
        "--allow",
        metavar="LIST",
        type=_names,
        default=(),
        help="what the middleware may do: headers, body, answers, errors",
    )
    parser.add_argument(
        "--rules", metavar="LIST", type=_names, help="the names of the rules for the middleware; all by default"
    )
    parser.set_defaults(usage_error=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Check, and print the report; the exit status."""
    if (arguments.app is None) is (arguments.middleware is None):
        arguments.usage_error("name an app, such as shop:app, or --middleware MODULE:FACTORY")
    try:
        if arguments.middleware is None:
            return _check_app(arguments)
        from overcoat.inspector._check_middleware import check_middleware

        return check_middleware(
            arguments.middleware, rules=arguments.rules, allow=arguments.allow, as_json=arguments.json
        )
    except UnusableError as error:
        print(f"overcoat check: {escape(' '.join(str(error).split()))}", file=sys.stderr)
        return 2


def _check_app(arguments: argparse.Namespace) -> int:
    from overcoat.inspector._check_report import Paint, lines_of
    from overcoat.inspector._isolated import examine_apart

    paths = dict.fromkeys(arguments.path or ["/"])
    report = examine_apart(
        arguments.app,
        paths=list(paths),
        host=arguments.host,
        https_only=arguments.https_only,
        timeout_s=arguments.timeout,
    )
    refusals = list(_refusals(report, arguments.fail_under, arguments.min_score))
    if arguments.json:
        print(json.dumps({**report, "passed": not _fails(report) and not refusals}, indent=2))
    else:
        width = min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else None
        for line in lines_of(report, Paint.for_stream(sys.stdout), width=width):
            print(line)
    for refusal in refusals:
        print(f"overcoat check: {refusal}", file=sys.stderr)
    return 1 if refusals or _fails(report) else 0


def _fails(report: dict[str, Any]) -> bool:
    return any(finding["severity"] == "error" for finding in report["findings"])


def _refusals(report: dict[str, Any], grade: str | None, points: int | None) -> Any:
    """Why the report is not good enough."""
    wanted = f"--fail-under {grade}" if grade is not None else f"--min-score {points}"
    if (grade, points) != (None, None) and report["grade"] is None:
        yield f"no page was graded, and {wanted} wants one"
        return
    if grade is not None and _GRADES.index(report["grade"]) > _GRADES.index(grade):
        yield f"the grade is {report['grade']}, and --fail-under wants {grade}"
    if points is not None and report["score"] < points:
        yield f"the score is {report['score']}, and --min-score wants {points}"


def _path(value: str) -> str:
    if not value.startswith("/") or value.startswith("//") or not value.isprintable() or " " in value:
        raise argparse.ArgumentTypeError(f"{value!r} is no path: write /item")
    return value


def _host(value: str) -> str:
    try:
        parts = urlsplit(f"//{value}")
        _ = parts.port
    except ValueError:
        parts = None
    if parts is None or parts.netloc != value or not parts.hostname or "@" in value or not value.isprintable():
        raise argparse.ArgumentTypeError(f"{value!r} is no host: write www.example.com")
    return value


def _grade(value: str) -> str:
    if value.upper() not in _GRADES:
        raise argparse.ArgumentTypeError(f"{value!r} is no grade: write one of {', '.join(_GRADES)}")
    return value.upper()


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{value!r} is no number of seconds, from 0 up to a day")
    return seconds


def _names(value: str) -> tuple[str, ...]:
    return tuple(name for name in value.replace(" ", "").split(",") if name)
