"""Which requests have a line: what is noteworthy always, of the rest what ``quiet=`` and ``sample=`` leave.

>>> from overcoat.middleware import Exchange
>>> exchange = Exchange({"PATH_INFO": "/healthz"})
>>> exchange.status, exchange.outcome, exchange.finished_ns = "200 OK", "complete", exchange.started_ns + 2_000_000
>>> noteworthy(exchange, slow_ms=1000), noteworthy(exchange, slow_ms=2)
(False, True)
>>> exchange.status = "503 Service Unavailable"
>>> noteworthy(exchange, slow_ms=1000)
True
"""

import math
from collections.abc import Callable
from random import random
from typing import Any

from overcoat.middleware._asked import anything, asked
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._options import Skip, compile_skip

Sample = float | Callable[[Exchange], float]

#: What stands for "logged, and not for lack of luck": a share of all.
ALWAYS = 1.0
NEVER = 0.0


def noteworthy(exchange: Exchange, slow_ms: float) -> bool:
    """Whether a finished request failed, was aborted, was answered with 400 or more, or took so long."""
    status = exchange.status_code
    if (status is not None and status >= 400) or exchange.outcome in {"aborted", "failed"}:
        return True
    return exchange.duration_ms >= slow_ms


def compile_keep(
    owner: object, quiet: Skip | None, sample: Sample | None, slow_ms: float | None
) -> Callable[[Exchange], float] | None:
    """One function from a finished exchange to the share of its kind that is logged, or None where all are.

    It answers 0 for a request that is not logged, 1 for one that is logged as all of its kind are, and a share between
    for one that luck chose.

    Raises:
        ValueError: A share that is none, a callable or path that cannot be asked, a ``slow_ms`` that is no duration.
    """
    name = type(owner).__name__
    limit_ms = math.inf if slow_ms is None else slow_ms
    if isinstance(limit_ms, bool) or not isinstance(limit_ms, int | float) or not limit_ms > 0:
        raise ValueError(f"{name}: slow_ms={slow_ms!r} must be a number of milliseconds above 0, or None for never")
    is_quiet = compile_skip(owner, quiet, "quiet")
    share = _share(name, sample)
    if is_quiet is None and share is None:
        return None
    # What cannot be asked is kept: a line too many is cheaper than one that is missing.
    hushed = _no if is_quiet is None else asked(name, "quiet", is_quiet, anything, False)
    rate_of = _all if share is None else share

    def keep(exchange: Exchange) -> float:
        if noteworthy(exchange, limit_ms):
            return ALWAYS
        if hushed(exchange):
            return NEVER
        rate = rate_of(exchange)
        return rate if rate >= 1 or random() < rate else NEVER  # noqa: S311 - no secret

    return keep


def _share(name: str, sample: Sample | None) -> Callable[[Exchange], float] | None:
    if sample is None:
        return None
    if callable(sample):
        return asked(name, "sample", sample, _is_share, ALWAYS)
    if not _is_share(sample):
        raise ValueError(
            f"{name}: sample={sample!r} must be a share from 0 to 1, such as 0.1 for a tenth, or a callable from the "
            "exchange to one"
        )
    return None if sample == 1 else lambda _exchange: sample


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _no(_exchange: Exchange) -> bool:
    return False


def _all(_exchange: Exchange) -> float:
    return ALWAYS
