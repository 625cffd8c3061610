r"""The headers of W3C Trace Context, level 2: reading ``traceparent`` and ``tracestate``.

>>> from overcoat.middleware._traceparent import parse_traceparent, parse_tracestate
>>> parse_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
('4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', '01')
>>> parse_traceparent("00-00000000000000000000000000000000-00f067aa0ba902b7-01") is None
True
>>> parse_tracestate("rojo=00f067aa0ba902b7 ,\t congo=t61rcWkgMzE,")
'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'

Both are asked of hostile text: they never raise, and take linear time.
"""

import re

from overcoat.middleware._text import compiled

#: How many members a tracestate may have (section 3.3.1.3.1).
MOST_MEMBERS = 32

# Sections 3.2.2.2 to 3.2.2.5: lower-case hexadecimal digits, and neither id all zero.
_FIELDS = r"(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
_version_00 = re.compile(f"00-{_FIELDS}").fullmatch
# Section 3.2.4: a later version may have more behind a dash. A comma there is a second header that the server joined.
_LATER_VERSION = rf"(?!00|ff)[0-9a-f]{{2}}-{_FIELDS}(?:-[!-+\--~]*)?"

# Section 3.2.2.5: sampled and random are handed on, every other flag is not ours to set.
_flags = {f"{number:02x}": f"{number & 0b11:02x}" for number in range(256)}

# Section 3.3.1.3. The key is as in level 1, where the part behind "@" names a system of at most 14 characters: level 2
# allows "@" anywhere, but its test suite does not. A value keeps spaces in front; those behind are the list's.
_member = re.compile(
    r"([a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})"
    r"=[ -+\--<>-~]{0,255}[!-+\--<>-~]"
).fullmatch


def parse_traceparent(value: str) -> tuple[str, str, str] | None:
    """The trace id, the parent's span id and the flags, or None where the trace must be started anew.

    Args:
        value: The header, as the server gives it: several headers are joined with commas, and make it invalid.

    Returns:
        32, 16 and 2 hexadecimal digits; of the flags only those of level 2, sampled (1) and random (2).
    """
    match = _version_00(value)
    if match is None:
        stripped = value.strip(" \t")
        match = _version_00(stripped) or compiled(_LATER_VERSION).fullmatch(stripped)
        if match is None:
            return None
    trace_id, parent_id, flags = match.groups()
    return trace_id, parent_id, _flags[flags]


def parse_tracestate(value: str) -> str | None:
    """The list without optional white space and empty members, perhaps empty; None where it must be dropped.

    Args:
        value: The header; several are one list (RFC 9110, section 5.3). A key that comes twice makes it invalid.
    """
    members: list[str] = []
    keys: set[str] = set()
    for text in value.split(","):
        member = text.strip(" \t")
        if member:
            match = _member(member)
            if match is None or match[1] in keys or len(members) == MOST_MEMBERS:
                return None
            keys.add(match[1])
            members.append(member)
    return ",".join(members)
