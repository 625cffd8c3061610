r"""RFC 7239, the header ``Forwarded``: its elements, read from the right.

A proxy appends its element to what the client sent, and may not have looked at that. Read from the left, a quotation
mark that the client left open would swallow the proxy's element. So the tokenizer begins at the end: what it finds
there depends on no character further left.

>>> from overcoat.middleware._rfc7239 import elements_from_right, parse_node
>>> header = 'for=6.6.6.6;x=", For="[2001:db8::1]:4711";proto=https, for=10.0.0.9'
>>> for element in elements_from_right(header):
...     print(element)
{'for': '10.0.0.9'}
{'for': '[2001:db8::1]:4711', 'proto': 'https'}
None
>>> parse_node("[2001:db8::1]:4711"), parse_node("192.0.2.1:_gate"), parse_node("unknown"), parse_node("_hidden")
('2001:db8::1', '192.0.2.1', None, None)

Every function is linear in its input and never raises. The grammar is kept strictly, but for one thing: SP and HTAB may
stand around ``;``, where some proxies write them and where they can mean nothing else.
"""

import re
from collections.abc import Iterator, Mapping

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# quoted-string (RFC 9110, section 5.6.4), without its quotation marks
_TEXT = r"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"
_PAIR = re.compile(rf"({_NAME})=(?:({_NAME})|\"({_TEXT})\")[ \t]*(?=;|\Z)")
# What may stand where a pair, and where an element, could
_NO_PAIR = re.compile(r"[; \t]*")
_EMPTY = re.compile(r"[, \t]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

# In the reversed text, where right is left: what ends an element, and the mark that opens a quoted-string. A mark
# inside one has a backslash before it.
_COMMA_OR_MARK = re.compile(r"[,\"]")
_OPENING = re.compile(r"\"(?!\\)")

# node (section 6); what it is called must be an address to be of use. No zone: nobody outside of the host knows it.
_HIDDEN = "_[0-9A-Za-z._-]+"
_PORT = rf"(?::(?:[0-9]{{1,5}}|{_HIDDEN}))?"
_NODE = re.compile(rf"(?:([0-9.]{{7,15}})|\[([0-9A-Fa-f:.]{{2,45}})\]){_PORT}")
_OBFUSCATED = re.compile(_HIDDEN + _PORT)
_UNKNOWN = re.compile("unknown" + _PORT, re.ASCII | re.IGNORECASE)


def elements_from_right(value: str) -> Iterator[Mapping[str, str] | None]:
    """The parameters of each element, the nearest proxy's first, by their names in lower case.

    An element is made only when it is asked for. One that is malformed, or has a parameter twice (section 4), is None
    and the last: what is left of it means nothing. Empty elements are passed over (RFC 9110, section 5.6.1).
    """
    reverse = value[::-1]
    start = _after(_EMPTY, reverse, 0)
    while start < len(reverse):
        stop = _end_of_element(reverse, start)
        element = None if stop is None else _parameters(reverse[start:stop][::-1])
        yield element
        if stop is None or element is None:
            return
        start = _after(_EMPTY, reverse, stop)


def _end_of_element(reverse: str, position: int) -> int | None:
    """Where the element that begins here ends in the reversed text, or None for an open quoted-string."""
    while (mark := _COMMA_OR_MARK.search(reverse, position)) is not None:
        if mark[0] == ",":
            return mark.start()
        opening = _OPENING.search(reverse, mark.end())
        if opening is None:
            return None
        position = opening.end()
    return len(reverse)


def _parameters(text: str) -> Mapping[str, str] | None:
    found: dict[str, str] = {}
    position = _after(_NO_PAIR, text, 0)
    while position < len(text):
        pair = _PAIR.match(text, position)
        if pair is None or (name := pair[1].lower()) in found:
            return None
        found[name] = pair[2] if pair[2] is not None else _ESCAPED.sub(r"\1", pair[3])
        position = _after(_NO_PAIR, text, pair.end())
    return found


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return position if match is None else match.end()


def parse_node(text: str) -> str | None:
    """The address in a ``for`` or ``by``, without brackets and port, as yet unchecked; None for what names none."""
    match = _NODE.fullmatch(text)
    return None if match is None else match[1] or match[2]


def name_node(text: str) -> str:
    """What a node without an address is, in words."""
    if _UNKNOWN.fullmatch(text):
        return "an unknown address"
    return "an obfuscated name" if _OBFUSCATED.fullmatch(text) else "no address"
