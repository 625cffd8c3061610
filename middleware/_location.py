r"""What a request asked for, as it stands in a Location header.

>>> from overcoat.middleware._location import target_of
>>> target_of({"SCRIPT_NAME": "/shop", "PATH_INFO": "/caf\xc3\xa9", "QUERY_STRING": "a=%20b"})
'/shop/caf%C3%A9?a=%20b'
>>> target_of({"PATH_INFO": "@evil.example"}), target_of({"PATH_INFO": "/\\evil.example\r\nSet-Cookie: a=b"})
('/@evil.example', '/%5Cevil.example%0D%0ASet-Cookie:%20a=b')
"""

from typing import Any
from urllib.parse import quote

# What may stand in a path and a query as it is (RFC 3986, sections 3.3 and 3.4); a query is escaped already.
_IN_PATH = "/!$&'()*+,;=:@"
_IN_QUERY = _IN_PATH + "?%"


def target_of(environ: dict[str, Any]) -> str:
    """Path and query, for behind the host of a URL; printable ASCII whatever is in them. Linear, and never raises.

    The path begins with a slash of ours if it has none (``@evil.example`` would move the host), and every character
    that is not its own stands escaped: CR and LF, the backslash that browsers take for a slash, bytes beyond ASCII.
    Which slashes of the path came escaped, WSGI does not tell.
    """
    path = _quoted(f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}", _IN_PATH)
    query = environ.get("QUERY_STRING")
    if not path.startswith("/"):
        path = f"/{path}"
    return f"{path}?{_quoted(query, _IN_QUERY)}" if query else path


def _quoted(text: str, safe: str) -> str:
    try:
        return quote(text, safe, "latin-1")  # PEP 3333: each character is a byte
    except UnicodeEncodeError:
        return quote(text, safe, "utf-8", "replace")
