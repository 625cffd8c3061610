r"""quiet_server_logs: each request logged once, by RequestLog, and not once more by the server.

>>> import logging
>>> from overcoat.middleware import quiet_server_logs
>>> quiet_server_logs()
>>> log = logging.getLogger("werkzeug")
>>> log.filter(logging.makeLogRecord({"name": "werkzeug", "levelno": 20, "msg": '::1 - - [date] "%s" %s %s'}))
False
>>> bool(log.filter(logging.makeLogRecord({"name": "werkzeug", "levelno": 20, "msg": " * Running on ..."})))
True

Call it once, before or after the server has started, in the process that serves. It silences the access lines of
Werkzeug's development server and of gunicorn, granian, uvicorn and hypercorn, wherever those loggers write; what they
say of errors and of themselves stays. A level set on a logger is not touched, for the servers set their own.

There is nothing to silence in waitress, cheroot and bjoern, which have no access log; those of gunicorn, granian and
hypercorn are off by default. Some are no loggers, and are turned off where the server is started:
``gevent.pywsgi.WSGIServer(log=None)``, uWSGI's ``--disable-logging``, Apache's and nginx's own, and ``wsgiref``, whose
``log_message`` a handler class overrides.
"""

import logging
import os
import re

# A logger that has nothing but access lines.
_WHOLE = ("gunicorn.access", "granian.access", "uvicorn.access", "hypercorn.access")
_WERKZEUG = "werkzeug"
# Werkzeug tells requests and everything else of itself under one name and level: 'ADDRESS - - [DATE] "%s" %s %s'.
_WERKZEUG_LINE = r'\S+ - - \[[^]]*\] "%s" %s %s\s*'


class _Quiet(logging.Filter):
    """Holds back the access lines of the logger that it is put on."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.name == _WERKZEUG and not _is_werkzeug_access(record)


_quiet = _Quiet()


def quiet_server_logs() -> None:
    """Hold back the access lines of the servers that log them through stdlib ``logging``; twice does no more."""
    for name in (*_WHOLE, _WERKZEUG):
        logging.getLogger(name).addFilter(_quiet)


def access_logs() -> list[str]:
    """The servers' access loggers that write lines in this process, by name, such as ``["gunicorn.access"]``.

    It tells of loggers that a server has set up by now, so it is asked in the process that serves, once it does.
    """
    known = logging.root.manager.loggerDict
    loggers = [known.get(name) for name in (*_WHOLE, _WERKZEUG)]
    return [one.name for one in loggers if isinstance(one, logging.Logger) and _writes(one)]


def _writes(logger: logging.Logger) -> bool:
    if _quiet in logger.filters or not logger.isEnabledFor(logging.INFO):
        return False
    if logger.name == _WERKZEUG:
        # The logger alone proves nothing: Flask's app has one under any server. The server gives itself a handler.
        return "WERKZEUG_SERVER_FD" in os.environ
    return logger.hasHandlers()


def _is_werkzeug_access(record: logging.LogRecord) -> bool:
    return (
        record.levelno == logging.INFO
        and isinstance(record.msg, str)
        and re.fullmatch(_WERKZEUG_LINE, record.msg) is not None
    )
