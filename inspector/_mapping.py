r"""`--map`: which fields of a foreign line are which of ours.

A list of `OURS=THEIRS`. THEIRS is a key as it stands (`latency`, `http.status`) or a path as jq writes it
(`.http.status`, `.request.headers["User-Agent"][0]`), which may end in `*1000` or `/1000000`, where the unit is another
one: ours are milliseconds and bytes.

- A time may be RFC 3339 or a number: seconds, milliseconds, microseconds or nanoseconds since 1970, told by its size.
- A duration may be a text of Go's (`1.5ms`, `2s`).
- A line is a request where its status or its path is found; all else in it is the app's own.

>>> mapping = parse_mapping("status=.http.code,duration_ms=.took*1000,path=.uri")
>>> mapping.apply({"uri": "/cart?page=2", "http": {"code": 200}, "took": 0.0125})
{'event': 'http_request', 'path': '/cart', 'query': 'page=2', 'status': 200, 'duration_ms': 12.5, 'http': {'code': 200}}
>>> mapping.apply({"msg": "started"}) is None
True
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from overcoat.inspector._record import FIELDS, REQUEST_EVENT, Record, text

_STEP = re.compile(r"""\.([A-Za-z_@][\w@-]*)|\.?\["((?:[^"\\]|\\.)*)"\]|\."((?:[^"\\]|\\.)*)"|\[([0-9]{1,4})\]""")
_SCALE = re.compile(r"\s*([*/])\s*([0-9]{1,12}(?:\.[0-9]{1,9})?)$")
_GO_DURATION = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)")
_MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}
_PART = re.compile(r"""((?:[^,"]|"(?:[^"\\]|\\.)*")+)(?:,|$)""")
_DURATIONS = frozenset({"duration_ms", "first_byte_ms"})


@dataclass(frozen=True)
class Place:
    """Where a value is in a line.

    Args:
        steps: keys and indexes, from the outside in.
        factor: what a number is multiplied by.
    """

    steps: tuple[str | int, ...]
    factor: float = 1.0

    def find(self, record: Record) -> Any:
        """The value; None where there is none."""
        value: Any = record
        for step in self.steps:
            if isinstance(step, str):
                value = value.get(step) if isinstance(value, dict) else None
            else:
                value = value[step] if isinstance(value, list) and step < len(value) else None
        return value


@dataclass(frozen=True)
class Mapping:
    """A parsed `--map`.

    Args:
        listed: its text.
        places: by our names.
    """

    listed: str
    places: dict[str, Place]

    def apply(self, record: Record) -> Record | None:
        """The record under our names; None where it is no request."""
        found: Record = {"event": REQUEST_EVENT}
        for name, place in self.places.items():
            value = _converted(name, place.find(record), place.factor)
            if value is not None:
                found[name] = value
        is_ours = record.get("event") == REQUEST_EVENT
        if found.get("event") != REQUEST_EVENT or not (is_ours or "status" in found or "path" in found):
            return None
        spent = {place.steps[0] for place in self.places.values() if len(place.steps) == 1}
        path, mark, query = (text(found, "path") or "").partition("?")
        if mark and "query" not in self.places:
            found |= {"path": path, "query": query}
        rest = {name: value for name, value in record.items() if name not in spent and name not in found}
        known = {name: found[name] for name in FIELDS if name in found}
        return known | rest


def parse_mapping(listed: str) -> Mapping:
    """A mapping from its text.

    Raises:
        ValueError: a part is no `OURS=THEIRS`, or names no field of the record.
    """
    places: dict[str, Place] = {}
    position = 0
    while position < len(listed):
        part = _PART.match(listed, position)
        if not part:
            raise ValueError(f"{listed[position:]!r} is no list of OURS=THEIRS, separated by commas")
        position = part.end()
        ours, sign, theirs = part[1].strip().partition("=")
        if not sign or not theirs:
            raise ValueError(f"{part[1].strip()!r} is no mapping: write OURS=THEIRS, such as status=.http.status")
        if ours not in FIELDS:
            near = get_close_matches(ours, FIELDS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FIELDS)}"
            raise ValueError(f"{ours!r} is no field of the record; {hint}")
        places[ours] = _place(theirs)
    if not places:
        raise ValueError("a mapping is expected, such as status=.http.status,duration_ms=.took*1000")
    return Mapping(listed, places)


def _place(theirs: str) -> Place:
    factor = 1.0
    if scale := _SCALE.search(theirs):
        theirs, number = theirs[: scale.start()], float(scale[2])
        if not number:
            raise ValueError(f"{scale[0].strip()!r} is no unit: write *1000 or /1000")
        factor = number if scale[1] == "*" else 1 / number
    if theirs[:1] not in {".", "["}:
        return Place((theirs,), factor)
    steps: list[str | int] = []
    position = 0
    while position < len(theirs):
        step = _STEP.match(theirs, position)
        if not step:
            raise ValueError(f'{theirs!r} is no path at {theirs[position:]!r}: write .http.status or .a["b c"][0]')
        position = step.end()
        key, bracketed, quoted, index = step.groups()
        name = key or bracketed or quoted
        steps.append(int(index) if index is not None else re.sub(r"\\(.)", r"\1", name or ""))
    return Place(tuple(steps), factor)


def _converted(name: str, value: Any, factor: float) -> Any:
    if name == "timestamp" and isinstance(value, int | float) and not isinstance(value, bool):
        return _moment(value * factor)
    if name in _DURATIONS and isinstance(value, str) and (found := _GO_DURATION.fullmatch(value)):
        return round(float(found[1]) * _MILLISECONDS[found[2]], 6)
    if factor == 1.0:
        return value
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value * factor):
        return None
    return round(value * factor, 6)


def _moment(since_1970: float) -> str | None:
    """RFC 3339 of a number whose size tells its unit: seconds have ten digits until 2286."""
    for _ in range(3):
        if abs(since_1970) < 1e11:
            break
        since_1970 /= 1000
    try:
        return datetime.fromtimestamp(since_1970, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None
