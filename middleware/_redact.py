"""Secrets in a query string: the values of keys that name one are never logged.

>>> from overcoat.middleware._redact import redact_query
>>> redact_query("page=2&access_token=abc;X-Amz-Signature=f00")
'page=2&access_token=[redacted];X-Amz-Signature=[redacted]'
"""

import re
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

# Most queries have none of these letters in a row, not even percent-encoded ones, and are done with one look.
_HINT = re.compile("|".join([*SENSITIVE_PARTS, *sorted(SENSITIVE_NAMES), "%", r"[_.\-+\[]"]), re.IGNORECASE)
# Bottle and others split on ";" too (CVE-2020-28473), so both end a value.
_PAIR = re.compile(r"([^&;=]+)=([^&;]*)")
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def is_sensitive(name: str) -> bool:
    """Whether a key or header of that name holds a secret."""
    squashed = _SEPARATORS.sub("", name.lower())
    return squashed in SENSITIVE_NAMES or any(part in squashed for part in SENSITIVE_PARTS)


def redact_query(query: str) -> str:
    """The query string with the values of sensitive keys replaced; linear in its length, never raises."""
    if not _HINT.search(query):
        return query
    return _PAIR.sub(_redact_pair, query)


def _redact_pair(match: re.Match[str]) -> str:
    return f"{match[1]}={REDACTED}" if is_sensitive(unquote_plus(match[1])) else match[0]
