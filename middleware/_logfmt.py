"""One record as logfmt: ``key=value`` pairs on one line, as Heroku, Loki and Grafana read them."""

import re
from collections.abc import Mapping
from typing import Any

from overcoat.middleware._json import text_of, text_or_json
from overcoat.middleware._text import visible

# What stands without quotes, and what would end a key.
_PLAIN = re.compile(r"[!#-<>-\[\]-~]+")
_NOT_IN_KEY = re.compile(r'[\s="\\]')


def logfmt_line(record: Mapping[str, Any]) -> bytes:
    """One record as ``key=value`` pairs, a value with a space, a quote or a backslash in quotes."""
    pairs = []
    for key, value in record.items():
        text = text_or_json(value)
        if not _PLAIN.fullmatch(text):
            text = '"' + visible(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'
        name = (
            key
            if isinstance(key, str) and _PLAIN.fullmatch(key)
            else _NOT_IN_KEY.sub("_", visible(text_of(key))) or "_"
        )
        pairs.append(f"{name}={text}")
    return (" ".join(pairs) + "\n").encode("utf-8", "backslashreplace")
