"""The way of the log to ClickHouse and Loki: Vector's programs in Vector's own language, run over a log of the demo."""

import contextlib
import json
import re
import sys
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from overcoat.demo import create_app
from overcoat.demo.database import disconnect

if sys.platform == "win32":
    pytest.skip("chDB has no wheel here", allow_module_level=True)
from chdb.session import Session
from vrl_python import VRLRuntime

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
PAGE = (ROOT / "docs" / "clickhouse.md").read_text()
DOCUMENTED = yaml.safe_load(re.search(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1])
CONFIGURED = yaml.safe_load((DEPLOY / "vector-clickhouse.yaml").read_text())
LOKI = yaml.safe_load((DEPLOY / "vector-loki.yaml").read_text())

PATHS = ["/item", "/item/1", "/item/999", "/tour/query", "/tour/error", "/nothing?token=geheim", "/%00%1b[31m☃"]

#: What no app writes whole: half a line of a killed worker, what closes it off, another program's line, another value.
BROKEN = ['{"timestamp":"2026-11-20T10:00:00Z","event":"http_re', "", "Killed", '["http_request"]', "null"]


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """The lines of a log: requests of all kinds, lines of the app, and what is broken."""
    folder = tmp_path_factory.mktemp("shipping")
    app = create_app(database_url=f"sqlite:///{folder / 'demo.sqlite3'}", log_file=str(folder / "requests.log"))
    client = app.test_client()
    for path in PATHS:
        client.get(path, headers={"User-Agent": 'a"b\\c', "X-Request-ID": '"'}, buffered=True)
    client.get("/item", headers={"Host": "evil.example"}, buffered=True)
    disconnect(app)
    whole = (folder / "requests.log").read_text().splitlines()
    assert len(whole) == 9, "eight requests, and the app's line of the error"
    return whole + BROKEN


def shipped(config, lines) -> list[dict]:
    """What comes out of the one transform of a configuration; what it aborts or fails on is dropped."""
    (transform,) = config["transforms"].values()
    assert transform["drop_on_error"]
    assert transform.get("drop_on_abort", True)
    runtime, events = VRLRuntime(), []
    assert runtime.check_syntax(transform["source"]) is None
    for line in lines:
        with contextlib.suppress(RuntimeError):
            result = runtime.execute(transform["source"], {"message": line, "file": "requests.log", "host": "a"})
            events.append(result.processed_event)
    return events


@pytest.mark.parametrize("config", [CONFIGURED, DOCUMENTED], ids=["docs/deploy", "docs/clickhouse.md"])
def test_clickhouse_gets_the_requests_and_nothing_else(config, lines):
    requests = [line for line in lines[:9] if json.loads(line)["event"] == "http_request"]
    assert len(requests) == 8
    events = shipped(config, lines)
    assert [event.pop("line") for event in events] == requests
    assert events == [json.loads(line) for line in requests]


def test_the_table_takes_them(lines):
    (sink,) = CONFIGURED["sinks"].values()
    assert sink["skip_unknown_fields"]
    assert sink["date_time_best_effort"]
    table = f"{sink['database']}.{sink['table']}"
    rows = "\n".join(map(json.dumps, shipped(CONFIGURED, lines)))
    with Session() as session:
        session.query(f"CREATE DATABASE {sink['database']}")  # as CLICKHOUSE_DB does
        session.query((DEPLOY / "clickhouse.sql").read_text())
        settings = "input_format_skip_unknown_fields = 1, date_time_input_format = 'best_effort'"
        session.query(f"INSERT INTO {table} SETTINGS {settings} FORMAT JSONEachRow\n{rows}")

        def ask(query):
            return [json.loads(row) for row in (session.query(query, "JSONCompactEachRow").bytes() or b"").splitlines()]

        statuses = ask(f"SELECT status, count() FROM {table} GROUP BY status ORDER BY status")
        named = ask(f"SELECT route, endpoint, timings['db'].count FROM {table} WHERE path = '/item/1'")
        failed = ask(f"SELECT error_type, JSONExtractInt(line, 'db_queries') FROM {table} WHERE status = 500")
    assert [(status, int(count)) for status, count in statuses] == [(200, 3), (400, 1), (404, 3), (500, 1)]
    assert [(*names, int(count)) for *names, count in named] == [("/item/<int:item_id>", "items.get_item", 1)]
    assert [(error, int(count)) for error, count in failed] == [("RuntimeError", 0)]


def test_loki_gets_every_line_at_its_own_time(lines):
    (sink,) = LOKI["sinks"].values()
    events = shipped(LOKI, lines)
    assert [event["message"] for event in events] == lines[:9]
    for event in events:
        written = datetime.fromisoformat(json.loads(event["message"])["timestamp"])
        assert datetime.fromisoformat(event["timestamp"].replace(" UTC", "+00:00")) == written
        assert event["level"] in {"info", "warning", "error"}
    assert set(re.findall(r"{{ (\w+) }}", "".join(sink["labels"].values()))) == {"level"}
