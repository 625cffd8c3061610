"""Transform layers anywhere in a stack: however it is divided, the same comes of it, and all ends once and in order."""

import logging

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.acting import ACTIONS, Acting, Script, Trace
from support.client import CLIENTS, READS_ALL, Client
from support.compare import differences
from support.wsgi import make_environ, serve
from support.zoo import SPECIMENS, Probe, Specimen

from overcoat.middleware import current_exchange
from overcoat.middleware._layer import fuse, segment_of
from overcoat.middleware._wsgi import Segment

# Large, or wrong in a way that leaves it open which of two starts a failed request is remembered by.
_LEFT_OUT = {"large_chunks", "long_text", "many_headers", "start_twice", "start_twice_and_carry_on"}
_SPECIMENS = [specimen for name, specimen in SPECIMENS.items() if name not in _LEFT_OUT]

# Their close is the end of a generator, which may come of itself.
_END_BY_THEMSELVES = {"generator_with_finally", "raise_in_a_generator"}

MAKES = (
    "leave", "same", "upper", "double", "drop", "lag", "trailer", "once", "raise-in-on_body", "raise-first",
    "raise-later", "raise-at-the-end",
)  # fmt: skip


class Making(Acting):
    """An acting layer that transforms bodies too."""

    def __init__(self, name: str, script: Script, trace: Trace, make: str) -> None:
        super().__init__(name, script, trace)
        self.make = make

    def on_body(self, exchange, chunks):
        self._tell("on_body", exchange.status, tuple(map(repr, exchange.headers)))
        if self.make == "raise-in-on_body":
            raise KeyError(f"{self.name} on_body")
        return None if self.make == "leave" else self._made(exchange, chunks)

    def _made(self, exchange, chunks):
        self._tell("begun")
        try:
            yield from self._chunks(exchange, chunks)
        finally:
            self._tell("ended")
            if self.make == "raise-at-the-end":
                raise LookupError(f"{self.name} at the end")

    def _chunks(self, exchange, chunks):
        held = None
        if self.make in {"upper", "lag"}:
            exchange.add_header("X-Made", self.name)
        for number, chunk in enumerate(chunks):
            if not isinstance(chunk, bytes):
                yield chunk
            elif self.make == "upper":
                exchange.status = f"298 {self.name}"
                yield chunk.upper()
            elif self.make == "double":
                yield chunk * 2
            elif self.make == "drop":
                yield b""
            elif self.make == "lag":
                yield b"" if held is None else held
                held = chunk
            elif self.make == "once" and number:
                return
            elif self.make == "raise-first" or (self.make == "raise-later" and number):
                raise LookupError(f"{self.name} chunk {number}")
            else:
                yield chunk
        if held is not None:
            yield held
        if self.make == "trailer":
            yield self.name.encode()


class TracingProbe(Probe):
    """A probe that puts each close of the source in the trace."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self.trace = trace

    def __setattr__(self, name, value):
        if name == "closed" and value:
            self.trace.append(("source", "closed"))
        super().__setattr__(name, value)


layers = st.tuples(
    st.builds(Script, **{phase: st.sampled_from(actions) for phase, actions in ACTIONS.items()}),
    st.sampled_from([None, *MAKES]),
)
WATCHER = Script(on_headers="pass", on_finish="record")


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.CRITICAL, "overcoat")


def _run(specimen: Specimen, stack, cuts, client: Client):
    """Serve through a watcher and the layers, outermost first, fused between the cuts."""
    trace: Trace = []
    probe = TracingProbe(trace)
    app = specimen.build(probe)
    parts = [Acting("0", WATCHER, trace)]
    for name, (script, make) in zip("abcdefgh", stack, strict=False):
        parts.append(Acting(name, script, trace) if make is None else Making(name, script, trace, make))
    end = len(parts)
    for start in sorted({0, *cuts}, reverse=True):
        run = parts[start:end]
        alone = len(run) == 1
        app = Segment(app, run) if alone else segment_of(fuse(app, run))
        end = start
    environ = make_environ(**specimen.environ())
    seen = serve(app, environ, client)
    assert "overcoat.exchange" not in environ
    assert current_exchange() is None
    return seen, trace, probe


def check(specimen: Specimen, stack, cuts, client: Client) -> None:
    fused, trace, probe = _run(specimen, stack, set(), client)
    cut, cut_trace, cut_probe = _run(specimen, stack, cuts, client)
    assert differences(fused, cut, ()) == []
    assert (cut_probe.closed, cut_probe.made) == (probe.closed, probe.made)

    for told, seen in ((trace, fused), (cut_trace, cut)):
        kinds = [entry[1] for entry in told]
        # A driver that trips over its own feet raises these; the app and the layers do not.
        assert not isinstance(seen.error, AttributeError | NameError | IndexError), repr(seen.error)
        for name in {entry[0] for entry in told}:
            mine = [entry[1] for entry in told if entry[0] == name]
            assert mine.count("begun") == mine.count("ended") <= 2, "each generator ends, and once"
            assert mine.count("on_finish") <= 1
        assert kinds.count("closed") <= 1
        if (
            "closed" in kinds
            and specimen.name not in _END_BY_THEMSELVES
            and "answer" not in str([script for script, _ in stack])
        ):
            last_end = max((index for index, kind in enumerate(kinds) if kind == "ended"), default=-1)
            assert last_end < kinds.index("closed"), "the generators first, then the source"
        if seen.error is None and seen.status is not None:
            outermost = [entry[2:] for entry in told if entry[:2] == ("0", "on_headers")]
            assert (seen.status, tuple(map(repr, seen.headers))) in outermost, "what the server sees"

    if not any(entry[1] == "on_error" for entry in trace):
        assert cut_trace == trace
    else:
        # As without transforms: nested, the layers inside of one that is offered an error have seen an end before.
        assert _without_ends(cut_trace) == _without_ends(trace)
        assert sorted(e[0] for e in cut_trace if e[1] == "on_finish") == sorted(
            e[0] for e in trace if e[1] == "on_finish"
        )


def _without_ends(trace: Trace) -> Trace:
    return [entry for entry in trace if entry[1] != "on_finish"]


@settings(max_examples=700, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    specimen=st.sampled_from(_SPECIMENS),
    stack=st.lists(layers, min_size=1, max_size=4).filter(lambda stack: any(make for _, make in stack)),
    cuts=st.sets(st.integers(1, 4), min_size=1),
    client=st.sampled_from(CLIENTS),
)
@example(
    SPECIMENS["list"], [(Script(on_finish="record"), None), (Script(), "raise-in-on_body")], {1}, READS_ALL
)  # what was held and never went out is no status of the request
@example(
    SPECIMENS["exit_in_close"], [(Script(on_finish="record"), "raise-in-on_body")], {1}, READS_ALL
)  # a body that leaves the process as it is given up has an end all the same
@example(
    SPECIMENS["list_subclass_with_close"],
    [(Script(), None), (Script(on_finish="record"), None), (Script(), "same"), (Script(), None)],
    {1},
    Client("leaves-before-the-first-byte", leaves_after=0),
)  # nor is one that a segment further in has noted
def test_segments_make_no_difference(specimen, stack, cuts, client):
    check(specimen, stack, {cut for cut in cuts if cut <= len(stack)}, client)
