"""What is wrong with an app's settings, and with the logs of the server that will run it, seen without a request.

>>> from overcoat.inspector._app_findings import app_findings
>>> class App:
...     config = {"DEBUG": True, "SECRET_KEY": "dev", "SESSION_COOKIE_SECURE": True}
>>> for finding in app_findings(App(), logs=False, environ={}):
...     print(finding.severity, finding.says)
error the app is in debug mode: its error pages run code for whoever sees them
error the SECRET_KEY is one that everybody knows or can guess: anybody can write sessions

A secret is never shown.
"""

import ast
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from overcoat.inspector._finding import Finding

_KNOWN_KEYS = frozenset({
    "", "dev", "development", "secret", "secret key", "secret_key", "secretkey", "changeme", "change-me", "change me",
    "key", "password", "test", "testing", "default", "flask", "my secret key", "mysecretkey", "supersecret",
    "super secret key", "super-secret", "you-will-never-guess", "hard to guess string", "replace-me", "insecure",
})  # fmt: skip
# 16 bytes are what Flask's manual recommends at the least.
_SHORTEST_KEY = 16
_OFF = frozenset({"", "None", "'/dev/null'"})


def app_findings(app: Any, *, logs: bool, environ: Mapping[str, str], folder: Path | None = None) -> Iterator[Finding]:
    """What is wrong with the app's settings and the server's.

    Args:
        app: An app object; one of Flask has a ``config``.
        logs: Whether a ``RequestLog`` stands around it.
        environ: The process's environment.
        folder: Where the server will be started.
    """
    config = getattr(app, "config", None)
    if isinstance(config, Mapping) and "SECRET_KEY" in config:
        yield from _flask_findings(config)
    if logs:
        for name, where, fix in _server_logs(environ, folder):
            yield Finding(
                "warning", "two-access-logs", f"{name} and RequestLog each write a line for each request", fix, where
            )


def _flask_findings(config: Mapping[Any, Any]) -> Iterator[Finding]:
    if config.get("DEBUG"):
        yield Finding(
            "error", "debug-mode", "the app is in debug mode: its error pages run code for whoever sees them",
            "leave debug=True and FLASK_DEBUG out where others reach the app",
        )  # fmt: skip
    if config.get("TESTING"):
        yield Finding(
            "warning", "testing-mode", "the app has TESTING set: errors leave it unhandled", "set TESTING in tests only"
        )
    key = config.get("SECRET_KEY")
    text = key.decode("latin-1") if isinstance(key, bytes) else key if isinstance(key, str) else None
    if text is not None and (text.strip().lower() in _KNOWN_KEYS or len(text) < _SHORTEST_KEY):
        yield Finding(
            "error", "weak-secret-key",
            "the SECRET_KEY is one that everybody knows or can guess: anybody can write sessions",
            "python -c 'import secrets; print(secrets.token_hex())', and keep it in the environment",
        )  # fmt: skip
    if text and not config.get("SESSION_COOKIE_SECURE", True):
        yield Finding(
            "note", "session-cookie-secure",
            "SESSION_COOKIE_SECURE is off: whatever sets no session now may do so later",
            "SESSION_COOKIE_SECURE=True, SESSION_COOKIE_SAMESITE='Lax'; or SecureCookies() for all cookies",
        )  # fmt: skip


def _server_logs(environ: Mapping[str, str], folder: Path | None) -> Iterator[tuple[str, str, str]]:
    """Access logs that a server will write: its name, where that is said, and the fix."""
    from overcoat.middleware.server_logs import access_logs

    quiet = "call quiet_server_logs() where the app is made"
    for name in access_logs():
        yield f"the logger {name}", "", quiet
    if _is_quiet():
        return
    words = shlex.split(environ.get("GUNICORN_CMD_ARGS", ""), posix=True)
    if any(word.partition("=")[0] in {"--access-logfile", "--access-logconfig"} for word in words):
        yield "gunicorn", "GUNICORN_CMD_ARGS", f"take --access-logfile out of GUNICORN_CMD_ARGS, or {quiet}"
    file = (folder or Path.cwd()) / "gunicorn.conf.py"
    if file.is_file() and _sets_accesslog(file):
        yield "gunicorn", file.name, f"take accesslog out of {file.name}, or {quiet}"


def _is_quiet() -> bool:
    """Whether ``quiet_server_logs()`` was called."""
    import logging

    from overcoat.middleware.server_logs import _quiet

    return _quiet in logging.getLogger("gunicorn.access").filters


def _sets_accesslog(file: Path) -> bool:
    """Whether gunicorn's file sets an access log; it is read, not run."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return False
    values = [
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "accesslog" for target in node.targets)
    ]
    return bool(values) and values[-1] not in _OFF
