"""The presets of SecurityHeaders, as of ``PRESETS_DATE``: each change of their text is a line in the changelog."""

from collections.abc import Iterable, Mapping
from typing import Any

from overcoat.middleware._hsts import ONE_YEAR_S

#: Content-Security-Policy: directive to its sources, as a list or as one text with spaces between them.
PolicyMapping = Mapping[str, Iterable[str] | str]
#: Permissions-Policy: feature to the origins that may use it, or the header's value.
Permissions = Mapping[str, Iterable[str] | str] | str

PRESETS_DATE = "2026-11"

_NO_DEVICES: Mapping[str, list[str]] = {
    feature: []
    for feature in (
        "accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone", "payment", "usb",
    )
}  # fmt: skip

#: What every preset begins with, and all of ``preset=None``: safe for any app.
DEFAULTS: Mapping[str, Any] = {
    "content_security_policy": None,
    "content_security_policy_report_only": None,
    "content_type_options": "nosniff",
    "frame_options": "SAMEORIGIN",
    "referrer_policy": "strict-origin-when-cross-origin",
    "permissions_policy": None,
    "cross_origin_opener_policy": "same-origin",
    "cross_origin_embedder_policy": None,
    "cross_origin_resource_policy": None,
    "origin_agent_cluster": None,
    "reporting_endpoints": None,
    "cache_control": None,
    "hsts_max_age_s": ONE_YEAR_S,
    "hsts_include_subdomains": False,
    "hsts_preload": False,
}

#: A page that loads only from its own origin, and an API whose answers are never shown.
PRESETS: Mapping[str | None, Mapping[str, Any]] = {
    None: {},
    "page": {
        "content_security_policy": {
            "default-src": ["'self'"],
            "script-src": ["'self'", "'nonce'"],
            "style-src": ["'self'", "'nonce'"],
            "base-uri": ["'none'"],
            "form-action": ["'self'"],
            "frame-ancestors": ["'self'"],
            "object-src": ["'none'"],
        },
        "cross_origin_resource_policy": "same-origin",
        "origin_agent_cluster": True,
        "permissions_policy": _NO_DEVICES,
    },
    "api": {
        "cache_control": "no-store",
        "content_security_policy": {"default-src": ["'none'"], "frame-ancestors": ["'none'"]},
        "cross_origin_resource_policy": "same-origin",
        "frame_options": "DENY",
        "permissions_policy": _NO_DEVICES,
        "referrer_policy": "no-referrer",
    },
}
