"""LogPage: the request log in a browser.

A WSGI application. In front of an app, `Mount` puts it under a path:

>>> from overcoat.middleware import Mount, ProxyFix, RequestID, RequestLog, Stack
>>> from overcoat.inspector import LogPage
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [b"hello"]
>>> app = Stack(app, [
...     ProxyFix(trusted=["127.0.0.1", "::1"]),
...     RequestID(),
...     Mount("/_logs", LogPage("app.log")),
...     RequestLog(to="stderr"),
... ])

Or by itself, over any log: ``overcoat logs app.log --serve``.

It stands inside ProxyFix, by whose client it decides who may see it, and outside RequestLog: it asks for news up to
four times a second, and its own requests would be all that one sees in a quiet log. Where it must stand inside, or
behind another dispatcher, give ``RequestLog(skip="/_logs/")``.

The first request builds an index of the log, in a temporary file of about a tenth of its size, from the end of the log
back; ten minutes after the last one it is given up. Each worker process that is asked has its own.

Not for the public: it shows what others did, so it answers clients on the same machine alone unless told otherwise, and
it has no log-in of its own.
"""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from os import PathLike, fspath
from typing import Any
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from overcoat.inspector._files import STDIN
from overcoat.inspector._mapping import Mapping, parse_mapping
from overcoat.inspector.page._access import Access, Allow
from overcoat.inspector.page._api import NAMES, Api
from overcoat.inspector.page._lookup import Lookup
from overcoat.inspector.page._responses import HEADERS, html_response, text_response
from overcoat.inspector.page._shell import shell
from overcoat.inspector.page._static import static_response, version


class LogPage:
    """The page over one log, or several.

    Args:
        path: the log that `RequestLog` writes, or a list: a rotated set, the logs of several services. A file that is
            not there yet is looked for again.
        allow: who may see it: addresses and networks of clients (`["127.0.0.1", "10.0.0.0/8"]`), or a callable on the
            environ that returns whether. None: clients on this machine. The client is the one that ProxyFix found;
            behind a proxy without ProxyFix nobody is let in.
        hosts: under which hosts it may be asked for, beside addresses, localhost and what `TrustedHosts` let through.
        max_requests: how many requests it keeps in its index, the latest ones.
        mapping: where foreign JSON has our fields, as for `overcoat logs --map`:
            `"timestamp=ts,path=.request.uri,status=status,duration_ms=.duration*1000"`.

    Raises:
        ValueError: an option is none of these.
        ModuleNotFoundError: DuckDB is not installed.
    """

    def __init__(
        self,
        path: str | PathLike[str] | Iterable[str | PathLike[str]],
        *,
        allow: Allow = None,
        hosts: Iterable[str] | None = None,
        max_requests: int = 10_000_000,
        mapping: str | None = None,
    ) -> None:
        names = _names(path)
        self._access = Access(allow, hosts)
        if isinstance(max_requests, bool) or not isinstance(max_requests, int) or max_requests < 1:
            raise ValueError(f"LogPage: max_requests={max_requests!r} must be a number, such as 1_000_000")
        if find_spec("duckdb") is None:
            raise ModuleNotFoundError("LogPage needs duckdb: pip install 'overcoat[logs]'", name="duckdb")
        fields = _fields(mapping)
        self._api, self._lookup = Api(names, max_requests, fields), Lookup(names, fields)

    def __repr__(self) -> str:
        return "LogPage(...)"  # the path of a log is nobody's business

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request as a WSGI application."""
        response = self._answer(environ)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response(environ, start_response)

    def close(self) -> None:
        """Give the index up; the next request would build another."""
        self._api.close()

    def _answer(self, environ: dict[str, Any]) -> Response:
        refusal = self._access.refusal(environ)
        if refusal is not None:
            return text_response(403, refusal)
        if environ.get("REQUEST_METHOD") not in {"GET", "HEAD"}:
            return Response("Only to be read.\n", 405, {"Allow": "GET, HEAD"}, content_type="text/plain; charset=utf-8")
        request = Request(environ)
        path = environ.get("PATH_INFO", "")
        if not path and environ.get("SCRIPT_NAME"):  # URLs of the page are relative to its folder
            folder = environ["SCRIPT_NAME"].rpartition("/")[2].encode("latin-1", "replace")
            return Response(status=308, headers={"Location": f"./{quote(folder, safe='')}/"})
        given = {name: values[0] for name, values in request.args.lists()}
        if path in {"", "/"}:
            return html_response(shell(given, version()))
        if path == "/request":
            return self._lookup.answer(given.get("id", ""))
        if path.startswith("/static/"):
            return static_response(path.removeprefix("/static/"), request)
        name = path.removeprefix("/api/")
        if name != path and name in NAMES:
            # A page of another site has no business with the figures, though it could not read them either.
            if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") not in {"same-origin", "none"}:
                return text_response(403, "Only this page itself asks for its figures.")
            return self._api.answer(name, given)
        return text_response(404, "There is no such page.")


def _names(path: Any) -> list[str]:
    listed = [path] if isinstance(path, str | PathLike) else list(path) if isinstance(path, Iterable) else [path]
    names = []
    for one in listed:
        name = fspath(one) if isinstance(one, str | PathLike) else None
        if not isinstance(name, str) or not name or name == STDIN:
            raise ValueError(f"LogPage: path={one!r} must be the path of a log, such as 'app.log'")
        names.append(name)
    if not names:
        raise ValueError("LogPage: path=[] names no log: write its path, such as 'app.log'")
    return names


def _fields(mapping: Any) -> Mapping | None:
    if mapping is None:
        return None
    if not isinstance(mapping, str):
        raise ValueError(f"LogPage: mapping={mapping!r} must be a text, such as 'status=.http.status,duration_ms=took'")
    try:
        return parse_mapping(mapping)
    except ValueError as error:
        raise ValueError(f"LogPage: mapping={mapping!r}: {error}") from None
