"""What the tests put around an app: every layer of the package, alone, in stacks, and with strangers in between.

The layers are found in ``overcoat.middleware.__all__``: a new one is tested from its first day. The two tables say what
nobody can find out: the options worth trying, and the response headers that a layer documents to add.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from overcoat import middleware
from overcoat.middleware import Layer, Stack

App = Callable[..., Any]
Records = list[dict[str, Any]]

OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "ProxyFix": {
        "counts": {"x_for": 2, "x_proto": 2, "x_host": 1, "x_port": 1, "x_prefix": 1},
        "trusted": {"trusted": ["127.0.0.1", "unix:"], "x_host": 1, "x_port": 1, "x_prefix": 1},
        "trusts-nobody": {"trusted": []},
        "forwarded": {"trusted": ["127.0.0.1"], "header": "forwarded", "x_host": 1},
        "allowed-hosts": {"trusted": ["127.0.0.1"], "x_host": 1, "x_port": 1, "allowed_hosts": ["example.com"]},
    },
    "RequestID": {
        "replace": {"policy": "replace", "header": "X-Trace"},
        "own": {"pattern": "[a-z]+", "generator": lambda: "made", "trusted": ["127.0.0.1", "unix:"]},
    },
    "TraceContext": {
        "restart": {"policy": "restart", "sampled": True, "response_header": "traceresponse"},
        "trusted": {"trusted": ["10.0.0.0/8"]},
    },
    "RequestLog": {
        "keeps": {"quiet": "/never/", "sample": lambda exchange: 1, "slow_ms": None},
        "shows": {
            "headers": ["Accept", "Content-Type", "Referer"],
            "response_headers": ["Content-Type", "Content-Length", "Location", "X-Odd"],
            "sensitive": ["ssn"],
        },
        "edits": {"hide_path": "/never/", "level": lambda exchange: "info", "names": {"endpoint": "view"}},
    },
    "ServerTiming": {
        "all": {"expose": "all"},
        "asks": {"expose": lambda exchange: None},
        "names": {"expose": ["total", "db"], "allow_origin": "*"},
    },
    "SecurityHeaders": {
        "page": {"preset": "page"},
        "api": {"preset": "api"},
        "hsts-off": {"hsts_max_age_s": None},
        "nonce": {"content_security_policy": {"script-src": ["'nonce'"]}},
        "override": {"override": ["X-Frame-Options"]},
        "all": {
            "preset": "page",
            "content_security_policy_report_only": {"default-src": ["'none'"], "report-to": ["csp"]},
            "reporting_endpoints": {"csp": "/reports"},
            "cross_origin_embedder_policy": "require-corp",
            "cache_control": "no-store",
        },
    },
    "SecureCookies": {
        "enforce": {"mode": "enforce"},
        "always": {"mode": "enforce", "secure": True, "same_site": "Strict", "readable": ["a"], "exempt": ["b"]},
    },
    "HTTPSRedirect": {"exempts": {"hosts": ["example.com"], "exempt_hosts": ["localhost"], "port": 8443}},
    "TrustedHosts": {"wildcard": {"hosts": ["*.example.com", "127.0.0.0/8", "localhost"], "allow_missing": True}},
}

# What a layer must be given, or is given so that it leaves the app's answers as they are.
REQUIRED: dict[str, dict[str, Any]] = {
    "SecureCookies": {"mode": "report"},
    "HTTPSRedirect": {"hosts": ["localhost"]},
    "TrustedHosts": {"hosts": ["localhost"]},
    "Mount": {"prefix": "/_mounted", "mounted": lambda environ, start_response: [b""]},
}

# Layers that refuse a request for a host that they do not know.
REFUSING = {"HTTPSRedirect", "TrustedHosts"}

ADDS: dict[str, set[str]] = {
    "RequestID": {"x-request-id", "x-trace"},
    "TraceContext": {"traceresponse"},
    "ServerTiming": {"server-timing", "timing-allow-origin"},
    "SecureCookies": {"set-cookie"},
    "SecurityHeaders": {
        "content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy", "permissions-policy",
        "cross-origin-opener-policy", "cross-origin-resource-policy", "strict-transport-security",
        "content-security-policy-report-only", "cross-origin-embedder-policy", "origin-agent-cluster",
        "reporting-endpoints", "cache-control",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Coat:
    """One way to wrap an app.

    Args:
        name: For the id of a test.
        wear: Wraps an app; a request log in it appends to the list.
        adds: The response headers that it may add, in lower case.
        logs: Whether a request log is in it.
        allow: What it is there to do beyond adding headers: ``"headers"`` (completes those of the app), ``"answers"``
            (refuses a request for a host that it does not know).
    """

    name: str
    wear: Callable[[App, Records], App]
    adds: frozenset[str]
    logs: bool = False
    allow: frozenset[str] = frozenset()


def layer_classes() -> list[type[Layer]]:
    """Every layer that the package publishes."""
    published = (getattr(middleware, name) for name in middleware.__all__)
    return [one for one in published if isinstance(one, type) and issubclass(one, Layer) and one is not Layer]


def _variants() -> Iterator[tuple[str, type[Layer], dict[str, Any]]]:
    for cls in layer_classes():
        yield cls.__name__, cls, {}
        for label, options in OPTIONS.get(cls.__name__, {}).items():
            yield f"{cls.__name__}-{label}", cls, options


def _options(cls: type[Layer], records: Records) -> dict[str, Any]:
    return {"to": records.append} if cls.__name__ == "RequestLog" else REQUIRED.get(cls.__name__, {})


def _alone(name: str, cls: type[Layer], options: dict[str, Any]) -> Coat:
    def wear(app: App, records: Records) -> App:
        return cls(app, **_options(cls, records) | options)

    allow = {"answers"} if cls.__name__ in REFUSING else {"headers"} if options.get("mode") == "enforce" else set()
    return Coat(name, wear, frozenset(ADDS.get(cls.__name__, ())), cls.__name__ == "RequestLog", frozenset(allow))


def parts(records: Records, *, refusing: bool = False) -> list[Layer]:
    """One of each layer, in an order that is allowed; those that refuse hosts only if asked for."""
    from overcoat.middleware._order import corrected

    classes = [cls for cls in layer_classes() if refusing or cls.__name__ not in REFUSING]
    return corrected([cls(**_options(cls, records)) for cls in classes])


class Stranger:
    """Somebody else's middleware that does nothing."""

    def __init__(self, app: App) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: App) -> Any:
        return self.app(environ, start_response)


class Watchful(Layer):
    """A layer with every phase, which leaves everything as it is."""

    def on_request(self, exchange: Any) -> None: ...

    def on_error(self, exchange: Any, error: Exception) -> None: ...

    def on_headers(self, exchange: Any) -> None: ...

    def on_finish(self, exchange: Any) -> None: ...


def _stack(app: App, records: Records) -> App:
    return Stack(app, parts(records))


def _guarded(app: App, records: Records) -> App:
    return Stack(app, parts(records, refusing=True))


def _nested(app: App, records: Records) -> App:
    for cls in reversed([type(part) for part in parts(records)]):
        app = cls(app, **_options(cls, records))
    return app


def _among_strangers(app: App, records: Records) -> App:
    # Each a partial of its own, for what stands twice in a stack is refused.
    return Stack(app, [one for part in parts(records) for one in (part, partial(Stranger))])


def _headers_only(app: App, records: Records) -> App:
    return Stack(app, [part for part in parts(records) if not (part.defines("on_finish") or part.defines("on_error"))])


_ALL = frozenset().union(*ADDS.values())

COATS: tuple[Coat, ...] = (
    *(_alone(name, cls, options) for name, cls, options in _variants()),
    Coat("Layer", lambda app, records: Layer(app), frozenset()),
    Coat("Watchful", lambda app, records: Watchful(app), frozenset()),
    Coat("stack-of-headers", _headers_only, _ALL),
    Coat("stack", _stack, _ALL, logs=True),
    Coat("guarded-stack", _guarded, _ALL, logs=True, allow=frozenset({"answers"})),
    Coat("nested", _nested, _ALL, logs=True),
    Coat("among-strangers", _among_strangers, _ALL, logs=True),
)
