"""Where finished records go, and the short way to there that spares the request line structlog's pipeline."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from overcoat.middleware._sinks import Sink

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}

Render = Callable[[Mapping[str, Any]], bytes]
Write = Callable[[Mapping[str, Any]], None]


class Outputs:
    """A form and a sink for each place that lines go to; structlog's logger and stdlib's handler write here.

    Args:
        pairs: The function that makes a line of a record, and the sink that takes it.
        level: The lowest level that is written, as a number.
    """

    def __init__(self, pairs: Sequence[tuple[Render, Sink]], level: int) -> None:
        self._sinks = [sink for _, sink in pairs]
        self._level = level
        #: Writes a record whose level is one of ``LEVELS``.
        self.write = _compiled(pairs, frozenset(name for name, number in LEVELS.items() if number < level))

    @property
    def failing(self) -> bool:
        """Whether one of the sinks takes no lines."""
        return any(sink.failing for sink in self._sinks)

    def put(self, event: dict[str, Any]) -> None:
        """Write one event of an app, whatever its level is called: an unknown one counts as ``info``."""
        event["level"] = level = str(event["level"])
        if LEVELS.get(level, 20) >= self._level:
            self.write(event)

    # structlog calls the method of the level with what the last processor returned.
    def msg(self, /, **event: Any) -> None:
        """Write one event of structlog."""
        self.put(event)

    debug = info = warning = error = critical = exception = fatal = log = warn = failure = err = msg


def _compiled(pairs: Sequence[tuple[Render, Sink]], hidden: frozenset[str]) -> Write:
    """The least that writes one record: most services have a single output."""
    if len(pairs) == 1:
        render, write = pairs[0][0], pairs[0][1].write

        def write_one(record: Mapping[str, Any]) -> None:
            if record["level"] not in hidden:
                write(render(record))

        return write_one

    targets = [(render, sink.write) for render, sink in pairs]

    def write_all(record: Mapping[str, Any]) -> None:
        if record["level"] not in hidden:
            for render, write in targets:
                write(render(record))

    return write_all


class _Asked:
    """The configuration of structlog as its public function tells it."""

    logger_factory = property(lambda _: structlog.get_config()["logger_factory"])
    default_wrapper_class = property(lambda _: structlog.get_config()["wrapper_class"])
    default_processors = property(lambda _: structlog.get_config()["processors"])


def _configuration() -> Any:
    """The configuration of structlog, read where it is kept if that agrees with what ``get_config`` tells.

    It is looked at for each request line, and ``get_config`` builds a dict: 0.2 us, a tenth of what the line costs.
    """
    kept, asked = getattr(structlog._config, "_CONFIG", None), _Asked()
    names = ("logger_factory", "default_wrapper_class", "default_processors")
    return kept if all(getattr(kept, name, None) is getattr(asked, name) for name in names) else asked


class _Configured:
    """What the last ``configure_logging`` gave structlog; kept as it was, for an app may change it in place."""

    def __init__(self, outputs: Outputs, processors: list[Any], wrapper_class: type) -> None:
        self.outputs = outputs
        self.write = outputs.write
        self.processors = processors
        self.wrapper_class = wrapper_class
        self.now: Any = _Asked()


_configured: _Configured | None = None


def configure_structlog(outputs: Outputs, processors: list[Any], level: int) -> None:
    """Give structlog the processors, with ``outputs`` as the logger at their end."""
    global _configured  # noqa: PLW0603 - as global as structlog's configuration, of which it is a copy
    wrapper_class = structlog.make_filtering_bound_logger(level)
    _configured = _Configured(outputs, processors, wrapper_class)
    structlog.configure(
        processors=processors.copy(),
        wrapper_class=wrapper_class,
        logger_factory=_factory,
        cache_logger_on_first_use=False,
    )
    _configured.now = _configuration()


def configured_outputs() -> Write | None:
    """What writes a record as ``configure_logging`` said; None without it, or where structlog has been changed since.

    A processor or a level of the app's own, and structlog's ``capture_logs``, see the request line only if it goes
    through them. Some change the list of processors in place, so its members are compared: by identity, in C.
    """
    ours = _configured
    if ours is None:
        return None
    now = ours.now
    if (
        now.logger_factory is _factory
        and now.default_wrapper_class is ours.wrapper_class
        and now.default_processors == ours.processors
    ):
        return ours.write
    return None


def _factory(*_: Any) -> Outputs:
    assert _configured is not None  # set before structlog knows this factory
    return _configured.outputs
