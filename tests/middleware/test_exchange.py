import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.middleware import Exchange, current_exchange
from overcoat.middleware._exchange import decode_path


def with_headers(*headers):
    exchange = Exchange({})
    exchange.headers = list(headers)
    return exchange


def test_an_empty_environ_is_enough():
    exchange = Exchange({})
    assert (exchange.method, exchange.path, exchange.query, exchange.peer) == ("", "", "", None)
    assert (exchange.status, exchange.status_code, exchange.outcome, exchange.error) == (None, None, None, None)
    assert (exchange.request_id, exchange.client_request_id, exchange.route) == (None, None, None)
    assert exchange.duration_ms >= 0
    assert not exchange.finished


def test_it_keeps_what_was_there_at_entry():
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a/b", "QUERY_STRING": "x", "REMOTE_ADDR": "10.0.0.1"}
    exchange = Exchange(environ)
    environ.update(REQUEST_METHOD="POST", PATH_INFO="/b", QUERY_STRING="y", REMOTE_ADDR="192.0.2.1")
    assert (exchange.method, exchange.path, exchange.query, exchange.peer) == ("GET", "/a/b", "x", "10.0.0.1")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", 200),
        ("404", 404),
        ("599 X", 599),
        ("20", None),
        ("OK", None),
        ("", None),
        (None, None),
        ("+20 x", None),
        ("2_0 x", None),
        ("²00", None),
        ("٢٠٠ x", None),
        (200, None),
        (b"200 OK", None),
    ],
    ids=repr,
)
def test_status_code(status, code):
    exchange = Exchange({})
    exchange.status = status
    assert exchange.status_code == code


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/item", "/item"),
        ("/caf\xc3\xa9", "/café"),
        ("/\xff", "/\\xff"),
        ("/\xe2\x80\xae", "/\u202e"),
        ("/\u2028", "/\u2028"),
        ("", ""),
    ],
    ids=ascii,
)
def test_decode_path(raw, path):
    assert decode_path(raw) == path


@given(st.text(st.characters(codec="utf-8")))
def test_every_utf_8_path_is_decoded(path):
    assert decode_path(path.encode().decode("latin-1")) == path


@given(st.text(st.characters()))
def test_decoding_never_raises(raw):
    assert isinstance(decode_path(raw), str)


def test_set_header_takes_the_place_of_all():
    exchange = with_headers(("x-id", "1"), ("Set-Cookie", "a"), ("X-ID", "2"), ("Set-Cookie", "b"))
    exchange.set_header("X-Id", "3")
    assert exchange.headers == [("Set-Cookie", "a"), ("Set-Cookie", "b"), ("X-Id", "3")]


def test_add_header_keeps_the_others():
    exchange = with_headers(("Set-Cookie", "a"))
    exchange.add_header("Set-Cookie", "b")
    assert exchange.headers == [("Set-Cookie", "a"), ("Set-Cookie", "b")]
    assert exchange.header("set-cookie") == "a"
    assert exchange.header("X-None") is None
    assert exchange.header_names() == {"set-cookie"}


@pytest.mark.parametrize("method", ["set_header", "add_header"])
@pytest.mark.parametrize("value", ["a\r\nX: y", "a\n", "\r", "a\0b"], ids=repr)
def test_cve_2018_1000164_a_value_that_would_split_the_response(method, value):
    exchange = with_headers(("X-A", "1"))
    with pytest.raises(ValueError, match=r"X-A=.* would split the response"):
        getattr(exchange, method)("X-A", value)


@pytest.mark.parametrize(
    ("before", "names", "after"),
    [
        ([], ["Origin"], ["Origin"]),
        (["Cookie"], ["Origin", "Accept-Encoding"], ["Cookie, Origin, Accept-Encoding"]),
        (["Cookie, ORIGIN"], ["Origin"], ["Cookie, ORIGIN"]),
        (["Cookie", "Accept"], ["Origin"], ["Cookie, Accept, Origin"]),
        (["*"], ["Origin"], ["*"]),
        ([" , Cookie\t,"], ["Origin"], ["Cookie, Origin"]),
    ],
    ids=["none", "CVE-2023-30861 appended", "there already", "two headers", "star", "empty elements"],
)
def test_vary_is_merged(before, names, after):
    exchange = with_headers(*(("Vary", value) for value in before))
    exchange.vary(*names)
    assert [value for name, value in exchange.headers if name == "Vary"] == after


@pytest.mark.parametrize("entry", [(), ("X",), None, 7, (None, None), "X", (b"X", b"y")], ids=repr)
def test_an_entry_that_is_no_header_is_for_the_server(entry):
    exchange = with_headers(entry, ("X-A", "1"))
    exchange.set_header("X-B", "2")
    exchange.set_header("X-A", "3")
    assert exchange.header("X-A") == "3"
    assert {"x-a", "x-b"} <= exchange.header_names()
    assert entry in exchange.headers


def test_dicts_are_made_on_demand():
    exchange = Exchange({})
    exchange.state["k"] = 1
    exchange.fields["f"] = 2
    exchange.add_timing("db", 5)
    exchange.add_timing("db", 7)
    assert (exchange.state, exchange.fields, exchange.timings) == ({"k": 1}, {"f": 2}, {"db": [12, 2]})


def test_outside_a_request_there_is_none():
    assert current_exchange() is None
