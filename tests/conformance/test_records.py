"""What a request log says of each specimen: outcome, status and bytes, for every client."""

import pytest
from support.client import CLIENTS, READS_ALL, Client
from support.coats import COATS, Coat
from support.server import Seen
from support.wsgi import FileFunction, FileWrapper, call, make_environ, serve
from support.zoo import SPECIMENS, Specimen

specimens = pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
logging_coats = pytest.mark.parametrize("coat", [c for c in COATS if c.logs], ids=[c.name for c in COATS if c.logs])


def _serve(specimen: Specimen, coat: Coat, client: Client = READS_ALL, **environ: object) -> tuple[Seen, list[dict]]:
    records: list[dict] = []
    app, _ = specimen.make()
    seen = serve(coat.wear(app, records), make_environ(**specimen.environ(), **environ), client)
    return seen, records


@logging_coats
@specimens
def test_record_of_a_response_read_to_the_end(specimen: Specimen, coat: Coat):
    seen, records = _serve(specimen, coat)
    assert len(records) == 1
    record = records[0]
    status = specimen.status[:3] if specimen.status else ""
    assert record.get("status") == (int(status) if status.isascii() and status.isdigit() else None)
    assert record["outcome"] == specimen.outcome
    assert record["response_bytes"] == _handed_over(seen)
    assert record["method"] == specimen.method
    assert ("error_type" in record) is (specimen.outcome == "failed")
    if specimen.outcome == "failed":
        first = next(event[2] for event in seen.events if event[0] == "raised")
        assert record["error_type"].endswith(first.__name__)


def _handed_over(seen: Seen) -> int:
    """The length of all that the server took from the app, what it then refused included."""
    return sum(len(chunk) for chunk in [*seen.written, *seen.chunks] if hasattr(chunk, "__len__"))


def _expected_outcome(seen: Seen, specimen: Specimen) -> str:
    kinds = [event[0] for event in seen.events]
    raised = [event for event in seen.events if event[0] == "raised"]
    # What is None is known when the app returns, whoever listens.
    if any(where == "call" for _, where, *_ in raised) or specimen.name in {"none_as_the_body", "nothing_at_all"}:
        return "failed"
    # A broken connection is the server's own error, unless it reached the app through write().
    through_write = "raised" in kinds and kinds[kinds.index("raised") - 1] == "write"
    if through_write or (specimen.outcome == "failed" and any(event[2] is not BrokenPipeError for event in raised)):
        return "failed"
    if specimen.outcome == "handed_off":
        return "handed_off"
    is_whole = "end" in kinds or specimen.method == "HEAD" or seen.length == 0
    return "complete" if is_whole else "aborted"


@logging_coats
@specimens
def test_record_for_every_client(specimen: Specimen, coat: Coat):
    wrong = []
    for client in CLIENTS:
        seen, records = _serve(specimen, coat, client)
        found = [(record["outcome"], record["response_bytes"]) for record in records]
        expected = [(_expected_outcome(seen, specimen), _handed_over(seen))]
        if found != expected:
            wrong.append(f"{client.name}: {found}, expected {expected}")
    assert wrong == []


CASES = {
    # specimen, client: outcome, bytes
    ("generator", "reads-all"): ("complete", 6),
    ("generator", "leaves-before-the-first-byte"): ("aborted", 0),
    ("generator", "leaves-after-one-chunk"): ("aborted", 2),
    # It has the whole body, but the app was not asked whether there is more.
    ("generator", "leaves-after-three-chunks"): ("aborted", 6),
    ("generator", "breaks-mid-stream"): ("aborted", 4),
    ("list", "leaves-after-one-chunk"): ("aborted", 2),
    ("list", "measures-lists"): ("complete", 4),
    ("list", "closes-twice"): ("complete", 4),
    ("list", "closes-from-another-thread"): ("complete", 4),
    ("empty_list", "leaves-before-the-first-byte"): ("complete", 0),
    ("list", "leaves-before-the-first-byte"): ("aborted", 0),
    ("head_with_a_body", "leaves-before-the-first-byte"): ("complete", 0),
    ("head_without_a_body", "leaves-before-the-first-byte"): ("complete", 0),
    ("write_before", "reads-all"): ("complete", 4),
    ("write_before", "breaks-at-the-first-byte"): ("failed", 0),
    ("write_between", "breaks-mid-stream"): ("aborted", 2),
    ("late_start", "leaves-before-the-first-byte"): ("aborted", 0),
    ("raise_in_a_later_next", "leaves-after-one-chunk"): ("aborted", 2),
    ("raise_in_close", "leaves-before-the-first-byte"): ("failed", 0),
}


@logging_coats
@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_record_by_hand(case: tuple[str, str], coat: Coat):
    name, client_name = case
    client = next(client for client in CLIENTS if client.name == client_name)
    _, (record,) = _serve(SPECIMENS[name], coat, client)
    assert (record["outcome"], record["response_bytes"]) == CASES[case]


@logging_coats
@pytest.mark.parametrize("wrapper", [FileWrapper, FileFunction()], ids=["class", "function"])
def test_record_of_a_file_that_the_server_took(coat: Coat, wrapper):
    _, (record,) = _serve(SPECIMENS["file_by_wrapper_or_iter"], coat, wsgi__file_wrapper=wrapper)
    assert (record["outcome"], record["status"]) == ("handed_off", 200)
    assert "response_bytes" not in record


@logging_coats
def test_record_of_a_file_without_a_wrapper(coat: Coat):
    _, (record,) = _serve(SPECIMENS["file_by_wrapper_or_iter"], coat)
    assert (record["outcome"], record["response_bytes"]) == ("complete", 4)


@logging_coats
def test_endless_stream_that_the_client_leaves(coat: Coat):
    def endless(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        while True:
            yield b"tick"

    records: list[dict] = []
    seen = call(coat.wear(endless, records), client=Client("leaves", leaves_after=25))
    assert (seen.body, records[0]["outcome"], records[0]["response_bytes"]) == (b"tick" * 25, "aborted", 100)
