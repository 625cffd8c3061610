"""What a scanner asks of a site, asked of a WSGI app: a page by https and http, its redirects, robots.txt, a preflight.

>>> from overcoat.inspector._visit import visit
>>> def app(environ, start_response):
...     if environ["wsgi.url_scheme"] == "http":
...         start_response("301 Moved Permanently", [("Location", "https://example.com/")])
...     else:
...         start_response("200 OK", [])
...     return [b""]
>>> seen = visit(app, "/", "example.com")
>>> seen.route, seen.page.line
(('http://example.com/', 'https://example.com/'), '200 OK')

Redirects are followed within the host, at most ten of them, with the cookies that were set on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from overcoat.inspector._response import Response, ask
from overcoat.inspector._set_cookie import read_set_cookie

#: An origin that no app of anybody's trusts (RFC 2606).
FOREIGN_ORIGIN = "https://overcoat-check.invalid"

_MOST_REDIRECTS = 10
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# A path that nobody has, and a method that is safe (RFC 4918, section 9.1) and that few apps know.
_NOWHERE = "/overcoat-check-no-such-page"
_RARE_METHOD = "PROPFIND"


@dataclass(frozen=True)
class Visit:
    """All that was asked about one path.

    Attributes:
        path, host: Of what.
        http: The responses from ``http://`` on, or nothing where nobody is served over http.
        https: Those from ``https://`` on; the last is the page.
        away: Where the last redirect of each leads, if it leaves the host or was there before: ``{"http": url}``.
        robots: The answer to ``/robots.txt``, for its cookies.
        preflight: The answer to a CORS preflight of a foreign origin, for the page.
        shared: The page, asked by a foreign origin.
        head: The page, asked with HEAD.
        errors: Error pages: of a path that is not there, and of a method that few know.
    """

    path: str
    host: str
    http: tuple[Response, ...]
    https: tuple[Response, ...]
    robots: Response
    preflight: Response
    shared: Response
    head: Response
    errors: tuple[Response, ...] = ()
    away: Mapping[str, str] = field(default_factory=dict)

    @property
    def page(self) -> Response:
        """What a browser shows in the end."""
        return self.https[-1]

    @property
    def hostname(self) -> str:
        """The host without its port."""
        return urlsplit(f"//{self.host}").hostname or ""

    @property
    def route(self) -> tuple[str, ...]:
        """The URLs that a browser passes that begins with http."""
        urls = tuple(response.url for response in self.http)
        return (*urls, self.away["http"]) if "http" in self.away else urls

    @property
    def is_loop(self) -> bool:
        """Whether the page redirects to where a browser was already."""
        return self.away.get("https") in {response.url for response in self.https}

    @property
    def forces_https(self) -> bool:
        """Whether nothing is served over http but a redirect that leads to https at once, and stays there."""
        return not self.http or (len(self.route) > 1 and all(url.startswith("https:") for url in self.route[1:]))


def visit(app: Any, path: str, host: str, *, https_only: bool = False) -> Visit:
    """Ask a WSGI application for a path.

    Args:
        app: The application.
        path: With a query, if need be.
        host: With a port, if need be.
        https_only: Whether nobody is served over http, because what stands in front of the app redirects.
    """
    away: dict[str, str] = {}
    http = () if https_only else _follow(app, f"http://{host}{path}", away, {})
    cookies: dict[str, str] = {}
    https = _follow(app, f"https://{host}{path}", away, cookies)
    page = https[-1]
    sent = _cookie_header(cookies)
    cors = {**sent, "Origin": FOREIGN_ORIGIN}
    return Visit(
        path,
        host,
        http,
        https,
        robots=ask(app, "GET", f"https://{host}/robots.txt", {**sent, "Accept": "text/plain,*/*;q=0.8"}),
        preflight=ask(app, "OPTIONS", page.url, {**cors, "Access-Control-Request-Method": "GET"}),
        shared=ask(app, "GET", page.url, cors),
        head=ask(app, "HEAD", page.url, sent),
        errors=tuple(
            response
            for response in (ask(app, "GET", f"https://{host}{_NOWHERE}"), ask(app, _RARE_METHOD, page.url))
            if response.status >= 400
        ),
        away=away,
    )


def _follow(app: Any, url: str, away: dict[str, str], cookies: dict[str, str]) -> tuple[Response, ...]:
    host, first = urlsplit(url).hostname, urlsplit(url).scheme
    passed = []
    while True:
        response = ask(app, "GET", url, _cookie_header(cookies))
        passed.append(response)
        for value in response.all("set-cookie"):
            cookie = read_set_cookie(value)
            if cookie is not None:
                cookies[cookie[0]] = value.partition(";")[0].partition("=")[2].strip()
        location = response.first("location")
        if response.status not in _REDIRECTS or not location or len(passed) > _MOST_REDIRECTS:
            return tuple(passed)
        target = target_of(url, location)
        if target is None:
            return tuple(passed)
        if urlsplit(target).hostname != host or target in {one.url for one in passed}:
            away[first] = target
            return tuple(passed)
        url = target


def target_of(url: str, location: str) -> str | None:
    """The URL that a Location leads to, or None where it leads to no web page."""
    try:
        target = urldefrag(urljoin(url, location)).url
        parts = urlsplit(target)
        _ = parts.port
    except ValueError:
        return None
    return target if parts.scheme in {"http", "https"} and parts.hostname else None


def _cookie_header(cookies: Mapping[str, str]) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
