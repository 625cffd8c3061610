"""From the options of SecurityHeaders to its headers: a preset refined, and what must agree compared.

>>> from overcoat.middleware._header_values import compile_headers
>>> compile_headers({"frame_options": "DENY", "referrer_policy": None}).values
{'X-Frame-Options': 'DENY', 'Referrer-Policy': None}
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from overcoat.middleware._header_compilers import COMPILERS, CSP, HEADER_NAMES, HSTS
from overcoat.middleware._hsts import strict_transport
from overcoat.middleware._options import did_you_mean
from overcoat.middleware._presets import DEFAULTS, PRESETS
from overcoat.middleware._reporting import check_endpoint, split_report_to

if TYPE_CHECKING:
    from overcoat.middleware._csp import Policy

_ANCESTORS = {"DENY": "'none'", "SAMEORIGIN": "'self'"}


class Headers:
    """Headers that were compiled.

    Attributes:
        values: Header to its value without a nonce; None is off.
        policies: The same headers' policies, where they have a place for a nonce.
    """

    __slots__ = ("policies", "values")

    def __init__(self, values: dict[str, str | None], policies: "dict[str, Policy] | None" = None) -> None:
        self.values = values
        self.policies = {} if policies is None else policies


def compile_preset(preset: str | None, given: Mapping[str, Any]) -> Headers:
    """The headers of a preset and the options that refine it."""
    chosen = {**DEFAULTS, **PRESETS[preset], **given}
    frame_options = chosen["frame_options"]
    if "frame_options" not in given:
        del chosen["frame_options"]
    elif chosen["content_security_policy"] and "content_security_policy" not in given and frame_options in _ANCESTORS:
        # The policy is the preset's, so that what was said of frames refines it.
        policy = chosen["content_security_policy"]
        chosen["content_security_policy"] = {**policy, "frame-ancestors": [_ANCESTORS[frame_options]]}
    headers = compile_headers(chosen, endpoints=chosen["reporting_endpoints"] or ())
    headers.values.setdefault("X-Frame-Options", frame_options)
    return headers


def compile_headers(options: Mapping[str, Any], *, endpoints: Iterable[str] | None = None) -> Headers:
    """The headers that these options make, in the order of the options.

    Where ``frame_options`` is not given, X-Frame-Options says the same as the policy's ``frame-ancestors``, if any.

    Args:
        options: Those that are given; all of them have been named in ``HeaderOptions``.
        endpoints: The names that a policy may report to; None where that cannot be known.

    Raises:
        ValueError: A value that a browser would ignore or that would weaken the page by a slip.
    """
    headers = Headers({})
    reports: list[tuple[str, str | None]] = []
    ancestors = None
    for option, value in options.items():
        if option.startswith("hsts_"):
            continue
        name, compiler = COMPILERS[option]
        made = None if value is None else compiler(option, value)
        if isinstance(made, str):
            if option.startswith("cross_origin_"):
                reports.append((option, split_report_to(made)[1]))
        elif made is not None:
            reports.append((option, made.report_to))
            if made.template is not None:
                headers.policies[name] = made
            if name == CSP:
                ancestors = made.ancestors
            made = made.text
        headers.values[name] = made
    if ancestors is not None and "frame_options" not in options:
        headers.values["X-Frame-Options"] = frame_options_for(ancestors)
    _check_frames(options, ancestors)
    if any(option.startswith("hsts_") for option in options):
        headers.values[HSTS] = strict_transport(
            options.get("hsts_max_age_s"),
            include_subdomains=options.get("hsts_include_subdomains", False),
            preload=options.get("hsts_preload", False),
        )
    if endpoints is not None:
        for option, endpoint in reports:
            check_endpoint(option, endpoint, endpoints)
    return headers


def frame_options_for(ancestors: tuple[str, ...]) -> str | None:
    """What X-Frame-Options says of these ``frame-ancestors``; None for what it cannot say.

    >>> frame_options_for(("'none'",)), frame_options_for(("'self'",)), frame_options_for(("'self'", "a.example"))
    ('DENY', 'SAMEORIGIN', None)
    """
    return {"'none'": "DENY", "'self'": "SAMEORIGIN"}.get(ancestors[0].lower()) if len(ancestors) == 1 else None


def _check_frames(options: Mapping[str, Any], ancestors: tuple[str, ...] | None) -> None:
    frame_options = options.get("frame_options")
    if frame_options is not None and ancestors is not None and frame_options_for(ancestors) != frame_options:
        fitting = _ANCESTORS[frame_options]
        raise ValueError(
            f"SecurityHeaders: frame_options={frame_options!r} contradicts frame-ancestors={list(ancestors)!r} of "
            f'content_security_policy, which browsers follow: write ["{fitting}"] there, or leave frame_options out'
        )


def forced_names(override: Iterable[str], sent: Mapping[str, str]) -> frozenset[str]:
    """The names of ``override=`` in lower case."""
    if isinstance(override, str) or not isinstance(override, Iterable):
        raise ValueError(f"SecurityHeaders: override={override!r} must be a list of header names, such as [{CSP!r}]")
    known = {name.lower(): name for name in HEADER_NAMES}
    names: list[str] = []
    for name in override:
        lower = name.lower() if isinstance(name, str) else name
        if lower not in known:
            hint = did_you_mean(str(name), HEADER_NAMES)
            raise ValueError(f"SecurityHeaders: override={name!r} is no header of this layer; {hint}")
        if known[lower] not in sent:
            raise ValueError(f"SecurityHeaders: override={name!r} would only remove it: the layer itself sends none")
        if lower in names:
            raise ValueError(f"SecurityHeaders: override= names {name!r} twice: take one out")
        names.append(lower)
    return frozenset(names)
