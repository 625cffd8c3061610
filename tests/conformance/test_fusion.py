"""A stack of layers behaves as the same layers nested, however they are divided into segments."""

import logging

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.acting import ACTIONS, Acting, Script, Trace
from support.client import CLIENTS, READS_ALL, Client
from support.compare import differences
from support.wsgi import make_environ, serve
from support.zoo import SPECIMENS, Specimen

from overcoat.middleware._wsgi import Segment

_SMALL = [specimen for name, specimen in SPECIMENS.items() if name not in {"large_chunks", "many_headers"}]

scripts = st.builds(Script, **{phase: st.sampled_from(actions) for phase, actions in ACTIONS.items()})


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Layers that raise at the end are logged, as they must be; thousands of tracebacks help nobody."""
    caplog.set_level(logging.CRITICAL, "overcoat")


def _run(specimen: Specimen, stack: list[Script], cuts: set[int], client: Client):
    """Serve through the scripts, outermost first, in segments that end before each index in ``cuts``."""
    trace: Trace = []
    app, probe = specimen.make()
    layers = [Acting("abcdefgh"[index], script, trace) for index, script in enumerate(stack)]
    end = len(layers)
    for start in sorted({0, *cuts}, reverse=True):
        app = Segment(app, layers[start:end])
        end = start
    environ = make_environ(**specimen.environ())
    seen = serve(app, environ, client)
    assert "overcoat.exchange" not in environ
    return seen, trace, probe


def _finishes(trace: Trace) -> list[tuple]:
    return [entry for entry in trace if entry[1] == "on_finish"]


def check(specimen: Specimen, stack: list[Script], cuts: set[int], client: Client) -> None:
    fused, trace, probe = _run(specimen, stack, set(), client)
    cut, cut_trace, cut_probe = _run(specimen, stack, cuts, client)

    assert differences(fused, cut, ()) == []
    assert (cut_probe.closed, cut_probe.made) == (probe.closed, probe.made)

    finishes = _finishes(trace)
    names = [name for name, *_ in finishes]
    assert names == sorted(set(names), reverse=True), "once each, innermost first"
    before_the_end = trace[: len(trace) - len(finishes)]
    assert before_the_end == [entry for entry in trace if entry[1] != "on_finish"], "after everything else"
    assert len({entry[2:] for entry in finishes}) <= 1, "all see the same end"

    errors = [entry for entry in trace if entry[1] == "on_error"]
    if not errors:
        assert cut_trace == trace
        return
    # The one known difference: nested, the layers inside of one that is offered an error have seen an end before.
    assert [entry for entry in cut_trace if entry[1] != "on_finish"] == before_the_end
    assert sorted(entry[0] for entry in _finishes(cut_trace)) == sorted(names)
    # Those from the last one that acted on it outward see the same end in both.
    outermost = min((name for name, _, _, _, action in errors if action != "pass"), default="z")
    expected = [entry for entry in finishes if entry[0] <= outermost]
    assert [entry for entry in _finishes(cut_trace) if entry[0] <= outermost] == expected


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    specimen=st.sampled_from(_SMALL),
    stack=st.lists(scripts, min_size=2, max_size=5),
    cuts=st.sets(st.integers(1, 4), min_size=1),
    client=st.sampled_from(CLIENTS),
)
@example(SPECIMENS["raise_after_start"], [Script(on_error="answer"), Script(on_finish="record")], {1}, READS_ALL)
@example(
    SPECIMENS["raise_in_the_first_next"], [Script(on_error="answer-late"), Script(on_error="raise")], {1}, READS_ALL
)
def test_segments_make_no_difference(specimen, stack, cuts, client):
    check(specimen, stack, {cut for cut in cuts if cut < len(stack)}, client)


@pytest.mark.parametrize(
    "outer", [Script(), Script(on_error="answer", on_finish="record", on_headers="add")], ids=["none", "all"]
)
@pytest.mark.parametrize(
    "inner",
    [Script(on_finish="record"), Script(on_headers="add"), Script(on_error="answer"), Script(on_error="pass")],
    ids=["on_finish", "on_headers", "on_error-answers", "on_error-passes"],
)
@pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
def test_every_specimen_in_two_layers(specimen, outer, inner):
    check(specimen, [outer, inner], {1}, READS_ALL)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    specimen=st.sampled_from(_SMALL),
    stack=st.lists(scripts, min_size=1, max_size=4),
    client=st.sampled_from(CLIENTS),
)
def test_a_skipped_layer_is_as_if_it_were_not_there(specimen, stack, client):
    skipped = Script(skip="yes", on_request="answer", on_error="answer", on_headers="add", on_finish="record")
    without, trace, _ = _run(specimen, stack, set(), client)
    padded, padded_trace, _ = _run(specimen, [one for script in stack for one in (skipped, script)], set(), client)
    assert [event[0] for event in padded.events] == [event[0] for event in without.events]
    assert padded.sent.translate(None, b"abcdefgh") == without.sent.translate(None, b"abcdefgh")
    assert [e[1] for e in padded_trace if not (e[0] in "aceg" and e[1] == "skip")] == [e[1] for e in trace]
