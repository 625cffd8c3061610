"""The function that ends a request in its log: made once, for the options, so that what is off is not asked about.

>>> from overcoat.middleware import Exchange
>>> records = []
>>> every(records.append)(Exchange({"PATH_INFO": "/cart"}))
>>> records[0]["path"]
'/cart'
"""

from collections.abc import Callable
from typing import Any

from overcoat.middleware import _capture
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._json import json_line
from overcoat.middleware._record import add_known, build_record
from overcoat.middleware._record_edits import Edit
from overcoat.middleware.sensitive import Sensitive

Write = Callable[[dict[str, Any]], object]
WriteLine = Callable[[bytes], object]
Finish = Callable[[Exchange], None]


def every(write: Write) -> Finish:
    """Write each record."""

    def finish(exchange: Exchange) -> None:
        record = build_record(exchange)
        if _capture.observers:
            _capture.observe(record)
        write(record)

    return finish


def every_as_line(write_line: WriteLine) -> Finish:
    """The same as JSON: what most services run, so nothing here asks what is known before."""

    def finish(exchange: Exchange) -> None:
        record = build_record(exchange)
        if _capture.observers:
            _capture.observe(record)
        write_line(json_line(record))

    return finish


def some(write: Write, keep: Callable[[Exchange], float] | None, edits: list[Edit], sensitive: Sensitive) -> Finish:
    """Write the records that are kept, edited."""
    redact = sensitive.redact_query

    def finish(exchange: Exchange) -> None:
        rate = 1.0 if keep is None else keep(exchange)
        if not rate:
            return
        record = build_record(exchange, redact)
        for edit in edits:
            edit(record, exchange)
        if rate < 1:
            add_known(record, exchange, {"sample_rate": rate})
        if _capture.observers:
            _capture.observe(record)
        write(record)

    return finish
