"""What the arguments of `overcoat logs` can be; what is none of it is told with how to write it.

>>> statuses("5xx,404")
((500, 599), (404, 404))
>>> fields("method, status")
('method', 'status')
"""

import argparse
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from overcoat.inspector._times import parse_time

T = TypeVar("T")

_FIELD = re.compile(r"[^\s,\x00-\x1f]{1,128}")


def time_text(text: str) -> str:
    """A time, which stays the text that it is: what it means depends on the zone."""
    _checked(lambda value: parse_time(value, now=datetime.now(UTC)), text)
    return text


def statuses(text: str) -> tuple[tuple[int, int], ...]:
    """Pairs of a first and a last status."""
    from overcoat.inspector._filters import parse_statuses

    return _checked(parse_statuses, text)


def id_prefix(text: str) -> str:
    """The start of an id."""
    if not text:
        raise argparse.ArgumentTypeError("the start of an id is expected, at least one character")
    return text


def milliseconds(text: str) -> float:
    """A duration."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: write milliseconds, such as 250")
    return value


def port(text: str) -> int:
    """A port to listen on."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: write a number from 1 to 65535, or 0 for a free one")
    return int(text)


def limit(text: str) -> int | str:
    """A count, or `all`."""
    if text == "all":
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{text!r} is no count: write a number such as 20, or all")
    return int(text)


def mapping(text: str) -> object:
    """Where foreign JSON has our fields."""
    from overcoat.inspector._mapping import parse_mapping

    return _checked(parse_mapping, text)


def fields(text: str) -> tuple[str, ...]:
    """Names of fields, each once."""
    names = [name.strip() for name in text.split(",")]
    if not all(_FIELD.fullmatch(name) for name in names):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no list of fields: write names separated by commas, such as method,status"
        )
    return tuple(dict.fromkeys(names))


def _checked(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
