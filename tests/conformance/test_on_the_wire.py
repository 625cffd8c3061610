"""The zoo on every real server: what a client gets of a specimen in the five layers is what it gets of the bare one."""

import json
from collections import Counter

import pytest
from support.coats import ADDS
from support.servers import SERVERS, serving
from support.wire import Answer, differences
from support.zoo import SPECIMENS

ADDED = {"server-timing", "x-request-id", *ADDS["SecurityHeaders"]}

#: A server ends with those that raise an exit, or starts a worker anew.
ASKED = [one for one in SPECIMENS.values() if one.raises is None or issubclass(one.raises[0], Exception)]

#: The same bytes in another frame: only an exact list or tuple has a length that a wrapper can promise to keep.
FRAMED_OTHERWISE = {
    "gevent": {
        "dict_as_the_body",
        "list_subclass_with_close",
        "list_whose_iter_differs",
        "sized_iterable",
        "text_as_the_body",
    },
    # It tells the length of a list alone, which a tuple becomes.
    "granian": {"empty_tuple", "list_subclass_with_close", "list_whose_iter_differs", "tuple"},
    "waitress": {"dict_as_the_body", "sized_iterable"},
    "wsgiref": {"dict_as_the_body", "sized_iterable"},
}

#: What differs all the same, by server, of apps that do not keep PEP 3333.
KNOWN = {
    # gevent takes the length of each byte, a number, and fails before it sends.
    "gevent": {"bytes_as_the_body"},
    # granian asks for an iterator before it sends, and answers 500; ours has one, which fails after the 200.
    "granian": {"number_as_the_body", "raise_in_iter"},
    # uWSGI sends bytes as they are; its start_response knows no keyword, and ours hands exc_info on by its place.
    "uwsgi": {"bytes_as_the_body", "exc_info_by_keyword"},
}

#: How often the app's iterable is closed, bare and worn, where it is not as often as the specimen says.
CLOSED_OTHERWISE = {
    # granian closes no list, but frees ours, which then closes the app's; an iterable without an iterator likewise. Its
    # start_response returns no write: what wants one raises in its call.
    "granian": {
        "list_subclass_with_close": (0, 1),
        "list_whose_iter_differs": (0, 1),
        "raise_in_iter": (0, 1),
        "write_before_an_iterator": (0, 0),
        "write_then_raise_in_the_first_next": (0, 0),
    },
    # cheroot sends the headers before it closes, and fails there if there are none.
    "cheroot": {"start_after_a_chunk": (0, 0)},
}

#: What leaves no line in the log, because the server never closes it.
UNTOLD = {"cheroot": {"start_after_a_chunk", "raise_before_a_late_start"}}


@pytest.mark.parametrize("name", SERVERS)
def test_every_specimen_on_the_wire(name, tmp_path):
    """The same status, headers and bytes; each iterable closed as often as without us; one line in the log for each."""
    log, closes = tmp_path / "request.log", tmp_path / "closes"
    closes.touch()
    found, framed_otherwise = {}, set()
    with serving([*SERVERS[name], "support.served_zoo:app"], LOG_FILE=str(log), CLOSES_FILE=str(closes)) as server:
        for one in ASKED:
            bare, worn = (
                Answer.of(
                    server.exchange(
                        f"{one.method} /{how}/{one.name} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
                    )
                )
                for how in ("bare", "worn")
            )
            if differs := differences(bare, worn, ADDED, framing=False):
                found[one.name] = differs
            elif differences(bare, worn, ADDED):
                framed_otherwise.add(one.name)
    assert framed_otherwise == FRAMED_OTHERWISE.get(name, set())
    assert set(found) == KNOWN.get(name, set()), found

    count = Counter(closes.read_text(encoding="ascii").splitlines())
    closed = {one.name: (count[f"bare {one.name}"], count[f"worn {one.name}"]) for one in ASKED}
    assert closed == {one.name: (one.closes or 0, one.closes or 0) for one in ASKED} | CLOSED_OTHERWISE.get(name, {})

    lines = Counter(json.loads(line)["path"] for line in log.read_bytes().splitlines())
    assert lines == {f"/worn/{one.name}": 1 for one in ASKED if one.name not in UNTOLD.get(name, ())}
