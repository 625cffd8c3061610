"""The strict server of the tests: that of the published kit."""

from overcoat.middleware.testing._seen import Seen, text_of
from overcoat.middleware.testing._server import Server

__all__ = ["Seen", "Server", "text_of"]
