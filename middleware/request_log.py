"""RequestLog: one line for each request, at its true end.

The line is written when the server has closed the response: a stream counts to its last byte, a client that left makes
an ``aborted``, an error a ``failed``. Flask's and Bottle's route templates are in it without any hook.

>>> from overcoat.middleware import RequestLog
>>> def app(environ, start_response):
...     start_response("200 OK", [])
...     return [b"hello"]
>>> lines = []
>>> app = RequestLog(app, to=lines.append)
>>> environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/hi", "QUERY_STRING": "token=s3cret"}
>>> response = app(environ, lambda status, headers: None)
>>> b"".join(response)
b'hello'
>>> response.close()
>>> [lines[0][name] for name in ("path", "query", "status", "response_bytes", "outcome")]
['/hi', 'token=[redacted]', 200, 5, 'complete']

Of headers only the host and the user agent are logged, and those that ``headers=`` allows; of the query string no value
whose key names a secret. A request with a body logs how much of it the app read, never what. The fields are listed in
``docs/record.md``.

It stands inside ProxyFix and RequestID, which tell it client and id, and outside whatever may answer early.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Unpack

from overcoat.middleware._asked import asked
from overcoat.middleware._exchange import Exchange
from overcoat.middleware._finish import every, every_as_line, some
from overcoat.middleware._keep import Sample, compile_keep
from overcoat.middleware._layer import Layer
from overcoat.middleware._names import compile_names
from overcoat.middleware._options import LayerOptions, Skip, compile_skip
from overcoat.middleware._record_edits import asked_level, hidden_path, logged_headers
from overcoat.middleware._redact import DEFAULT
from overcoat.middleware._targets import target
from overcoat.middleware._wsgi import Application
from overcoat.middleware.sensitive import Sensitive


class RequestLog(Layer):
    """Write one structured line for each request.

    A request is noteworthy when its status is 400 or more, its outcome ``aborted`` or ``failed``, or it took
    ``slow_ms``: such a request is logged whatever ``quiet`` and ``sample`` say. That a callable raised, or answered
    wrongly, is logged once and breaks no request.

    Args:
        app: The WSGI application to wrap.
        to: Where the line goes. None: what ``configure_logging`` set up, else structlog if the app has configured it,
            else JSON on standard output. ``"stdout"``, ``"stderr"`` or a path: JSON lines there; a path may be shared
            by any number of processes. A logger of stdlib ``logging`` or structlog. A callable: called with the record,
            a dict.
        route: A callable that gives the route template of an exchange, or None; asked when the response starts and
            neither the app (``add_fields(route=...)``) nor the framework has told. Flask and Bottle tell.
        quiet: Requests that are logged only when noteworthy, chosen as by ``skip``: health checks, static files.
        sample: The share of the other requests that is logged, from 0 to 1, or a callable from the exchange to one;
            each has it in its line as ``sample_rate`` and stands for ``1 / sample_rate`` requests. 0 leaves the
            noteworthy ones.
        slow_ms: From how many milliseconds on a request is noteworthy; None for never.
        level: A callable from the finished exchange to ``"debug"``, ``"info"``, ``"warning"``, ``"error"``,
            ``"critical"``, or None for the level by status and outcome.
        headers: Names of request headers to log. One that names a secret is refused.
        response_headers: Names of response headers to log. One that names a secret is refused.
        sensitive: More names whose values are never logged, or a :class:`Sensitive` shared with other printers.
        hide_path: Requests whose path is a secret, chosen as by ``skip``, but with several slashes taken for one, and
            ``..`` for a name: the line has the route in its place, or ``[redacted]`` where the route is not known.
        names: The names of the fields: ``"overcoat"``; ``"otel"`` (OpenTelemetry), ``"ecs"`` (Elastic Common Schema),
            ``"gcp"`` (Google Cloud Logging); or a mapping from a field to another name, or to None to leave it out.
            Names other than ours need a ``to``.
        **options: Those of every layer: ``skip`` (requests that are never logged), ``check_order``.

    Raises:
        ValueError: A ``to`` that is nothing of these or cannot be opened; a callable that is none; a share, duration,
            header or name that is none; a header that names a secret; a mapping that would lose a field; ``names`` for
            lines that go where ``configure_logging`` or structlog says.
    """

    does = "writes one line for each request, at its true end"

    def __init__(
        self,
        app: Application | None = None,
        *,
        to: Any = None,
        route: Callable[[Exchange], str | None] | None = None,
        quiet: Skip | None = None,
        sample: Sample | None = None,
        slow_ms: float | None = 1000,
        level: Callable[[Exchange], str | None] | None = None,
        headers: Iterable[str] = (),
        response_headers: Iterable[str] = (),
        sensitive: Sensitive | Iterable[str] = (),
        hide_path: Skip | None = None,
        names: str | Mapping[str, str | None] = "overcoat",
        **options: Unpack[LayerOptions],
    ) -> None:
        if route is not None and not callable(route):
            raise ValueError(f"RequestLog: route={route!r} must be a callable from the exchange to a template, or None")
        self._route = None if route is None else asked("RequestLog", "route", route, _is_route, None)
        registry = _registry(sensitive)
        edits = [
            *hidden_path("RequestLog", compile_skip(self, hide_path, "hide_path", widely=True)),
            *asked_level("RequestLog", level),
            *logged_headers("RequestLog", headers, response_headers, registry),
        ]
        keep = compile_keep(self, quiet, sample, slow_ms)
        rename = compile_names(self, names)
        if rename is not None and to is None:
            raise ValueError(
                f"RequestLog: names={names!r} needs a to=, such as to='stdout': where configure_logging or structlog "
                "has the say, lines keep the names that overcoat logs reads"
            )
        write_line, write = target(to, rename)
        if keep is None and not edits and registry is DEFAULT:
            finish = every(write) if write_line is None else every_as_line(write_line)
        else:
            finish = some(write, keep, edits, registry)
        finish.__qualname__ = "RequestLog.on_finish"
        self._finish = finish
        if type(self).on_finish is RequestLog.on_finish:
            self.on_finish = finish  # type: ignore[assignment,method-assign]
        super().__init__(app, **options)

    def on_headers(self, exchange: Exchange) -> None:
        """Ask the framework for the route while it still knows."""
        environ = exchange.environ
        # A Werkzeug request without a rule is not the app's: a client or another wrapper made it.
        rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
        if rule is not None:
            exchange.endpoint = rule.endpoint
            if exchange.route is None:
                exchange.route = rule.rule
            return
        if exchange.route is None and "bottle.route" in environ:
            exchange.route = getattr(environ["bottle.route"], "rule", None)
        if self._route is not None and exchange.route is None:
            exchange.route = self._route(exchange)

    def on_finish(self, exchange: Exchange) -> None:
        """Write the line."""
        # An instance has a function of its own in place of this one, made for its options: a call less a request.
        self._finish(exchange)


def _is_route(answer: object) -> bool:
    return answer is None or isinstance(answer, str)


def _registry(sensitive: Any) -> Sensitive:
    if isinstance(sensitive, Sensitive):
        return sensitive
    if isinstance(sensitive, str | bytes) or not isinstance(sensitive, Iterable):
        raise ValueError(
            f"RequestLog: sensitive={sensitive!r} must be a list of names, such as ['ssn'], or a Sensitive"
        )
    names = tuple(sensitive)
    return Sensitive(*names) if names else DEFAULT
