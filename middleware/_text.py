r"""Text from a client made safe to show: no control character reaches a terminal or splits a line.

Nothing here is compiled before it is needed: most text is printable, and a look tells that.

>>> from overcoat.middleware._text import visible
>>> visible("GET /\x1b[31m\u202e")
'GET /\\x1b[31m\\u202e'
"""

import re
from functools import cache

#: C0 and C1 controls, DEL, the line and paragraph separators, bidirectional controls, the byte order mark, surrogates.
#: Python calls none of them printable.
UNSAFE = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def visible(text: str) -> str:
    """The text with every unsafe character as its escape."""
    return text if text.isprintable() else compiled(UNSAFE).sub(_escape, text)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A constant pattern that few processes ever need, compiled when they do; kept, unlike in the cache of ``re``."""
    return re.compile(pattern)
