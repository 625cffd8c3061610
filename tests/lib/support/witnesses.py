"""Wrappers that are broken as some wrapper in the world is, each with the rules that it breaks."""

import re
import threading
from contextvars import ContextVar
from itertools import chain, islice

from support.coats import Stranger


class Carrier:
    """A body that hands chunks and ``close`` through."""

    def __init__(self, body, closes=1):
        self.body, self.closes = body, closes

    def __iter__(self):
        for chunk in self.body:  # noqa: UP028 - closing a "yield from" would close the body a first time
            yield chunk

    def close(self):
        for _ in range(self.closes):
            if hasattr(self.body, "close"):
                self.body.close()


def drops_close(app):
    return lambda environ, start: iter(app(environ, start))


def closes_twice(app):
    return lambda environ, start: Carrier(app(environ, start), closes=2)


def closes_the_iterator(app):
    return lambda environ, start: Carrier(iter(app(environ, start)))


def closes_in_a_generators_finally(app):
    def carried(body):
        try:
            yield from body
        finally:
            if hasattr(body, "close"):
                body.close()

    return lambda environ, start: carried(app(environ, start))


def closes_by_yield_from(app):
    class Body(Carrier):
        def __iter__(self):
            yield from self.body

    return lambda environ, start: Body(app(environ, start))


def closes_only_after_success(app):
    class Body(Carrier):
        def __iter__(self):
            yield from super().__iter__()
            super().close()

        def close(self):
            pass

    return lambda environ, start: Body(app(environ, start))


def joins(app):
    def joined(body):
        try:
            return [b"".join(body)]
        finally:
            if hasattr(body, "close"):
                body.close()

    return lambda environ, start: joined(app(environ, start))


def reads_one_ahead(app):
    class Body(Carrier):
        def __init__(self, body):
            super().__init__(body)
            self.rest = iter(body)
            self.first = list(islice(self.rest, 1))

        def __iter__(self):
            return chain(self.first, self.rest)

    return lambda environ, start: Body(app(environ, start))


def drops_exc_info(app):
    return lambda environ, start: app(environ, lambda status, headers, exc_info=None: start(status, headers))


def returns_no_write(app):
    def wrapped(environ, start):
        def started(status, headers, exc_info=None):
            start(status, headers, exc_info)

        return app(environ, started)

    return wrapped


def expects_an_early_start(app):
    def wrapped(environ, start):
        begun = []

        def started(status, headers, *rest):
            begun.append(status)
            return start(status, headers, *rest)

        body = app(environ, started)
        assert begun[0]
        return body

    return wrapped


def makes_a_list_of_headers(app):
    return lambda environ, start: app(
        environ, lambda status, headers, exc_info=None: start(status, list(headers), exc_info)
    )


def makes_headers_a_dict(app):
    return lambda environ, start: app(
        environ, lambda status, headers, exc_info=None: start(status, list(dict(headers).items()), exc_info)
    )


def editing(edit):
    """A wrapper that edits a copy of the headers, and does all else right."""

    def wear(app):
        def wrapped(environ, start):
            def started(status, headers, exc_info=None):
                if type(headers) is list:
                    status, headers = edit(environ, status, headers.copy())
                return start(status, headers, exc_info) if exc_info else start(status, headers)

            return app(environ, started)

        return wrapped

    return wear


def adds_connection(app):
    return editing(lambda environ, status, headers: (status, [*headers, ("Connection", "close")]))(app)


def adds_a_number(app):
    return editing(lambda environ, status, headers: (status, [*headers, ("X-Number", 7)]))(app)


def adds_a_length(app):
    return editing(lambda environ, status, headers: (status, [*headers, ("Content-Length", "0")]))(app)


def encodes_nothing(app):
    def edit(environ, status, headers):
        return status, [*headers, ("Content-Encoding", "gzip")] if status.startswith("204") else headers

    return editing(edit)(app)


def removes_a_header(app):
    return editing(lambda environ, status, headers: (status, headers[1:]))(app)


def changes_the_status(app):
    return editing(lambda environ, status, headers: ("200 FINE", headers))(app)


def reflects(app):
    def edit(environ, status, headers):
        return status, [*headers, ("X-Origin", environ.get("HTTP_ORIGIN", "none"))]

    return editing(edit)(app)


def drops_empty_chunks(app):
    class Full(Carrier):
        def __iter__(self):
            return (chunk for chunk in self.body if chunk)

    return lambda environ, start: Full(app(environ, start))


def makes_a_tuple(app):
    return lambda environ, start: tuple(app(environ, start))


def answers_errors(app):
    def wrapped(environ, start):
        try:
            return app(environ, start)
        except Exception:
            start("500 OOPS", [])
            return [b"oops"]

    return wrapped


def swallows_exits(app):
    class Body(Carrier):
        def __iter__(self):
            try:
                yield from super().__iter__()
            except (SystemExit, KeyboardInterrupt):
                return

    def wrapped(environ, start):
        body = app(environ, start)
        return body if isinstance(body, list | tuple) else Body(body)

    return wrapped


def mutates_headers(app):
    def wrapped(environ, start):
        def started(status, headers, *rest):
            headers.append(("X-Mine", "1"))
            return start(status, headers, *rest)

        return app(environ, started)

    return wrapped


def wraps_files(app):
    return lambda environ, start: Carrier(app(environ, start))


def shouts(app):
    class Loud(Carrier):
        def __iter__(self):
            for chunk in self.body:
                yield chunk.upper() if isinstance(chunk, bytes) else chunk

    def wrapped(environ, start):
        body = app(environ, start)
        return Loud(body) if hasattr(body, "close") else body

    return wrapped


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
        re.search(r"(?:a|A)+:", environ.get("HTTP_USER_AGENT", "")[:16384])
        return app(environ, start)

    return wrapped


#: The rules that each breaks; what follows from its slip is in it: who joins a body hides an error that comes after it.
BROKEN = {
    removes_a_header: {"start", "repeated-headers"},
    changes_the_status: {"start", "odd-apps", "overlap"},
    makes_headers_a_dict: {"repeated-headers", "odd-apps"},
    makes_a_list_of_headers: {"odd-apps"},
    mutates_headers: {"app-headers"},
    adds_connection: {"added-headers"},
    adds_a_number: {"added-headers"},
    adds_a_length: {"content-length", "bodiless"},
    encodes_nothing: {"bodiless"},
    drops_exc_info: {"exc-info"},
    returns_no_write: {"exc-info", "write"},
    expects_an_early_start: {"exc-info", "write", "late-start", "odd-apps", "close", "errors", "overlap"},
    shouts: {"write", "body", "file-wrapper"},
    joins: {"exc-info", "write", "odd-apps", "streaming", "lists", "file-wrapper", "errors", "exits"},
    makes_a_tuple: {"exc-info", "write", "streaming", "file-wrapper", "close", "errors", "exits"},
    reads_one_ahead: {"streaming", "lists", "file-wrapper", "close", "errors"},
    drops_empty_chunks: {"odd-apps", "streaming", "lists", "file-wrapper"},
    wraps_files: {"lists", "file-wrapper"},
    drops_close: {"lists", "file-wrapper", "close", "close-own"},
    closes_twice: {"lists", "file-wrapper", "close-once"},
    closes_the_iterator: {"lists", "file-wrapper", "close", "close-own"},
    closes_by_yield_from: {"lists", "file-wrapper", "close-once", "close-own"},
    closes_in_a_generators_finally: {"lists", "file-wrapper", "close", "close-once", "close-own"},
    closes_only_after_success: {"lists", "file-wrapper", "close", "errors"},
    answers_errors: {"exc-info", "write", "odd-apps", "errors"},
    swallows_exits: {"file-wrapper", "exits"},
    hands_on_another_dict: {"environ"},
    needs_an_address: {"environ"},
    reads_the_request: {"input"},
    KeepsTheRequest: {"overlap"},
    keeps_a_thread: {"file-wrapper", "contexts"},
    keeps_a_token: {"file-wrapper", "contexts"},
    believes_a_number: {"hostile"},
    reflects: {"injection"},
    searches_slowly: {"linear"},
}
