"""The benchmark of the logs runs, on a small log, and its page has a place for the tables."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from overcoat.inspector._reader import Reader
from overcoat.inspector._record import FIELDS


@pytest.fixture
def logs(monkeypatch):
    """The script, which is run from the folder that holds the project."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    return importlib.import_module("benchmarks.logs")


def test_the_log_it_makes_is_one_of_ours(logs, tmp_path):
    wanted = logs.make_log(tmp_path / "app.log", 100)
    lines = (tmp_path / "app.log").read_bytes().splitlines()
    found = [Reader().read(line) for line in lines]
    assert [line for line, _ in found] == lines
    assert all(record.keys() <= FIELDS.keys() for _, record in found)
    assert [record["request_id"] for _, record in found].index(wanted) == 50
    timestamps = [orjson.loads(line)["timestamp"] for line in lines]
    assert timestamps == sorted(timestamps)


def test_it_measures_each_tool_and_each_goal(logs, tmp_path, monkeypatch):
    tools = [
        logs.Tool("jq, the four fields only", ["true"]),
        logs.Tool("jq alone, the same", ["sh", "-c", '[ "$ANSWER" = 42 ]'], 1e-9, {"ANSWER": "42"}),
        logs.Tool("lnav, by route", ["true"], 1e9),
    ]
    monkeypatch.setattr(logs, "others", lambda *_: iter(tools))
    text = logs.measure(tmp_path, 200, 1)
    assert text.count("\n| overcoat ") == 5
    assert text.count("\n| jq, the four fields only |") == 1
    assert "| jq, times as long" not in text
    assert re.search(r"\n\| jq alone, times as long as --stats \| [0-9.]+ \| at least 1e-09 \| yes \|", text)
    assert re.search(r"\n\| lnav, times as long as --stats \| [0-9.]+ \| at least 1e\+09 \| no, by 100% \|", text)


@pytest.fixture
def answers(logs, tmp_path):
    """What the tools that are installed print of a small log, by name, and the figures of `--stats`."""
    log, overcoat = tmp_path / "app.log", [sys.executable, "-m", "overcoat.inspector"]
    logs.make_log(log, 300)
    figures = subprocess.check_output([*overcoat, "logs", str(log), "--stats", "--json"])
    printed = {}
    for tool in logs.others(tmp_path, log, overcoat):
        as_json = ["-c", ":write-json-to -"] if tool.command[0] == "lnav" else []
        environment = {**os.environ, **tool.environment}
        printed[tool.name.partition(",")[0]] = subprocess.check_output([*tool.command, *as_json], env=environment)
    rows = [
        [
            row["route"], row["requests"], row["errors"],
            *(pytest.approx(row[f"{name}_ms"], rel=1e-5) for name in ("p50", "p90", "p95", "p99", "max")),
            row["response_bytes"],
        ]
        for row in map(orjson.loads, figures.splitlines())
    ]  # fmt: skip
    return printed, rows


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_what_is_compared_is_the_same_answer(answers):
    """Who answers less, or wrongly, is no measure."""
    printed, rows = answers
    *groups, total = [list(orjson.loads(line).values()) for line in printed["jq alone"].splitlines()]
    assert [[*group[:3], *group[3], *group[4:]] for group in groups] == rows
    assert total[:2] == ["all", 300]
    found = [line.split("\t") for line in printed["jq with sort and awk"].decode().splitlines()]
    assert [[route, *map(float, numbers)] for route, *numbers in found] == sorted(rows, key=lambda row: row[0])
    if shutil.which("lnav"):  # its percentiles are of the nearest request
        found = [list(row.values()) for row in orjson.loads(printed["lnav with percentiles"])]
        assert [[*row[:3], *row[7:]] for row in found] == [[*row[:3], *row[7:]] for row in rows]
        assert all(p50 <= p90 <= p95 <= p99 <= longest for _, _, _, p50, p90, p95, p99, longest, _ in found)


def test_a_tool_that_fails_is_told(logs):
    with pytest.raises(SystemExit, match="false: exit status 1"):
        logs.timed(["false"])


def test_the_page_has_a_place_for_the_tables(logs):
    page = logs.PAGE.read_text()
    assert logs.BEGIN in page
    assert logs.END in page
