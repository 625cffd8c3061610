"""The headers of a request and its response that an allow-list lets into the record.

>>> from overcoat.middleware import Exchange
>>> from overcoat.middleware._redact import DEFAULT
>>> read = request_headers("RequestLog", ["Referer", "Accept"], DEFAULT)
>>> read(Exchange({"HTTP_REFERER": "/cart?token=abc", "HTTP_COOKIE": "id=s3cret"}))
{'referer': '/cart?token=[redacted]'}
"""

from collections.abc import Callable, Iterable

from overcoat.middleware._exchange import Exchange, decode_path, name_of
from overcoat.middleware._options import is_token
from overcoat.middleware.sensitive import Sensitive

#: Characters of one value, those of several headers of a name joined; what is longer ends with an ellipsis.
LONGEST_VALUE = 1024

Read = Callable[[Exchange], dict[str, str]]

# PEP 3333 gives these two without the prefix.
_BARE = {"CONTENT_TYPE", "CONTENT_LENGTH"}


def request_headers(owner: str, names: Iterable[str], sensitive: Sensitive) -> Read:
    """A function from an exchange to those of its request headers that are named, by lower-case name.

    Raises:
        ValueError: A name that is none, or one whose values are secrets.
    """
    keys = []
    for name in checked(owner, "headers", names, sensitive):
        key = name.upper().replace("-", "_")
        keys.append((name, key if key in _BARE else f"HTTP_{key}"))

    def read(exchange: Exchange) -> dict[str, str]:
        environ = exchange.environ
        values = ((name, environ.get(key)) for name, key in keys)
        return {name: _shown(value, sensitive) for name, value in values if value and isinstance(value, str)}

    return read


def response_headers(owner: str, names: Iterable[str], sensitive: Sensitive) -> Read:
    """The same for the headers of the response, as they went out; several of one name are joined with a comma.

    Raises:
        ValueError: A name that is none, or one whose values are secrets.
    """
    wanted = checked(owner, "response_headers", names, sensitive)

    def read(exchange: Exchange) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for pair in exchange.headers:
            # What is no header has no name; the server complains of it.
            if (name := name_of(pair)) in wanted and len(pair) == 2 and isinstance(value := pair[1], str):
                found.setdefault(name, []).append(value)
        return {name: _shown(", ".join(found[name]), sensitive) for name in wanted if name in found}

    return read


def checked(owner: str, option: str, names: Iterable[str], sensitive: Sensitive) -> dict[str, None]:
    """The names in lower case, each once, in their order.

    Raises:
        ValueError: A name that is none, or one whose values are secrets.
    """
    example = "such as ['Referer', 'Content-Type']"
    if isinstance(names, str | bytes) or not isinstance(names, Iterable):
        raise ValueError(f"{owner}: {option}={names!r} must be a list of header names, {example}")
    lower: dict[str, None] = {}
    for name in names:
        if not is_token(name):
            raise ValueError(f"{owner}: {option}={name!r} is no header name (RFC 9110 token), {example}")
        if sensitive.is_sensitive(name):
            raise ValueError(
                f"{owner}: {option}={name!r} would put secrets into the log, for its name is on the list of sensitive "
                "ones: leave it out, and log what you need of it with add_fields(...)"
            )
        lower[name.lower()] = None
    return lower


def _shown(value: str, sensitive: Sensitive) -> str:
    text = sensitive.redact_value(decode_path(value))
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
