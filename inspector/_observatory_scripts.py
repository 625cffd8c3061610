"""The HTTP Observatory's test of Subresource Integrity.

>>> from overcoat.inspector._html_page import Script
>>> from overcoat.inspector._observatory_scripts import grade_scripts
>>> grade_scripts([Script("https://cdn.example/a.js", "")], "shop.example", is_https=True, forces_https=True)
'sri-not-implemented-but-external-scripts-loaded-securely'
"""

import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from overcoat.inspector._html_page import Script

# From best to worst; the worst that a script gives is the result.
_ORDER = (
    "sri-implemented-but-external-scripts-not-loaded-securely",
    "sri-not-implemented-but-external-scripts-loaded-securely",
    "sri-not-implemented-and-external-scripts-not-loaded-securely",
)
_ABSOLUTE = re.compile(r"https?://")
_SCHEMELESS = re.compile(r"//[^/]")
# Below these, in the domain of a country, names are registered one label deeper ("shop.co.uk").
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "ne", "net", "nom", "or", "org", "sch"})


def grade_scripts(scripts: Sequence[Script], host: str, *, is_https: bool, forces_https: bool) -> str:
    """The Observatory's result for a page of HTML.

    Args:
        scripts: Those of the page.
        host: The name that the page was asked of.
        is_https: Whether it was served over https.
        forces_https: Whether http leads to https at once, which makes ``//cdn.example/a.js`` safe.
    """
    if not scripts:
        return "sri-not-implemented-but-no-scripts-loaded"
    results: list[str] = []
    has_foreign = has_own_digest = False
    for script in scripts:
        if not script.src:
            continue
        is_own, is_secure = _place(script.src, host, is_https=is_https, forces_https=forces_https)
        if is_own:
            # The bonus goes to a page on which nothing was wrong up to here.
            has_own_digest |= bool(script.integrity) and is_secure and not results
            continue
        has_foreign = True
        results += _faults(is_secure=is_secure, has_digest=bool(script.integrity))
    if results:
        return max(results, key=_ORDER.index)
    if has_own_digest:
        return "sri-implemented-and-all-scripts-loaded-securely"
    if has_foreign:
        return "sri-implemented-and-external-scripts-loaded-securely"
    return "sri-not-implemented-but-all-scripts-loaded-from-secure-origin"


def foreign_scripts(scripts: Sequence[Script], host: str) -> list[str]:
    """Those of other sites that have no digest."""
    return [
        script.src
        for script in scripts
        if script.src and not script.integrity and not _place(script.src, host, is_https=True, forces_https=True)[0]
    ]


def _faults(*, is_secure: bool, has_digest: bool) -> Iterator[str]:
    if has_digest and not is_secure:
        yield "sri-implemented-but-external-scripts-not-loaded-securely"
    elif not has_digest:
        yield (
            "sri-not-implemented-but-external-scripts-loaded-securely"
            if is_secure
            else "sri-not-implemented-and-external-scripts-not-loaded-securely"
        )


def _place(src: str, host: str, *, is_https: bool, forces_https: bool) -> tuple[bool, bool]:
    """Whether a script is of this site, and whether it comes by https."""
    if _SCHEMELESS.match(src):
        return _site_of(f"https:{src}") == _site_of(f"https://{host}"), forces_https
    if _ABSOLUTE.match(src):
        return _site_of(src) == _site_of(f"https://{host}"), src.startswith("https:")
    return True, is_https


def _site_of(url: str) -> str:
    """The registrable domain, by the shape of the name; that of an address or a single label is itself."""
    try:
        name = (urlsplit(url).hostname or "").removesuffix(".")
        ip_address(name)
    except ValueError:
        pass
    else:
        return name
    labels = url.partition("//")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower().split(".")
    deep = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if deep else -2 :])
