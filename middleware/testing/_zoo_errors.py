"""Errors at every place: in the call, in the body, in ``close``; and the exits that are no errors."""

from collections.abc import Iterable, Iterator

from overcoat.middleware.testing._environ import Environ
from overcoat.middleware.testing._specimen import TEXT, App, Body, Probe, Start, app_of, specimen


class UnprintableError(Exception):
    """An error whose text raises."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def _raising(error: BaseException, *, start: bool) -> App:
    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        if start:
            start_response("200 OK", TEXT.copy())
        raise error

    return app


@specimen(status=None, raises=(ValueError, "call"), outcome="failed", valid=False)
def raise_in_the_call(_: Probe) -> App:
    return _raising(ValueError("in the call"), start=False)


@specimen(raises=(ValueError, "call"), outcome="failed", valid=False)
def raise_after_start(_: Probe) -> App:
    return _raising(ValueError("after start"), start=True)


@specimen(status=None, raises=(StopIteration, "call"), outcome="failed", valid=False)
def stop_iteration_in_the_call(_: Probe) -> App:
    return _raising(StopIteration(), start=False)


@specimen(raises=(UnprintableError, "call"), outcome="failed", valid=False)
def raise_what_has_no_text(_: Probe) -> App:
    return _raising(UnprintableError(), start=True)


@specimen(raises=(ExceptionGroup, "call"), outcome="failed", valid=False)
def raise_a_group(_: Probe) -> App:
    return _raising(ExceptionGroup("several", [ValueError("one"), KeyError("two")]), start=True)


@specimen(status=None, raises=(SystemExit, "call"), outcome="failed", valid=False)
def exit_in_the_call(_: Probe) -> App:
    return _raising(SystemExit(3), start=False)


@specimen(status=None, raises=(KeyboardInterrupt, "call"), outcome="failed", valid=False)
def interrupt_in_the_call(_: Probe) -> App:
    return _raising(KeyboardInterrupt("zoo"), start=False)


@specimen(raises=(ValueError, "body"), closes=1, outcome="failed", valid=False)
def raise_in_the_first_next(probe: Probe) -> App:
    return app_of(lambda: Body(probe, ValueError("first"), b"never"))


@specimen(raises=(ValueError, "body"), closes=1, outcome="failed", valid=False)
def raise_after_an_empty_chunk(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"", ValueError("second")))


@specimen(b"ab", raises=(ValueError, "body"), closes=1, outcome="failed", valid=False)
def raise_in_a_later_next(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", ValueError("later")))


@specimen(b"ab", raises=(ValueError, "body"), closes=1, outcome="failed", valid=False)
def raise_in_a_generator(probe: Probe) -> App:
    def chunks() -> Iterator[bytes]:
        try:
            yield b"ab"
            raise ValueError("in the generator")
        finally:
            probe.closed += 1

    return app_of(chunks)


@specimen(b"ab", raises=(RuntimeError, "body"), outcome="failed", valid=False)
def stop_iteration_in_a_generator(_: Probe) -> App:
    def chunks() -> Iterator[bytes]:
        yield b"ab"
        raise StopIteration  # noqa: PLR1708 - what is being tested

    return app_of(chunks)


def _failing() -> Iterator[bytes]:
    raise ValueError("before start")


@specimen(status=None, raises=(ValueError, "body"), outcome="failed", valid=False)
def raise_before_a_late_start(_: Probe) -> App:
    def app(_environ: Environ, _start_response: Start) -> Iterator[bytes]:
        yield from _failing()

    return app


@specimen(raises=(ValueError, "body"), closes=1, outcome="failed", valid=False)
def raise_in_iter(probe: Probe) -> App:
    class Chunks(Body):
        def __iter__(self) -> Body:
            raise ValueError("in __iter__")

    return app_of(lambda: Chunks(probe, b"never"))


@specimen(b"ab", raises=(ValueError, "close"), closes=1, outcome="failed", valid=False)
def raise_in_close(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", at_close=ValueError("in close")))


@specimen(b"ab", raises=(KeyError, "close"), closes=1, outcome="failed", valid=False)
def raise_in_next_and_in_close(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", ValueError("in next"), at_close=KeyError("in close")))


@specimen(raises=(KeyError, "close"), closes=1, outcome="failed", valid=False)
def raise_in_the_first_next_and_in_close(probe: Probe) -> App:
    return app_of(lambda: Body(probe, ValueError("in next"), at_close=KeyError("in close")))


@specimen(b"ab", raises=(SystemExit, "body"), closes=1, outcome="failed", valid=False)
def exit_mid_stream(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", SystemExit(3)))


@specimen(raises=(SystemExit, "body"), closes=1, outcome="failed", valid=False)
def exit_in_the_first_next(probe: Probe) -> App:
    return app_of(lambda: Body(probe, SystemExit(3)))


@specimen(b"ab", raises=(KeyboardInterrupt, "body"), closes=1, outcome="failed", valid=False)
def interrupt_mid_stream(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", KeyboardInterrupt("zoo")))


@specimen(b"ab", raises=(GeneratorExit, "body"), closes=1, outcome="failed", valid=False)
def generator_exit_mid_stream(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", GeneratorExit()))


@specimen(b"ab", raises=(SystemExit, "close"), closes=1, outcome="failed", valid=False)
def exit_in_close(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", at_close=SystemExit(3)))
