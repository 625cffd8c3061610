"""Permissions-Policy from a mapping, as a structured field (RFC 9651): a slip in one member makes browsers drop it all.

>>> from overcoat.middleware._permissions_policy import permissions_policy
>>> permissions_policy({"camera": [], "geolocation": ["self", "https://maps.example"], "fullscreen": "*"})
'camera=(), geolocation=(self "https://maps.example"), fullscreen=*'
"""

import re
from collections.abc import Iterable, Mapping

from overcoat.middleware._options import did_you_mean
from overcoat.middleware._presets import Permissions

#: The features of the specification's registry (features.md) and of Chromium, as of 2026-11.
FEATURES = frozenset({
    "accelerometer", "ambient-light-sensor", "aria-notify", "attribution-reporting", "autoplay", "bluetooth",
    "browsing-topics", "camera", "captured-surface-control", "clipboard-read", "clipboard-write", "compute-pressure",
    "cross-origin-isolated", "deferred-fetch", "deferred-fetch-minimal", "digital-credentials-create",
    "digital-credentials-get", "display-capture", "encrypted-media", "execution-while-not-rendered",
    "execution-while-out-of-viewport", "focus-without-user-activation", "fullscreen", "gamepad", "geolocation",
    "gyroscope", "hid", "identity-credentials-get", "idle-detection", "interest-cohort", "join-ad-interest-group",
    "keyboard-map", "language-detector", "language-model", "local-fonts", "local-network", "local-network-access",
    "loopback-network", "magnetometer", "media-playback-while-not-visible", "mediasession", "microphone", "midi",
    "on-device-speech-recognition", "otp-credentials", "payment", "picture-in-picture", "private-aggregation",
    "private-state-token-issuance", "private-state-token-redemption", "publickey-credentials-create",
    "publickey-credentials-get", "rewriter", "run-ad-auction", "screen-wake-lock", "serial", "shared-storage",
    "shared-storage-select-url", "speaker-selection", "storage-access", "summarizer", "sync-xhr", "translator",
    "unload", "usb", "vertical-scroll", "web-share", "window-management", "writer", "xr-spatial-tracking",
})  # fmt: skip

# Client hints are features too: "ch-" and the hint's name.
_HINT = r"ch-[a-z0-9-]+"
# A serialised origin, or Chromium's wildcard for its subdomains; no path, no quote.
_ORIGIN = r"[a-z][a-z0-9+.-]*://(?:\*\.)?(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?"

_WORD = r'(?:self|src|"[^"\\]*")'
_MEMBER = (
    rf"([a-z*][a-z0-9_.*-]*)=(?:\*|{_WORD}|\( *(?:{_WORD}(?: +{_WORD})*)? *\))"
    r'(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:[A-Za-z*][^\s;,"()]*|"[^"\\]*"))?)*'
)


def permissions_policy(policy: Permissions) -> str:
    """The header's value.

    Args:
        policy: Feature to the origins that may use it: ``[]`` for nobody, ``"*"`` for all, else a list of ``"self"``
            and origins. Or the value itself as text, which may also name features that are not known here.

    Raises:
        ValueError: An unknown feature, something that is no origin, or text that browsers would drop.
    """
    if isinstance(policy, str):
        return _checked_text(policy)
    if not isinstance(policy, Mapping) or not policy:
        raise ValueError(
            f'permissions_policy={policy!r} must be a mapping, such as {{"camera": []}}, the value as text, or None'
        )
    return ", ".join(f"{_feature(feature)}={_allowlist(feature, allowed)}" for feature, allowed in policy.items())


def _feature(feature: str) -> str:
    if not isinstance(feature, str) or not (feature in FEATURES or re.fullmatch(_HINT, feature)):
        raise ValueError(
            f"permissions_policy: unknown feature {feature!r}; {_hint(feature)}; one that is new can be given as text"
        )
    return feature


def _hint(feature: object) -> str:
    hint = did_you_mean(str(feature).lower(), sorted(FEATURES))
    return hint if hint.startswith("did") else "docs/security-headers.md says where the names stand"


def _allowlist(feature: str, allowed: Iterable[str] | str) -> str:
    if not isinstance(allowed, Iterable):
        raise ValueError(f"permissions_policy: {feature}={allowed!r} must be a list of origins: [] for nobody, or '*'")
    entries = allowed.split() if isinstance(allowed, str) else list(allowed)
    if "*" in entries and len(entries) == 1:
        return "*"
    shown = []
    for entry in entries:
        if entry == "*":
            raise ValueError(f"permissions_policy: {feature}={entries!r}: '*' stands alone")
        if entry in {"none", "'none'", "()"}:
            raise ValueError(f"permissions_policy: {feature}={entry!r} is of another header: write [] for nobody")
        if entry == "'self'":
            raise ValueError(f"permissions_policy: {feature}={entry!r} has no quotes in this header: write 'self'")
        if entry != "self" and not (isinstance(entry, str) and re.fullmatch(_ORIGIN, entry)):
            raise ValueError(
                f"permissions_policy: {feature}={entry!r} is no origin: write 'self', or 'https://maps.example' "
                "without a path"
            )
        text = "self" if entry == "self" else f'"{entry}"'
        if text in shown:
            raise ValueError(f"permissions_policy: {feature}={entries!r} holds {entry!r} twice: take one out")
        shown.append(text)
    return f"({' '.join(shown)})"


def _checked_text(policy: str) -> str:
    if not (policy and policy.isascii() and policy.isprintable()):
        raise ValueError(f"permissions_policy={policy!r} must be printable ASCII text, or None")
    seen = set()
    for part in policy.split(","):
        member = re.fullmatch(_MEMBER, part.strip(" "))
        if member is None:
            raise ValueError(
                f"permissions_policy: {part.strip()!r} is no member of a structured field, so that browsers drop the "
                'whole header: write feature=(), feature=*, or feature=(self "https://maps.example")'
            )
        if member[1] in seen:
            raise ValueError(f"permissions_policy: {member[1]!r} stands twice: take one out")
        seen.add(member[1])
    return policy
