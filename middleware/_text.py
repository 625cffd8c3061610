r"""Text from a client made safe to show: no control character reaches a terminal or splits a line.

>>> from overcoat.middleware._text import visible
>>> visible("GET /\x1b[31m\u202e")
'GET /\\x1b[31m\\u202e'
"""

import re

# C0 and C1 controls, DEL, the line and paragraph separators, bidirectional controls, the byte order mark, surrogates.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def visible(text: str) -> str:
    """The text with every unsafe character as its escape."""
    # Printable text, nearly all there is, costs one look.
    return text if text.isascii() and text.isprintable() else UNSAFE.sub(_escape, text)
