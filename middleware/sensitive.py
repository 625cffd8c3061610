"""Sensitive: the names whose values are never shown, one registry for whatever prints a request.

It knows what commonly names a secret (``token``, ``password``, ``X-Amz-Signature``, ``code`` and their like, in any
case and with any separators). A service adds names of its own, and hands the same object to all that print:

>>> from overcoat.middleware import RequestLog, Sensitive
>>> private = Sensitive("ssn", "invoice number")
>>> private.is_sensitive("customer[SSN]"), private.is_sensitive("invoiceNumber"), private.is_sensitive("lessn")
(True, True, False)
>>> private.redact_query("page=2&ssn=078-05-1120&access_token=abc")
'page=2&ssn=[redacted]&access_token=[redacted]'
>>> log = RequestLog(to="stderr", sensitive=private)

It looks at names, not at values: a secret under a harmless name is not found. Nothing can be taken off the list.
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
_LETTERS = re.compile(r"[a-z]+")
_WORDS = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# A pair or a member inside of a value, and the password of a URL; bounded, so that a value costs linear time.
_INNER_NAME = re.compile(r"""([A-Za-z0-9_.\[\]-]{1,64}+)["']?\s?[=:]""")
_USERINFO = re.compile(r"://[^/?#@\s:]{0,256}:[^/?#@\s]{1,256}@")
# Where the query or the fragment of a URL begins.
_URL_PARTS = re.compile(r"([?#])")
_LONGEST_CACHED_NAME = 64


class Sensitive:
    """The names of secrets: those that are commonly used, and yours.

    Args:
        *names: Names of yours. Each is found as whole words, in any case, with any separators and in camelCase:
            ``"ssn"`` is in ``customer[ssn]`` and ``userSsn``, not in ``lessn``.

    Raises:
        ValueError: A name without a letter or digit, or one that is no text.
    """

    def __init__(self, *names: str) -> None:
        words = []
        for name in names:
            words.append(_words(name) if isinstance(name, str) else [])
            if not words[-1]:
                raise ValueError(f"Sensitive: {name!r} is no name: give the name of a key or header, such as 'ssn'")
        self.names = names
        self._runs = tuple(f"-{'-'.join(one)}-" for one in words)
        self._whole = frozenset("".join(one) for one in words)
        self._is_encoded_secret = lru_cache(maxsize=1024)(lambda name: self.is_sensitive(unquote_plus(name)))

    def __repr__(self) -> str:
        return f"Sensitive({', '.join(map(repr, self.names))})"

    def is_sensitive(self, name: str) -> bool:
        """Whether a key or header of that name holds a secret."""
        words = _LETTERS.findall(_CAMEL.sub("-", name).lower())
        squashed = "".join(words)
        if not SENSITIVE_NAMES.isdisjoint(words) or any(part in squashed for part in SENSITIVE_PARTS):
            return True
        if not self._runs:
            return False
        own = _words(name)
        text = f"-{'-'.join(own)}-"
        return "".join(own) in self._whole or any(run in text for run in self._runs)

    def redact_query(self, query: str) -> str:
        """The query string with the values of sensitive keys replaced; linear in its length, never raises."""
        # Most queries hold no secret, and an app has few names: no pair is taken apart twice for them.
        for pair in (query.replace(";", "&") if ";" in query else query).split("&"):
            if self._holds_secret(pair):
                return _PAIR.sub(self._redact_pair, query)
        return query

    def redact_value(self, value: str) -> str:
        """A header's value with the secrets of a URL in it replaced: password, query, fragment. Linear, never raises.

        >>> Sensitive().redact_value("https://me:pw@shop.example/cart?token=abc")
        'https://[redacted]@shop.example/cart?token=[redacted]'
        """
        if "://" in value:
            value = _USERINFO.sub(f"://{REDACTED}@", value)
        if "?" not in value and "#" not in value:
            return value
        path, *rest = _URL_PARTS.split(value)
        # Without either character there is no pair; a hostile value has thousands of such parts.
        return path + "".join(self.redact_query(part) if "=" in part or "%" in part else part for part in rest)

    def _holds_secret(self, pair: str) -> bool:
        # "=token=x" is no pair at all to some parsers, and one to others.
        name, equals, value = pair.lstrip("=").partition("=")
        if not equals:
            # A name alone may hold whole pairs, encoded.
            return "%" in pair and self._holds_secret_inside(pair)
        if (
            self._is_encoded_secret(name)
            if len(name) <= _LONGEST_CACHED_NAME
            else self.is_sensitive(unquote_plus(name))
        ):
            return True
        return ("%" in value or ":" in value or "=" in value) and self._holds_secret_inside(value)

    def _holds_secret_inside(self, value: str) -> bool:
        """Whether a value holds a pair, a member or a URL of its own with a secret, encoded up to twice."""
        for _ in range(3):
            if _USERINFO.search(value) or any(map(self._is_encoded_secret, _INNER_NAME.findall(value))):
                return True
            if "%" not in value:
                return False
            value = unquote_plus(value)
        return False

    def _redact_pair(self, match: re.Match[str]) -> str:
        pair = match[0]
        if not self._holds_secret(pair):
            return pair
        start = len(pair) - len(pair.lstrip("="))
        equals = pair.find("=", start)
        return REDACTED if equals < 0 else f"{pair[:equals]}={REDACTED}"


def _words(name: str) -> list[str]:
    return _WORDS.findall(_CAMEL.sub("-", name).lower())
