"""Environs: complete and valid, but for what a test overrides; and the two kinds of file wrapper that servers have.

>>> make_environ(PATH_INFO="/you", REMOTE_ADDR=None).keys() & {"PATH_INFO", "REMOTE_ADDR"}
{'PATH_INFO'}
"""

import io
from collections.abc import Iterator
from typing import Any

Environ = dict[str, Any]


def make_environ(**overrides: Any) -> Environ:
    """A complete, valid environ; an override of None removes the key, ``wsgi__input`` stands for ``wsgi.input``."""
    environ: Environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for key, value in overrides.items():
        name = key.replace("__", ".")
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value
    return environ


class FileWrapper:
    """The server's file wrapper; what is an instance of it goes out by sendfile."""

    def __init__(self, file: Any, block_size: int = 8192) -> None:
        self.file = file
        self.block_size = block_size
        if hasattr(file, "close"):
            self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.file.read(self.block_size), b"")


class FileFunction:
    """A file wrapper that is no class, as uWSGI's: it remembers the file and hands it back."""

    def __init__(self) -> None:
        self.made: Any = object()

    def __call__(self, file: Any, block_size: int = 8192) -> Any:
        """Remember the file."""
        del block_size  # the server reads as it likes
        self.made = file
        return file
