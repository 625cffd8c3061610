"""Rules of what strangers send: nothing raises, nothing splits a response, nothing costs more than linear time."""

import re
import time
from collections.abc import Iterator
from typing import Any

from overcoat.middleware.testing._rule import Rule, Verdict
from overcoat.middleware.testing._rules_request import answer_of
from overcoat.middleware.testing._server import serve
from overcoat.middleware.testing._trial import Lab, ok
from overcoat.middleware.testing._zoo_environs import CLIENT_KEYS

_SPLITS = re.compile(r"[\r\n\0]")
_UNITS = ("a", ",", " ", ":", "1.", '"', "\\", "\t,", "a=b;", "[", "%", "&", "=", "\r\n", "\xff", "/")

#: Only what takes as long as this, in nanoseconds of the processor, is worth a word.
_SLOW_NS = 200_000_000
#: Four times the input may cost four times as much; sixteen times is quadratic.
_LIMIT = 9


def _hostile(lab: Lab) -> Iterator[Verdict]:
    for case, seen in lab.hostile.items():
        yield case, answer_of(lab, seen)


def _injection(lab: Lab) -> Iterator[Verdict]:
    for case, seen in lab.hostile.items():
        parts = [part for pair in seen.headers if isinstance(pair, tuple) for part in pair]
        split = [part for part in parts if _SPLITS.search(str(part))]
        yield case, f"{split[0]!a:.120}" if split else ""


def _cost_ns(worn: Any, lab: Lab, keys: tuple[str, ...], value: str, times: int = 1) -> int:
    """The least of so many times, of the processor and this thread alone."""
    least = 1 << 62
    for _ in range(times):
        environ = lab.environ(**dict.fromkeys(keys, value))
        before = time.thread_time_ns()
        serve(worn, environ)
        least = min(least, time.thread_time_ns() - before)
    return least


def _linear(lab: Lab) -> Iterator[Verdict]:
    worn = lab.wear(ok)
    for unit in _UNITS:
        yield f"{unit!r}, again and again", _growth(worn, lab, unit)


def _growth(worn: Any, lab: Lab, unit: str) -> str:
    for size in (2**14, 2**16):
        value = unit * (size // len(unit))
        if _cost_ns(worn, lab, CLIENT_KEYS, value) < _SLOW_NS:
            continue
        for key in CLIENT_KEYS:
            cost_ns = _cost_ns(worn, lab, (key,), value)
            if cost_ns > _SLOW_NS and _ratio(worn, lab, key, value) > _LIMIT:
                return f"four times as much {key} costs more than {_LIMIT} times as much: {cost_ns / 1e6:.0f} ms"
    return ""


def _ratio(worn: Any, lab: Lab, key: str, value: str) -> float:
    """How many times as much a value costs as its first quarter.

    Each is the least of many times, in turns: what else a machine does makes a time longer, and never shorter.
    """
    quarter = value[: len(value) // 4]
    whole_ns = quarter_ns = 1 << 62
    for _ in range(5):
        whole_ns = min(whole_ns, _cost_ns(worn, lab, (key,), value))
        quarter_ns = min(quarter_ns, _cost_ns(worn, lab, (key,), quarter, 3))
        if whole_ns < 5 * quarter_ns:  # hardly more than the input: not worth another turn
            break
    return whole_ns / quarter_ns


RULES = (
    Rule(
        "hostile",
        "Nothing that a client sends raises an error or makes an error page.",
        "practice: who can make a wrapper raise, can fill the log and the pager",
        _hostile,
    ),
    Rule("injection", "No CR, LF or NUL of a request reaches a response header.", "RFC 9110, 5.5", _injection),
    Rule(
        "linear",
        "What a client sends costs linear time.",
        "practice: CWE-1333, one request must not stop a process",
        _linear,
    ),
)
