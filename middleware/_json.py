r"""One JSON object a line, whatever is in it.

>>> from overcoat.middleware._json import json_line
>>> json_line({"path": "/\x9b", "size": 2**70, "of": object})
b'{"path":"/\\u009b","size":1180591620717411303424,"of":"<class \'object\'>"}\n'
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from overcoat.middleware._text import UNSAFE, compiled

_LINE = orjson.OPT_APPEND_NEWLINE
# Twice as slow for every record, so only asked for where a field of the app's has such a key.
_ANY_KEY = _LINE | orjson.OPT_NON_STR_KEYS
# A number: where bytes are looked for in bytes, they are tried as a number first, and the error is made and dropped.
_DELETE = 0x7F

# What JSON can write only as half a pair, which most readers refuse.
_SURROGATE = "[\ud800-\udfff]"
# How far down a member that is no JSON is looked for: under the names of a schema the app's fields are two down.
_DEEPEST = 4
# The name of a class as it was given, whatever its metaclass answers.
_name_of = type.__dict__["__name__"].__get__


def text_of(value: object) -> str:
    """Its ``str()``, or what says that it has none; of a class derived from ``str`` the text without its own ways."""
    kind = type(value)
    if issubclass(kind, str):
        return value if kind is str else str.__str__(value)  # type: ignore[return-value]
    try:
        return str(value)
    except Exception:
        return f"<{_name_of(type(value))} whose str() raises>"


# Piece by piece; by the rules of json_line but for numbers that are none, which a beginning shows as what they are.
_encoder = json.JSONEncoder(default=text_of, ensure_ascii=False, separators=(",", ":"))


def json_line(record: Mapping[str, Any]) -> bytes:
    """The record as one line of JSON in UTF-8, with its line feed; control characters are always escaped.

    What JSON does not know is written as its ``str()``. Never raises.
    """
    try:
        line = orjson.dumps(record, text_of, _LINE)
    except (TypeError, ValueError, RecursionError):
        line = _slowly(record)
    # Two cheap looks; most lines need no more.
    if line.isascii() and _DELETE not in line:
        return line
    text = line[:-1].decode()
    if text.isprintable():
        return line
    # JSON lets stand raw in a string what a terminal acts on.
    return compiled(UNSAFE).sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode() + b"\n"


def json_value(value: object) -> bytes:
    r"""One value as JSON, by the same rules.

    >>> json_value("a\x9b"), json_value([1, None])
    (b'"a\\u009b"', b'[1,null]')
    """
    return json_line({"": value})[len(b'{"":') : -len(b"}\n")]


def text_or_json(value: object) -> str:
    """Text as it is, anything else as its JSON; whatever claims to be text and is none (a proxy) as what it stands for.

    >>> text_or_json("a b"), text_or_json({"a": 1})
    ('a b', '{"a":1}')
    """
    return text_of(value) if issubclass(type(value), str) else json_value(value).decode()


def json_beginning(value: object, size: int) -> str:
    """The first characters of a value's JSON, at least so many where it has them; the rest is not written.

    >>> json_beginning([1, 2] * 1_000_000, 5)
    '[1,2,1'
    """
    parts: list[str] = []
    try:
        for part in _encoder.iterencode(value):
            parts.append(part)
            size -= len(part)
            if size <= 0:
                break
    except Exception:
        return f"<{_name_of(type(value))} that is no JSON>"
    return "".join(parts)


def _slowly(record: Mapping[str, Any]) -> bytes:
    """The same for what orjson refuses: other keys, lone surrogates, integers beyond 64 bits, cycles, deep nesting."""
    with suppress(Exception):
        return orjson.dumps(record, text_of, _ANY_KEY)
    line = _object(record, _DEEPEST, set()) + "\n"
    return compiled(_SURROGATE).sub(lambda match: f"\\\\u{ord(match[0]):04x}", line).encode()


def _object(members: Mapping[Any, Any], depth: int, taken_apart: set[int]) -> str:
    """Member by member, so that one that is no JSON costs no other."""
    parts = (
        f"{json.dumps(text_of(key), ensure_ascii=False)}:{_value(value, depth, taken_apart)}"
        for key, value in members.items()
    )
    return f"{{{','.join(parts)}}}"


def _value(value: object, depth: int, taken_apart: set[int]) -> str:
    with suppress(Exception):
        return json.dumps(value, default=text_of, allow_nan=False, ensure_ascii=False)
    if depth and isinstance(value, dict) and id(value) not in taken_apart:
        taken_apart.add(id(value))  # once each, or one that holds itself a hundred times would grow with every step
        with suppress(Exception):
            return _object(value, depth - 1, taken_apart)
    return json.dumps(f"<{_name_of(type(value))} that is no JSON>")
