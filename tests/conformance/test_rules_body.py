"""The protocol rule about bodies: a list stays a list, anything else is carried chunk by chunk."""

import io
from wsgiref.handlers import SimpleHandler

import pytest
from support.wsgi import make_environ

from overcoat.middleware import RequestID, RequestLog, Stack


def nothing(status, headers, exc_info=None):
    """A start_response for those who look at the body alone."""


def app_of(body):
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    return app


def logged(body, **environ):
    """The body as a server gets it through a log, and the list that the record will be in."""
    records = []
    return RequestLog(app_of(body), to=records.append)(make_environ(**environ), nothing), records


# Rule 4: an exact list or tuple stays a list; anything else is carried, without a length.


@pytest.mark.parametrize("body", [[b"ab", b"cd"], (b"ab",), [], ()], ids=repr)
def test_list_keeps_its_length_and_its_content(body):
    held, records = logged(body)
    assert isinstance(held, list)
    assert (len(held), list.copy(held), bool(held)) == (len(body), list(body), bool(body))
    assert list(held) == list(body)
    held.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (sum(map(len, body)), "complete")


def test_list_read_twice_is_sent_once():
    held, records = logged([b"ab", b"cd"])
    assert sum(len(chunk) for chunk in held) == 4
    assert b"".join(held) == b"abcd"
    held.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (4, "complete")


def test_list_measured_whole_and_then_left():
    held, records = logged([b"ab", b"cd"])
    assert sum(len(chunk) for chunk in held) == 4
    next(iter(held))
    held.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (2, "aborted")


def test_server_lets_go_of_a_list_without_a_close():
    """granian joins a list and never closes it: the end is when it is dropped, and comes once."""
    held, records = logged([b"ab", b"cd"])
    assert b"".join(held) == b"abcd"
    assert records == []
    del held
    assert [(record["response_bytes"], record["outcome"]) for record in records] == [(4, "complete")]
    held, records = logged([b"ab"])
    held.close()
    del held
    assert len(records) == 1


def test_the_apps_list_is_not_touched():
    own = [b"ab"]
    held, _ = logged(own)
    assert held is not own
    held.append(b"cd")
    held.close()
    assert own == [b"ab"]


def test_wsgiref_infers_the_content_length():
    """wsgiref asks ``len()`` of the result, as waitress does."""
    out = io.BytesIO()
    environ = make_environ()
    handler = SimpleHandler(environ["wsgi.input"], out, environ["wsgi.errors"], environ)
    handler.run(Stack(app_of([b"hello"]), [RequestID(), RequestLog(to=lambda record: None)]))
    assert b"Content-Length: 5\r\n" in out.getvalue()
    assert out.getvalue().endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    "body",
    [iter([b"ab"]), (chunk for chunk in [b"ab"]), {b"ab": 1}, type("Chunks", (list,), {})([b"ab"])],
    ids=["iterator", "generator", "dict", "list-subclass"],
)
def test_anything_else_is_carried(body):
    carried, records = logged(body)
    assert not hasattr(carried, "__len__")
    assert list(carried) == [b"ab"]
    carried.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (2, "complete")


class Again:
    """Begins anew with each ``iter()``, as a file of templates or a queryset does."""

    def __iter__(self):
        return iter([b"ab", b"cd"])


@pytest.mark.parametrize(
    ("body", "second"), [(Again(), [b"ab", b"cd"]), (iter([b"ab", b"cd"]), [])], ids=["begins-anew", "goes-on"]
)
def test_carrier_read_twice_is_sent_once(body, second):
    carried, records = logged(body)
    assert list(carried) == [b"ab", b"cd"]
    assert list(carried) == second
    carried.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (4, "complete")


@pytest.mark.parametrize(
    ("body", "rest", "counted"),
    [(Again(), [b"ab", b"cd"], 4), (iter([b"ab", b"cd", b"ef"]), [b"cd", b"ef"], 6)],
    ids=["begins-anew", "goes-on"],
)
def test_carrier_begun_and_begun_again(body, rest, counted):
    """A wrapper takes the first chunk to see the headers, and then starts over."""
    carried, records = logged(body)
    assert next(iter(carried)) == b"ab"
    assert list(carried) == rest
    carried.close()
    assert (records[0]["response_bytes"], records[0]["outcome"]) == (counted, "complete")


def test_empty_carrier_is_true():
    """A server that asks ``if result:`` must not lose the ``close``."""
    carried, _ = logged(iter(()))
    assert carried
    carried.close()
