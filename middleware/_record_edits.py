"""What options of RequestLog change in a record before it is written.

>>> from overcoat.middleware import Exchange
>>> [hide] = hidden_path("RequestLog", lambda exchange: True)
>>> record = {"path": "/reset/s3cret"}
>>> hide(record, Exchange({}))
>>> record
{'path': '[redacted]'}
"""

from collections.abc import Callable, Iterable
from typing import Any

from overcoat.middleware._asked import anything, asked
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._logged_headers import request_headers, response_headers
from overcoat.middleware._outputs import LEVELS
from overcoat.middleware._record import add_known
from overcoat.middleware.sensitive import REDACTED, Sensitive

Edit = Callable[[dict[str, Any], Exchange], None]


def hidden_path(owner: str, hides: Callable[[Exchange], object] | None) -> list[Edit]:
    """The route in place of a path that ``hide_path=`` chooses; ``[redacted]`` where there is no route."""
    if hides is None:
        return []
    # What cannot be asked is hidden: a secret in the log stays there.
    is_hidden = asked(owner, "hide_path", hides, anything, True)

    def edit(record: dict[str, Any], exchange: Exchange) -> None:
        if is_hidden(exchange):
            record["path"] = record.get("route", REDACTED)

    return [edit]


def asked_level(owner: str, level: Callable[[Exchange], str | None] | None) -> list[Edit]:
    """The level that ``level=`` answers; the default one where it answers None.

    Raises:
        ValueError: It cannot be called.
    """
    if level is None:
        return []
    if not callable(level):
        raise ValueError(
            f"{owner}: level={level!r} must be a callable from the exchange to one of {', '.join(LEVELS)}, or to None"
        )
    level_of = asked(owner, "level", level, lambda answer: answer is None or answer in LEVELS, None)

    def edit(record: dict[str, Any], exchange: Exchange) -> None:
        chosen = level_of(exchange)
        if chosen is not None:
            record["level"] = chosen

    return [edit]


def logged_headers(owner: str, request: Iterable[str], response: Iterable[str], sensitive: Sensitive) -> list[Edit]:
    """The headers on the allow-lists; nothing where both are empty.

    Raises:
        ValueError: A name that is none, or one whose values are secrets.
    """
    reads = [
        ("request_headers", request_headers(owner, request, sensitive)),
        ("response_headers", response_headers(owner, response, sensitive)),
    ]
    wanted = [pair for pair, names in zip(reads, (request, response), strict=True) if names]

    def edit(record: dict[str, Any], exchange: Exchange) -> None:
        known = {field: found for field, read in wanted if (found := read(exchange))}
        if known:
            add_known(record, exchange, known)

    return [edit] if wanted else []
