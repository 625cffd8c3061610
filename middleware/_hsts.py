"""Strict-Transport-Security (RFC 6797): its value, and the hosts that it is for.

>>> from overcoat.middleware._hsts import is_public_name, strict_transport
>>> strict_transport(31_536_000, include_subdomains=True, preload=False)
'max-age=31536000; includeSubDomains'
>>> is_public_name("shop.example:8443"), is_public_name("localhost:"), is_public_name("0x7f.1")
(True, False, False)
"""

from functools import lru_cache

from overcoat.middleware._authority import ends_in_number, parse_authority

ONE_YEAR_S = 31_536_000


def strict_transport(max_age_s: int | None, *, include_subdomains: bool, preload: bool) -> str | None:
    """The header's value, or None for none.

    Raises:
        ValueError: An option of a wrong type, or a combination that has no effect or that the preload list refuses.
    """
    for name, flag in (("hsts_include_subdomains", include_subdomains), ("hsts_preload", preload)):
        if not isinstance(flag, bool):
            raise ValueError(f"SecurityHeaders: {name}={flag!r} must be True or False")
        if flag and max_age_s is None:
            raise ValueError(f"SecurityHeaders: {name}=True has no effect with hsts_max_age_s=None")
    if max_age_s is None:
        return None
    if isinstance(max_age_s, bool) or not isinstance(max_age_s, int) or max_age_s < 0:
        raise ValueError(f"SecurityHeaders: hsts_max_age_s={max_age_s!r} must be whole seconds from 0 up, or None")
    if preload and (max_age_s < ONE_YEAR_S or not include_subdomains):
        raise ValueError(
            f"SecurityHeaders: hsts_preload=True with hsts_max_age_s={max_age_s!r} and hsts_include_subdomains="
            f"{include_subdomains!r} is refused by the browsers' preload list: it wants hsts_max_age_s={ONE_YEAR_S} or "
            "more and hsts_include_subdomains=True"
        )
    return f"max-age={max_age_s}" + "; includeSubDomains" * include_subdomains + "; preload" * preload


@lru_cache(maxsize=1024)
def is_public_name(host: str) -> bool:
    """Whether HSTS is for this host: a name with or without a port, no address and not localhost.

    A browser ignores HSTS for an address (RFC 6797, section 8.1.1), and for localhost it would break every other
    project on the developer's machine.
    """
    authority = parse_authority(host.removesuffix(":"))  # an empty port, which RFC 3986 allows
    if authority is None:
        return False
    name = authority[0]
    return name[0] != "[" and name.rpartition(".")[2] != "localhost" and not ends_in_number(name)
