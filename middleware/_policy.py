"""A Content-Security-Policy from a mapping, with the slips refused that would silently weaken it.

>>> from overcoat.middleware._policy import content_security_policy
>>> content_security_policy({"default-src": ["'self'"], "img-src": ["'self'", "data:"]})
"default-src 'self'; img-src 'self' data:"
"""

import re
from collections.abc import Iterable, Mapping

from overcoat.middleware._options import did_you_mean

# Content Security Policy Level 3, sections 6.1 to 6.5; Trusted Types; Upgrade Insecure Requests
DIRECTIVES = frozenset({
    "base-uri", "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src", "form-action",
    "frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src", "object-src", "report-to", "report-uri",
    "require-trusted-types-for", "sandbox", "script-src", "script-src-attr", "script-src-elem", "style-src",
    "style-src-attr", "style-src-elem", "trusted-types", "upgrade-insecure-requests", "webrtc", "worker-src",
})  # fmt: skip

KEYWORDS = frozenset({
    "self", "none", "unsafe-inline", "unsafe-eval", "strict-dynamic", "unsafe-hashes", "report-sample",
    "wasm-unsafe-eval", "inline-speculation-rules", "trusted-types-eval",
})  # fmt: skip

# Keywords of single directives: webrtc, require-trusted-types-for, trusted-types; and those that ask for hash reports.
_QUOTED = KEYWORDS | {
    "allow", "block", "script", "allow-duplicates", "report-sha256", "report-sha384", "report-sha512",
}  # fmt: skip

_HASH_OR_NONCE = re.compile(r"(?:nonce|sha256|sha384|sha512)-[A-Za-z0-9+/_=-]+", re.IGNORECASE)


def content_security_policy(policy: Mapping[str, Iterable[str] | str]) -> str:
    """The header's value.

    Args:
        policy: Directive to its sources, as a list or as one string with spaces between them.

    Raises:
        ValueError: An unknown directive, a keyword without its quotes, or a value that would end the directive.
    """
    if not isinstance(policy, Mapping) or not policy:
        raise ValueError(
            f'content_security_policy={policy!r} must be a mapping, such as {{"default-src": ["\'self\'"]}}, '
            "or None for no policy"
        )
    parts = []
    for directive, given in policy.items():
        if directive not in DIRECTIVES:
            raise ValueError(
                f"content_security_policy: unknown directive {directive!r}; "
                f"{did_you_mean(str(directive), sorted(DIRECTIVES))}"
            )
        if not isinstance(given, Iterable):
            raise ValueError(f"content_security_policy: {directive}={given!r} must be a list of sources, or a string")
        sources = given.split() if isinstance(given, str) else list(given)
        for source in sources:
            _check_source(directive, source)
        if len(sources) > 1 and "'none'" in map(str.lower, sources):
            raise ValueError(f"content_security_policy: {directive}={sources!r}: 'none' stands alone, or is ignored")
        parts.append(" ".join([directive, *sources]))
    return "; ".join(parts)


def _check_source(directive: str, source: str) -> None:
    if not isinstance(source, str) or not source or not source.isascii() or not source.isprintable():
        raise ValueError(f"content_security_policy: {directive}={source!r} must be printable ASCII text")
    if any(character in source for character in ";, "):
        raise ValueError(
            f"content_security_policy: {directive}={source!r} holds ';', ',' or a space, which would end the source: "
            "give one source an entry, and percent-encode the rest"
        )
    if source.lower() in KEYWORDS or _HASH_OR_NONCE.fullmatch(source):
        raise ValueError(f"content_security_policy: {directive}={source!r} needs its quotes: write \"'{source}'\"")
    bare = source.strip("'")
    if bare != source and not (
        source == f"'{bare}'" and (bare.lower() in _QUOTED or _HASH_OR_NONCE.fullmatch(bare) is not None)
    ):
        raise ValueError(
            f"content_security_policy: {directive}={source!r} is no keyword in quotes; "
            f"{did_you_mean(bare, sorted(_QUOTED))}"
        )
