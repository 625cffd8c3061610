"""Environs as hostile clients, odd servers and careless proxies make them."""

import io
from collections.abc import Iterator
from typing import Any

#: What carries a client's claim: forwarding headers, ids, and all that a layer may read.
KEYS = (
    "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX", "HTTP_X_FORWARDED_SSL", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP",
    "HTTP_CF_CONNECTING_IP", "HTTP_X_REQUEST_ID", "HTTP_X_TRACE", "HTTP_TRACEPARENT", "HTTP_TRACESTATE", "HTTP_HOST",
    "HTTP_ORIGIN", "HTTP_COOKIE", "HTTP_USER_AGENT", "HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH", "HTTP_RANGE",
    "HTTP_PROXY", "HTTP_TRANSFER_ENCODING", "QUERY_STRING", "REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT",
    "SERVER_PROTOCOL", "PATH_INFO", "SCRIPT_NAME", "REQUEST_METHOD", "CONTENT_LENGTH", "CONTENT_TYPE",
)  # fmt: skip

VALUES = {
    "empty": "",
    "space": " \t ",
    "crlf": "a\r\nSet-Cookie: evil=1",
    "lf": "a\nX-Evil: 1",
    "cr": "a\rX-Evil: 1",
    "nul": "a\0b",
    "escape": "\x1b[31mred\x1b[0m\x07",
    "c1-control": "a\x7f\x9b31m",
    "vertical-tab": "1\x0b.2\x0c.3.4",
    "markup": "<script>alert(1)</script>\"'&",
    "latin-1": "caf\xe9 \xff\xfe\x80",
    "next-line": "a\x85b\xa0c",
    "utf-8-as-latin-1": "\xe2\x80\xa8\xf0\x9f\xa7\xa5",
    "not-latin-1": "\u202e\U0001f9e5 \uff11",
    "lone-surrogate": "\ud800\udfff",
    "other-digits": "\u0661\u0662\u0663",
    "superscript": "\xb2\xb3",
    "negative": "-1",
    "huge-number": "9" * 5000,
    "underscored-number": "1_0",
    "commas": "," * 5000,
    "quotes": '"' * 5000 + "\\",
    "open-quote": 'for="[::1',
    "semicolons": ";=;=,;" * 1000,
    "percent": "%00%0d%0a%zz%",
    "traversal": "/../..//evil.example/\\",
    "double-slash": "//evil.example",
    "address-with-zone": "fe80::1%eth0",
    "mapped-address": "::ffff:127.0.0.1",
    "bracketed": "[::1]:80]",
    "format": "%s%n{0.__class__}${jndi:x}",
    "64-KiB": "a" * 65536,
    "64-KiB-of-addresses": ", ".join(["10.0.0.1"] * 6553),
    "64-KiB-of-spaces": " " * 65536,
    "64-KiB-of-colons": ":" * 65536,
    "64-KiB-of-dots": "1." * 32768,
    "64-KiB-of-newlines": "\r\n" * 32768,
    "64-KiB-of-pairs": "a=b&" * 16384,
}

#: Environs that PEP 3333 lets a server make; None removes a key.
LAWFUL: dict[str, dict[str, Any]] = {
    "no-remote-addr": {"REMOTE_ADDR": None},
    "empty-remote-addr": {"REMOTE_ADDR": ""},
    "unix-socket": {"REMOTE_ADDR": "localhost", "SERVER_NAME": "unix", "SERVER_PORT": "/run/app.sock"},
    "unix-peer": {"REMOTE_ADDR": "unix:"},
    "no-host": {"HTTP_HOST": None},
    "no-path": {"PATH_INFO": None, "SCRIPT_NAME": None},
    "path-of-an-authority": {"REQUEST_METHOD": "CONNECT", "PATH_INFO": "example.com:443"},
    "path-of-a-star": {"REQUEST_METHOD": "OPTIONS", "PATH_INFO": "*"},
    "path-of-invalid-utf-8": {"PATH_INFO": "/\xff\xfe\xc3"},
    "path-of-an-overlong-nul": {"PATH_INFO": "/\xc0\x80"},
    "unknown-method": {"REQUEST_METHOD": "BREW"},
    "lower-case-method": {"REQUEST_METHOD": "get"},
    "no-query": {"QUERY_STRING": None},
    "empty-length": {"CONTENT_LENGTH": "", "CONTENT_TYPE": ""},
    "chunked": {"wsgi__input": io.BytesIO(b"abc"), "HTTP_TRANSFER_ENCODING": "chunked", "REQUEST_METHOD": "POST"},
    "https": {"wsgi__url_scheme": "https"},
    "http-0.9": {"SERVER_PROTOCOL": "HTTP/0.9"},
}

#: Those, and what an odd server or another middleware may hand over all the same.
ODD: dict[str, dict[str, Any]] = LAWFUL | {
    "no-server-port": {"SERVER_PORT": None, "SERVER_NAME": None},
    "no-input": {"wsgi__input": None},
    "no-input-but-a-length": {"wsgi__input": None, "CONTENT_LENGTH": "10"},
    "length-beyond-the-input": {"wsgi__input": io.BytesIO(b"abc"), "CONTENT_LENGTH": "99999999999999999999"},
    "length-that-is-none": {"wsgi__input": io.BytesIO(b"abc"), "CONTENT_LENGTH": "abc"},
    "path-without-slash": {"PATH_INFO": "x"},
    "no-method": {"REQUEST_METHOD": None},
    "no-scheme": {"wsgi__url_scheme": None},
    "no-protocol": {"SERVER_PROTOCOL": None},
    "no-wsgi-keys": {"wsgi__version": None, "wsgi__errors": None, "wsgi__multithread": None},
    "stale-exchange-key": {"werkzeug__request": None, "bottle__route": None},
    "strange-framework-keys": {"werkzeug__request": object(), "bottle__route": object()},
}

#: What a client decides of it, and a server hands on as it came.
CLIENT_KEYS = (*(key for key in KEYS if key.startswith("HTTP_")), "QUERY_STRING", "PATH_INFO", "CONTENT_TYPE")


def hostile() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every environ, as overrides, with a name."""
    for key in KEYS:
        for label, value in VALUES.items():
            yield f"{key}-{label}", {key: value}
    for label, value in VALUES.items():
        yield (
            f"all-{label}",
            dict.fromkeys([key for key in KEYS if key.startswith("HTTP_X_F")] + ["HTTP_FORWARDED"], value),
        )
    yield from ODD.items()
