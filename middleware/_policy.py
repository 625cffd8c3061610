"""A Content-Security-Policy from a mapping, with the slips refused that would silently weaken it.

>>> from overcoat.middleware._policy import content_security_policy
>>> content_security_policy({"default-src": ["'self'"], "img-src": ["'self'", "data:"]})
"default-src 'self'; img-src 'self' data:"
"""

import re
from collections.abc import Iterable, Mapping

from overcoat.middleware._options import did_you_mean

# Content Security Policy Level 3, sections 6.1 to 6.5, and the directives of Trusted Types and Upgrade Insecure Requests
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

_HASH_OR_NONCE = re.compile(r"(?:nonce|sha256|sha384|sha512)-[A-Za-z0-9+/_=-]+")


def content_security_policy(policy: Mapping[str, Iterable[str] | str]) -> str:
    """The header's value.

    Args:
        policy: Directive to its sources, as a list or as one string with spaces between them.

    Raises:
        ValueError: An unknown directive, a keyword without its quotes, or a value that would end the directive.
    """
    if not isinstance(policy, Mapping):
        raise ValueError(
            f'content_security_policy={policy!r} must be a mapping, such as {{"default-src": ["\'self\'"]}}'
        )
    parts = []
    for directive, given in policy.items():
        if directive not in DIRECTIVES:
            raise ValueError(
                f"content_security_policy: unknown directive {directive!r}; {did_you_mean(str(directive), sorted(DIRECTIVES))}"
            )
        sources = given.split() if isinstance(given, str) else list(given)
        for source in sources:
            _check_source(directive, source)
        if "'none'" in sources and len(sources) > 1:
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
    if source in KEYWORDS or (directive != "sandbox" and _HASH_OR_NONCE.fullmatch(source)):
        raise ValueError(f"content_security_policy: {directive}={source!r} needs its quotes: write \"'{source}'\"")
