"""`overcoat check --middleware`: a WSGI middleware through the conformance kit.

>>> report = check_factory("overcoat.middleware:RequestID", rules=("late-start",), allow=())
>>> bool(report), print(report)
RequestID: 1 of 1 rules kept, in 3 cases
pass  late-start  3 of 3  start_response may come as late as the first chunk. [PEP 3333, The start_response() Callable]
(True, None)
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from overcoat.inspector._load_app import UnusableError, load_factory
from overcoat.inspector._text import escape


def check_middleware(target: str, *, rules: Sequence[str] | None, allow: Sequence[str], as_json: bool) -> int:
    """Check, and print the report; the exit status.

    Raises:
        UnusableError: There is nothing to check.
    """
    with _silence():
        report = check_factory(target, rules=rules, allow=allow)
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        for line in str(report).splitlines():
            print(escape(line, limit=None))
    return 0 if report else 1


def check_factory(target: str, *, rules: Sequence[str] | None, allow: Sequence[str]) -> Any:
    """The kit's report on what ``module:factory`` makes.

    Raises:
        UnusableError: There is no such factory, or it makes nothing that can be checked.
    """
    from overcoat.middleware import testing

    factory = load_factory(target)
    name = target.partition(":")[2]
    try:
        return testing.check_middleware(factory, rules=rules, allow=allow, name=name)
    except ValueError as error:
        raise UnusableError(str(error).removeprefix("check_middleware: ")) from error


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
