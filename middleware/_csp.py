"""A Content-Security-Policy from a mapping, with the slips refused that would silently weaken it.

>>> from overcoat.middleware._csp import compile_policy
>>> policy = compile_policy("content_security_policy", {"default-src": ["'self'"], "script-src": ["'self'", "'nonce'"]})
>>> policy.text
"default-src 'self'; script-src 'self'"
>>> policy.text_with("r4nd0m")
"default-src 'self'; script-src 'self' 'nonce-r4nd0m'"
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from overcoat.middleware._csp_sources import NONCE, check_sources
from overcoat.middleware._options import did_you_mean
from overcoat.middleware._presets import PolicyMapping

# Content Security Policy Level 3, sections 6.1 to 6.5; Trusted Types; Upgrade Insecure Requests
DIRECTIVES = frozenset({
    "base-uri", "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src", "form-action",
    "frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src", "object-src", "report-to", "report-uri",
    "require-trusted-types-for", "sandbox", "script-src", "script-src-attr", "script-src-elem", "style-src",
    "style-src-attr", "style-src-elem", "trusted-types", "upgrade-insecure-requests", "webrtc", "worker-src",
})  # fmt: skip

_OBSOLETE = {
    "block-all-mixed-content": "browsers do so by themselves: leave it out",
    "navigate-to": "no browser has it: leave it out",
    "plugin-types": 'write "object-src": ["\'none\'"]',
    "prefetch-src": "no browser has it: default-src covers it",
    "referrer": "use referrer_policy=",
    "reflected-xss": "it does harm: leave it out",
    "require-sri-for": "no browser has it: leave it out",
}

# Section 6.3.2 and Upgrade Insecure Requests, section 3.1: monitoring ignores them.
_ENFORCED_ONLY = frozenset({"sandbox", "upgrade-insecure-requests"})


class Policy(NamedTuple):
    """One policy, ready to be sent.

    Attributes:
        text: The header's value where the request has no nonce.
        template: The same with the source ``'nonce'`` where the nonce goes; None where the policy has no such place.
        report_to: The endpoint that it names, or None.
        ancestors: The sources of ``frame-ancestors``, or None.
    """

    text: str
    template: str | None
    report_to: str | None
    ancestors: tuple[str, ...] | None

    def text_with(self, nonce: str) -> str:
        """The header's value with this nonce."""
        return self.text if self.template is None else self.template.replace(NONCE, f"'nonce-{nonce}'")


def compile_policy(option: str, policy: PolicyMapping, *, report_only: bool = False) -> Policy:
    """A policy that was checked.

    Args:
        option: The option's name, for messages.
        policy: Directive to its sources, as a list or as one string with spaces between them.
        report_only: Whether it is for ``Content-Security-Policy-Report-Only``.

    Raises:
        ValueError: An unknown directive, a keyword without its quotes, a value that would end the directive, ...
    """
    if not isinstance(policy, Mapping) or not policy:
        raise ValueError(
            f'{option}={policy!r} must be a mapping, such as {{"default-src": ["\'self\'"]}}, or None for no policy'
        )
    given = []
    for directive, sources in policy.items():
        if not isinstance(sources, Iterable):
            raise ValueError(f"{option}: {directive}={sources!r} must be a list of sources, or a string")
        given.append((directive, tuple(sources.split() if isinstance(sources, str) else sources)))
    try:
        return _compile(option, tuple(given), report_only)
    except TypeError:  # what cannot be hashed is no text, and refused below
        return _compile.__wrapped__(option, tuple(given), report_only)


# A view may give its own policy with each request: then it is checked with the first.
@lru_cache(maxsize=64)
def _compile(option: str, policy: tuple[tuple[str, tuple[str, ...]], ...], report_only: bool) -> Policy:
    plain, template = [], []
    for directive, sources in policy:
        _check_directive(option, directive, report_only)
        check_sources(option, directive, sources)
        # A source of the same spelling in all places, so that one replacement finds them.
        spelt = [NONCE if source.lower() == NONCE else source for source in sources]
        template.append(" ".join([directive, *spelt]))
        without = [source for source in spelt if source != NONCE]
        plain.append(" ".join([directive, *(without or ["'none'"] * bool(spelt))]))
    by_name = dict(policy)
    text, with_nonce = "; ".join(plain), "; ".join(template)
    return Policy(
        text,
        None if with_nonce == text else with_nonce,
        next(iter(by_name.get("report-to", ())), None),
        by_name.get("frame-ancestors"),
    )


def _check_directive(option: str, directive: str, report_only: bool) -> None:
    if directive not in DIRECTIVES:
        why = _OBSOLETE.get(directive) if isinstance(directive, str) else None
        if why is not None:
            raise ValueError(f"{option}: the directive {directive!r} is obsolete; {why}")
        hint = did_you_mean(str(directive).lower(), sorted(DIRECTIVES))
        raise ValueError(f"{option}: unknown directive {directive!r}; {hint}")
    if report_only and directive in _ENFORCED_ONLY:
        raise ValueError(f"{option}: {directive!r} is ignored in a policy that only reports: take it out")
