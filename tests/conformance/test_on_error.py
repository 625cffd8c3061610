"""``on_error``: who is offered which error, until when, and what the server sees of the page."""

import pytest
from support.client import Client
from support.coats import Stranger
from support.wsgi import call
from support.zoo import SPECIMENS

from overcoat.middleware import Layer, RequestLog, Stack

#: What each failing specimen offers: an ordinary error before the first byte, or nothing.
OFFERED = {
    "raise_in_the_call", "raise_after_start", "stop_iteration_in_the_call", "raise_what_has_no_text", "raise_a_group",
    "raise_in_the_first_next", "raise_after_an_empty_chunk", "raise_before_a_late_start", "raise_in_iter",
    "raise_in_the_first_next_and_in_close",
}  # fmt: skip

NEVER_OFFERED = {
    "exit_in_the_call", "interrupt_in_the_call", "exit_in_the_first_next", "exit_mid_stream", "interrupt_mid_stream",
    "generator_exit_mid_stream", "exit_in_close", "raise_in_a_later_next", "raise_in_a_generator",
    "stop_iteration_in_a_generator", "raise_in_close", "raise_in_next_and_in_close", "write_then_raise",
    "write_then_raise_in_the_first_next", "exc_info_after_the_first_byte", "exc_info_after_write",
}  # fmt: skip


def page(environ, start_response):
    start_response("503 SORRY", [("Content-Type", "text/plain")])
    return [b"sorry"]


def late_page(environ, start_response):
    start_response("503 SORRY", [("Content-Type", "text/plain")])
    yield b"sorry"


class Pages(Layer):
    """Answers every error that it is offered, and keeps it."""

    def __init__(self, app=None, *, answer=page, **options):
        self.answer = answer
        self.offered = []
        super().__init__(app, **options)

    def on_error(self, exchange, error):
        self.offered.append(error)
        return self.answer


@pytest.mark.parametrize("answer", [page, late_page], ids=["page", "late-page"])
@pytest.mark.parametrize("name", sorted(OFFERED))
def test_error_before_the_first_byte_is_answered(name, answer):
    app, probe = SPECIMENS[name].make()
    records = []
    pages = Pages(answer=answer)
    seen = call(Stack(app, [RequestLog(to=records.append), pages]))
    assert (seen.error, seen.status, seen.body) == (None, "503 SORRY", b"sorry")
    assert [type(error) for error in pages.offered] == [seen.exc_info]
    assert probe.closed == (SPECIMENS[name].closes or 0)
    (record,) = records
    assert (record["outcome"], record["status"], record["response_bytes"]) == ("complete", 503, 5)


@pytest.mark.parametrize("name", sorted(NEVER_OFFERED))
def test_later_errors_and_exits_go_on_to_the_server(name):
    specimen = SPECIMENS[name]
    app, probe = specimen.make()
    pages = Pages(app)
    seen = call(pages)
    assert pages.offered == []
    assert (type(seen.error), seen.where) == specimen.raises
    assert (seen.status, seen.body) == (specimen.status, specimen.body)
    assert probe.closed == (specimen.closes or 0)


def test_the_tables_hold_every_failing_specimen():
    """Those that are left out fail in the server's hands, by what it is given."""
    failing = {name for name, specimen in SPECIMENS.items() if specimen.outcome == "failed"}
    by_the_server = {name for name in failing if SPECIMENS[name].raises[0] in {TypeError, AssertionError}}
    assert failing - by_the_server == OFFERED | NEVER_OFFERED


def test_error_that_the_client_never_asked_for():
    """Left before the first ``next``: nothing was raised, nothing is offered."""
    app, _ = SPECIMENS["raise_in_the_first_next"].make()
    pages = Pages(app)
    call(pages, client=Client("leaves", leaves_after=0))
    assert pages.offered == []


@pytest.mark.parametrize("between", [[], [Stranger]], ids=["fused", "with-a-stranger"])
def test_layers_are_asked_from_the_inside_out(between):
    asked = []

    class Passes(Layer):
        def __init__(self, name):
            self.name = name
            super().__init__()

        def on_error(self, exchange, error):
            asked.append(self.name)

    app, _ = SPECIMENS["raise_after_start"].make()
    seen = call(Stack(app, [Passes("c"), Pages(), *between, Passes("b"), Passes("a")]))
    assert (asked, seen.status) == (["a", "b"], "503 SORRY")


def test_error_of_an_error_page_is_offered_further_out():
    def broken_page(environ, start_response):
        raise LookupError("the page")

    outer, inner = Pages(), Pages(answer=broken_page)
    app, _ = SPECIMENS["raise_after_start"].make()
    seen = call(Stack(app, [outer, inner]))
    assert [str(error) for error in inner.offered] == ["after start"]
    assert [str(error) for error in outer.offered] == ["the page"]
    assert (seen.status, seen.exc_info) == ("503 SORRY", LookupError)


def test_error_of_on_error_goes_on_in_its_place():
    class Fails(Layer):
        def on_error(self, exchange, error):
            raise LookupError("on_error") from error

    app, _ = SPECIMENS["raise_after_start"].make()
    records = []
    seen = call(Stack(app, [RequestLog(to=records.append), Fails()]))
    assert (type(seen.error), str(seen.error.__cause__)) == (LookupError, "after start")
    assert (records[0]["outcome"], records[0]["error_type"]) == ("failed", "LookupError")


@pytest.mark.parametrize("phase", ["on_request", "on_headers", "skip"])
def test_error_of_a_layer_further_in_is_offered(phase):
    def fails(*args):
        raise LookupError(phase)

    inner = Layer(skip=fails) if phase == "skip" else type("Fails", (Layer,), {phase: fails})()
    app, _ = SPECIMENS["list"].make()
    pages = Pages()
    seen = call(Stack(app, [pages, inner]))
    assert ([str(error) for error in pages.offered], seen.status) == ([phase], "503 SORRY")


def test_layer_that_raised_in_on_request_is_not_asked_itself():
    class Fails(Pages):
        def on_request(self, exchange):
            raise LookupError("on_request")

    fails = Fails(SPECIMENS["list"].make()[0])
    assert type(call(fails).error) is LookupError
    assert fails.offered == []


def test_page_that_starts_with_an_exc_info_of_its_own():
    def own(environ, start_response):
        import sys

        try:
            raise KeyError("own")
        except KeyError:
            start_response("503 SORRY", [("Content-Type", "text/plain")], sys.exc_info())
        return [b"sorry"]

    app, _ = SPECIMENS["raise_after_start"].make()
    assert call(Pages(app, answer=own)).exc_info is KeyError
