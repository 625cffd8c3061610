r"""SecureCookies: Secure, HttpOnly and SameSite on every cookie, whoever set it.

A cookie is safe when whoever set it thought of three attributes, and each extension of an app sets its own. This layer
adds those that are missing, where all Set-Cookie headers pass:

>>> from overcoat.middleware import SecureCookies
>>> def app(environ, start_response):
...     start_response("200 OK", [("Set-Cookie", "session=a; Path=/"), ("Set-Cookie", "XSRF-TOKEN=b; SameSite=Strict")])
...     return []
>>> app = SecureCookies(app, readable=["XSRF-TOKEN"])
>>> _ = app({"wsgi.url_scheme": "https"}, lambda status, headers: print(*(value for _, value in headers), sep="\n"))
session=a; Path=/; Secure; HttpOnly; SameSite=Lax
XSRF-TOKEN=b; SameSite=Strict; Secure

What a cookie says itself stands. So an app that needs a cookie in another site's frame writes ``SameSite=None``. Only
HttpOnly and Secure have no way to say no: name the cookies that scripts read as ``readable``, and those that shall pass
untouched as ``exempt``. A name that begins with ``__Host-`` or ``__Secure-`` is a promise without which browsers drop
the cookie: Secure, and for ``__Host-`` the path, are added to it by http too, for it cannot do without.

On an app that is in use, begin with ``mode="report"``: nothing is changed, and the log names once each cookie that
would be. In either mode it names once each that browsers drop whatever is added.

It encrypts and signs nothing, and deletes no cookie. A Set-Cookie that has no name or holds control characters is left
as it is.

It stands inside ProxyFix, which tells whether the client came by https.
"""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Unpack

from overcoat.middleware._cookies import (
    SAME_SITE,
    faults,
    parse_attributes,
    promises_host,
    promises_http_only,
    promises_secure,
    split_set_cookie,
)
from overcoat.middleware._exchange import Exchange, HeaderList, name_of
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions, one_of
from overcoat.middleware._wsgi import Application

# How many cookies are named in the log: an app that puts a user's number into a name shall not fill it.
_NAMED = 100
# Names and attributes come again and again, with other values: longer ones are not remembered.
_REMEMBERED = 200

_log = logging.getLogger("overcoat")


class SecureCookies(Layer):
    """Add what is missing to each Set-Cookie.

    Args:
        app: The WSGI application to wrap.
        secure: ``"https"`` adds Secure to the cookies of a request by https; True to all, for an app that is reached by
            https though nothing tells it; False to none.
        http_only: Whether to add HttpOnly, which keeps the cookie from scripts.
        same_site: ``"Lax"`` (not sent with other sites' forms and frames), ``"Strict"`` (with nothing that begins at
            another site, a link included), ``"None"`` (sent always, which browsers accept with Secure only), or None to
            add nothing.
        readable: Names of cookies that scripts read: they get no HttpOnly.
        exempt: Names of cookies that are left as they are.
        mode: ``"enforce"``, or ``"report"`` to change nothing and log what would be changed.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: A value that is none of these, a name that is none, or options of which one has no effect.
    """

    does = "adds what cookies lack of Secure, HttpOnly and SameSite"
    inside: ClassVar[Mapping[str, str]] = {"ProxyFix": "Secure is for https, and ProxyFix tells the scheme"}

    def __init__(
        self,
        app: Application | None = None,
        *,
        secure: bool | str = "https",
        http_only: bool = True,
        same_site: str | None = "Lax",
        readable: Iterable[str] = (),
        exempt: Iterable[str] = (),
        mode: str = "enforce",
        **options: Unpack[LayerOptions],
    ) -> None:
        self._secure = secure if isinstance(secure, bool) else one_of(self, "secure", secure, ["https", True, False])
        self._http_only = one_of(self, "http_only", http_only, [True, False])
        self._same_site = one_of(self, "same_site", same_site, [*SAME_SITE, None])
        if same_site == "None" and secure is False:
            raise ValueError(
                "SecureCookies: same_site='None' needs Secure, or browsers drop the cookie: leave out secure=False"
            )
        self._readable = _names("readable", readable)
        self._exempt = _names("exempt", exempt)
        if self._readable & self._exempt:
            raise ValueError(f"SecureCookies: readable and exempt both name {sorted(self._readable & self._exempt)!r}")
        if self._readable and not http_only:
            raise ValueError("SecureCookies: readable= has no effect with http_only=False: leave one out")
        self._reports = one_of(self, "mode", mode, ["enforce", "report"]) == "report"
        if self._reports:
            self.does = "reports what cookies lack of Secure, HttpOnly and SameSite"  # type: ignore[misc]  # for this one
        self._told: set[tuple[str, str]] = set()
        self._known = lru_cache(maxsize=256)(self._missing)
        super().__init__(app, **options)

    def on_headers(self, exchange: Exchange) -> None:
        """Complete the cookies of this response."""
        headers = exchange.headers
        try:
            for name, _ in headers:
                if len(name) == 10 and name.lower() == "set-cookie":
                    break
            else:
                return
        except (TypeError, ValueError, AttributeError):
            pass  # one that is no header, of which the server shall complain
        self._complete(exchange, headers)

    def _complete(self, exchange: Exchange, headers: HeaderList) -> None:
        by_https = exchange.environ.get("wsgi.url_scheme") in {"https", "wss"}
        for index, pair in enumerate(headers):
            if name_of(pair) == "set-cookie" and type(pair) is tuple and len(pair) == 2 and type(pair[1]) is str:
                cookie = split_set_cookie(pair[1])
                if cookie is None or cookie[0] in self._exempt:
                    continue
                known = len(cookie[0]) + len(cookie[1]) <= _REMEMBERED
                added = (self._known if known else self._missing)(*cookie, by_https)
                if added and not self._reports:
                    headers[index] = (pair[0], pair[1].rstrip("; \t") + added)

    def _missing(self, name: str, rest: str, by_https: bool) -> str:
        """What to append to a Set-Cookie: ``"; Secure; HttpOnly"``, or "" for nothing."""
        attributes = parse_attributes(rest)
        added = {}
        secure = by_https if self._secure == "https" else self._secure
        if (secure or promises_secure(name)) and "secure" not in attributes:
            added["Secure"] = ""
        if "httponly" not in attributes and (
            promises_http_only(name) or (self._http_only and name not in self._readable)
        ):
            added["HttpOnly"] = ""
        # By http a cookie without Secure keeps the browser's own default: with SameSite=None it would be dropped.
        is_secure = "Secure" in added or "secure" in attributes
        if "samesite" not in attributes and self._same_site is not None and (is_secure or self._same_site != "None"):
            added["SameSite"] = self._same_site
        if "path" not in attributes and promises_host(name):
            added["Path"] = "/"
        if added and self._reports:
            self._tell(name, f"lacks {', '.join(added)}")
        for fault in faults(name, attributes | {key.lower(): text for key, text in added.items()}):
            self._tell(name, f"is dropped or changed by browsers: {fault}")
        return "".join(f"; {key}={text}" if text else f"; {key}" for key, text in added.items())

    def _tell(self, name: str, what: str) -> None:
        """Log something of a cookie, once; its value never."""
        topic = (name[:_NAMED], what)
        if topic not in self._told and len(self._told) < _NAMED:
            self._told.add(topic)
            _log.warning("SecureCookies: the cookie %.100r %s", name, what)


def _names(option: str, names: Iterable[str]) -> frozenset[str]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ValueError(f"SecureCookies: {option}={names!r} must be a list: {option}=[{names!r}]")
    listed: list[Any] = list(names)
    for name in listed:
        if not isinstance(name, str) or split_set_cookie(f"{name}=;") != (name, "") or "=" in name:
            raise ValueError(f"SecureCookies: {option} entry {name!r} is no name of a cookie, such as 'XSRF-TOKEN'")
    return frozenset(listed)
