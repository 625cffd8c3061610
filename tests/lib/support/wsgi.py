"""A WSGI request in one line, to a server that is as strict as PEP 3333 and tells all that it saw.

>>> from support.wsgi import call
>>> def app(environ, start_response):
...     start_response("200 OK", [("Content-Type", "text/plain")])
...     return [b"hello, ", environ["PATH_INFO"].encode()]
>>> seen = call(app, PATH_INFO="/you")
>>> seen.status, seen.body, seen.error
('200 OK', b'hello, /you', None)
"""

import io
from collections.abc import Callable, Iterator
from typing import Any

from support.client import READS_ALL, Client
from support.server import Seen, Server


def make_environ(**overrides: Any) -> dict[str, Any]:
    """A complete, valid environ; an override of None removes the key, ``wsgi__input`` stands for ``wsgi.input``."""
    environ: dict[str, Any] = {
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
        self.made = file
        return file


def serve(app: Callable[..., Any], environ: dict[str, Any], client: Client = READS_ALL) -> Seen:
    """Serve one request, and tell what the server saw."""
    return Server(client).serve(app, environ)


def call(app: Callable[..., Any], *, client: Client = READS_ALL, **environ: Any) -> Seen:
    """Serve one request for an environ that is valid but for the overrides."""
    return serve(app, make_environ(**environ), client)
