"""The HTTP Observatory's test of Content-Security-Policy, and what else there is to say of a policy.

>>> from overcoat.inspector._observatory_csp import grade_policy
>>> grade_policy(["default-src 'self'; script-src 'self' 'unsafe-inline'"])
'csp-implemented-with-unsafe-inline'
"""

from collections.abc import Iterable, Iterator, Sequence

from overcoat.inspector._effective_policy import EffectivePolicy, PolicyError, effective_policy

_BROAD = frozenset({"ftp:", "http:", "https:", "*", "http://*", "http://*.*", "https://*", "https://*.*"})
_BROAD_OR_INLINE = _BROAD | {"'unsafe-inline'", "data:"}
_NONCE_OR_HASH = ("'nonce-", "'sha256-", "'sha384-", "'sha512-")
_INSECURE = ("http:", "ftp:")
_PASSIVE = ("img-src", "media-src")
_PASSES_WITH_DUPLICATES = frozenset({
    "csp-implemented-with-no-unsafe",
    "csp-implemented-with-no-unsafe-default-src-none",
    "csp-implemented-with-unsafe-inline-in-style-src-only",
    "csp-implemented-with-insecure-scheme-in-passive-content-only",
})  # fmt: skip


def grade_policy(
    header: Sequence[str], meta: Sequence[str] = (), *, is_https: bool = True, has_report_only: bool = False
) -> str:
    """The Observatory's result.

    Args:
        header: The policies of the response header.
        meta: Those of the page's own ``meta`` elements.
        is_https: Whether the page was served over https.
        has_report_only: Whether there is a policy that only reports.
    """
    try:
        policy = effective_policy([*header, *meta])
    except PolicyError:
        return "csp-header-invalid"
    if not any(_directives(policies, meta=own) for policies, own in ((header, False), (meta, True))):
        return "csp-not-implemented-but-reporting-enabled" if has_report_only else "csp-not-implemented"
    result = _result(policy, is_https=is_https)
    if policy.has_duplicates and result in _PASSES_WITH_DUPLICATES:
        return "csp-implemented-but-duplicate-directives"
    return result


def _directives(policies: Sequence[str], *, meta: bool) -> bool:
    try:
        return bool(effective_policy(policies, meta=meta).directives)
    except PolicyError:
        return False


def _result(policy: EffectivePolicy, *, is_https: bool) -> str:
    objects = policy.sources("object-src", "default-src")
    scripts = _without_ignored(policy.sources("script-src", "default-src"))
    styles = _without_ignored(policy.sources("style-src", "default-src"))
    if "'strict-dynamic'" in scripts:
        if not _has_nonce_or_hash(scripts):
            return "csp-header-invalid"
        # Browsers that know it ignore lists of hosts and schemes beside it.
        scripts = [source for source in scripts if source != "'self'" and not source.startswith(tuple(_BROAD))]
    if not _BROAD_OR_INLINE.isdisjoint(scripts) or not _BROAD.isdisjoint(objects):
        return "csp-implemented-with-unsafe-inline"
    active = [
        source
        for name, sources in policy.directives.items()
        if name not in {*_PASSIVE, "script-src"}
        for source in (styles if name == "style-src" else sources)
    ]
    if is_https and _has_insecure([*active, *scripts]):
        return "csp-implemented-with-insecure-scheme"
    if "'unsafe-eval'" in {*scripts, *styles}:
        return "csp-implemented-with-unsafe-eval"
    if is_https and any(
        _has_insecure(policy.directives.get(name, policy.directives.get("default-src", []))) for name in _PASSIVE
    ):
        return "csp-implemented-with-insecure-scheme-in-passive-content-only"
    if not _BROAD_OR_INLINE.isdisjoint(styles):
        return "csp-implemented-with-unsafe-inline-in-style-src-only"
    if policy.directives.get("default-src") == ["'none'"]:
        return "csp-implemented-with-no-unsafe-default-src-none"
    return "csp-implemented-with-no-unsafe"


def _without_ignored(sources: list[str]) -> list[str]:
    """The sources without what a nonce or a hash makes browsers ignore."""
    return [source for source in sources if source != "'unsafe-inline'"] if _has_nonce_or_hash(sources) else sources


def _has_nonce_or_hash(sources: Iterable[str]) -> bool:
    return any(source.startswith(_NONCE_OR_HASH) for source in sources)


def _has_insecure(sources: Iterable[str]) -> bool:
    return any(source.startswith(_INSECURE) for source in sources)


def gaps_of(policies: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What a policy leaves open that the grade does not tell: the gap, and the directive that closes it.

    Args:
        policies: Those of the response header.
    """
    try:
        policy = effective_policy(policies)
    except PolicyError as error:
        yield str(error), "give the policy as a mapping, which SecurityHeaders checks"
        return
    if not policy.directives:
        return
    if not _BROAD_OR_INLINE.isdisjoint(policy.sources("base-uri")):
        yield "base-uri is not set: an injected <base> moves every relative script", '"base-uri": ["\'none\'"]'
    if not _BROAD.isdisjoint(policy.sources("form-action")):
        yield "form-action is not set: an injected form sends what is typed anywhere", '"form-action": ["\'self\'"]'
    if not _BROAD.isdisjoint(policy.sources("frame-ancestors")):
        yield "frame-ancestors is not set: it does not fall back to default-src", '"frame-ancestors": ["\'none\'"]'
