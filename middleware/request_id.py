"""RequestID: one id for a request, on its response and on every line it logs.

The client's id is accepted where it is harmless (letters, digits and ``._:-``, at most 128 of them), so that an id
given by a gateway survives; anything else is replaced, and kept as ``client_request_id`` in the log. The id is in
``environ["overcoat.request_id"]``, in the request header that the app reads, and on the response of every status.

Do not use it as a secret: an id is a name for a request, and the client may choose it.

It stands outside RequestLog, so that no line is without an id.

>>> from overcoat.middleware import RequestID
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [environ["overcoat.request_id"].encode()]
>>> app = RequestID(app)
>>> environ = {"HTTP_X_REQUEST_ID": "gateway-7"}
>>> app(environ, lambda status, headers: print(headers))
[('X-Request-ID', 'gateway-7')]
[b'gateway-7']
"""

import os
import re
from collections.abc import Mapping
from random import Random
from typing import ClassVar, Unpack

from overcoat.middleware._exchange import Exchange
from overcoat.middleware._layer import Layer
from overcoat.middleware._options import LayerOptions, one_of
from overcoat.middleware._wsgi import Application

#: What is accepted from a client: safe in a header, a log line, a shell and a URL.
ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,128}")
# field-name = token (RFC 9110, section 5.1)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# Ids are names, not secrets, so a generator seeded by the system serves, at a fifth of uuid4's cost. It is seeded anew
# in a forked worker, which would otherwise repeat its siblings' ids; random.seed() elsewhere does not touch it.
_random = Random()  # noqa: S311
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def new_id() -> str:
    """A new request id: 128 random bits as 32 lower-case hexadecimal digits."""
    return f"{_random.getrandbits(128):032x}"


class RequestID(Layer):
    """Accept or make an id for each request.

    Args:
        app: The WSGI application to wrap.
        header: The header that carries the id, on the request and on the response.
        policy: ``"accept"`` takes a client's id that is harmless; ``"replace"`` always makes a new one.
        **options: Those of every layer: ``skip``, ``check_order``.

    Raises:
        ValueError: A header that is no field name, or an unknown policy.
    """

    does = "names the request"
    outside: ClassVar[Mapping[str, str]] = {"RequestLog": "every line carries the id, an early answer's too"}

    def __init__(
        self,
        app: Application | None = None,
        *,
        header: str = "X-Request-ID",
        policy: str = "accept",
        **options: Unpack[LayerOptions],
    ) -> None:
        if not isinstance(header, str) or not _TOKEN.fullmatch(header):
            raise ValueError(f"RequestID: header={header!r} is no header name (RFC 9110 token), such as 'X-Request-ID'")
        self._accept = one_of(self, "policy", policy, ["accept", "replace"]) == "accept"
        self._header = header
        self._lower = header.lower()
        self._key = "HTTP_" + header.upper().replace("-", "_")
        super().__init__(app, **options)

    def on_request(self, exchange: Exchange) -> None:
        """Choose the id and hand it to the app."""
        environ = exchange.environ
        theirs = environ.get(self._key)
        if theirs is not None:
            if self._accept and ACCEPTED.fullmatch(theirs):
                environ["overcoat.request_id"] = exchange.request_id = theirs
                return
            exchange.client_request_id = theirs[:128] or None
        environ[self._key] = environ["overcoat.request_id"] = exchange.request_id = new_id()

    def on_headers(self, exchange: Exchange) -> None:
        """Name the request to the client; an app's own header of that name gives way, or log and client disagree."""
        request_id = exchange.request_id
        if request_id is None:
            return
        if exchange.has_header(self._lower):
            exchange.set_header(self._header, request_id)
        else:
            exchange.headers.append((self._header, request_id))
