import os
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import Recorder, answering, ok
from support.wsgi import call

from overcoat.middleware import RequestID, RequestLog, Stack, request_id

HEX = re.compile(r"[0-9a-f]{32}")


@pytest.mark.parametrize(
    "theirs",
    [
        "gateway-7",
        "a",
        "a" * 128,
        "1-67891233-abcdef012345678912345678:x.y_z",
        "00000000-0000-0000-0000-000000000000",
    ],
    ids=["short", "one character", "128 characters", "an AWS trace id", "a UUID"],
)
def test_a_harmless_id_is_accepted(theirs):
    app = Recorder()
    seen = call(RequestID(app), HTTP_X_REQUEST_ID=theirs)
    assert seen.header("X-Request-ID") == [theirs]
    assert app.environ["overcoat.request_id"] == app.environ["HTTP_X_REQUEST_ID"] == theirs
    assert app.exchange.request_id == theirs
    assert app.exchange.client_request_id is None


REFUSED = {
    "empty": "",
    "129 characters": "a" * 129,
    "64 KiB": "a" * 65536,
    "space": "a b",
    "two headers joined": "a, b",
    "CVE-2020-7695 response splitting": "a\r\nSet-Cookie: x=1",
    "line feed at the end": "a\n",
    "NUL": "a\0b",
    "CVE-2020-7694 terminal escape": "\x1b[31m",
    "markup": "<script>",
    "quotes": '"}, "level":"info',
    "non-ASCII digits": "١٢٣",
    "bytes as latin-1": "caf\xc3\xa9",
    "bidi control": "\u202eid",
    "slash": "../../etc",
}


@pytest.mark.parametrize("theirs", REFUSED.values(), ids=REFUSED)
def test_another_is_replaced_and_kept(theirs):
    app = Recorder()
    records = []
    seen = call(Stack(app, [RequestID(), RequestLog(to=records.append)]), HTTP_X_REQUEST_ID=theirs)
    [ours] = seen.header("X-Request-ID")
    assert HEX.fullmatch(ours)
    assert app.environ["overcoat.request_id"] == app.environ["HTTP_X_REQUEST_ID"] == ours
    assert records[0]["request_id"] == ours
    assert app.exchange.client_request_id == (theirs[:128] or None)
    assert len(records[0].get("client_request_id", "")) <= 4 * 128


@given(st.text())
def test_whatever_comes_the_response_is_safe(theirs):
    [ours] = call(RequestID(ok), HTTP_X_REQUEST_ID=theirs).header("X-Request-ID")
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", ours)


def test_without_one_it_makes_one():
    app = Recorder()
    [ours] = call(RequestID(app)).header("X-Request-ID")
    assert HEX.fullmatch(ours)
    assert app.environ["HTTP_X_REQUEST_ID"] == ours


def test_policy_replace_makes_one_always():
    app = Recorder()
    seen = call(RequestID(app, policy="replace"), HTTP_X_REQUEST_ID="harmless")
    assert HEX.fullmatch(seen.header("X-Request-ID")[0])
    assert app.exchange.client_request_id == "harmless"


def test_another_header_can_carry_it():
    app = Recorder()
    seen = call(RequestID(app, header="X-Correlation-Id"), HTTP_X_CORRELATION_ID="c-1", HTTP_X_REQUEST_ID="r-1")
    assert seen.header("X-Correlation-Id") == ["c-1"]
    assert seen.header("X-Request-ID") == []
    assert app.environ["overcoat.request_id"] == "c-1"


@pytest.mark.parametrize("name", ["X-Request-ID", "x-request-id"])
def test_the_app_s_own_header_gives_way(name):
    seen = call(RequestID(answering(headers=[(name, "other"), (name, "more")])), HTTP_X_REQUEST_ID="r-1")
    assert seen.header("X-Request-ID") == ["r-1"]


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "404 Not Found", "500 Oops"])
def test_every_status_has_it(status):
    assert call(RequestID(answering(status, body=[])), HTTP_X_REQUEST_ID="r-1").header("X-Request-ID") == ["r-1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"header": "X Request"}, r"RequestID: header='X Request' is no header name"),
        ({"header": "X-Id\r\nSet-Cookie"}, "is no header name"),
        ({"header": "X-Id\n"}, "is no header name"),
        ({"header": ""}, "is no header name"),
        ({"header": None}, "header=None"),
        ({"policy": "acept"}, "policy='acept' .* did you mean 'accept'"),
        ({"policy": None}, "policy=None is none of 'accept', 'replace'"),
        ({"haeder": "X"}, "unknown option haeder='X'; did you mean 'header'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        RequestID(ok, **options)


def test_cve_2019_14806_ids_do_not_follow_the_global_seed():
    made = set()
    for _ in range(10):
        random.seed(1)
        made.add(request_id.new_id())
    assert len(made) == 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_cve_2019_14806_forked_workers_do_not_repeat_each_other():
    ids = []
    for _ in range(3):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writer, request_id.new_id().encode())
            os._exit(0)
        os.close(writer)
        ids.append(os.read(reader, 64).decode())
        os.close(reader)
        os.waitpid(pid, 0)
    assert len({*ids, request_id.new_id()}) == 4
    assert all(HEX.fullmatch(each) for each in ids)
