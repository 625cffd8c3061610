import logging
import re
import string
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.apps import answering, ok
from support.server_timing import Metric, parse
from support.wsgi import call

from overcoat.middleware import RequestLog, ServerTiming, Stack, current_exchange, server_timing, timer

METRIC = re.compile(r"""[!#$%&'*+.^_`|~0-9A-Za-z-]+;dur=[0-9]+\.[0-9]{3}(;desc="(?:[ !#-\[\]-~]|\\["\\])*")?""")
TOKEN = st.text("!#$%&'*+-.^_`|~" + string.digits + string.ascii_letters, min_size=1, max_size=64)


def timed(*names):
    def app(environ, start_response):
        for name in names:
            with timer(name):
                pass
        start_response("200 OK", [])
        return [b"ok"]

    return app


def measured(*timings):
    def app(environ, start_response):
        for timing in timings:
            current_exchange().add_timing(*timing)
        start_response("200 OK", [])
        return [b"ok"]

    return app


def metrics(seen):
    """The names in the one header; each metric is of the strict form that this layer writes."""
    [value] = seen.header("Server-Timing")
    found = parse(value)
    assert ", ".join(match[0] for match in METRIC.finditer(value)) == value
    return [metric.name for metric in found]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("miss, db;dur=53, app;dur=47.2", [("miss", {}), ("db", {"dur": "53"}), ("app", {"dur": "47.2"})]),
        ('cache;desc="Cache, Read";dur=23.2', [("cache", {"desc": "Cache, Read", "dur": "23.2"})]),
        ("dc;desc=atl;desc=lhr , ,", [("dc", {"desc": "atl"})]),
        (r'a ; desc = "say \"hi\"; \\" ; dur=1', [("a", {"desc": 'say "hi"; \\', "dur": "1"})]),
        ('a;desc="never closed, b;dur=1', [("a", {"desc": "never closed, b;dur=1"})]),
        ("a;dur;desc=b", [("a", {"dur;desc": "b"})]),
        ("", []),
    ],
    ids=["the specification's", "quoted", "twice and empty", "escaped", "open", "no value", "nothing"],
)
def test_the_second_opinion(value, expected):
    assert parse(value) == [Metric(name, params) for name, params in expected]


@pytest.mark.parametrize(
    ("expose", "expected"),
    [
        ("total", ["total"]),
        ("all", ["db", "render", "total"]),
        (["db"], ["db"]),
        (("total", "render"), ["render", "total"]),
        ({"db": 1}.keys(), ["db"]),
        (["cache", "total"], ["total"]),
        (["cache"], None),
    ],
    ids=str,
)
@pytest.mark.parametrize("asks", [False, True], ids=["given", "answered"])
def test_what_is_exposed(expose, expected, asks):
    layer = ServerTiming(timed("db", "render", "db"), expose=(lambda exchange: expose) if asks else expose)
    seen = call(layer)
    assert (metrics(seen) if expected else seen.header("Server-Timing") or None) == expected


def test_by_default_only_the_total_is():
    assert metrics(call(ServerTiming(timed("db")))) == ["total"]


def test_all_without_a_timing_is_the_total():
    assert metrics(call(ServerTiming(ok, expose="all"))) == ["total"]


@pytest.mark.parametrize("answer", [None, False, (), ""], ids=repr)
def test_a_callable_may_answer_nothing(answer, caplog):
    asked = []

    def expose(exchange):
        asked.append(exchange.path)
        return answer

    seen = call(ServerTiming(timed("db"), expose=expose, allow_origin="*"), PATH_INFO="/x")
    assert asked == ["/x"]
    assert (seen.status, seen.header("Server-Timing"), seen.header("Timing-Allow-Origin")) == ("200 OK", [], [])
    assert not caplog.records


def failing(exchange):
    raise KeyError("no such session")


@pytest.mark.parametrize(
    "expose",
    [failing, lambda exchange: True, lambda exchange: "al", lambda exchange: ["a b"], lambda exchange: [[]]],
    ids=["raises", "True", "misspelt", "no name", "no text"],
)
def test_a_callable_that_fails_breaks_no_response_and_is_logged_once(expose, caplog):
    layer = ServerTiming(timed("db"), expose=expose)
    for _ in range(3):
        seen = call(layer)
        assert (seen.status, seen.body, seen.header("Server-Timing")) == ("200 OK", b"ok", [])
    [record] = caplog.records
    assert (record.name, record.levelno) == ("overcoat", logging.ERROR)
    assert "nothing is published" in record.getMessage()
    assert record.exc_info


def test_the_total_says_what_it_is_of():
    [value] = call(ServerTiming(ok)).header("Server-Timing")
    [total] = parse(value)
    assert total.params["desc"] == "until headers"


def test_item_39_a_stream_s_header_has_what_is_known_then_and_its_line_the_rest():
    def app(environ, start_response):
        with timer("before"):
            pass
        with timer("around"):
            start_response("200 OK", [])
            yield b"first"
        with timer("after"):
            yield b"second"

    records = []
    seen = call(Stack(app, [RequestLog(to=records.append), ServerTiming(expose="all")]))
    assert metrics(seen) == ["before", "total"]
    assert sorted(records[0]["timings"]) == ["after", "around", "before"]


def test_numbers_and_descriptions():
    app = measured(("db", 1_234_567), ("db", 1_000_000, 2), ("cache", 23, 1, 'hit; "eu", \\1'))
    [value] = call(ServerTiming(app, expose="all")).header("Server-Timing")
    assert parse(value)[:2] == [
        Metric("db", {"dur": "2.235"}),
        Metric("cache", {"dur": "0.000", "desc": 'hit; "eu", \\1'}),
    ]


def test_a_timer_s_description_is_published_and_that_of_one_request_stays_there():
    def app(environ, start_response):
        with timer("cache", description=environ["PATH_INFO"]):
            pass
        with timer("db"):
            pass
        start_response("200 OK", [])
        return []

    layer = ServerTiming(app, expose=["cache", "db"])
    described = [
        [metric.params.get("desc") for metric in parse(call(layer, PATH_INFO=path).header("Server-Timing")[0])]
        for path in ("/a", "/b")
    ]
    assert described == [["/a", None], ["/b", None]]


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("größe", "gr\\xf6\\xdfe"),
        ("日本", "\\u65e5\\u672c"),
        ("a\r\nSet-Cookie: x=1", "a\\r\\nSet-Cookie: x=1"),
        ("\0\x1b[31m\x7f", "\\x00\\x1b[31m\\x7f"),
        ("\ud800", "\\ud800"),
        ("", ""),
        ("x" * 100_000, "x" * 128),
        (7, "7"),
    ],
    ids=["Latin-1", "not Latin-1", "CVE-2020-7695", "control characters", "a surrogate", "empty", "long", "a number"],
)
def test_a_description_is_ascii(description, shown):
    [value] = call(ServerTiming(measured(("db", 1, 1, description)), expose=["db"])).header("Server-Timing")
    assert parse(value) == [Metric("db", {"dur": "0.000", "desc": shown})]
    assert METRIC.fullmatch(value)


@given(st.dictionaries(TOKEN.filter(lambda name: name.lower() != "total"), st.text(max_size=40), max_size=8))
def test_what_is_put_in_is_what_is_read(descriptions):
    app = measured(*((name, 1_500_000, 1, description) for name, description in descriptions.items()))
    [value] = call(ServerTiming(app, expose="all")).header("Server-Timing")
    *found, total = parse(value)
    assert total.name == "total"
    assert [metric.name for metric in found] == list(descriptions)
    for metric, description in zip(found, descriptions.values(), strict=True):
        assert metric.params["dur"] == "1.500"
        plain = description.isascii() and description.isprintable()
        assert metric.params["desc"] == description if plain else metric.params["desc"].isascii()


@given(st.lists(st.tuples(st.text(max_size=80), st.integers(0, 10**18), st.just(1), st.text()), max_size=80))
def test_the_header_is_one_whatever_is_put_in(timings):
    [value] = call(ServerTiming(measured(*timings), expose="all")).header("Server-Timing")
    assert ", ".join(match[0] for match in METRIC.finditer(value)) == value
    assert parse(value)[-1].name == "total"
    assert len(value) <= 2048


def test_of_a_long_description_only_what_is_shown_is_remembered():
    before = server_timing._described.cache_info()
    for end in "abc":
        call(ServerTiming(measured(("db", 1, 1, "long " * 1000 + end)), expose="all"))
    after = server_timing._described.cache_info()
    assert (after.misses - before.misses, after.hits - before.hits) == (1, 2)


def test_the_header_has_a_bounded_size():
    names = [f"{number:03}{'x' * 61}" for number in range(60)]
    [value] = call(ServerTiming(measured(*((name, 1) for name in names)), expose="all")).header("Server-Timing")
    found = [metric.name for metric in parse(value)]
    assert found[-1] == "total"
    assert found[:-1] == names[: len(found) - 1]
    assert 2048 - 2 * 64 < len(value) <= 2048


def test_what_is_put_past_the_check_splits_no_response():
    def app(environ, start_response):
        current_exchange().timings["a\r\nSet-Cookie: x=1;"] = [1, 1]
        start_response("200 OK", [])
        return []

    assert metrics(call(ServerTiming(app, expose="all"))) == ["a__Set-Cookie__x_1_", "total"]


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
            start_response("500 Oops", [], sys.exc_info())
        return [b"sorry"]

    assert metrics(call(ServerTiming(app))) == ["total"]


@pytest.mark.parametrize(
    ("allow_origin", "sent"),
    [
        ("*", "*"),
        ("https://shop.example", "https://shop.example"),
        (["https://a.example", "http://localhost:5173"], "https://a.example, http://localhost:5173"),
        (("http://[::1]:8080", "http://127.0.0.1"), "http://[::1]:8080, http://127.0.0.1"),
    ],
    ids=["any", "one", "several", "addresses"],
)
def test_other_origins_may_read_it(allow_origin, sent):
    seen = call(ServerTiming(ok, allow_origin=allow_origin))
    assert seen.header("Timing-Allow-Origin") == [sent]
    assert metrics(seen) == ["total"]


def test_the_app_s_own_choice_of_origins_stands():
    app = answering(headers=[("timing-allow-origin", "https://mine.example")])
    assert call(ServerTiming(app, allow_origin="*")).header("Timing-Allow-Origin") == ["https://mine.example"]


def test_by_default_no_other_origin_may():
    assert call(ServerTiming(ok)).header("Timing-Allow-Origin") == []


@pytest.mark.parametrize(
    "origin",
    [
        "shop.example", "https://shop.example/", "https://Shop.example", "https://shop.example:443",
        "http://[::1]:80", "https://*.example", "null", "", "https://a.example\r\nX: y", "ftp://a.example",
        ["https://a.example", "*"], [None], "https://a.example, https://b.example",
    ],
    ids=repr,
)  # fmt: skip
def test_wrong_origins(origin):
    with pytest.raises(ValueError, match=r"ServerTiming: allow_origin=.* is no origin as browsers write it"):
        ServerTiming(ok, allow_origin=origin)


def test_no_origin_is_a_slip():
    with pytest.raises(ValueError, match=r"allow_origin=\[\] names no origin: leave it out"):
        ServerTiming(ok, allow_origin=[])


@pytest.mark.parametrize(
    ("expose", "message"),
    [
        ("al", "expose='al' .* did you mean 'all'"),
        ("db", "expose='db' is none of 'total', 'all'"),
        (None, "expose=None must be"),
        (True, "expose=True must be"),
        ([], r"expose=\[\] must be"),
        (["db", 1], r"expose=\['db', 1\] must be"),
        (["a b"], r"expose=\['a b'\] must be"),
        ([[]], r"expose=\[\[\]\] must be"),
        (b"db", "expose=b'db' must be"),
    ],
    ids=repr,
)
def test_wrong_options(expose, message):
    with pytest.raises(ValueError, match=message):
        ServerTiming(ok, expose=expose)
