"""A WSGI request in one line, to the strict server of the published kit."""

from overcoat.middleware.testing._environ import FileFunction, FileWrapper, make_environ
from overcoat.middleware.testing._server import call, serve

__all__ = ["FileFunction", "FileWrapper", "call", "make_environ", "serve"]
