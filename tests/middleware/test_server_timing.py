import re

import pytest
from support.apps import answering, ok
from support.wsgi import call

from overcoat.middleware import ServerTiming, timer

METRIC = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+;dur=\d+\.\d{3}")


def timed(*names):
    def app(environ, start_response):
        for name in names:
            with timer(name):
                pass
        start_response("200 OK", [])
        return [b"ok"]

    return app


def metrics(seen):
    [value] = seen.header("Server-Timing")
    found = value.split(", ")
    assert all(METRIC.fullmatch(metric) for metric in found), value
    return [metric.partition(";")[0] for metric in found]


def test_only_the_total_by_default():
    assert metrics(call(ServerTiming(timed("db")))) == ["total"]


def test_all_timings_if_asked_for():
    assert metrics(call(ServerTiming(timed("db", "render", "db"), expose="all"))) == ["db", "render", "total"]


def test_all_without_a_timing_is_the_total():
    assert metrics(call(ServerTiming(ok, expose="all"))) == ["total"]


@pytest.mark.parametrize(
    ("answer", "expected"), [("total", ["total"]), ("all", ["db", "total"]), (None, None)], ids=str
)
def test_a_callable_decides(answer, expected):
    asked = []

    def expose(exchange):
        asked.append(exchange.path)
        return answer

    seen = call(ServerTiming(timed("db"), expose=expose), PATH_INFO="/x")
    assert asked == ["/x"]
    assert (metrics(seen) if expected else seen.header("Server-Timing") or None) == expected


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("db query", "db_query"),
        ("CVE-2020-7695\r\nSet-Cookie: x=1", "CVE-2020-7695__Set-Cookie__x_1"),
        ('a;dur=9,"b"', "a_dur_9__b_"),
        ("grün", "gr_n"),
        ("日", "_"),
    ],
)
def test_a_name_that_is_no_token_is_made_one(name, shown):
    assert metrics(call(ServerTiming(timed(name), expose="all"))) == [shown, "total"]


def test_the_app_s_own_header_stays_beside_it():
    seen = call(ServerTiming(answering(headers=[("Server-Timing", "cache;desc=hit")])))
    first, second = seen.header("Server-Timing")
    assert first == "cache;desc=hit"
    assert METRIC.fullmatch(second)


def test_an_error_page_has_it_once():
    def app(environ, start_response):
        start_response("200 OK", [])
        try:
            raise KeyError
        except KeyError:
            import sys

            start_response("500 Oops", [], sys.exc_info())
        return [b"sorry"]

    assert metrics(call(ServerTiming(app))) == ["total"]


@pytest.mark.parametrize(
    ("expose", "message"),
    [("al", "expose='al' .* did you mean 'all'"), (None, "expose=None"), (True, "expose=True"), ([], "expose=")],
)
def test_wrong_options(expose, message):
    with pytest.raises(ValueError, match=message):
        ServerTiming(ok, expose=expose)
