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
    "token", "password", "passwd", "passphrase", "passcode", "pwd", "secret", "apikey", "accesskey", "privatekey",
    "signature", "credential", "authorization", "session", "jwt", "otp", "csrf", "xsrf", "assertion", "verifier",
)  # fmt: skip
#: Names that are secrets only as a whole.
SENSITIVE_NAMES = frozenset(
    {"auth", "code", "key", "pass", "pin", "pw", "sid", "sig", "saml", "samlresponse", "ticket"}
)

REDACTED = "[redacted]"

# Bottle and others split on ";" too (CVE-2020-28473), so both end a pair.
_PAIR = re.compile(r"[^&;]+")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_LONGEST_CACHED_NAME = 64


def is_sensitive(name: str) -> bool:
    """Whether a key or header of that name holds a secret."""
    squashed = _SEPARATORS.sub("", name.lower())
    return squashed in SENSITIVE_NAMES or any(part in squashed for part in SENSITIVE_PARTS)


def redact_query(query: str) -> str:
    """The query string with the values of sensitive keys replaced; linear in its length, never raises."""
    # Most queries hold no secret, and an app has few names: no pair is taken apart twice for them.
    for pair in (query.replace(";", "&") if ";" in query else query).split("&"):
        if _holds_secret(pair):
            return _PAIR.sub(_redact_pair, query)
    return query


def _holds_secret(pair: str) -> bool:
    # "=token=x" is no pair at all to some parsers, and one to others.
    name, equals, _ = pair.lstrip("=").partition("=")
    if not equals:
        return False
    return _is_encoded_secret(name) if len(name) <= _LONGEST_CACHED_NAME else is_sensitive(unquote_plus(name))


@lru_cache(maxsize=1024)
def _is_encoded_secret(name: str) -> bool:
    return is_sensitive(unquote_plus(name))


def _redact_pair(match: re.Match[str]) -> str:
    pair = match[0]
    if not _holds_secret(pair):
        return pair
    start = len(pair) - len(pair.lstrip("="))
    return f"{pair[: pair.index('=', start)]}={REDACTED}"
