"""What is wrong with the layers around an app, seen without a request.

>>> from overcoat.inspector._stack_findings import stack_findings
>>> from overcoat.middleware import ProxyFix, RequestLog, Stack
>>> def app(environ, start_response): ...
>>> for finding in stack_findings(Stack(app, [ProxyFix(), RequestLog(to="stderr")])):
...     print(finding.severity, finding.says)
warning ProxyFix() trusts any peer: whoever reaches the app chooses address and scheme
"""

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from overcoat.inspector._finding import Finding
from overcoat.middleware import HTTPSRedirect, Layer, ProxyFix, RequestID, RequestLog, SecureCookies, ServerTiming
from overcoat.middleware._order import _reason, corrected, inward, name_of_app
from overcoat.middleware._wsgi import Segment

# Wrappers of others that write a line for each request.
_FOREIGN_LOGS = frozenset({"TransLogger", "WsgiLogger", "WSGILogger", "AccessLogMiddleware", "AccessLogger"})
_FOREIGN_PROXY_FIX = "werkzeug.middleware.proxy_fix"
# Two of these do the work twice; two of others may be meant (a skip= each).
_ONCE = {
    "RequestLog": "each request has two lines",
    "RequestID": "the inner one's id is lost, or the header is set twice",
    "ProxyFix": "the second believes what the first left of the forwarding headers",
    "TraceContext": "each request has two spans",
    "ServerTiming": "Server-Timing is sent twice",
}


def parts_of(app: Any) -> tuple[list[Layer], list[Any]]:
    """Our layers and the wrappers of others around an app, from the outside in."""
    layers: list[Layer] = []
    foreign: list[Any] = []
    passed = list(inward(getattr(app, "wsgi_app", app)))
    for wrapper, fused in passed:
        layers += fused
        if not isinstance(wrapper, Segment):
            foreign.append(wrapper)
    if passed and foreign and passed[-1][0] is foreign[-1]:
        foreign.pop()  # the app itself
    return layers, foreign


def stack_findings(app: Any) -> Iterator[Finding]:
    """What is wrong around the app."""
    layers, foreign = parts_of(app)
    names = [type(layer).__name__ for layer in layers]
    yield from _order_findings(layers)
    for name, count in Counter(names).items():
        if count > 1 and name in _ONCE:
            yield Finding(
                "warning", "layer-twice", f"{name} stands {count} times: {_ONCE[name]}", f"take all but one {name} out"
            )
    for layer in layers:
        yield from _layer_findings(layer)
    if any(isinstance(layer, RequestID) for layer in layers) and not any(
        isinstance(layer, RequestLog) for layer in layers
    ):
        yield Finding(
            "note", "id-without-log", "RequestID without RequestLog: ids are sent that no request line has",
            "add RequestLog() inside of RequestID",
        )  # fmt: skip
    if "HTTPSRedirect" in names and "ProxyFix" not in names and not any(map(_is_foreign_proxy_fix, foreign)):
        yield Finding(
            "note", "redirect-without-proxy-fix",
            "HTTPSRedirect without ProxyFix: behind a proxy that speaks https, each request is redirected to itself",
            "behind a proxy, add ProxyFix(trusted=[...]) outside of it",
        )  # fmt: skip
    for wrapper in foreign:
        yield from _foreign_findings(wrapper, logs="RequestLog" in names)


def _order_findings(layers: Sequence[Layer]) -> Iterator[Finding]:
    for index, outer in enumerate(layers):
        for inner in layers[index + 1 :]:
            reason = _reason(inner, outer)
            if reason is not None:
                listed = ", ".join(type(layer).__name__ for layer in corrected(layers))
                yield Finding(
                    "error", "layer-order",
                    f"{type(inner).__name__} must stand outside {type(outer).__name__}: {reason}",
                    f"from the outside in: {listed}; and take check_order=False out",
                )  # fmt: skip


def _layer_findings(layer: Layer) -> Iterator[Finding]:
    if isinstance(layer, ProxyFix) and layer.trusted is None:
        yield Finding(
            "warning", "proxy-trusts-any-peer",
            f"{layer!r} trusts any peer: whoever reaches the app chooses address and scheme",
            "name the proxies: ProxyFix(trusted=['127.0.0.1', '::1', 'unix:'])",
        )  # fmt: skip
    options = layer._arguments[1]
    if isinstance(layer, ServerTiming) and options.get("expose") == "all":
        yield Finding(
            "note", "timings-for-all", "ServerTiming(expose='all') shows every visitor what the app spends its time on",
            "in production, leave expose='total', or let a callable choose who sees more",
        )  # fmt: skip
    if isinstance(layer, SecureCookies) and options.get("mode") == "report":
        yield Finding(
            "warning", "cookies-report-only", "SecureCookies(mode='report') changes no cookie",
            "once its log is quiet, take mode='report' out",
        )  # fmt: skip
    if isinstance(layer, HTTPSRedirect) and options.get("permanent") is False:
        yield Finding(
            "note", "redirect-temporary", "HTTPSRedirect(permanent=False): browsers ask by http each time",
            "once it is proven, take permanent=False out",
        )  # fmt: skip


def _kind(wrapper: Any) -> Any:
    """The class of a wrapper; a stack knows some by what makes them."""
    made_by = wrapper.func if isinstance(wrapper, functools.partial) else wrapper
    return made_by if isinstance(made_by, type) else type(made_by)


def _is_foreign_proxy_fix(wrapper: Any) -> bool:
    return str(_kind(wrapper).__module__) == _FOREIGN_PROXY_FIX


def _foreign_findings(wrapper: Any, *, logs: bool) -> Iterator[Finding]:
    name = name_of_app(wrapper)
    if _is_foreign_proxy_fix(wrapper):
        yield Finding(
            "warning", "proxy-trusts-any-peer",
            "Werkzeug's ProxyFix trusts any peer: whoever reaches the app chooses address and scheme",
            "from overcoat.middleware import ProxyFix; ProxyFix(app.wsgi_app, trusted=['127.0.0.1', '::1', 'unix:'])",
        )  # fmt: skip
    if _kind(wrapper).__name__ in _FOREIGN_LOGS and logs:
        yield Finding(
            "warning", "two-access-logs", f"{name} and RequestLog each write a line for each request",
            f"take {name} out",
        )  # fmt: skip
