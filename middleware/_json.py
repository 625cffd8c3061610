r"""One JSON object a line, whatever is in it.

>>> from overcoat.middleware._json import json_line
>>> json_line({"path": "/\x9b", "size": 2**70, "of": object})
b'{"path":"/\\u009b","size":1180591620717411303424,"of":"<class \'object\'>"}\n'
"""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from overcoat.middleware._text import UNSAFE

_LINE = orjson.OPT_APPEND_NEWLINE
# Twice as slow for every record, so only asked for where a field of the app's has such a key.
_ANY_KEY = _LINE | orjson.OPT_NON_STR_KEYS
# What JSON can write only as half a pair, which most readers refuse.
_SURROGATE = re.compile("[\ud800-\udfff]")
# What JSON lets stand raw in a string and a terminal acts on.
_RAW = re.compile(UNSAFE.pattern.replace("\x00-\x1f", ""))


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__} whose str() raises>"


def json_line(record: Mapping[str, Any]) -> bytes:
    """The record as one line of JSON in UTF-8, with its line feed; control characters are always escaped.

    What JSON does not know is written as its ``str()``. Never raises.
    """
    try:
        line = orjson.dumps(record, _text, _LINE)
    except (TypeError, ValueError, RecursionError):
        line = _slowly(record)
    # Two cheap looks; most lines need no more.
    if line.isascii() and b"\x7f" not in line:
        return line
    return _RAW.sub(lambda match: f"\\u{ord(match[0]):04x}", line.decode()).encode()


def _slowly(record: Mapping[str, Any]) -> bytes:
    """The same for what orjson refuses: other keys, lone surrogates, integers beyond 64 bits, cycles, deep nesting."""
    with suppress(Exception):
        return orjson.dumps(record, _text, _ANY_KEY)
    parts = []
    for key, value in record.items():
        try:
            text = json.dumps(value, default=_text, allow_nan=False, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            text = json.dumps(f"<{type(value).__name__} that is no JSON>")
        parts.append(f"{json.dumps(_text(key), ensure_ascii=False)}:{text}")
    line = f"{{{','.join(parts)}}}\n"
    return _SURROGATE.sub(lambda match: f"\\\\u{ord(match[0]):04x}", line).encode()
