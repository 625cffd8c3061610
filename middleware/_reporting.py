"""Reporting-Endpoints: where browsers send reports, by the names that policies use (Reporting API, section 3.3).

>>> from overcoat.middleware._reporting import reporting_endpoints
>>> reporting_endpoints({"csp": "https://reports.example/csp", "default": "/reports"})
'csp="https://reports.example/csp", default="/reports"'
"""

from collections.abc import Iterable, Mapping
from string import ascii_lowercase, digits
from urllib.parse import urlsplit

from overcoat.middleware._options import did_you_mean

# key of a structured field's dictionary (RFC 9651, section 3.1.2)
_KEY_BEGINS = frozenset(ascii_lowercase + "*")
_KEY = _KEY_BEGINS | frozenset(digits + "_.-")


def reporting_endpoints(endpoints: Mapping[str, str]) -> str:
    """The header's value.

    Args:
        endpoints: Name to URL: https, or a path of this site's own.

    Raises:
        ValueError: A name or an address that browsers would ignore.
    """
    if not isinstance(endpoints, Mapping) or not endpoints:
        raise ValueError(
            f'reporting_endpoints={endpoints!r} must be a mapping, such as {{"csp": "https://reports.example/csp"}}, '
            "or None"
        )
    for name, url in endpoints.items():
        if not isinstance(name, str) or not _is_key(name):
            raise ValueError(
                f"reporting_endpoints: {name!r} is no name: write lower-case letters, digits, '_', '-', '.' and '*', "
                "a letter first"
            )
        if not isinstance(url, str) or not url.isascii() or not url.isprintable() or set(url) & set('" \\'):
            raise ValueError(
                f"reporting_endpoints: {name}={url!r} must be printable ASCII text without quotes or spaces"
            )
        if not _is_safe(url):
            raise ValueError(
                f"reporting_endpoints: {name}={url!r} is ignored by browsers: write an https URL, or a path such as "
                "'/reports'"
            )
    return ", ".join(f'{name}="{url}"' for name, url in endpoints.items())


def _is_safe(url: str) -> bool:
    """Whether a browser reports there: to a potentially trustworthy origin only."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not parts.scheme:
        return url.startswith("/") and not url.startswith("//")
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in {"localhost", "127.0.0.1"}))


def check_endpoint(option: str, name: str | None, endpoints: Iterable[str]) -> None:
    """Raise for a policy that reports to an endpoint that is not there."""
    known = list(endpoints)
    if name is not None and name not in known:
        raise ValueError(
            f"SecurityHeaders: {option} reports to {name!r}, which reporting_endpoints= does not name; "
            f"{did_you_mean(name, known)}"
        )


def split_report_to(value: str) -> tuple[str, str | None]:
    """A policy's token and the endpoint that it names: of ``require-corp; report-to="coep"``, both."""
    token, _, parameter = value.partition(";")
    attribute, _, quoted = parameter.lstrip(" ").partition("=")
    name = quoted[1:-1]
    return (token, name) if attribute == "report-to" and quoted == f'"{name}"' and _is_key(name) else (value, None)


def _is_key(text: str) -> bool:
    return text[:1] in _KEY_BEGINS and _KEY.issuperset(text)
