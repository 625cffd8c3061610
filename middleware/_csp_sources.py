"""What may stand in a directive of a Content-Security-Policy, so that a slip is an error here and not a hole there.

>>> from overcoat.middleware._csp_sources import check_sources
>>> check_sources("content_security_policy", "img-src", ["'self'", "data:", "https://*.cdn.example:8443/pictures/"])
>>> check_sources("content_security_policy", "img-src", ["data"])
Traceback (most recent call last):
    ...
ValueError: content_security_policy: img-src='data' needs its colon: write 'data:'
"""

import re
from collections.abc import Callable, Sequence
from string import ascii_letters, digits

from overcoat.middleware._options import did_you_mean, is_token

#: Stands for the request's nonce; no source of the specification, so that it cannot be meant otherwise.
NONCE = "'nonce'"

# Content Security Policy Level 3, sections 2.3.1 and 6; Trusted Types; WASM; Speculation Rules
_KEYWORDS = frozenset({
    "'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "'strict-dynamic'", "'unsafe-hashes'", "'report-sample'",
    "'wasm-unsafe-eval'", "'inline-speculation-rules'", "'trusted-types-eval'", "'report-sha256'", "'report-sha384'",
    "'report-sha512'",
})  # fmt: skip
_BARE = frozenset(word.strip("'") for word in _KEYWORDS)

# Directives whose elements may carry a nonce (section 6.7.3); attributes and plain fetches have none.
_NONCED = frozenset({"default-src", "script-src", "script-src-elem", "style-src", "style-src-elem"})

# Section 6.4.2: the ancestors of a frame have an origin, and nothing else that could be matched.
_ANCESTORS = frozenset({"'self'", "'none'"})

# HTML, section 4.8.5
_SANDBOX = frozenset({
    "allow-downloads", "allow-forms", "allow-modals", "allow-orientation-lock", "allow-pointer-lock", "allow-popups",
    "allow-popups-to-escape-sandbox", "allow-presentation", "allow-same-origin", "allow-scripts",
    "allow-storage-access-by-user-activation", "allow-top-navigation", "allow-top-navigation-by-user-activation",
    "allow-top-navigation-to-custom-protocols",
})  # fmt: skip

# Base64 letters of a digest, without padding.
_DIGEST_LETTERS = {"sha256": 43, "sha384": 64, "sha512": 86}
_BASE64 = frozenset(ascii_letters + digits + "+/_-")

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
# host-source of section 2.3.1; the underscore is none of its letters, yet browsers match it.
_HOST = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?)(?::(?:[0-9]+|\*))?"
    r"(?:/(?!/)[!$&'()*+=:@A-Za-z0-9._~%/-]*)?"
)
_FORGOTTEN_COLON = frozenset({"about", "blob", "data", "filesystem", "http", "https", "mediastream", "ws", "wss"})

# Trusted Types, section 4.3
_POLICY_NAME = r"[A-Za-z0-9#=_/@.%-]+|\*"


def check_sources(option: str, directive: str, sources: Sequence[str]) -> None:
    """Look at everything in one directive.

    Args:
        option: The option's name, for the message.
        directive: A directive that is known.
        sources: What was given for it, one entry each.

    Raises:
        ValueError: A browser would ignore it, or match something else than what was meant.
    """
    where = f"{option}: {directive}"
    for source in sources:
        _check_characters(where, source)
    lowered = [source.lower() if source.startswith("'") else source for source in sources]
    for index, source in enumerate(lowered):
        if source in lowered[:index]:
            raise ValueError(f"{where}={list(sources)!r} holds {sources[index]!r} twice: take one out")
    if len(sources) > 1 and "'none'" in lowered:
        raise ValueError(f"{where}={list(sources)!r}: 'none' stands alone, or is ignored")
    special = _SPECIAL.get(directive)
    if special is not None:
        special(where, sources)
        return
    if not sources:
        raise ValueError(f"{where}=[] holds no source: write [\"'none'\"] to refuse everything, or leave it out")
    for source in sources:
        _check_source(where, directive, source)
    _check_together(where, sources, lowered)


def _check_characters(where: str, source: str) -> None:
    if not isinstance(source, str) or not source or not source.isascii() or not source.isprintable():
        raise ValueError(f"{where}={source!r} must be printable ASCII text; a host in another script as its xn-- form")
    if any(character in source for character in ";, "):
        raise ValueError(
            f"{where}={source!r} holds ';', ',' or a space, which would end the source: "
            "give one source an entry, and percent-encode the rest"
        )


def _check_source(where: str, directive: str, source: str) -> None:
    lower = source.lower()
    if lower in _BARE or source == "nonce" or _is_bare(lower):
        raise ValueError(f"{where}={source!r} needs its quotes: write \"'{source}'\"")
    if "'" in (source[0], source[-1]):
        _check_quoted(where, directive, source)
    elif lower in _FORGOTTEN_COLON:
        raise ValueError(f"{where}={source!r} needs its colon: write '{source}:'")
    elif not _SCHEME.fullmatch(source) and not _HOST.fullmatch(source):
        raise ValueError(
            f"{where}={source!r} is no source: write a scheme ('https:'), or a host, such as 'cdn.example', "
            "'*.cdn.example', 'https://cdn.example:8443/path'; a '*' is the whole host, its first label, or the port"
        )


def _check_quoted(where: str, directive: str, source: str) -> None:
    lower = source.lower()
    if directive == "frame-ancestors" and lower not in _ANCESTORS:
        raise ValueError(f"{where}={source!r} is ignored there: write 'self', 'none', schemes or hosts")
    if lower == NONCE:
        if directive not in _NONCED:
            raise ValueError(f"{where}={source!r} has no effect there: write it in one of {', '.join(sorted(_NONCED))}")
        return
    if lower.startswith("'nonce-"):
        raise ValueError(
            f"{where}={source!r} would be the same for every response, and known to an attacker: write \"'nonce'\", "
            "which stands for the request's csp_nonce()"
        )
    if _is_hash(source):
        algorithm, _, digest = source.strip("'=").partition("-")
        wanted = _DIGEST_LETTERS[algorithm.lower()]
        if len(digest) != wanted:
            raise ValueError(f"{where}={source!r} can match nothing: a {algorithm} has {wanted} letters of base64")
    elif lower not in _KEYWORDS:
        hint = did_you_mean(lower.strip("'"), sorted({*_BARE, "nonce"}))
        raise ValueError(f"{where}={source!r} is no keyword in quotes; {hint}")


def _is_hash(source: str) -> bool:
    """Whether it is a hash in quotes, of whatever length: ``'sha256-...='`` with up to two signs of padding."""
    algorithm, _, digest = source[1:-1].partition("-")
    letters = digest.removesuffix("=").removesuffix("=")
    is_one = algorithm.lower() in _DIGEST_LETTERS and letters != "" and _BASE64.issuperset(letters)
    return is_one and source[0] == source[-1] == "'"


def _is_bare(lower: str) -> bool:
    """Whether it is a nonce or a hash without its quotes."""
    kind, _, value = lower.partition("-")
    return kind in {"nonce", *_DIGEST_LETTERS} and value != "" and _BASE64.issuperset(value.replace("=", ""))


def _check_together(where: str, sources: Sequence[str], lowered: Sequence[str]) -> None:
    trusted = NONCE in lowered or any(map(_is_hash, sources))
    if "'unsafe-inline'" in lowered and trusted:
        raise ValueError(
            f"{where}={list(sources)!r}: 'unsafe-inline' is ignored beside a nonce or hash, and allows all that "
            "is inline where the nonce is not used: take it out"
        )
    if "'strict-dynamic'" in lowered and not trusted:
        raise ValueError(
            f"{where}={list(sources)!r}: 'strict-dynamic' refuses every script without a nonce or hash beside it"
        )


def _one_of(kind: str, known: frozenset[str]) -> Callable[[str, Sequence[str]], None]:
    def check(where: str, sources: Sequence[str]) -> None:
        for source in sources:
            if source not in known:
                raise ValueError(f"{where}={source!r} is no {kind}; {did_you_mean(source, sorted(known))}")

    return check


def _exactly_one(check: Callable[[str, Sequence[str]], None]) -> Callable[[str, Sequence[str]], None]:
    def check_one(where: str, sources: Sequence[str]) -> None:
        if len(sources) != 1:
            raise ValueError(f"{where}={list(sources)!r} must hold exactly one")
        check(where, sources)

    return check_one


def _nothing(where: str, sources: Sequence[str]) -> None:
    if sources:
        raise ValueError(f"{where}={list(sources)!r} takes no value: write []")


def _endpoint(where: str, sources: Sequence[str]) -> None:
    if not is_token(sources[0]):
        raise ValueError(f"{where}={sources[0]!r} is no name of an endpoint, such as 'csp'")


def _addresses(where: str, sources: Sequence[str]) -> None:
    if not sources:
        raise ValueError(f"{where}=[] holds no address: write ['/reports'], or leave it out")


def _policy_names(where: str, sources: Sequence[str]) -> None:
    for source in sources:
        if source not in {"'none'", "'allow-duplicates'"} and not re.fullmatch(_POLICY_NAME, source):
            raise ValueError(f"{where}={source!r} is no name of a policy, nor '*', \"'none'\", \"'allow-duplicates'\"")


_SPECIAL: dict[str, Callable[[str, Sequence[str]], None]] = {
    "report-to": _exactly_one(_endpoint),
    "report-uri": _addresses,
    "require-trusted-types-for": _exactly_one(_one_of("sink group", frozenset({"'script'"}))),
    "sandbox": _one_of("sandbox flag", _SANDBOX),
    "trusted-types": _policy_names,
    "upgrade-insecure-requests": _nothing,
    "webrtc": _exactly_one(_one_of("value of webrtc", frozenset({"'allow'", "'block'"}))),
}
