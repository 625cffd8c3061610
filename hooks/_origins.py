r"""Origin patterns for Flask-CORS, made safe.

The extension takes any string with a character of regular expressions for one, and matches it from the start only: a
pattern for ``https://trusted.com`` lets ``https://trusted.com.evil.io`` in. Here a pattern covers the whole origin, and
what was probably meant otherwise is refused.

>>> pattern = safe_origin(r"https://(www\.)?trusted\.com")
>>> bool(pattern.match("https://www.trusted.com")), bool(pattern.match("https://www.trusted.com.evil.io"))
(True, False)
"""

import re
import warnings
from collections.abc import Iterable
from typing import Any

_HINTS = frozenset("*\\]?$^[]()")
EVERYONE = frozenset({"*", ".*"})
_INLINE_FLAGS = re.compile(r"\A\(\?[aiLmsux]+\)")
_IPV6 = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\[[0-9A-Fa-f:.]+\](?::[0-9]+)?")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_NOBODY = ("https://nobody.invalid", "http://nobody.invalid:8080")


def safe_origins(origins: Any) -> list[Any]:
    """Each origin as the extension can take it: a literal string, or a pattern that covers the whole origin.

    Raises:
        ValueError: An origin that could not match, or that would match others than it seems to.
    """
    listed = [origins] if isinstance(origins, (str, re.Pattern)) or not isinstance(origins, Iterable) else list(origins)
    return [safe_origin(origin) for origin in listed]


def safe_origin(origin: Any) -> Any:
    """One origin, as ``safe_origins`` has them.

    Raises:
        ValueError: As there.
    """
    if not isinstance(origin, (str, re.Pattern)) or not (origin if isinstance(origin, str) else origin.pattern):
        raise ValueError(f"FlaskCORS: origins={origin!r} is neither a string nor a pattern")
    if isinstance(origin, str) and _IPV6.fullmatch(origin):
        return re.compile(
            rf"{re.escape(origin)}\Z", re.IGNORECASE
        )  # as it stands the extension reads a character class
    if isinstance(origin, str) and _HINTS.isdisjoint(origin):
        if origin != "null" and not _SCHEME.match(origin):
            raise ValueError(f"FlaskCORS: origins={origin!r} matches nothing: write its scheme too, 'https://...'")
        if origin.endswith("/"):
            raise ValueError(f"FlaskCORS: origins={origin!r} matches nothing: an origin has no slash at its end")
        return origin
    if isinstance(origin, str) and origin in EVERYONE:
        return origin
    text = origin if isinstance(origin, str) else origin.pattern
    mistake = _mistake(text)
    if mistake is not None:
        raise ValueError(
            f"FlaskCORS: origins={text!r} is read as a regular expression, in which {mistake}: "
            r"write it as in r'https://[a-z0-9-]+\.example\.com(:[0-9]+)?'"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # of syntax that may come to mean something else
            compiled = re.compile(text, re.IGNORECASE) if isinstance(origin, str) else origin
            end = "\n" if compiled.flags & re.VERBOSE else ""  # after a comment
            return re.compile(rf"(?:{_INLINE_FLAGS.sub('', text)}{end})\Z", compiled.flags)
    except (re.error, FutureWarning) as error:
        raise ValueError(f"FlaskCORS: origins={text!r} is no regular expression: {error}") from error


def lets_everyone_in(origins: Iterable[Any]) -> bool:
    """Whether any of these, as ``safe_origins`` returns them, matches an origin that nobody can mean."""
    return any(
        any(origin.match(nobody) for nobody in _NOBODY) if isinstance(origin, re.Pattern) else origin in EVERYONE
        for origin in origins
    )


def _mistake(pattern: str) -> str | None:
    """What in a pattern probably means something else than was meant."""
    index, literal = 0, False
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            index, literal = index + 2, False
            continue
        if character == "[":
            end = pattern.find("]", index + 2)
            index, literal = end + 1 if end > 0 else len(pattern), False
            continue
        following = pattern[index + 1 : index + 2]
        if character == "." and following not in {"*", "+", "?", "{"}:
            return f"the dot before {pattern[index + 1 :]!r} stands for any character"
        if character == "*" and literal:
            return f"the asterisk repeats {pattern[index - 1]!r}"
        index, literal = index + 1, character.isalnum() or character in "/:-_"
    return None
