"""Secrets in a query string: the values of keys that name one are never logged.

>>> from overcoat.middleware._redact import redact_query
>>> redact_query("page=2&access_token=abc;X-Amz-Signature=f00")
'page=2&access_token=[redacted];X-Amz-Signature=[redacted]'
"""

import re
from functools import lru_cache
from urllib.parse import unquote_plus

#: Parts of a name that make its value a secret, in lower case, without separators.
SENSITIVE_PARTS = (
    "token", "password", "passwort", "passwd", "passphrase", "passcode", "pwd", "secret", "apikey", "accesskey",
    "privatekey", "signature", "credential", "authorization", "session", "sessid", "jwt", "otp", "csrf", "xsrf",
    "assertion", "verifier", "bearer", "cookie", "hmac", "samlre",
)  # fmt: skip
#: Words of a name that make its value a secret.
SENSITIVE_NAMES = frozenset({"auth", "code", "cvc", "cvv", "key", "pass", "pin", "pw", "saml", "sid", "sig", "ticket"})

REDACTED = "[redacted]"

# Bottle and others split on ";" too (CVE-2020-28473), so both end a pair.
_PAIR = re.compile(r"[^&;]+")
_WORDS = re.compile(r"[a-z]+")
# A pair or a member inside of a value, and the password of a URL; bounded, so that a value costs linear time.
_INNER_NAME = re.compile(r"""([A-Za-z0-9_.\[\]-]{1,64}+)["']?\s?[=:]""")
_USERINFO = re.compile(r"://[^/?#@\s:]{0,256}:[^/?#@\s]{1,256}@")
_LONGEST_CACHED_NAME = 64


def is_sensitive(name: str) -> bool:
    """Whether a key or header of that name holds a secret."""
    words = _WORDS.findall(name.lower())
    squashed = "".join(words)
    return not SENSITIVE_NAMES.isdisjoint(words) or any(part in squashed for part in SENSITIVE_PARTS)


def redact_query(query: str) -> str:
    """The query string with the values of sensitive keys replaced; linear in its length, never raises."""
    # Most queries hold no secret, and an app has few names: no pair is taken apart twice for them.
    for pair in (query.replace(";", "&") if ";" in query else query).split("&"):
        if _holds_secret(pair):
            return _PAIR.sub(_redact_pair, query)
    return query


def _holds_secret(pair: str) -> bool:
    # "=token=x" is no pair at all to some parsers, and one to others.
    name, equals, value = pair.lstrip("=").partition("=")
    if not equals:
        # A name alone may hold whole pairs, encoded.
        return "%" in pair and _holds_secret_inside(pair)
    if _is_encoded_secret(name) if len(name) <= _LONGEST_CACHED_NAME else is_sensitive(unquote_plus(name)):
        return True
    return ("%" in value or ":" in value or "=" in value) and _holds_secret_inside(value)


def _holds_secret_inside(value: str) -> bool:
    """Whether a value holds a pair, a member or a URL of its own with a secret, encoded up to twice."""
    for _ in range(3):
        if _USERINFO.search(value) or any(map(_is_encoded_secret, _INNER_NAME.findall(value))):
            return True
        if "%" not in value:
            return False
        value = unquote_plus(value)
    return False


@lru_cache(maxsize=1024)
def _is_encoded_secret(name: str) -> bool:
    return is_sensitive(unquote_plus(name))


def _redact_pair(match: re.Match[str]) -> str:
    pair = match[0]
    if not _holds_secret(pair):
        return pair
    start = len(pair) - len(pair.lstrip("="))
    equals = pair.find("=", start)
    return REDACTED if equals < 0 else f"{pair[:equals]}={REDACTED}"
