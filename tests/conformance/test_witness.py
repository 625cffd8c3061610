"""The comparison finds what wrappers get wrong: each of these is broken as some wrapper in the world is."""

from itertools import chain

import pytest
from support.client import CLIENTS
from support.coats import Stranger
from support.compare import differences
from support.wsgi import FileWrapper, make_environ, serve
from support.zoo import SPECIMENS


class _Carrier:
    def __init__(self, body, closes=1):
        self.body, self.closes = body, closes

    def __iter__(self):
        yield from self.body

    def close(self):
        for _ in range(self.closes):
            if hasattr(self.body, "close"):
                self.body.close()


def _drops_close(app):
    return lambda environ, start: iter(app(environ, start))


def _closes_twice(app):
    return lambda environ, start: _Carrier(app(environ, start), closes=2)


def _closes_in_a_generators_finally(app):
    def carried(body):
        try:
            yield from body
        finally:
            if hasattr(body, "close"):
                body.close()

    return lambda environ, start: carried(app(environ, start))


def _joins(app):
    def joined(body):
        try:
            return [b"".join(body)]
        finally:
            if hasattr(body, "close"):
                body.close()

    return lambda environ, start: joined(app(environ, start))


def _reads_one_ahead(app):
    def wrapped(environ, start):
        body = app(environ, start)
        iterator = iter(body)
        first = next(iterator, b"")
        carrier = _Carrier(body)
        carrier.__class__ = type("Ahead", (_Carrier,), {"__iter__": lambda self: chain([first], iterator)})
        return carrier

    return wrapped


def _drops_exc_info(app):
    return lambda environ, start: app(environ, lambda status, headers, exc_info=None: start(status, headers))


def _returns_no_write(app):
    def wrapped(environ, start):
        def started(status, headers, exc_info=None):
            start(status, headers, exc_info)

        return app(environ, started)

    return wrapped


def _makes_a_list_of_headers(app):
    return lambda environ, start: app(environ, lambda status, headers, *rest: start(status, list(headers), *rest))


def _makes_headers_a_dict(app):
    return lambda environ, start: app(
        environ, lambda status, headers, *rest: start(status, list(dict(headers).items()), *rest)
    )


def _drops_empty_chunks(app):
    class Full(_Carrier):
        def __iter__(self):
            return (chunk for chunk in self.body if chunk)

    return lambda environ, start: Full(app(environ, start))


def _makes_a_tuple(app):
    return lambda environ, start: tuple(app(environ, start))


def _answers_errors(app):
    def wrapped(environ, start):
        try:
            return app(environ, start)
        except Exception:
            start("500 OOPS", [])
            return [b"oops"]

    return wrapped


def _mutates_headers(app):
    def wrapped(environ, start):
        def started(status, headers, *rest):
            headers.append(("X-Mine", "1"))
            return start(status, headers, *rest)

        return app(environ, started)

    return wrapped


def _wraps_files(app):
    return lambda environ, start: _Carrier(app(environ, start))


BROKEN = [
    _drops_close, _closes_twice, _closes_in_a_generators_finally, _joins, _reads_one_ahead, _drops_exc_info,
    _returns_no_write, _makes_a_list_of_headers, _makes_headers_a_dict, _drops_empty_chunks, _makes_a_tuple,
    _answers_errors, _mutates_headers, _wraps_files,
]  # fmt: skip


def _findings(wrap):
    for specimen in SPECIMENS.values():
        for client in CLIENTS:
            if client.closes > 1:
                continue
            app, bare_probe = specimen.make()
            environ = {**specimen.environ(), "wsgi__file_wrapper": FileWrapper}
            bare = serve(app, make_environ(**environ), client)
            app, probe = specimen.make()
            worn = serve(wrap(app), make_environ(**environ), client)
            if differences(bare, worn, ()) or (probe.closed, probe.made) != (bare_probe.closed, bare_probe.made):
                yield f"{specimen.name} {client.name}"


@pytest.mark.parametrize("wrap", BROKEN, ids=[wrap.__name__.strip("_") for wrap in BROKEN])
def test_broken_wrapper_is_found(wrap):
    assert next(_findings(wrap), None) is not None


def test_a_wrapper_that_does_nothing_is_clean():
    assert list(_findings(lambda app: app)) == []
    assert list(_findings(Stranger)) == []
