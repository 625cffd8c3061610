"""Ways to call ``start_response``: late, twice, with ``exc_info``, never."""

import sys
from collections.abc import Iterable, Iterator

from overcoat.middleware.testing._environ import Environ
from overcoat.middleware.testing._specimen import TEXT, App, Body, Probe, Start, specimen


@specimen(b"abcd", valid=False)
def late_start(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT.copy())
        yield b"ab"
        yield b"cd"

    return app


@specimen(b"ab", valid=False)
def late_start_after_an_empty_chunk(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterator[bytes]:
        yield b""
        start_response("200 OK", TEXT.copy())
        yield b"ab"

    return app


@specimen(status="204 NO CONTENT", valid=False)
def late_start_without_a_chunk(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("204 NO CONTENT", [])
        yield from ()

    return app


class _Starting(Body):
    """Starts the response when it is iterated."""

    def start_with(self, start_response: App) -> "_Starting":
        self.start_response = start_response
        return self

    def __iter__(self) -> Iterator[bytes]:
        self.start_response("200 OK", TEXT.copy())
        return iter([b"ab"])


@specimen(b"ab", closes=1, valid=False)
def start_in_iter(probe: Probe) -> App:
    return lambda _, start_response: _Starting(probe).start_with(start_response)


@specimen(status=None, raises=(AssertionError, "body"), closes=1, outcome="aborted", valid=False)
def start_after_a_chunk(probe: Probe) -> App:
    def app(_environ: Environ, _start_response: Start) -> Iterable[bytes]:
        return Body(probe, b"ab")

    return app


def _replacing(*, by_keyword: bool) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [*TEXT, ("X-First", "1")])
        try:
            raise ValueError("before the first byte")
        except ValueError:
            if by_keyword:
                start_response("500 OOPS", [*TEXT, ("X-Second", "2")], exc_info=sys.exc_info())
            else:
                start_response("500 OOPS", [*TEXT, ("X-Second", "2")], sys.exc_info())
        return [b"error page"]

    return app


@specimen(b"error page", status="500 OOPS")
def exc_info_before_the_first_byte(_: Probe) -> App:
    return _replacing(by_keyword=False)


@specimen(b"error page", status="500 OOPS", valid=False)
def exc_info_by_keyword(_: Probe) -> App:
    return _replacing(by_keyword=True)


@specimen(b"error page", status="500 OOPS", valid=False)
def exc_info_after_an_empty_chunk(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT.copy())
        yield b""
        try:
            raise ValueError("late")
        except ValueError:
            start_response("500 OOPS", TEXT.copy(), sys.exc_info())
        yield b"error page"

    return app


@specimen(b"ab", raises=(ValueError, "body"), outcome="failed", valid=False)
def exc_info_after_the_first_byte(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterator[bytes]:
        start_response("200 OK", TEXT.copy())
        yield b"ab"
        try:
            raise ValueError("too late")
        except ValueError:
            start_response("500 OOPS", TEXT.copy(), sys.exc_info())
        yield b"never"

    return app


@specimen(b"late page", status="500 OOPS", valid=False)
def first_start_with_exc_info(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        try:
            raise ValueError("at once")
        except ValueError:
            start_response("500 OOPS", TEXT.copy(), sys.exc_info())
        return [b"late page"]

    return app


@specimen(raises=(AssertionError, "call"), outcome="failed", valid=False)
def start_twice(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())
        start_response("201 CREATED", TEXT.copy())
        return [b"never"]

    return app


@specimen(b"ab", valid=False)
def start_twice_and_carry_on(_: Probe) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", TEXT.copy())
        try:
            start_response("201 CREATED", TEXT.copy())
        except AssertionError:
            return [b"ab"]
        return [b"never"]

    return app


@specimen(status=None, raises=(AssertionError, "body"), outcome="handed_off", valid=False)
def never_starts(_: Probe) -> App:
    return lambda _environ, _start_response: []


@specimen(status=None, raises=(AssertionError, "body"), outcome="aborted", valid=False)
def never_starts_but_sends(_: Probe) -> App:
    return lambda _environ, _start_response: [b"ab"]
