"""Settings: what can be set about the demo, as keyword arguments, in the environment or in a file ``.env``.

>>> from overcoat.demo.config import read_settings
>>> settings = read_settings({"log_file": "requests.log"}, {"TRUSTED_PROXIES": "10.0.0.0/8, unix:"})
>>> settings.log_file, settings.trusted_proxies, settings.database_url
('requests.log', ('10.0.0.0/8', 'unix:'), 'sqlite:///overcoat-demo.sqlite3')

A keyword argument wins over the environment, which wins over ``.env`` in the working directory, which wins over the
default. The variable of a setting is its name in capitals; a list is written with commas, a choice as true or false. An
empty variable is an empty list, or else the default.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DATABASE = "sqlite:///overcoat-demo.sqlite3"
LOG_FILE = "overcoat-demo.log"
#: A name that is nobody's (RFC 2606), served by default: it shows what this machine's own names do not get, such as the
#: redirect to https and Strict-Transport-Security.
PUBLIC_HOST = "demo.example"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one app."""

    database_url: str = field(
        default=DATABASE,
        metadata={"help": "sqlite:///FILE, postgresql://USER@HOST/NAME or mysql://USER@HOST/NAME"},
    )
    log_file: str | None = field(
        default=None,
        metadata={
            "help": "file for each request as a line of JSON [overcoat-demo.log; under other servers standard output]"
        },
    )
    log_console: str | None = field(
        default=None,
        metadata={"help": "lines on standard output too: console, json or logfmt [console; under other servers none]"},
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata={"help": "addresses and networks whose X-Forwarded-* headers are believed; 'unix:' for a Unix socket"},
    )
    cors_origins: tuple[str, ...] = field(
        default=("http://localhost:3000",),
        metadata={"help": "origins of the pages that may call the API from a browser, or *"},
    )
    trusted_hosts: tuple[str, ...] = field(
        default=("localhost", "127.0.0.1", "[::1]", PUBLIC_HOST),
        metadata={"help": "hosts that are served, such as *.example.com or 10.0.0.0/8, or *; others get a 400"},
    )
    https_redirect: bool = field(
        default=True,
        metadata={"help": "what comes by http is sent to https, but for the probes and this machine's own names"},
    )
    max_body_bytes: int = field(default=64 * 1024, metadata={"help": "the largest request body that is read"})

    def __post_init__(self) -> None:
        if self.max_body_bytes < 1:
            raise ValueError(f"max_body_bytes={self.max_body_bytes} must be at least 1")
        for origin in self.cors_origins:
            if origin != "*" and not _is_origin(origin):
                raise ValueError(f"cors_origins: {origin!r} is no origin: write 'https://example.com', or '*' for any")


def environment(folder: str | os.PathLike[str] = ".") -> dict[str, str]:
    """The environment, filled up from ``.env`` in a folder.

    Args:
        folder: Where the file may be.

    Raises:
        ValueError: There is one that cannot be read.
    """
    # Loaded here, so that ``overcoat demo --help`` needs nothing but the standard library.
    from dotenv import dotenv_values

    file = Path(folder, ".env")
    try:
        values = dotenv_values(file) if file.is_file() else {}
    except (OSError, UnicodeError) as error:
        raise ValueError(f"{file.absolute()} cannot be read: {error}") from None
    return {name: value for name, value in values.items() if value is not None} | os.environ


def read_settings(given: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Settings:
    """The settings from keyword arguments and the environment.

    Args:
        given: Keyword arguments; those that are None count as not given.
        environ: The environment; None for that of the process, filled up from ``.env``.

    Raises:
        ValueError: A setting that is unknown or unusable; names it as it was given.
    """
    if environ is None:
        environ = environment()
    names = [setting.name for setting in fields(Settings)]
    for name, value in given.items():
        if name not in names:
            from overcoat.middleware._options import did_you_mean

            raise ValueError(f"create_app: unknown setting {name}={value!r}; {did_you_mean(name, names)}")
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        label, value = setting.name, given.get(setting.name)
        if value is None:
            label = setting.name.upper()
            value = environ.get(label)
        if value is None or (isinstance(value, str) and not value.strip() and not isinstance(setting.default, tuple)):
            continue
        values[setting.name] = _converted(label, value, type(setting.default))
    return Settings(**values)


def describe_settings() -> Iterator[str]:
    """A line for each setting, for ``--help``."""
    for setting in fields(Settings):
        default = ",".join(setting.default) if isinstance(setting.default, tuple) else setting.default
        shown = "" if default in {None, ""} else f" [{str(default).lower() if isinstance(default, bool) else default}]"
        yield f"  {setting.name.upper():<16} {setting.metadata['help']}{shown}"


def _converted(label: str, value: Any, kind: type) -> Any:
    if kind is tuple:
        listed = value.split(",") if isinstance(value, str) else list(value)
        return tuple(entry.strip() for entry in listed if entry.strip())
    if kind is bool:
        return _choice(label, value)
    if kind is int:
        text = str(value).strip()
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise ValueError(f"{label}={value!r} must be a whole number")
        return int(text)
    return os.fspath(value)


def _choice(label: str, value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ValueError(f"{label}={value!r} must be true or false")
    return text in {"1", "true", "yes", "on"}


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    rebuilt = f"{parts.scheme}://{host}" + (f":{port}" if port is not None else "")
    return bool(parts.scheme in {"http", "https"} and parts.hostname) and text.isascii() and text == rebuilt
