"""The log page as its URLs answer: figures, requests, one request; what it tells nobody; how it follows a log."""

import gzip
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from statistics import median

import orjson
import pytest
from support.log_lines import START, hostile_records, line, log_lines, records, timestamp
from support.servers import PATIENCE_S, wait_for
from support.wsgi import call

from overcoat.inspector import LogPage, _scratch
from overcoat.inspector.page import _api, _feed, _figures, _index
from overcoat.inspector.page._view import View
from overcoat.middleware import Mount, RequestLog, Stack


class Site:
    """A page over a log, asked as a browser on this machine asks."""

    def __init__(self, path, **options):
        self.path = path
        self.page = LogPage(path, **options)

    def get(self, path, query="", **environ):
        local = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"}
        return call(self.page, PATH_INFO=path, QUERY_STRING=query, **local | environ)

    def json(self, name, query="range=all"):
        """An answer of the API, once all of the log was read."""

        def whole():
            seen = self.get(f"/api/{name}", query)
            assert seen.status == "200 OK", seen.body
            found = orjson.loads(seen.body)
            return found if found["share_read"] == 1 or found["full"] else None

        return wait_for(whole, "all of the log to be read")

    def append(self, *lines):
        with self.path.open("ab") as log:
            log.writelines(one + b"\n" for one in lines)


@pytest.fixture
def site(tmp_path):
    """Makes a site over some lines."""
    made = []

    def make(lines=(), name="app.log", **options):
        path = tmp_path / name
        path.write_bytes(b"".join(one + b"\n" for one in lines))
        made.append(Site(path, **options))
        return made[-1]

    yield make
    for one in made:
        one.page.close()


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(_feed, "FIRST_PIECE_BYTES", 700)
    monkeypatch.setattr(_feed, "PIECE_BYTES", 5000)


def test_the_requests_come_with_the_latest_first(site):
    made = list(records(300, seed=1))
    found = site(map(orjson.dumps, made)).json("requests")
    assert found["requests"] == 300
    latest = made[::-1][:100]
    assert [row["request_id"] for row in found["rows"]] == [one["request_id"] for one in latest]
    assert [row["status"] for row in found["rows"]] == [one["status"] for one in latest]
    when = datetime.fromisoformat(latest[0]["timestamp"])
    assert found["rows"][0]["at_ms"] == when.timestamp() * 1000 // 1


def test_a_time_is_cut_and_not_rounded_so_that_it_is_the_same_everywhere(site):
    page = site([line(timestamp=f"2026-11-20T00:00:0{second}.9996Z", request_id=f"a{second}") for second in range(3)])
    assert [row["at_ms"] % 60_000 for row in page.json("requests")["rows"]] == [2999, 1999, 999]
    found = page.json("overview")
    assert (found["step_s"], found["classes"]["2xx"]) == (1, [1, 1, 1])


def test_the_figures_are_those_of_the_requests(site):
    made = list(records(2000, seed=2))
    found = site(map(orjson.dumps, made)).json("overview")
    total = found["total"]
    errors = sum(one["status"] >= 500 or one["outcome"] == "failed" for one in made)
    assert (total["requests"], total["errors"]) == (2000, errors)
    assert total["4xx"] == sum(400 <= one["status"] <= 499 for one in made)
    assert total["p50"] == pytest.approx(median(one["duration_ms"] for one in made))
    assert total["bytes"] == sum(one["response_bytes"] for one in made)
    classes = {name: sum(counts) for name, counts in found["classes"].items()}
    assert classes == {f"{n}xx": sum(one["status"] // 100 == n for one in made) for n in range(2, 6)} | {"other": 0}
    assert sum(group["requests"] for group in found["groups"]) == 2000
    (group,) = (group for group in found["groups"] if group["key"] == "/item/<int:item_id>")
    durations = [one["duration_ms"] for one in made if one.get("route") == "/item/<int:item_id>"]
    assert (group["requests"], group["p50"]) == (len(durations), pytest.approx(median(durations)))
    assert sum(group["spark"]) == len(durations)
    assert group["total_ms"] == pytest.approx(sum(durations))


def test_every_bucket_holds_what_happened_in_it(site):
    steps = [0, 1, 1, 59, 60, 61, 3599]
    made = [line(timestamp=timestamp(START + timedelta(seconds=s)), duration_ms=float(s)) for s in steps]
    found = site(made).json("overview", "range=all")
    assert found["step_s"] == 60
    counts = dict(zip(found["time_s"], found["classes"]["2xx"], strict=True))
    first = int(START.timestamp())
    assert {at - first: count for at, count in counts.items() if count} == {0: 4, 60: 2, 3540: 1}
    quantiles = dict(zip(found["time_s"], found["percentiles_ms"]["p50"], strict=True))
    assert (quantiles[first], quantiles[first + 60], quantiles[first + 120]) == (1.0, 60.5, None)


FILTERS = {
    "status": ("status=5xx,404", lambda one: one["status"] >= 500 or one["status"] == 404),
    "errors": ("errors=1", lambda one: one["status"] >= 500 or one["outcome"] == "failed"),
    "slow": ("slow=20", lambda one: one["duration_ms"] >= 20),
    "path": ("path=/item/*", lambda one: one["path"].startswith("/item/")),
    "route": ("route=/item", lambda one: one.get("route") == "/item"),
    "a folded route": ("route=/blobs/{id}", lambda one: one["path"].startswith("/blobs/")),
    "client": ("client=198.51.100.7", lambda one: one["client"] == "198.51.100.7"),
    "method": ("method=POST", lambda one: one["method"] == "POST"),
    "no error type": ("error_type=", lambda one: "error_type" not in one),
    "both": ("status=4xx&slow=10", lambda one: one["status"] // 100 == 4 and one["duration_ms"] >= 10),
    "since": ("since=2026-11-20T00:02:00Z", lambda one: one["timestamp"] >= "2026-11-20T00:02"),
    "until": ("range=all&until=2026-11-20T00:02:00Z", lambda one: one["timestamp"] < "2026-11-20T00:02"),
    "nothing": ("range=all&path=/no/such", lambda one: False),
}


@pytest.mark.parametrize(("query", "keeps"), FILTERS.values(), ids=FILTERS)
def test_a_filter_of_the_url_keeps_these(site, query, keeps):
    made = list(records(1000, seed=3))
    page = site(map(orjson.dumps, made))
    if "range" not in query and "since" not in query:
        query += "&range=all"
    wanted = [one["request_id"] for one in made if keeps(one)][::-1]
    found = page.json("requests", f"{query}&n=1000")
    assert [row["request_id"] for row in found["rows"]] == wanted
    assert page.json("overview", query)["total"]["requests"] == len(wanted)


@pytest.mark.parametrize(
    "group", ["route", "client", "status", "method", "host", "user_agent", "error_type", "outcome"]
)
@pytest.mark.parametrize("sort", ["requests", "errors", "4xx", "p50", "p95", "p99", "bytes", "total"])
def test_groups_come_in_the_order_that_is_asked_for(site, group, sort):
    found = site(log_lines(400, seed=4)).json("overview", f"range=all&by={group}&sort={sort}")
    values = [one[sort if sort != "total" else "total_ms"] for one in found["groups"]]
    assert values == sorted(values, reverse=True)
    assert found["group_count"] >= len(found["groups"]) > 0


def test_the_highest_share_of_errors_comes_first_where_that_is_asked_for(site):
    busy = [line(client="busy", status=500 if index < 3 else 200) for index in range(30)]
    page = site([*busy, *(line(client="bad", status=status) for status in (500, 502, 200))])
    for sort, first in {"errors": "busy", "error_share": "bad"}.items():
        assert page.json("overview", f"range=all&by=client&sort={sort}")["groups"][0]["key"] == first


def test_errors_of_a_type_are_apart_where_they_happened_elsewhere(site):
    faults = {"cart.py:88 in apply": 3, "cart.py:91 in total": 1, None: 2}
    lines = []
    for at, count in faults.items():
        for index in range(count):
            own = {"error_at": at, "error_message": f"voucher {index}"} if at else {}
            when = timestamp(START + timedelta(seconds=index))
            lines.append(line(timestamp=when, status=500, error_type="KeyError", request_id=f"{at}-{index}", **own))
    page = site([*lines, line(), *(line(status=500) for _ in range(4))])
    groups = page.json("overview", "range=all&errors=1&by=error_type&sort=errors")["groups"]
    assert [(one["key"], one.get("at"), one["errors"], sum(one["spark"])) for one in groups] == [
        (None, None, 4, 4),
        *[("KeyError", at, count, count) for at, count in sorted(faults.items(), key=lambda one: -one[1])],
    ]
    assert (groups[1]["sample_id"], groups[1]["message"]) == ("cart.py:88 in apply-2", "voucher 2")
    assert page.json("overview", "range=all&error_type=KeyError&error_at=cart.py:91 in total")["total"]["requests"] == 1


def test_the_error_stands_at_the_top_of_its_request(site):
    own = line(
        request_id="bad", status=500, outcome="failed", error_type="KeyError", error_message="<voucher>",
        error_at="shop/cart.py:88 in apply",
    )  # fmt: skip
    page = site([own, line(request_id="good")])
    body = page.get("/request", "id=bad").body.decode()
    told = "<p class=error><b>KeyError</b> <span>&lt;voucher&gt;</span> <code>shop/cart.py:88 in apply</code></p>"
    assert body.index(told) < body.index("<h2>Fields</h2>")
    assert "class=error" not in page.get("/request", "id=good").body.decode()


def test_the_slowest_come_first_where_that_is_asked_for(site):
    found = site(log_lines(300, seed=5)).json("requests", "range=all&order=slowest&n=5")
    durations = [row["duration_ms"] for row in found["rows"]]
    assert len(durations) == 5
    assert durations == sorted((one["duration_ms"] for one in records(300, seed=5)), reverse=True)[:5]


BAD = {
    "status": "status=six", "slow": "slow=-1", "a slow that is no number": "slow=nan", "range": "range=9h",
    "by": "by=path;",
    "sort": "sort=key", "order": "order=x", "n": "n=5000", "n in other digits": "n=%D9%A3", "since": "since=yesterday",
    "a span that ends before": "since=2026-11-20T00:00:00Z&until=2026-11-19T00:00:00Z", "long": "path=" + "x" * 3000,
}  # fmt: skip


@pytest.mark.parametrize("query", BAD.values(), ids=BAD)
def test_a_parameter_that_is_none_is_told(site, query):
    seen = site().get("/api/overview", query)
    assert seen.status == "400 BAD REQUEST"
    told = orjson.loads(seen.body)
    assert told["problem"]
    assert told["field"] == ("until" if "until" in query else query.partition("=")[0])


def test_a_quote_in_a_filter_is_a_quote(site):
    page = site([line(client="o'hara", path="/a'b"), line()])
    for query in ("client=o'hara", "path=/a'b", "route=*'*%20OR%20true", "id=x'%20OR%20''='"):
        found = page.json("requests", f"range=all&{query}")
        assert len(found["rows"]) == (1 if query.startswith(("client", "path")) else 0)


def test_without_a_span_it_takes_the_last_hour_or_day_that_has_a_request(site):
    now = datetime.now(UTC)
    for age, span in {timedelta(minutes=5): "1h", timedelta(hours=5): "24h", timedelta(days=50): "all"}.items():
        page = site([line(timestamp=timestamp(now - age))], name=f"{span}.log")
        found = page.json("requests", "")
        assert (found["range"], len(found["rows"])) == (span, 1)


def test_nothing_new_is_told_without_a_body(site):
    page = site(log_lines(3))
    version = page.json("requests")["version"]
    for name in ("requests", "overview"):
        assert page.get(f"/api/{name}", f"range=all&version={version}").status == "204 NO CONTENT"
    page.append(line(request_id="later"))
    assert page.json("requests", f"range=all&version={version}")["requests"] == 4


@pytest.mark.parametrize(("query", "times"), {"range=all": 1, "range=1h": 3, "since=2h&range=all": 3}.items())
def test_figures_are_made_anew_only_where_time_goes_on(site, monkeypatch, query, times):
    made = []
    overview = _figures.overview
    monkeypatch.setattr(_figures, "overview", lambda *asked: made.append(asked) or overview(*asked))
    monkeypatch.setattr(_api, "_MOVES_ON_S", 1e-6)
    page = site(log_lines(3))
    page.json("requests")
    told = [page.json("overview", query)["total"] for _ in range(3)]
    assert (len(made), told[0] == told[1] == told[2]) == (times, True)


def test_who_asks_for_an_id_asks_whenever_it_was(site):
    now = datetime.now(UTC)
    page = site([line(request_id="old"), line(timestamp=timestamp(now), request_id="new")])
    assert [row["request_id"] for row in page.json("requests", "")["rows"]] == ["new"]
    assert [row["request_id"] for row in page.json("requests", "id=ol")["rows"]] == ["old"]
    assert page.json("requests", "id=ol&range=1h")["rows"] == []


@pytest.mark.skipif(sys.platform != "linux", reason="a priority is that of a whole process")
def test_who_reads_the_old_lines_gives_way_to_others(site):
    page = site(log_lines(3))
    page.json("requests")
    reader = page.page._api._index._reader
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert os.getpriority(os.PRIO_PROCESS, reader.native_id) == max(10, ours)


def test_an_empty_log_and_one_that_is_not_there_yet(site, tmp_path):
    assert site().json("overview")["total"]["requests"] == 0
    page = Site(tmp_path / "later.log")
    assert page.json("requests")["rows"] == []
    page.append(line(request_id="first"))
    assert [row["request_id"] for row in page.json("requests")["rows"]] == ["first"]
    page.page.close()


def test_new_lines_are_seen_across_rotation_and_truncation(site):
    page = site([line(request_id="a")])
    seen = lambda: {row["request_id"] for row in page.json("requests")["rows"]}
    assert seen() == {"a"}
    page.append(line(request_id="b"))
    assert seen() == {"a", "b"}
    page.path.rename(page.path.with_suffix(".1"))
    page.append(line(request_id="c"))
    assert seen() == {"a", "b", "c"}
    os.truncate(page.path, 0)
    assert seen() == {"a", "b", "c"}
    page.append(line(request_id="d"))
    assert seen() == {"a", "b", "c", "d"}


def test_a_line_that_is_being_written_is_seen_when_it_is_whole(site):
    page = site([line(request_id="a")])
    whole = line(request_id="b") + b"\n"
    with page.path.open("ab", buffering=0) as log:
        log.write(whole[:50])
        assert page.json("requests")["requests"] == 1
        log.write(whole[50:])
    assert page.json("requests")["requests"] == 2


def test_every_line_is_read_once_whatever_the_pieces(site, small_pieces):
    lines = log_lines(500, seed=6)
    lines[250:250] = [b"not JSON", b"", b'{"event":"started"}', line(user_agent="x" * 4000, request_id="long")]
    found = site(lines).json("requests", "range=all&n=1000")
    assert len(found["rows"]) == len({row["request_id"] for row in found["rows"]}) == 501


def test_a_line_longer_than_a_piece_is_left_out_and_its_neighbours_are_not(site, small_pieces):
    lines = [*log_lines(20, seed=7), line(user_agent="x" * 30_000, request_id="huge"), *log_lines(20, seed=8)]
    assert site(lines).json("requests")["requests"] == 40


def test_packed_logs_and_several(site, tmp_path):
    packed = tmp_path / "app.log.1.gz"
    packed.write_bytes(gzip.compress(b"\n".join(log_lines(30, seed=9)) + b"\n"))
    page = site(log_lines(20, seed=10))
    both = Site([packed, page.path])
    assert both.json("requests")["requests"] == 50
    both.page.close()


def test_it_keeps_no_more_than_it_may(site, small_pieces):
    page = site(log_lines(300, seed=11), max_requests=50)
    found = page.json("requests")
    assert found["full"]
    assert found["requests"] < 100
    page.append(*log_lines(100, seed=12))
    assert page.json("requests")["requests"] == 50


HOSTILE_TIMES = ["9999-12-31T23:59:59Z", "infinity", "0001-01-01T00:00:00Z", "-290000-01-01", "yesterday", ""]


def test_times_and_durations_that_no_clock_tells_stretch_nothing(site):
    lines = [line(timestamp=one, request_id=f"t{index}") for index, one in enumerate(HOSTILE_TIMES)]
    lines += [line(duration_ms=one) for one in ("nan", "inf", -1, 1e300, "12")]
    found = site(lines).json("overview")
    assert found["total"]["requests"] == 11
    assert len(found["time_s"]) <= 91
    assert found["until_ms"] - found["since_ms"] <= 1000


def test_hostile_texts_are_escaped_in_figures_and_pages(site):
    page = site(orjson.dumps(one) for one in hostile_records())
    shown = []
    for row in page.json("requests")["rows"]:
        shown += [value for name, value in row.items() if name != "request_id"]  # that is for the link
    for group in ("route", "client", "method", "host", "user_agent", "error_type"):
        shown += [one["label"] for one in page.json("overview", f"range=all&by={group}")["groups"]]
    texts = [one for one in shown if isinstance(one, str)]
    for one in hostile_records():
        seen = page.get("/request", f"id={urllib.parse.quote(one['request_id'], safe='')}")
        assert seen.status == ("200 OK" if len(one["request_id"]) <= 1024 else "404 NOT FOUND")
        texts.append(seen.body.decode().replace("\n", ""))
    assert len(texts) > 100
    assert [one for one in texts if not one.isprintable()] == []


def test_many_hostile_lines_are_read_to_the_end_and_counted_as_in_a_terminal(site, monkeypatch, overcoat):
    monkeypatch.setattr(_feed, "FIRST_PIECE_BYTES", 100_000)
    monkeypatch.setattr(_feed, "PIECE_BYTES", 500_000)
    chance = random.Random(1)
    hostile = [one for one in map(orjson.dumps, hostile_records()) if len(one) < 3000]
    makers = (
        lambda: chance.choice(hostile),
        lambda: chance.randbytes(chance.randrange(200)).replace(b"\n", b""),
        lambda: line(status=chance.randrange(-5, 70_000), route=f"/{chance.random()}", client="\u202e" * 9),
        lambda: b'{"event":"http_request","path":%s}' % (b"[" * chance.randrange(1500)),
        lambda: b'{"event":"http_request","status":1e%d,"timestamp":"%d-01-01"}' % (chance.randrange(400), -5),
        lambda: b'{"event":"http_request","event":"other","status":[]}',
    )
    page = site(chance.choice(makers)() for _ in range(20_000))
    counted = orjson.loads(overcoat("logs", page.path, "--sql", "SELECT count(*) AS n FROM requests", "--json").out)[
        "n"
    ]
    assert counted > 5000
    found = page.json("overview", "range=all")
    assert found["total"]["requests"] == page.json("requests")["requests"] == counted


def test_markup_of_a_log_is_text_on_the_page_of_a_request(site):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    fields = dict.fromkeys(("method", "path", "query", "route", "client", "user_agent", "error_message", "host"), evil)
    own = line(**fields, **{evil: evil}, request_id="evil", outcome=evil, timings={evil: {"duration_ms": 1}})
    said = orjson.dumps(
        {"event": evil, "level": evil, "request_id": "evil", evil: f"{evil}\n{evil}", "timestamp": evil}
    )
    body = site([said, own]).get("/request", "id=evil").body.decode()
    assert "<img" not in body
    assert "<script>" not in body
    assert body.count("&lt;script&gt;alert(1)") >= 12


def test_the_page_of_a_request_has_all_about_it(site):
    own = line(
        request_id="abc123", path="/item/7", host="shop.example", scheme="https", tenant="acme",
        query="token=[redacted]&a=1",
        timings={"db": {"duration_ms": 5, "count": 3}, "render": {"duration_ms": 1.25}},
    )  # fmt: skip
    said = orjson.dumps(
        {"timestamp": timestamp(START), "level": "warning", "event": "low stock", "request_id": "abc123", "left": 2}
    )
    other = orjson.dumps({"event": "unrelated", "request_id": "abd999"})
    page = site([said, other, own, line(request_id="abd000")])
    body = page.get("/request", "id=abc123").body.decode()
    for text in (
        "GET /item/7",
        "tenant",
        "acme",
        "low stock",
        "left=2",
        "curl ",
        "https://shop.example/item/7",
        "5.0 ms",
        "40.0%",
        "What the app logged meanwhile: 1 line",
        "To repeat it",
        "All requests",
    ):
        assert text in body, text
    assert "unrelated" not in body
    assert body.index("<th scope=row>db</th>") < body.index("<th scope=row>render</th>")
    listed = page.get("/request", "id=ab").body.decode()
    assert "2 requests whose id begins so" in listed
    assert 'href="request?id=abd000"' in listed
    missing = page.get("/request", "id=nothing")
    assert missing.status == "404 NOT FOUND"
    assert b"No line of the log has the id <code>nothing</code>" in missing.body
    assert b"names no id" in page.get("/request", "id=").body
    assert b"no line of its request (yet)" in page.get("/request", "id=abd999").body


def test_no_path_of_the_disk_is_told(site):
    page = site([line(request_id="a")])
    folder = str(page.path.parent)
    for path, query in {
        "/": "",
        "/api/requests": "",
        "/api/overview": "",
        "/request": "id=a",
        "/x": "",
        "/api/requests?": "n=x",
    }.items():
        seen = page.get(path, query)
        assert folder.encode() not in seen.body
        assert page.path.name.encode() not in seen.body
        assert folder not in str(seen.headers)
    assert folder not in repr(page.page)


def test_every_answer_has_the_headers(site):
    page = site()
    for path in ("/", "/request", "/api/requests", "/static/page.js", "/nothing", "/static/nothing"):
        headers = dict(page.get(path).headers)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "://" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == ("max-age=86400" if path == "/static/page.js" else "no-store")


STATIC = [
    "page.js", "view.js", "tables.js", "charts.js", "format.js", "request.js", "uplot.js", "page.css", "uplot.css",
    "icon.svg",
]  # fmt: skip


@pytest.mark.parametrize("name", STATIC)
def test_static_files_are_served_and_kept_by_the_browser(site, name):
    page = site()
    seen = page.get(f"/static/{name}")
    assert seen.status == "200 OK"
    (etag,) = seen.header("ETag")
    assert page.get(f"/static/{name}", HTTP_IF_NONE_MATCH=etag).status == "304 NOT MODIFIED"


@pytest.mark.parametrize(
    "name", ["../log_page.py", "..%2flog_page.py", "/etc/passwd", "uplot.LICENSE", "", ".", "page.js/"]
)
def test_nothing_else_of_the_disk_is_served(site, name):
    assert site().get(f"/static/{name}").status == "404 NOT FOUND"


def test_the_folder_is_redirected_to_and_the_root_is_not(site):
    page = site()
    seen = page.get("", SCRIPT_NAME="/tools/_logs")
    assert (seen.status, seen.header("Location")) == ("308 PERMANENT REDIRECT", ["./_logs/"])
    assert page.get("", SCRIPT_NAME="").status == "200 OK"


def test_the_form_holds_what_the_url_says_and_no_markup(site):
    body = site().get("/", "path=%22%3E%3Cscript%3E&range=24h&errors=1&method=%22%3E").body.decode()
    assert 'value="&quot;&gt;&lt;script&gt;"' in body
    assert '<option value="24h" selected>' in body
    assert 'name="errors" value="1" checked' in body
    assert 'name="method" value="&quot;&gt;"' in body


def test_its_own_requests_are_not_in_the_log_that_it_stands_outside_of(tmp_path):
    path = tmp_path / "app.log"
    page = LogPage(path)

    def app(environ, start_response):
        start_response("200 OK", [])
        return [b""]

    app = Stack(app, [Mount("/_logs", page), RequestLog(to=str(path))])
    local = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost"}
    call(app, PATH_INFO="/item", **local)
    for _ in range(3):
        seen = call(app, PATH_INFO="/_logs/api/requests", **local)
    assert [row["path"] for row in orjson.loads(seen.body)["rows"]] == ["/item"]
    page.close()


def test_many_at_once_get_whole_answers(site):
    page = site(log_lines(2000, seed=13))
    seen = []

    def ask(number):
        for _ in range(5):
            page.append(line(request_id=f"{number}"))
            seen.append(page.get("/api/overview" if number % 2 else "/api/requests", "range=all").status)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["200 OK"] * 30
    assert page.json("requests")["requests"] == 2030


def test_what_nobody_looks_at_is_given_up_and_built_again(site, monkeypatch):
    monkeypatch.setattr(_index, "LOOK_S", 0.01)
    page = site(log_lines(10))
    first = page.json("requests")["version"]
    index = page.page._api._index
    monkeypatch.setattr(_index, "IDLE_S", -1)
    wait_for(lambda: not index.usable, "the index to be given up")
    wait_for(lambda: not index._store.folder.exists(), "its folder to be removed")
    monkeypatch.setattr(_index, "IDLE_S", 600)
    again = page.json("requests")
    assert again["requests"] == 10
    assert again["version"] != first


def test_too_little_memory_is_told_and_not_a_crash(site, monkeypatch):
    page = site(log_lines(10))

    def out_of_memory(*arguments):
        raise MemoryError

    monkeypatch.setattr(_figures, "overview", out_of_memory)
    seen = page.get("/api/overview", "range=all")
    assert (seen.status, b"more memory" in seen.body) == ("503 SERVICE UNAVAILABLE", True)


def test_no_room_is_told_and_not_a_crash(site, monkeypatch):
    def no_room(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_scratch.tempfile, "mkdtemp", no_room)
    seen = site(log_lines(10)).get("/api/requests")
    assert (seen.status, b"no room" in seen.body) == ("503 SERVICE UNAVAILABLE", True)


def test_a_process_that_ends_leaves_nothing(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(line() + b"\n")
    code = (
        "from overcoat.inspector import LogPage; from overcoat.middleware.testing._server import call\n"
        f"page = LogPage({str(path)!r})\n"
        "seen = call(page, PATH_INFO='/api/requests', REMOTE_ADDR='127.0.0.1', HTTP_HOST='localhost')\n"
        "assert seen.status == '200 OK'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [one.name for one in tmp_path.iterdir()] == ["app.log"]


def test_importing_loads_no_database():
    code = "import sys; from overcoat.inspector import LogPage; LogPage('x.log'); assert 'duckdb' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_where_the_database_is_missing_the_constructor_says_what_to_install(monkeypatch):
    from overcoat.inspector.page import log_page

    monkeypatch.setattr(log_page, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'overcoat\[logs\]'"):
        LogPage("app.log")


def foreign(number, moment=START):
    """A line of Caddy's."""
    request = {"method": "GET", "uri": f"/cart/{number}?n=1", "host": "shop.example"}
    told = {"ts": moment.timestamp(), "request": request, "status": 200, "duration": 0.0125, "id": f"caddy-{number}"}
    return orjson.dumps(told)


CADDY = "timestamp=ts,path=.request.uri,status=status,duration_ms=.duration*1000,request_id=id"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.usefixtures("small_pieces")
def test_foreign_names_are_read_with_a_mapping(site, pack):
    lines = [foreign(number, START + timedelta(seconds=number)) for number in range(200)]
    page = site(mapping=CADDY)
    page.path.write_bytes(pack(b"".join(one + b"\n" for one in lines)))
    found = page.json("requests")
    assert (found["requests"], found["rows"][0]["path"]) == (200, "/cart/199")
    overview = page.json("overview")
    assert [(row["key"], row["requests"], row["p50"]) for row in overview["groups"]] == [("/cart/{n}", 200, 12.5)]
    assert b"/cart/150" in page.get("/request", "id=caddy-150").body


def test_a_foreign_line_that_is_added_is_read_with_the_mapping_too(site):
    page = site([foreign(1)], mapping=CADDY)
    assert page.json("requests")["requests"] == 1
    page.append(foreign(2, START + timedelta(seconds=1)), b'{"level":"info","msg":"started"}')
    assert [row["request_id"] for row in page.json("requests")["rows"]] == ["caddy-2", "caddy-1"]


@pytest.mark.parametrize("length_s", [0, 1, 59, 90, 3600, 86400, 30 * 86400, 365 * 86400, 40 * 365 * 86400])
def test_a_chart_has_few_steps_whatever_it_spans(length_s):
    step_s = _figures._step_s(length_s, 90)
    assert length_s / step_s <= 90
    assert step_s >= 1


def test_a_view_tells_its_span():
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert View.of({"range": "15m"}, now=now).since == now - timedelta(minutes=15)
    assert View.of({"range": "1h", "until": "2h"}, now=now).since == now - timedelta(hours=3)
    assert View.of({"since": "1h"}, now=now).until is None


SERVED = {
    "nothing": ((), "", "a"),
    "filters": (
        ("--errors", "--since", "2026-11-20T00:00:00Z", "--slow", "5"),
        "since=2026-11-20T00%3A00%3A00Z&errors=1&slow=5",
        "a",
    ),
    "a local time": (("--since", "2026-11-20 00:00"), "since=2026-11-19T18%3A15%3A00Z", "a"),
    "a time ago": (("--since", "2h", "--utc"), "since=2h", "a"),
    "groups": (("--by", "client", "--sort", "error_share"), "by=client&sort=error_share", "a"),
    "other names": (("--map", "request_id=.ids[1],status=status"), "", "c"),
}


@pytest.mark.parametrize(("options", "wanted", "identifier"), SERVED.values(), ids=SERVED)
def test_the_command_serves_it_until_ctrl_c(tmp_path, options, wanted, identifier):
    path = tmp_path / "app.log"
    path.write_bytes(line(request_id="a", ids=["b", "c"]) + b"\n")
    command = [sys.executable, "-m", "overcoat.inspector", "logs", str(path), "--serve", "--port", "0", *options]
    environment = {**os.environ, "TZ": "Asia/Kathmandu"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            url = process.stdout.readline().strip()
            base, _, query = url.partition("?")
            assert query == wanted
            with urllib.request.urlopen(f"{base}api/requests?range=all") as answer:
                assert [row["request_id"] for row in orjson.loads(answer.read())["rows"]] == [identifier]
        finally:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (130, "", "")


CONFLICTS = {
    "a port alone": ("--port", "80"), "no port": ("--serve", "--port", "70000"), "-w": ("--serve", "-w", "true"),
    "-n": ("--serve", "-n", "5"), "--json": ("--serve", "--json"), "-f": ("--serve", "-f"),
    "--export": ("--serve", "--export", "csv"), "--strict": ("--serve", "--strict"),
}  # fmt: skip


@pytest.mark.parametrize("options", CONFLICTS.values(), ids=CONFLICTS)
def test_what_does_not_go_with_serving_is_refused(overcoat, tmp_path, options):
    path = tmp_path / "app.log"
    path.write_bytes(line() + b"\n")
    assert overcoat("logs", path, *options).status == 2


def test_a_port_that_is_taken_is_told_where_it_was_asked_for(overcoat, tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(line() + b"\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = overcoat("logs", path, "--serve", "--port", port)
    assert ran.status == 1
    assert f"127.0.0.1:{port}: Address already in use; without --port a free one is taken" in ran.err


def test_a_file_that_is_missing_is_told_before_the_page_is_there(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(line() + b"\n")
    command = [sys.executable, "-m", "overcoat.inspector", "logs", str(path), str(tmp_path / "gone"), str(tmp_path)]
    with subprocess.Popen([*command, "--serve", "--port", "0"], stderr=subprocess.PIPE, text=True) as process:
        told = [process.stderr.readline().rpartition("/")[2] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == ""
    assert told[0] == "gone: no such file\n"
    assert told[1].endswith(": is a directory; name the files in it\n")


@pytest.mark.parametrize("name", ["gone", "."])
def test_where_there_is_nothing_to_serve_the_command_ends(overcoat, tmp_path, name):
    ran = overcoat("logs", tmp_path / name, "--serve")
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)


def test_a_pipe_is_not_served(process):
    ran = process("logs", "-", "--serve", stdin=line() + b"\n")
    assert ran.status == 1
    assert "only files are served" in ran.err
