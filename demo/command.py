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
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from overcoat.demo.config import DATABASE, LOG_FILE, describe_settings, environment, read_settings

if TYPE_CHECKING:
    from flask import Flask

    from overcoat.demo.traffic import Traffic

# Far above what the app reads (max_body_bytes), so that a body too large is answered by the app, and logged.
_SERVER_MAX_BODY_BYTES = 16 * 1024 * 1024

# What listens on all addresses of the machine is found at this one.
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - known, not chosen
_THIS_MACHINE = frozenset({"localhost", *_ANY_ADDRESS.values()})

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
        "settings, as environment variables or in the file .env of the working directory (options win over both):\n"
        + "\n".join(describe_settings())
        + "\n\nThe files are made in the working directory. Exit codes: 0 stopped; 1 the database or the port cannot be"
        "\nused; 2 a wrong option or setting, or a log file that cannot be written."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=5001, help="port to listen on, 0 for a free one (default: 5001)")
    parser.add_argument("--log", metavar="FILE", help=f"file to append the log to (default: $LOG_FILE or {LOG_FILE})")
    parser.add_argument(
        "--traffic", metavar="N", type=_count, default=0,
        help="send N requests of all kinds to itself, so that the log has something to show; then go on serving",
    )  # fmt: skip
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

    try:
        environ = environment()
        log_file = arguments.log or environ.get("LOG_FILE") or LOG_FILE
        # A line for each request would tear the progress bar.
        console = environ.get("LOG_CONSOLE") or (None if arguments.traffic else "console")
        app = create_app(
            database_url=arguments.database,
            log_file=log_file,
            log_console=console,
            trusted_hosts=_hosts(arguments.host, read_settings({}, environ).trusted_hosts),
            # Others that ask this server, which has no https, would be sent where nobody answers.
            https_redirect=None if environ.get("HTTPS_REDIRECT") or arguments.host in _THIS_MACHINE else False,
        )
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
    traffic = None
    try:
        print(_banner(app, server, log_file), flush=True)
        traffic = _begin_traffic(_address(server), arguments.traffic) if arguments.traffic else None
        server.run()
    finally:
        if traffic is not None:
            traffic.stop()
        server.close()
        disconnect(app)
    return 0


def _hosts(listening: str, trusted: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts that are served: those of the settings, and the one to listen on."""
    if listening in {"", "*", *_ANY_ADDRESS} or "*" in trusted:
        return trusted
    host = f"[{listening}]" if ":" in listening else listening
    return trusted if host in trusted else (*trusted, host)


def _banner(app: "Flask", server: Any, log_file: str) -> str:
    host, port = _address(server)
    shown = f"[{host}]" if ":" in host else host
    database = app.config["SQLALCHEMY_DATABASE_URI"]
    return _BANNER.format(
        url=f"http://{shown}:{port}",
        database=database.database if database.get_backend_name() == "sqlite" else database.render_as_string(),
        log=Path(log_file).absolute(),
        overcoat=_command(),
        quoted_log=shlex.quote(log_file),
    )


def _address(server: Any) -> tuple[str, int]:
    """An address at which the server is found, and its port."""
    listening = getattr(server, "effective_listen", None) or [(server.effective_host, server.effective_port)]
    host, port = listening[0]
    return _ANY_ADDRESS.get(host, host), int(port)


def _begin_traffic(address: tuple[str, int], count: int) -> "Traffic":
    from overcoat.demo.traffic import Progress, Traffic

    progress = Progress(count)
    traffic = Traffic(*address, count, tell=progress)

    def run() -> None:
        traffic.run()
        print(progress.finish(traffic.statuses), flush=True)

    threading.Thread(target=run, daemon=True).start()
    return traffic


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


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of requests: 1 to 9999999")
    return int(text)


def _fail(code: int, message: str) -> int:
    print(f"overcoat demo: {message}", file=sys.stderr)
    return code


def _stop(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - the signature of a signal handler
    raise KeyboardInterrupt
