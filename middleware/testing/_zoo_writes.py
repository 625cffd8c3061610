"""The imperative ``write()``: before a body, instead of one, between its chunks, and before an error."""

import sys
from collections.abc import Iterable, Iterator

from overcoat.middleware.testing._environ import Environ
from overcoat.middleware.testing._specimen import TEXT, App, Body, Probe, Start, specimen


@specimen(b"abcd")
def write_before(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())(b"ab")
        return [b"cd"]

    return app


@specimen(b"ab")
def write_alone(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())(b"ab")
        return []

    return app


@specimen(b"abcd")
def write_before_a_generator(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        write = start_response("200 OK", TEXT.copy())
        write(b"a")
        write(b"b")
        return (chunk for chunk in (b"c", b"d"))

    return app


@specimen(b"abcd", valid=False)
def write_between(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterator[bytes]:
        write = start_response("200 OK", TEXT.copy())
        write(b"a")
        yield b"b"
        write(b"c")
        yield b"d"

    return app


@specimen(b"ab", raises=(ValueError, "call"), outcome="failed", valid=False)
def write_then_raise(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())(b"ab")
        raise ValueError("after write")

    return app


@specimen(raises=(TypeError, "call"), outcome="failed", valid=False)
def write_text(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())("ab")
        return []

    return app


@specimen(b"ab", raises=(ValueError, "call"), outcome="failed", valid=False)
def exc_info_after_write(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())(b"ab")
        try:
            raise ValueError("too late")
        except ValueError:
            start_response("500 OOPS", TEXT.copy(), sys.exc_info())
        return [b"never"]

    return app


@specimen(b"abcd", closes=1)
def write_before_an_iterator(probe: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())(b"ab")
        return Body(probe, b"", b"cd")

    return app


@specimen(b"ab", raises=(ValueError, "body"), closes=1, outcome="failed", valid=False)
def write_then_raise_in_the_first_next(probe: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())(b"ab")
        return Body(probe, ValueError("after write"))

    return app


@specimen(b"")
def write_nothing(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())(b"")
        return [b""]

    return app


@specimen(b"abcd", valid=False)
def write_kept_from_a_late_start(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterator[bytes]:
        yield b""
        write = start_response("200 OK", TEXT.copy())
        write(b"ab")
        yield b""
        write(b"cd")

    return app
