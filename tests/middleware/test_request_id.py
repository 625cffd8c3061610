import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import Recorder, answering, ok
from support.wsgi import call

from overcoat.middleware import ProxyFix, RequestID, RequestLog, Stack

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
def test_item_34_a_harmless_id_is_accepted(theirs):
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
def test_item_34_another_is_replaced_and_kept(theirs):
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


def test_item_34_policy_replace_makes_one_always():
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
def test_item_35_every_status_has_it(status):
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


PATTERNS = {
    "text": (r"req_[0-9]{4}", "req_0001", True),
    "compiled": (re.compile(r"REQ_\d{4}", re.IGNORECASE), "req_0001", True),
    "from end to end": (r"[0-9]+", "12a", False),
    "from end to end, alternatives": (r"a|b+", "bbx", False),
    "with its own anchors": (r"^[0-9]+$", "12", True),
    "what the default refuses": (r"[\w/=+;-]+", "Root=1-67891233;Self=1/2+3", True),
    "200 characters": (r".*", "a" * 200, True),
    "256 characters": (r".*", "a" * 256, True),
    "257 characters": (r".*", "a" * 257, False),
    "none": (r".*", "", False),
    "a line feed behind": (r"[0-9]+$", "12\n", False),
    "line feed in between": (r"(?s).*", "a\r\nSet-Cookie: b=1", False),
    "NUL": (r"(?s).*", "a\0", False),
    "escape": (r"(?s).*", "\x1b[31m", False),
    "space": (r".*", "a b", False),
    "bytes as latin-1": (r"\w+", "caf\xc3\xa9", False),
    "digits that are not ASCII": (r"\d+", "١٢٣", False),
}


@pytest.mark.parametrize(("pattern", "theirs", "accepted"), PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_of_one_s_own(pattern, theirs, accepted):
    app = Recorder()
    [ours] = call(RequestID(app, pattern=pattern), HTTP_X_REQUEST_ID=theirs).header("X-Request-ID")
    assert (ours == theirs) is accepted
    assert app.exchange.client_request_id == (None if accepted else theirs[:128] or None)


@given(st.text())
def test_whatever_the_pattern_the_response_is_safe(theirs):
    [ours] = call(RequestID(ok, pattern="(?s).*"), HTTP_X_REQUEST_ID=theirs).header("X-Request-ID")
    assert re.fullmatch(r"[!-~]{1,256}", ours)


@pytest.mark.parametrize(
    ("trusted", "peer", "accepted"),
    [
        (["10.0.0.0/8"], "10.0.0.7", True),
        (["10.0.0.0/8"], "::ffff:10.0.0.7", True),
        (["10.0.0.0/8"], "192.0.2.1", False),
        (["10.0.0.0/8"], "garbage", False),
        (["unix:"], "", True),
        (["10.0.0.0/8"], "", False),
        ([], "127.0.0.1", False),
    ],
)
def test_item_34_whose_id_is_accepted(trusted, peer, accepted):
    app = Recorder()
    call(RequestID(app, trusted=trusted), HTTP_X_REQUEST_ID="theirs", REMOTE_ADDR=peer)
    assert (app.exchange.request_id == "theirs") is accepted
    assert app.exchange.client_request_id == (None if accepted else "theirs")


def test_the_peer_is_who_connected_wherever_proxy_fix_stands():
    app = Recorder()
    stack = Stack(app, [ProxyFix(trusted=["127.0.0.1"]), RequestID(trusted=["127.0.0.1"])])
    call(stack, HTTP_X_REQUEST_ID="gateway-7", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR="192.0.2.1")
    assert app.exchange.request_id == "gateway-7"


def test_a_generator_of_one_s_own():
    numbers = iter(range(100))
    layer = RequestID(ok, generator=lambda: f"n/{next(numbers)}")
    assert [call(layer).header("X-Request-ID") for _ in range(2)] == [["n/1"], ["n/2"]]  # 0 was for the trial
    assert call(layer, HTTP_X_REQUEST_ID="theirs").header("X-Request-ID") == ["theirs"]
    assert next(numbers) == 3


FAILING = {
    "no text": lambda: 7,
    "empty": lambda: "",
    "too long": lambda: "a" * 257,
    "control characters": lambda: "a\r\nSet-Cookie: b=1",
    "raises": lambda: 1 / 0,
}


@pytest.mark.parametrize("fails", FAILING.values(), ids=FAILING)
def test_a_generator_that_fails_later_is_told_once(fails, caplog):
    made = iter([lambda: "first", lambda: "good", fails, fails, lambda: "again"])

    def generate():
        return next(made)()

    layer = RequestID(ok, generator=generate)
    seen = [call(layer).header("X-Request-ID")[0] for _ in range(4)]
    assert [seen[0], seen[3]] == ["good", "again"]
    assert all(HEX.fullmatch(each) for each in seen[1:3])
    [line] = caplog.records
    assert line.levelname == "ERROR"
    assert line.getMessage().startswith("RequestID: generator=<function")
    assert "\n" not in line.getMessage()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "("}, r"RequestID: pattern='\(' is no regular expression: missing \)"),
        ({"pattern": b"a"}, "pattern=b'a' matches bytes"),
        ({"pattern": re.compile(b"a")}, "matches bytes"),
        ({"pattern": 7}, "pattern=7 is no regular expression"),
        ({"pattern": "a", "policy": "replace"}, "pattern='a' has no effect with policy='replace'"),
        ({"trusted": ["::1"], "policy": "replace"}, r"trusted=\['::1'\] has no effect with policy='replace'"),
        ({"trusted": "::1"}, r"RequestID: trusted='::1' must be a list: trusted=\['::1'\]"),
        ({"trusted": ["10.0.0.1/8"]}, r"RequestID: trusted entry '10.0.0.1/8' .* write '10.0.0.0/8'"),
        ({"generator": "uuid4"}, "generator='uuid4' must be a callable without arguments"),
        ({"generator": uuid.uuid4}, r"generator=<function uuid4.* returned UUID\(.*\): write lambda: str\(...\)"),
        ({"generator": lambda size: "a"}, "it raised TypeError"),
        ({"generator": lambda: "a b"}, "it returned 'a b'$"),
        ({"generator": lambda: ""}, "it returned ''$"),
        ({"generator": FAILING["raises"]}, "it raised ZeroDivisionError"),
    ],
)
def test_wrong_patterns_generators_and_networks(options, message):
    with pytest.raises(ValueError, match=message):
        RequestID(ok, **options)
