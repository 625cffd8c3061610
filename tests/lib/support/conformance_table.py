"""The tables of docs/conformance.md: the rules, and what well-known wrappers keep of them.

``PYTHONPATH=tests/lib python -m support.conformance_table`` prints them; with ``--write`` the page gets them.
"""

import contextlib
import io
import logging
import re
import sys
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import requestlogger
import wsgicors
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from paste.gzipper import middleware as paste_gzipper
from paste.translogger import TransLogger
from secure import Secure
from secure.middleware import SecureWSGIMiddleware
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.lint import LintMiddleware
from werkzeug.middleware.profiler import ProfilerMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.middleware.shared_data import SharedDataMiddleware
from whitenoise import WhiteNoise

import overcoat.middleware
from overcoat.middleware import RequestID, RequestLog, SecurityHeaders, ServerTiming, Stack
from overcoat.middleware.testing import RULES, Report, check_middleware

PAGE = Path(__file__).parents[3] / "docs" / "conformance.md"

App = Callable[..., Any]


@dataclass(frozen=True)
class Peer:
    """A middleware of somebody's.

    Args:
        package: The distribution that it comes from.
        factory: Makes it around an app.
        allow, environ: See ``check_middleware``.
    """

    package: str
    factory: Callable[[App], App]
    allow: Collection[str] = ()
    environ: Mapping[str, Any] = field(default_factory=dict)


def _overcoat(app: App) -> App:
    log: list[dict[str, Any]] = []
    layers = [
        overcoat.middleware.ProxyFix(trusted=["127.0.0.1"]),
        RequestID(),
        RequestLog(to=log.append),
        ServerTiming(),
        SecurityHeaders(preset="page"),
    ]
    return Stack(app, layers)


PEERS: Mapping[str, Peer] = {
    "Overcoat, five layers": Peer("overcoat", _overcoat),
    "Werkzeug ProxyFix": Peer("Werkzeug", partial(ProxyFix, x_host=1, x_port=1, x_prefix=1)),
    "Werkzeug SharedDataMiddleware": Peer("Werkzeug", lambda app: SharedDataMiddleware(app, {"/static": "/nowhere"})),
    "Werkzeug DispatcherMiddleware": Peer("Werkzeug", lambda app: DispatcherMiddleware(app, {"/other": app})),
    "Werkzeug ProfilerMiddleware": Peer("Werkzeug", lambda app: ProfilerMiddleware(app, stream=None)),
    "Werkzeug LintMiddleware": Peer("Werkzeug", LintMiddleware),
    "WhiteNoise": Peer("whitenoise", WhiteNoise),
    "secure": Peer("secure", lambda app: SecureWSGIMiddleware(app, secure=Secure.with_default_headers())),
    "wsgicors": Peer(
        "wsgicors",
        lambda app: wsgicors.CORS(app, origin="copy", methods="*", headers="*"),
        {"answers"},
        {"HTTP_ORIGIN": "https://a.example"},
    ),
    "Paste TransLogger": Peer("Paste", TransLogger),
    "Paste gzipper": Peer("Paste", paste_gzipper, {"body", "headers"}, {"HTTP_ACCEPT_ENCODING": "gzip"}),
    "wsgi-request-logger": Peer(
        "wsgi-request-logger", lambda app: requestlogger.WSGILogger(app, [], requestlogger.ApacheFormatter())
    ),
    "Sentry SentryWsgiMiddleware": Peer("sentry-sdk", SentryWsgiMiddleware),
    "OpenTelemetry OpenTelemetryMiddleware": Peer("opentelemetry-instrumentation-wsgi", OpenTelemetryMiddleware),
}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Loggers log and linters warn, as they should: thousands of times."""
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def check(name: str) -> Report:
    """The report of a peer."""
    peer = PEERS[name]
    with _quiet():
        return check_middleware(peer.factory, allow=peer.allow, environ=peer.environ, name=name)


def row(name: str) -> str:
    """Its row in the table."""
    report = check(name)
    judged = [one for one in report.rows if one.status != "skip"]
    broken = ", ".join(f"`{one.rule.name}`" for one in report.failures)
    allowed = ", ".join(f"`{one}`" for one in sorted(PEERS[name].allow))
    return f"| {name} | {allowed} | {len(judged) - len(report.failures)} of {len(judged)} | {broken} |"


def rules_table() -> str:
    """The table of the rules."""
    lines = ["| rule | demands | source | void where allowed |", "| --- | --- | --- | --- |"]
    for rule in RULES.values():
        waived = ", ".join(f"`{one}`" for one in sorted(rule.waived_by))
        lines.append(f"| `{rule.name}` | {rule.text} | {rule.source} | {waived} |")
    return "\n".join(lines)


def peers_table() -> str:
    """The table of the peers."""
    lines = ["| middleware | allowed | rules kept | breaks |", "| --- | --- | ---: | --- |"]
    return "\n".join([*lines, *(row(name) for name in PEERS)])


def versions() -> str:
    """Which releases the table is about."""
    packages = sorted({peer.package for peer in PEERS.values()} - {"overcoat"}, key=str.lower)
    return f"Releases: {', '.join(f'{package} {version(package)}' for package in packages)}."


def block(name: str, page: str) -> str:
    """What stands between two marks of the page."""
    match = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end of {name} -->", page, re.DOTALL)
    if match is None:
        raise ValueError(f"the page has no block {name!r}")
    return match[1]


def main() -> None:
    """Print the tables, or write them into the page."""
    blocks = {"rules": rules_table(), "wrappers": f"{peers_table()}\n\n{versions()}"}
    if "--write" not in sys.argv:
        print("\n\n".join(blocks.values()))
        return
    page = PAGE.read_text(encoding="utf-8")
    for name, text in blocks.items():
        page = page.replace(block(name, page), text)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
