"""The options of SecurityHeaders, one by one: the header that each makes, and what its value may be.

>>> from overcoat.middleware._header_compilers import COMPILERS
>>> name, compiler = COMPILERS["origin_agent_cluster"]
>>> name, compiler("origin_agent_cluster", True)
('Origin-Agent-Cluster', '?1')
"""

import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypedDict

from overcoat.middleware._options import did_you_mean, one_of
from overcoat.middleware._presets import Permissions, PolicyMapping
from overcoat.middleware._reporting import reporting_endpoints, split_report_to

if TYPE_CHECKING:
    from overcoat.middleware._csp import Policy

CSP = "Content-Security-Policy"
CSP_REPORT_ONLY = "Content-Security-Policy-Report-Only"
HSTS = "Strict-Transport-Security"


class HeaderOptions(TypedDict, total=False):
    """The options that make headers; None turns one off."""

    content_security_policy: PolicyMapping | None
    content_security_policy_report_only: PolicyMapping | None
    content_type_options: str | None
    frame_options: str | None
    referrer_policy: str | None
    permissions_policy: Permissions | None
    cross_origin_opener_policy: str | None
    cross_origin_embedder_policy: str | None
    cross_origin_resource_policy: str | None
    origin_agent_cluster: bool | None
    reporting_endpoints: Mapping[str, str] | None
    cache_control: str | None
    hsts_max_age_s: int | None
    hsts_include_subdomains: bool
    hsts_preload: bool


# Whose options these are, in messages.
_OWNER = SimpleNamespace(__name__="SecurityHeaders")

# Referrer Policy, section 3
_REFERRER = (
    "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin",
    "strict-origin-when-cross-origin", "unsafe-url",
)  # fmt: skip
# HTML, sections 7.1.3.1 and 7.1.4.1
_OPENER = ("same-origin", "same-origin-allow-popups", "noopener-allow-popups", "unsafe-none")
_EMBEDDER = ("require-corp", "credentialless", "unsafe-none")
_RESOURCE = ("same-origin", "same-site", "cross-origin")

# RFC 9111, section 5.2: a directive is a token, perhaps with a value
_CACHE_DIRECTIVE = r'[!#$%&*+.^_`|~0-9A-Za-z-]+(?:=(?:[!#$%&*+.^_`|~0-9A-Za-z-]+|"[^"\\]*"))?'
_CACHE_LIST = rf"{_CACHE_DIRECTIVE}(?: *, *{_CACHE_DIRECTIVE})*"


# The two grammars that take the most to check are loaded by the first policy that there is.


def _enforced(option: str, value: Any) -> "Policy":
    from overcoat.middleware._csp import compile_policy  # noqa: PLC0415

    return compile_policy(option, value)


def _reported(option: str, value: Any) -> "Policy":
    from overcoat.middleware._csp import compile_policy  # noqa: PLC0415

    return compile_policy(option, value, report_only=True)


def _permissions(_option: str, value: Any) -> str:
    from overcoat.middleware._permissions_policy import permissions_policy  # noqa: PLC0415

    return permissions_policy(value)


def _among(*allowed: str) -> Callable[[str, Any], str]:
    return lambda option, value: one_of(_OWNER, option, value, [*allowed, None])


def _with_report(*allowed: str) -> Callable[[str, Any], str]:
    def check(option: str, value: Any) -> str:
        token, _ = split_report_to(value) if isinstance(value, str) else (value, None)
        one_of(_OWNER, option, token, [*allowed, None])
        return str(value)

    return check


def _flag(option: str, value: Any) -> str:
    # RFC 9651, section 3.3.6
    return {True: "?1", False: "?0"}[one_of(_OWNER, option, value, (True, False, None))]


def _cache(option: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_CACHE_LIST, value):
        raise ValueError(
            f"SecurityHeaders: {option}={value!r} is no list of cache directives, such as 'no-store' or "
            "'private, max-age=60' (RFC 9111, section 5.2)"
        )
    return value


def _endpoints(_option: str, value: Any) -> str:
    return reporting_endpoints(value)


#: Option to the header that it makes, and what makes the value.
COMPILERS: Mapping[str, tuple[str, Callable[[str, Any], "str | Policy"]]] = {
    "content_security_policy": (CSP, _enforced),
    "content_security_policy_report_only": (CSP_REPORT_ONLY, _reported),
    "content_type_options": ("X-Content-Type-Options", _among("nosniff")),
    "frame_options": ("X-Frame-Options", _among("DENY", "SAMEORIGIN")),
    "referrer_policy": ("Referrer-Policy", _among(*_REFERRER)),
    "permissions_policy": ("Permissions-Policy", _permissions),
    "cross_origin_opener_policy": ("Cross-Origin-Opener-Policy", _with_report(*_OPENER)),
    "cross_origin_embedder_policy": ("Cross-Origin-Embedder-Policy", _with_report(*_EMBEDDER)),
    "cross_origin_resource_policy": ("Cross-Origin-Resource-Policy", _among(*_RESOURCE)),
    "origin_agent_cluster": ("Origin-Agent-Cluster", _flag),
    "reporting_endpoints": ("Reporting-Endpoints", _endpoints),
    "cache_control": ("Cache-Control", _cache),
}

#: Every header that the layer can send.
HEADER_NAMES = (*(name for name, _ in COMPILERS.values()), HSTS)


def refuse_unknown_options(owner: str, options: Mapping[str, Any]) -> None:
    """Raise for an option that makes no header."""
    known = HeaderOptions.__annotations__
    for name, value in options.items():
        if name not in known:
            raise ValueError(f"{owner}: unknown option {name}={value!r}; {did_you_mean(name, sorted(known))}")
