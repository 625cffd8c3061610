r"""The command that repeats a request, as far as a log tells it.

What a log does not hold is left out: the body, the cookies, the credentials, every redacted value. A path stands
percent-encoded and every argument quoted for a POSIX shell, so that nothing a stranger sent is run when the command is
pasted.

>>> print(*curl({"method": "PUT", "scheme": "https", "host": "shop.example", "path": "/item/7", "request_bytes": 42}),
...     sep="\\n")
curl --path-as-is --globoff --request PUT https://shop.example/item/7 # with its body of 42 B, which no log holds
"""

import re
import shlex
from urllib.parse import quote

from overcoat.inspector._record import Record, number, text
from overcoat.inspector._text import size
from overcoat.middleware._redact import is_sensitive, redact_query

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_METHOD = re.compile(r"[A-Z]{1,32}")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_REDACTED = re.compile(r"(?i)(?:\[|%5b)redacted(?:\]|%5d)")
_IN_PATH = "/:@!$&'()*+,;=~-._"  # RFC 3986, section 3.3
_IN_QUERY = _IN_PATH + "?%"


def curl(record: Record) -> list[str]:
    """The lines of the command; none where the log does not tell host, method and path."""
    host, path = text(record, "host"), text(record, "path")
    method, scheme = text(record, "method") or "", text(record, "scheme") or "http"
    if not (host and _HOST.fullmatch(host) and _METHOD.fullmatch(method) and path and path.startswith("/")):
        return []
    if scheme not in {"http", "https"}:
        return []
    url = f"{scheme}://{host}{quote(path, _IN_PATH, errors='backslashreplace')}"
    query = text(record, "query")
    redacted = redact_query(query or "")
    if query:
        url += "?" + quote(_REDACTED.sub("", redacted), _IN_QUERY, errors="backslashreplace")
    parts = ["curl --path-as-is --globoff"]
    if method == "HEAD":
        parts.append("--head")
    elif method != "GET":
        parts.append(f"--request {method}")
    headers = record.get("request_headers")
    named = {"user-agent": text(record, "user_agent"), **(headers if isinstance(headers, dict) else {})}
    parts += [
        f"--header {shlex.quote(f'{name}: {value}')}"
        for name, value in named.items()
        if isinstance(value, str) and value.isprintable() and _may_stand(name, value)
    ]
    parts.append(shlex.quote(url))
    notes = []
    body = number(record, "request_bytes")
    if body:
        notes.append(f"with its body of {size(body)}, which no log holds")
    if _REDACTED.search(redacted):
        notes.append("with the values that the log redacted")
    return [" ".join(parts) + (f" # {'; '.join(notes)}" if notes else "")]


def _may_stand(name: str, value: str) -> bool:
    return bool(_HEADER.fullmatch(name)) and not is_sensitive(name) and not _REDACTED.search(value)
