"""`overcoat check`: run a WSGI middleware through the conformance kit, and show which rules it keeps.

>>> parser = argparse.ArgumentParser()
>>> add_arguments(parser)
>>> run(parser.parse_args(["--middleware", "overcoat.middleware:RequestID", "--rules", "late-start,overlap"]))
RequestID: 2 of 2 rules kept, in 11 cases
pass  late-start  3 of 3  start_response may come as late as the first chunk. [PEP 3333, The start_response() Callable]
pass  overlap     8 of 8  Requests that overlap are kept apart. [PEP 3333, Thread Support]
0
"""

import argparse
import contextlib
import difflib
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from overcoat.inspector._text import escape

_EPILOG = """\
examples:
  overcoat check --middleware mypackage.wrappers:Timing
  overcoat check --middleware werkzeug.middleware.proxy_fix:ProxyFix
  overcoat check --middleware wrappers:compressed --allow body,headers --json

A factory takes an app and returns one: a class whose other options have defaults, or a function. It is imported from
the current directory. Response headers may always be added.

exit status: 0 all rules kept; 1 some broken; 2 wrong usage, or nothing to check; 130 interrupted by Ctrl-C.
"""


class _UnusableError(Exception):
    """What was typed names nothing that can be checked."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of `overcoat check`."""
    parser.description = (
        "Run a WSGI middleware through a zoo of apps, clients and requests, and show which rules it keeps."
    )
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--middleware", required=True, metavar="MODULE:FACTORY", help="what makes the middleware")
    parser.add_argument(
        "--allow", metavar="LIST", type=_names, default=(), help="what it may do: headers, body, answers, errors"
    )
    parser.add_argument("--rules", metavar="LIST", type=_names, help="the names of the rules; all by default")
    parser.add_argument("--json", action="store_true", help="the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check, and print the report; the exit status."""
    try:
        with _silence():
            report = _check(arguments)
    except _UnusableError as error:
        print(f"overcoat check: {escape(' '.join(str(error).split()))}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        for line in str(report).splitlines():
            print(escape(line, limit=None))
    return 0 if report else 1


def _check(arguments: argparse.Namespace) -> Any:
    from overcoat.middleware.testing import check_middleware

    factory = load(arguments.middleware)
    name = arguments.middleware.partition(":")[2]
    try:
        return check_middleware(factory, rules=arguments.rules, allow=arguments.allow, name=name)
    except ValueError as error:
        raise _UnusableError(str(error).removeprefix("check_middleware: ")) from error


def load(target: str) -> Callable[..., Any]:
    """What `module:name` names, the module imported from the current directory too.

    Args:
        target: Such as `wrappers:Timing`; the name may have dots.
    """
    module_name, colon, name = target.partition(":")
    if not colon or not name or not all(part.isidentifier() for part in (*module_name.split("."), *name.split("."))):
        raise _UnusableError(f"{target!r} is not module:factory: write overcoat.middleware:RequestID, for example")
    here = str(Path.cwd())
    if sys.path[:1] != [here]:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise _UnusableError(f"cannot import {module_name!r}: {type(error).__name__}: {error}") from error
    for part in name.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, dir(found), 1)
            hint = f": did you mean {near[0]!r}?" if near else ""
            raise _UnusableError(f"{module_name!r} has no {name!r}{hint}")
        found = getattr(found, part)
    if not callable(found):
        raise _UnusableError(f"{target!r} is a {type(found).__name__}, no callable from app to app")
    return found  # type: ignore[no-any-return]


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what the middleware itself prints, thousands of times, off both streams: only the report is for them."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
    kept = {number: os.dup(number) for number in (1, 2)}
    devnull = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream in streams:
            stream.flush()
        for number in kept:
            os.dup2(devnull, number)
        yield
    finally:
        for stream in streams:
            stream.flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
        os.close(devnull)


def _names(value: str) -> tuple[str, ...]:
    return tuple(name for name in value.replace(" ", "").split(",") if name)
