import importlib
import json
import logging
import pkgutil
import re

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from support import published_names as published
from support.apps import answering, ok
from support.record import PAGE, check
from support.wsgi import call, make_environ, serve
from support.zoo import SPECIMENS

from overcoat.middleware import RequestLog, add_fields, timer
from overcoat.middleware._names import READY, compile_names
from overcoat.middleware._names_gcp import make_rename
from overcoat.middleware._names_values import is_address, split_host, split_place
from overcoat.middleware.fields import STANDARD_FIELDS
from overcoat.middleware.testing import capture_requests

#: A record with every field that there is.
FULL = {
    "timestamp": "2026-01-02T03:04:05.678901Z", "level": "error", "event": "http_request", "method": "POST",
    "path": "/caf\xe9/7", "route": "/caf\xe9/<int:item_id>", "endpoint": "item", "query": "verbose=1", "status": 500,
    "duration_ms": 1.382, "first_byte_ms": 1.341, "response_bytes": 42, "request_bytes": 6, "client": "192.0.2.1",
    "peer": "127.0.0.1", "scheme": "https", "host": "shop.example:8443", "http_version": "1.1",
    "user_agent": "curl/8.5.0", "request_id": "r-1", "client_request_id": "r 1", "trace_id": "4bf92f3577b34da6" * 2,
    "span_id": "00f067aa0ba902b7", "outcome": "failed", "error_type": "KeyError", "error_message": "'cart'",
    "error_at": "shop/cart.py:41 in add", "timings": {"db": {"duration_ms": 1.0, "count": 2}},
    "request_headers": {"referer": "/cart", "accept": "*/*"}, "response_headers": {"content-type": "text/html"},
    "sample_rate": 0.1, "user_id": 7, "user": "me", "http": {"own": True}, "message": "mine", "shop.cart": [1],
}  # fmt: skip


def test_the_full_record_is_full():
    assert list(FULL)[: len(STANDARD_FIELDS)] == list(STANDARD_FIELDS)


def flat(node, prefix="", whole=frozenset({"overcoat.timings", "overcoat.fields"})):
    """Each value of nested objects by its dotted path; a list is a value, and so is what is taken as a whole."""
    for name, value in node.items():
        if isinstance(value, dict) and f"{prefix}{name}" not in whole:
            yield from flat(value, f"{prefix}{name}.", whole)
        else:
            yield f"{prefix}{name}", value


def renamed(names, record=FULL):
    return compile_names(RequestLog, names)(record)


# OpenTelemetry


def test_item_28_otel_names_only_what_is_published():
    for name, value in renamed("otel").items():
        template = next((one for one in published.OTEL_TEMPLATES if name.startswith(f"{one}.")), None)
        if template is not None:
            assert name == name.lower()
            assert [type(text) for text in value] == [str]
        elif name.startswith("overcoat."):
            assert name.removeprefix("overcoat.") in STANDARD_FIELDS
        elif name not in published.OTEL_LOG_FIELDS | published.OTEL_ATTRIBUTES:
            assert name in FULL
            assert name not in STANDARD_FIELDS


def test_otel_values():
    named = renamed("otel")
    expected = {
        "timestamp": FULL["timestamp"],
        "severity_text": "error",
        "severity_number": 17,
        "event_name": "http_request",
        "http.request.method": "POST",
        "url.path": "/café/7",
        "http.route": "/café/<int:item_id>",
        "overcoat.endpoint": "item",
        "url.query": "verbose=1",
        "http.response.status_code": 500,
        "overcoat.duration_ms": 1.382,
        "http.response.body.size": 42,
        "http.request.body.size": 6,
        "client.address": "192.0.2.1",
        "network.peer.address": "127.0.0.1",
        "url.scheme": "https",
        "server.address": "shop.example",
        "server.port": 8443,
        "network.protocol.version": "1.1",
        "user_agent.original": "curl/8.5.0",
        "overcoat.request_id": "r-1",
        "trace_id": FULL["trace_id"],
        "span_id": FULL["span_id"],
        "overcoat.outcome": "failed",
        "error.type": "KeyError",
        "exception.message": "'cart'",
        "code.file.path": "shop/cart.py",
        "code.line.number": 41,
        "code.function.name": "add",
        "http.request.header.referer": ["/cart"],
        "http.response.header.content-type": ["text/html"],
        "overcoat.sample_rate": 0.1,
        "user_id": 7,
        "shop.cart": [1],
    }
    assert expected.items() <= named.items()


@pytest.mark.parametrize("method", ["GET", "QUERY", "get", "BREW", ""])
def test_item_61_otel_knows_the_published_methods_alone(method):
    named = renamed("otel", FULL | {"method": method})
    assert named["http.request.method"] == (method if method in published.OTEL_METHODS else "_OTHER")
    assert named.get("http.request.method_original") == (None if method in published.OTEL_METHODS else method)


def test_otel_no_field_of_the_app_s_takes_an_attribute_s_place():
    assert renamed("otel", FULL | {"url.path": "/forged", "own": 1})["url.path"] == "/café/7"


def test_otel_s_table_is_that_of_the_published_package():
    semconv = pytest.importorskip("opentelemetry.semconv.attributes")
    incubating = importlib.import_module("opentelemetry.semconv._incubating.attributes")
    names = set()
    for package in (semconv, incubating):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            names |= {value for key, value in vars(module).items() if key.isupper() and isinstance(value, str)}
    assert published.OTEL_ATTRIBUTES | set(published.OTEL_TEMPLATES) <= names


# Elastic Common Schema


ECS_TYPES = {"keyword": str, "wildcard": str, "match_only_text": str, "date": str, "ip": str, "long": int}


def test_ecs_names_only_what_is_published_with_its_type():
    named = renamed("ecs")
    own = {name for name, _ in flat(named) if name.startswith("overcoat.")}
    for name, value in flat(named):
        if name in own:
            parts = name.split(".")[1:]
            assert parts[0] in {*STANDARD_FIELDS, "fields"}
        elif name != "shop.cart":  # meant for a place by the app
            kind = published.ECS_FIELDS[name]
            if kind.endswith("[]"):
                assert all(isinstance(one, str) for one in value)
            else:
                assert type(value) is ECS_TYPES[kind], name
    assert set(named) - {"overcoat", "shop"} <= published.ECS_TOP
    for name, allowed in published.ECS_VALUES.items():
        value = dict(flat(named))[name]
        assert {value} <= allowed if isinstance(value, str) else set(value) <= allowed


def test_ecs_values():
    named = dict(flat(renamed("ecs")))
    expected = {
        "@timestamp": FULL["timestamp"],
        "log.level": "error",
        "message": "POST /café/7 500",
        "event.action": "http_request",
        "event.duration": 1_382_000,
        "event.outcome": "failure",
        "http.request.method": "POST",
        "http.request.id": "r-1",
        "http.request.referrer": "/cart",
        "http.request.body.bytes": 6,
        "http.response.status_code": 500,
        "http.response.body.bytes": 42,
        "http.version": "1.1",
        "url.path": "/café/7",
        "url.query": "verbose=1",
        "url.scheme": "https",
        "url.domain": "shop.example",
        "url.port": 8443,
        "client.address": "192.0.2.1",
        "client.ip": "192.0.2.1",
        "source.ip": "127.0.0.1",
        "user_agent.original": "curl/8.5.0",
        "trace.id": FULL["trace_id"],
        "span.id": FULL["span_id"],
        "error.type": "KeyError",
        "error.message": "'cart'",
        "log.origin.file.name": "shop/cart.py",
        "log.origin.file.line": 41,
        "log.origin.function": "add",
        "overcoat.route": "/café/<int:item_id>",
        "overcoat.outcome": "failed",
        "overcoat.first_byte_ms": 1.341,
        "overcoat.sample_rate": 0.1,
        "overcoat.timings": FULL["timings"],
        "overcoat.fields": {"user_id": 7, "user": "me", "http": {"own": True}, "message": "mine"},
        "shop.cart": [1],
    }
    assert {name: named.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("status", "outcome", "expected"),
    [
        (200, "complete", "success"),
        (404, "complete", "success"),
        (500, "complete", "failure"),
        (200, "failed", "failure"),
        (200, "aborted", "unknown"),
        (200, "handed_off", "success"),
    ],
)
def test_ecs_outcomes(status, outcome, expected):
    assert renamed("ecs", FULL | {"status": status, "outcome": outcome})["event"]["outcome"] == expected


OWN = {
    "a scalar where the schema has an object": ({"http": 1}, {"http": 1}),
    "a path into what is a value": ({"message.text": 1}, {"message.text": 1}),
    "a path that is taken": ({"http.request.method": "PUT"}, {"http.request.method": "PUT"}),
    "a path through the app's own value": ({"a.b": {"c": 1}, "a.b.d": 2}, {"a.b.d": 2}),
    "an object of ours": ({"overcoat.fields": 1, "x": 2}, {"x": 2}),
    "no path": ({".": 1, "a.": 2, ".b": 3, "c..d": 4}, {".": 1, "a.": 2, ".b": 3, "c..d": 4}),
}


@pytest.mark.parametrize(("fields", "kept"), OWN.values(), ids=OWN)
def test_ecs_no_field_of_the_app_s_takes_the_schema_s_place(fields, kept):
    plain = {name: FULL[name] for name in STANDARD_FIELDS}
    named = renamed("ecs", plain | fields)
    assert named["overcoat"]["fields"] == kept
    assert named["http"]["request"]["method"] == "POST"
    assert named["message"] == "POST /café/7 500"


def test_ecs_leaves_the_app_s_own_value_as_it_was():
    value = {"c": 1}
    renamed("ecs", {name: FULL[name] for name in STANDARD_FIELDS} | {"a.b": value, "a.b.d": 2})
    assert value == {"c": 1}


# Google Cloud


def test_gcp_names_only_what_is_published():
    named = renamed("gcp")
    for name, value in named["httpRequest"].items():
        assert type(value) is published.GCP_HTTP_REQUEST[name], name
    assert named["severity"] in published.GCP_SEVERITIES
    assert {name for name in named if name not in FULL} <= published.GCP_SPECIAL
    # What httpRequest holds is not there twice, and nothing else is lost.
    taken = {"method", "path", "query", "scheme", "host", "status", "duration_ms", "response_bytes", "client"}
    taken |= {"user_agent", "http_version", "trace_id", "span_id", "timestamp", "level"}
    assert {name for name in FULL if name not in named} == taken


def test_gcp_values():
    named = make_rename({"GOOGLE_CLOUD_PROJECT": "shop-1"})(FULL)
    assert named["httpRequest"] == {
        "requestMethod": "POST",
        "requestUrl": "https://shop.example:8443/caf%C3%A9/7?verbose=1",
        "status": 500,
        "responseSize": "42",
        "userAgent": "curl/8.5.0",
        "remoteIp": "192.0.2.1",
        "referer": "/cart",
        "latency": "0.001382s",
        "protocol": "HTTP/1.1",
    }
    expected = {
        "severity": "ERROR",
        "message": "POST /café/7 500",
        "time": FULL["timestamp"],
        "logging.googleapis.com/trace": f"projects/shop-1/traces/{FULL['trace_id']}",
        "logging.googleapis.com/spanId": FULL["span_id"],
        "route": FULL["route"],
        "outcome": "failed",
        "request_bytes": 6,
        "user_id": 7,
    }
    assert expected.items() <= named.items()


@pytest.mark.parametrize("project", ["", "Not A Project", "a/b", "x" * 200], ids=str)
def test_gcp_a_trace_without_a_project_is_its_id(project):
    assert make_rename({"GOOGLE_CLOUD_PROJECT": project})(FULL)["logging.googleapis.com/trace"] == FULL["trace_id"]


@given(st.floats(0, 1e12))
def test_gcp_a_latency_is_a_duration_of_protocol_buffers(duration_ms):
    latency = renamed("gcp", FULL | {"duration_ms": duration_ms})["httpRequest"]["latency"]
    assert re.fullmatch(r"[0-9]+\.[0-9]{6}s", latency)
    assert float(latency[:-1]) == pytest.approx(duration_ms / 1000, abs=1e-6)


def test_gcp_a_path_is_no_query():
    assert renamed("gcp", FULL | {"path": "/a?b#c d%"})["httpRequest"]["requestUrl"].startswith(
        "https://shop.example:8443/a%3Fb%23c%20d%25?verbose=1"
    )


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_every_level_has_its_severity(level):
    assert renamed("gcp", FULL | {"level": level})["severity"] in published.GCP_SEVERITIES
    assert renamed("otel", FULL | {"level": level})["severity_number"] in {5, 9, 13, 17, 21}


# The page


_CODE = re.compile(r"`([^`\"]+)`")


def page_names(index):
    """The names in a column of the page's table; where a cell is empty, the field's own."""
    table = PAGE.read_text(encoding="utf-8").partition("## Under other names")[2]
    cells = [re.split(r" ?\| ?", line) for line in table.splitlines() if line.startswith("| `")]
    told = {_CODE.findall(row[1])[0]: _CODE.findall(row[index + 2]) for row in cells}
    assert set(told) <= set(STANDARD_FIELDS)
    own = "" if index == 2 else "overcoat."
    return {name for field in STANDARD_FIELDS for name in told.get(field) or [f"{own}{field}"]}


#: What stands in a line beside the fields, told below the table.
BESIDE = [
    set(),
    {"message", "ecs.version", "event.kind", "event.category", "event.type"},
    {"message"},
]


@pytest.mark.parametrize(("index", "names"), [(0, "otel"), (1, "ecs"), (2, "gcp")], ids=["otel", "ecs", "gcp"])
def test_the_page_has_each_name(index, names):
    named = renamed(names, {name: FULL[name] for name in STANDARD_FIELDS})
    whole = {"timings", "request_headers", "response_headers"}
    whole |= {f"overcoat.{name}" for name in whole}
    written = {re.sub(r"^(http\.\w+\.header)\..*", r"\1.*", name) for name, _ in flat(named, whole=whole)}
    assert written == page_names(index) | BESIDE[index]


# A mapping


MAPPINGS = {
    "one": ({"status": "code"}, {"code": 500}, {"status"}),
    "a name with dots stays flat": ({"status": "http.status"}, {"http.status": 500}, {"status"}),
    "left out": ({"peer": None}, {}, {"peer"}),
    "two that change places": (
        {"client": "peer", "peer": "client"},
        {"peer": "192.0.2.1", "client": "127.0.0.1"},
        set(),
    ),
    "in place of one that is left out": ({"client": "peer", "peer": None}, {"peer": "192.0.2.1"}, {"client"}),
    "an app's field does not replace it": ({"status": "user_id"}, {"user_id": 500}, {"status"}),
}


@pytest.mark.parametrize(("names", "there", "gone"), MAPPINGS.values(), ids=MAPPINGS)
def test_a_mapping(names, there, gone):
    named = renamed(names)
    assert there.items() <= named.items()
    assert not gone & set(named)
    assert named["user"] == "me"
    assert next(iter(named)) == "timestamp"


@pytest.mark.parametrize("names", ["overcoat", {}], ids=str)
def test_our_own_names_cost_nothing(names):
    assert compile_names(RequestLog, names) is None


WRONG = {
    "unknown": ({"names": "otl"}, "names='otl' is none of 'overcoat', 'otel', 'ecs', 'gcp'; did you mean 'otel'"),
    "in capitals": ({"names": "ECS"}, "names='ECS' is none of"),
    "a list": ({"names": ["status"]}, r"names=\['status'\] must be one of 'overcoat', 'otel', 'ecs', 'gcp', or a map"),
    "None": ({"names": None}, "names=None must be one of"),
    "no field": ({"names": {"staus": "x"}}, r"names=\{'staus': \.\.\.\} is no field .*; did you mean 'status'"),
    "no name": ({"names": {"status": 7}}, r"names=\{'status': 7\} must be a name, or None"),
    "an empty name": ({"names": {"status": ""}}, r"names=\{'status': ''\} must be a name"),
    "two under one name": ({"names": {"status": "x", "path": "x"}}, "names= writes 'path' and 'status' both as 'x'"),
    "the name of another": ({"names": {"status": "path"}}, "names= writes 'path' and 'status' both as 'path'"),
    "without a to=": ({"names": "ecs", "to": None}, "names='ecs' needs a to=, such as to='stdout': where "),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=f"^RequestLog: {message}"):
        RequestLog(ok, **{"to": "stdout"} | options)


# Through every to=


def test_to_a_stream_and_a_file(capsys, tmp_path):
    for to in ("stdout", tmp_path / "x.log"):
        call(RequestLog(ok, to=to, names="ecs"), PATH_INFO="/x")
    for line in (capsys.readouterr().out, (tmp_path / "x.log").read_text()):
        assert json.loads(line)["url"]["path"] == "/x"


def test_to_a_stdlib_logger(caplog):
    caplog.set_level("INFO")
    call(RequestLog(answering("404 Gone"), to=logging.getLogger("shop.access"), names="otel"))
    [entry] = caplog.records
    assert entry.levelname == "WARNING"
    assert json.loads(entry.message)["http.response.status_code"] == 404


def test_to_a_structlog_logger():
    with structlog.testing.capture_logs() as captured:
        call(RequestLog(answering("404 Gone"), to=structlog.get_logger(), names="ecs"), PATH_INFO="/x")
    [event] = captured
    assert (event["event"], event["log_level"], event["url"]["path"]) == ("http_request", "warning", "/x")


def test_to_a_callable():
    records = []
    call(RequestLog(ok, to=records.append, names={"status": "code", "peer": None}))
    assert records[0]["code"] == 200
    assert "peer" not in records[0]


def test_captured_requests_keep_our_names():
    with capture_requests() as requests:
        call(RequestLog(ok, to="/dev/null", names="gcp"))
    check(requests[0])


@pytest.mark.parametrize("names", READY)
@pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
def test_every_ready_map_takes_every_record(capsys, names, specimen):
    app, _ = specimen.make()

    def adding(environ, start_response):
        with timer("db"):
            add_fields(user_id=7, **{"user.id": "7", "http": "no"})
        return app(environ, start_response)

    log = RequestLog(adding, to="stdout", names=names, headers=["Accept"], response_headers=["Content-Type"])
    serve(log, make_environ(**specimen.environ()))
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert json.loads(line)


@pytest.mark.parametrize("names", [*READY, {"peer": None}], ids=str)
def test_a_name_of_any_type_makes_one_line(capsys, names):
    def app(environ, start_response):
        environ["overcoat.exchange"]().fields.update({1: 2, ("a", "b"): 3, "a.b": 4, 2.5: 5})
        return ok(environ, start_response)

    call(RequestLog(app, to="stdout", names=names))
    line = json.loads(capsys.readouterr().out)
    kept = line["overcoat"]["fields"] if names == "ecs" else line
    assert {name: kept.get(name) for name in ("1", "('a', 'b')", "2.5")} == {"1": 2, "('a', 'b')": 3, "2.5": 5}


HOSTILE = ["\x1b[31m\r\n", "\xff\xfe", "a:b:c", "[::1", "::::", ":99999", '","x":"', "\u2028"]


@pytest.mark.parametrize("names", READY)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_requests_make_one_line(capsys, names, text):
    call(
        RequestLog(ok, to="stdout", names=names),
        PATH_INFO=text, QUERY_STRING=text, REQUEST_METHOD=text, HTTP_USER_AGENT=text, HTTP_HOST=text, REMOTE_ADDR=text,
        SERVER_PROTOCOL=f"HTTP/{text}", wsgi__url_scheme=text,
    )  # fmt: skip
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert json.loads(line)


# Values


@given(st.text())
def test_whatever_the_host_is_it_is_split_without_loss(text):
    name, port = split_host(text)
    assert port is None or 0 <= port <= 65535
    assert name.strip("[]") in text


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("a.example", ("a.example", None)),
        ("a.example:80", ("a.example", 80)),
        ("a.example:", ("a.example:", None)),
        ("a.example:65536", ("a.example:65536", None)),
        ("a.example:٣", ("a.example:٣", None)),
        ("[::1]", ("::1", None)),
        ("[::1]:80", ("::1", 80)),
        ("::1", ("::1", None)),
        ("", ("", None)),
    ],
)
def test_hosts(host, expected):
    assert split_host(host) == expected


@pytest.mark.parametrize("place", ["", "nowhere", "a.py in f", "a.py:x in f"])
def test_a_place_that_is_none_is_kept_whole(place):
    assert split_place(place) is None
    assert renamed("otel", FULL | {"error_at": place})["overcoat.error_at"] == place
    assert renamed("ecs", FULL | {"error_at": place})["overcoat"]["error_at"] == place


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", True),
        ("::1", True),
        ("fe80::1%eth0", False),
        ("unix:", False),
        ("", False),
        ("1" * 65536, False),
        ("0000:0000:0000:0000:0000:ffff:255.255.255.255", True),
    ],
)
def test_addresses(text, expected):
    assert is_address(text) is expected
    assert ("ip" in renamed("ecs", FULL | {"client": text})["client"]) is expected
