"""Wrappers that are wrong about the environ, about requests that overlap, and about strangers."""

import re
import threading
from contextvars import ContextVar

from support.coats import Stranger
from support.witnesses.bodies import Carrier


def hands_on_another_dict(app):
    class Environ(dict):
        pass

    return lambda environ, start: app(Environ(environ), start)


def needs_an_address(app):
    def wrapped(environ, start):
        environ["needed"] = environ["REMOTE_ADDR"].strip()
        return app(environ, start)

    return wrapped


def reads_the_request(app):
    def wrapped(environ, start):
        environ["read"] = environ["wsgi.input"].read()
        return app(environ, start)

    return wrapped


class KeepsTheRequest(Stranger):
    """Keeps what belongs to one request where all see it."""

    def __call__(self, environ, start_response):
        self.start_response = start_response
        return self.app(environ, self.start)

    def start(self, status, headers, exc_info=None):
        return self.start_response(status, headers, exc_info)


def keeps_a_thread(app):
    owner = threading.local()

    class Body(Carrier):
        def close(self):
            super().close()
            del owner.there

    def wrapped(environ, start):
        body = app(environ, start)
        if not hasattr(body, "close"):
            return body
        owner.there = True
        return Body(body)

    return wrapped


def keeps_a_token(app):
    variable = ContextVar("variable")

    class Body(Carrier):
        token = None

        def close(self):
            super().close()
            variable.reset(self.token)

    def wrapped(environ, start):
        token = variable.set(environ)
        body = app(environ, start)
        if not hasattr(body, "close"):
            return body
        carrier = Body(body)
        carrier.token = token
        return carrier

    return wrapped


def believes_a_number(app):
    def wrapped(environ, start):
        environ["port"] = int(environ.get("HTTP_X_FORWARDED_PORT") or 80)
        return app(environ, start)

    return wrapped


def searches_slowly(app):
    def wrapped(environ, start):
        value = environ.get("HTTP_USER_AGENT", "")[:16384]
        # A cube, far from the rule's limit: a square a busy machine may take for less. Three times what the rule calls
        # slow, so that a fast machine calls it so too.
        re.search(r"(?:a|A)+(?:a|A)+:", value[: len(value) // 11])
        return app(environ, start)

    return wrapped
