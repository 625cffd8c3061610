"""``overcoat demo``: serve the demo with waitress.

>>> import argparse
>>> from overcoat.demo.command import add_arguments
>>> parser = argparse.ArgumentParser(prog="overcoat demo")
>>> add_arguments(parser)
>>> parser.parse_args(["--port", "8000"]).port
8000

Ctrl-C and SIGTERM end it, once the requests that are being served have been answered, with exit code 0. What prevents
it from starting is one line on standard error: a setting or the log (exit code 2), the database or the port (1).
"""

import argparse
import errno
import os
import shlex
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from overcoat.demo.config import DATABASE, LOG_FILE, describe_settings

if TYPE_CHECKING:
    from flask import Flask

# Far above what the app reads (max_body_bytes), so that a body too large is answered by the app, and logged.
_SERVER_MAX_BODY_BYTES = 16 * 1024 * 1024

_BANNER = """
Overcoat demo on {url} (Ctrl-C stops it)

  try       curl {url}/item
            curl -i {url}/item/1
            curl {url}/item -H 'Content-Type: application/json' -d '{{"name": "kettle", "value": 30}}'
            curl -i {url}/item/999
  browse    {url}/
  database  {database}
  log       {log}
  inspect   {overcoat} logs {quoted_log} --stats
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the subcommand.

    Args:
        parser: Its parser.
    """
    parser.description = "Serve the demo: a small item API with every layer and hook bundle around it."
    parser.epilog = (
        "environment variables (the options win):\n"
        + "\n".join(describe_settings())
        + "\n\nThe files are made in the working directory. Exit codes: 0 stopped; 1 the database or the port cannot be"
        "\nused; 2 a wrong option or setting, or a log file that cannot be written."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=5001, help="port to listen on, 0 for a free one (default: 5001)")
    parser.add_argument("--log", metavar="FILE", help=f"file to append the log to (default: $LOG_FILE or {LOG_FILE})")
    parser.add_argument("--database", metavar="URL", help=f"the database (default: $DATABASE_URL or {DATABASE})")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM.

    Args:
        arguments: Those of ``add_arguments``.

    Returns:
        The exit code.
    """
    # SIGINT too: a shell without job control starts what is in its background with SIGINT ignored.
    before = {number: signal.signal(number, _stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return _serve(arguments)
    except KeyboardInterrupt:
        return 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve(arguments: argparse.Namespace) -> int:
    import waitress

    from overcoat.demo.app import create_app
    from overcoat.demo.database import DatabaseError, disconnect

    log_file = arguments.log or os.environ.get("LOG_FILE") or LOG_FILE
    try:
        console = os.environ.get("LOG_CONSOLE") or "console"
        app = create_app(database_url=arguments.database, log_file=log_file, log_console=console)
    except ValueError as error:
        return _fail(2, str(error))
    except DatabaseError as error:
        return _fail(1, str(error))
    try:
        server = waitress.create_server(
            app,
            host=arguments.host,
            port=arguments.port,
            threads=8,
            ident=None,
            max_request_body_size=_SERVER_MAX_BODY_BYTES,
            # ProxyFix decides which proxies are believed, and deletes what the others claim.
            clear_untrusted_proxy_headers=False,
        )
    except (OSError, ValueError) as error:
        taken = getattr(error, "errno", None) in {errno.EADDRINUSE, errno.EACCES}
        reason = f"{error.strerror}; choose another --port" if isinstance(error, OSError) and taken else str(error)
        disconnect(app)
        return _fail(1, f"cannot listen on {arguments.host} port {arguments.port}: {reason}")
    try:
        print(_banner(app, server, log_file), flush=True)
        server.run()
    finally:
        server.close()
        disconnect(app)
    return 0


def _banner(app: "Flask", server: Any, log_file: str) -> str:
    host, port = getattr(server, "effective_listen", [(server.effective_host, server.effective_port)])[0]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - shown
    database = app.config["SQLALCHEMY_DATABASE_URI"]
    return _BANNER.format(
        url=f"http://{shown}:{port}",
        database=database.database if database.get_backend_name() == "sqlite" else database.render_as_string(),
        log=Path(log_file).absolute(),
        overcoat=_command(),
        quoted_log=shlex.quote(log_file),
    )


def _command() -> str:
    """The command as the reader can type it: its path where it is not on PATH, as in a virtual environment by make."""
    beside = Path(sys.executable).with_name("overcoat")
    if shutil.which("overcoat") or not beside.exists():
        return "overcoat"
    return shlex.quote(os.path.relpath(beside))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")
    return int(text)


def _fail(code: int, message: str) -> int:
    print(f"overcoat demo: {message}", file=sys.stderr)
    return code


def _stop(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - the signature of a signal handler
    raise KeyboardInterrupt
