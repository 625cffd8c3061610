"""configure_logging: the app's own lines and the request log in one form and one place.

>>> from overcoat.middleware import configure_logging
>>> configure_logging(format="logfmt", stdlib=False)
>>> import structlog
>>> structlog.get_logger().info("cart emptied", items=3)  # doctest: +ELLIPSIS
timestamp=... level=info event="cart emptied" items=3
>>> structlog.reset_defaults()

It sets up structlog and, with ``stdlib=True``, the root logger of :mod:`logging`, so that ``app.logger`` and every
library write the same form. Each line logged during a request carries that request's id. Call it once, at start-up; an
app with a structlog configuration of its own leaves it out, and the request log goes through that configuration.
"""

import logging
import os
import sys

from overcoat.middleware._app_lines import LineHandler, finish, shared_processors
from overcoat.middleware._console import FORMATS, renderer, wants_colour
from overcoat.middleware._file_sink import FileSink
from overcoat.middleware._options import one_of
from overcoat.middleware._outputs import LEVELS, Outputs, Render, configure_structlog
from overcoat.middleware._sinks import Sink, StreamSink


def configure_logging(
    *,
    format: str = "json",  # noqa: A002 - the word that everyone looks for
    file: str | os.PathLike[str] | None = None,
    console: str | None = None,
    level: str = "info",
    stdlib: bool = True,
) -> None:
    """Set up the app's log lines.

    Args:
        format: ``"json"``, ``"console"`` (for a person) or ``"logfmt"``: the form of the lines.
        file: Where they go: a path, appended to by any number of processes; without one, standard output.
        console: With a file: a second form for standard output beside it, or None for none.
        level: The lowest level that is written: ``"debug"`` to ``"critical"``.
        stdlib: Whether to take over the root logger of stdlib ``logging`` too.

    Raises:
        ValueError: An unknown form or level, or a file that cannot be opened.
    """
    one_of(configure_logging, "format", format, FORMATS)
    one_of(configure_logging, "console", console, [*FORMATS, None])
    number = LEVELS[one_of(configure_logging, "level", level, LEVELS)]
    pairs: list[tuple[Render, Sink]] = []
    if file is not None:
        pairs.append((renderer(format, colour=False), open_file("configure_logging: file", file)))
        form: str | None = console
    else:
        form = console or format
    if form is not None:
        stdout = StreamSink("stdout")
        pairs.append((renderer(form, colour=wants_colour(stdout.isatty())), stdout))
    outputs = Outputs(pairs, number)
    configure_structlog(outputs, [*shared_processors(), finish], number)
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, LineHandler)]:
        root.removeHandler(handler)
    if stdlib:
        root.addHandler(LineHandler(outputs))
        root.setLevel(number)
        _take_over_flask()


def _take_over_flask() -> None:
    """Take Flask's own handler off the loggers of apps that logged before: they would write each line twice."""
    flask_logging = sys.modules.get("flask.logging")
    if flask_logging is not None:
        for logger in list(logging.root.manager.loggerDict.values()):
            if isinstance(logger, logging.Logger):
                logger.removeHandler(flask_logging.default_handler)


def open_file(option: str, path: str | os.PathLike[str]) -> FileSink:
    """The sink for a path.

    Raises:
        ValueError: The path cannot be appended to; names the option, the path and the reason.
    """
    try:
        return FileSink(path)
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{option}={str(path)!r} cannot be appended to: {reason}; give a writable path") from error
