"""What stands behind an id, looked for in the logs themselves: the index has no lines of the app."""

import threading
from collections.abc import Sequence

from werkzeug.wrappers import Response

from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._mapping import Mapping
from overcoat.inspector._record import text
from overcoat.inspector.page._request_page import list_page, missing_page, request_page
from overcoat.inspector.page._responses import html_response
from overcoat.inspector.page._static import version

_MAX_FOUND = 100
_MAX_LENGTH = 1024


class Lookup:
    """Finds requests of some logs by their ids.

    Args:
        names: of the files.
        mapping: of fields that have other names.
    """

    def __init__(self, names: Sequence[str], mapping: Mapping | None) -> None:
        self._names = names
        self._mapping = mapping
        self._finding = threading.Lock()

    def answer(self, identifier: str) -> Response:
        """The page of the request whose id begins so, or of several."""
        from overcoat.inspector._detail import find  # loads what the terminal needs, too

        if not identifier or len(identifier) > _MAX_LENGTH:
            return html_response(missing_page(identifier, version()), 404)
        with self._finding:  # one at a time: it may read the whole log
            matches = find(LogFiles(self._names, self._mapping), Filters(request_id=identifier), _MAX_FOUND)
            records = [record for _, record in matches.requests]
            lines = [record for _, record in matches.app_lines]
        exact = [record for record in records if text(record, "request_id") == identifier]
        if exact:
            lines = [line for line in lines if text(line, "request_id") == identifier]
            return html_response(request_page(exact, lines, version()))
        if len({text(record, "request_id") for record in records}) > 1:
            return html_response(list_page(records, matches.request_count, version()))
        if not records and not lines:
            return html_response(missing_page(identifier, version()), 404)
        return html_response(request_page(records, lines, version()))
