"""The figures that the page's script asks for: the requests of a view, and its overview.

The index behind them is built when somebody asks, and again in another process or after it was given up.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from werkzeug.wrappers import Response

from overcoat.inspector.page._responses import json_response
from overcoat.inspector.page._view import View, WrongValueError

if TYPE_CHECKING:
    from overcoat.inspector._mapping import Mapping as FieldMapping
    from overcoat.inspector.page._index import Index

NAMES = ("requests", "overview")

_MOVES_ON_S = 10
_MAX_KEPT = 16


class Api:
    """The figures of some logs.

    Args:
        names: of the files.
        max_requests: how many to keep in the index, the latest ones.
        mapping: of fields that have other names.
    """

    def __init__(self, names: Sequence[str], max_requests: int, mapping: "FieldMapping | None") -> None:
        self._names = names
        self._mapping = mapping
        self._max_requests = max_requests
        self._opening = threading.Lock()
        self._index: Index | None = None
        self._overviews: dict[tuple[object, ...], bytes] = {}

    def answer(self, name: str, given: Mapping[str, str]) -> Response:
        """One of `NAMES` for the parameters of a URL; without a body where the version among them is the latest."""
        now = datetime.now(UTC)
        try:
            view = View.of(given, now=now)
        except WrongValueError as wrong:
            return json_response({"problem": str(wrong), "field": wrong.name}, 400)
        try:
            return self._told(name, view, given, now)
        except OSError:
            return json_response({"problem": "There is no room for temporary files."}, 503)
        except MemoryError:
            return json_response(
                {"problem": "These figures need more memory than they may have: choose less time."}, 503
            )

    def close(self) -> None:
        """Give the index up; the next question would build another."""
        with self._opening:
            if self._index is not None and self._index.usable:
                self._index.close()
            self._index = None

    def _told(self, name: str, view: View, given: Mapping[str, str], now: datetime) -> Response:
        from overcoat.inspector.page import _figures  # loads the database

        index = self._opened()
        state = index.refresh()
        if given.get("version") == state.version:
            return Response(status=204)
        view = _figures.with_span(index, view, now)
        told = {
            "version": state.version,
            "requests": state.requests,
            "share_read": state.share_read,
            "full": state.full,
            "range": view.span,
        }
        if name == "requests":
            return json_response(told | {"rows": _figures.requests(index, view)})
        # Several people, or several tabs, ask alike; a span that ends now moves on every few seconds.
        asked = sorted((key, value) for key, value in given.items() if key != "version")
        moment = now.timestamp() // _MOVES_ON_S if view.moves else None
        key = (state.version, moment, *asked)
        body = self._overviews.get(key)
        if body is None:
            body = orjson.dumps(told | _figures.overview(index, view, now))
            if len(self._overviews) > _MAX_KEPT:
                self._overviews.clear()
            self._overviews[key] = body
        return json_response(body)

    def _opened(self) -> "Index":
        from overcoat.inspector.page._index import Index

        with self._opening:
            if self._index is None or not self._index.usable:
                self._overviews.clear()
                self._index = Index(self._names, self._max_requests, self._mapping)
            return self._index
