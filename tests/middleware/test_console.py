import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overcoat.middleware._console import console_line, renderer, wants_colour
from overcoat.middleware._json import json_line
from overcoat.middleware._logfmt import logfmt_line

RECORD = {
    "timestamp": "2026-01-02T03:04:05.678901Z",
    "level": "info",
    "event": "http_request",
    "method": "GET",
    "path": "/item/7",
    "query": "page=2",
    "status": 200,
    "duration_ms": 1.234,
    "response_bytes": 1234,
    "client": "192.0.2.1",
    "request_id": "0123456789abcdef",
    "outcome": "complete",
}


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def line_of(**changes):
    record = {name: value for name, value in (RECORD | changes).items() if value is not None}
    return console_line(record).decode()


def test_a_request_is_one_aligned_line():
    assert line_of() == (
        "03:04:05.678 200 GET     /item/7?page=2                     1.2 ms   1.2 kB 192.0.2.1       01234567\n"
    )


def test_the_text_of_other_lines_stands_where_the_paths_stand():
    other = console_line({"timestamp": RECORD["timestamp"], "level": "critical", "event": "/item/7?page=2"}).decode()
    assert other.index("/item") == line_of().index("/item")


def test_the_clock_is_that_of_the_person(monkeypatch):
    monkeypatch.setenv("TZ", "XYZ-05:30")
    time.tzset()
    assert line_of().startswith("08:34:05.678 ")


@pytest.mark.parametrize("timestamp", [None, 7, "", "soon", "\x1b[2J", "9999-12-31T23:59:59-23:59"], ids=repr)
def test_a_timestamp_that_is_none_leaves_the_columns_where_they_are(timestamp):
    line = console_line(RECORD | {"timestamp": timestamp}).decode()
    assert line[12:16] == " 200"
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"method": "OPTIONS"}, " OPTIONS /item/7?page=2 "),
        ({"method": "X" * 50}, f" {'X' * 10} /item/7"),
        ({"query": None}, " GET     /item/7 "),
        ({"path": "/" + "a" * 65536}, "/" + "a" * 199 + "...   "),
        ({"duration_ms": 999.9}, " 01234567\n"),
        ({"duration_ms": 1234.5}, " 1.23 s   1.2 kB 192.0.2.1       01234567 slow\n"),
        ({"response_bytes": 7}, " 7 B "),
        ({"response_bytes": 2_500_000}, " 2.5 MB "),
        ({"response_bytes": 3_000_000_000}, " 3.0 GB "),
        ({"response_bytes": None}, " ms          192.0.2.1"),
        ({"status": None}, " --- GET"),
        ({"outcome": "aborted"}, " 01234567 aborted\n"),
        ({"outcome": "failed"}, " 01234567 failed\n"),
        ({"outcome": "handed_off"}, " 01234567\n"),
        ({"error_type": "ValueError", "error_message": "no\nway"}, r" ValueError: no\x0away" + "\n"),
        ({"error_type": "E", "error_message": "x", "error_at": "a.py:4 in f"}, " E: x (a.py:4 in f)\n"),
        ({"timings": {"db": {"duration_ms": 2.1, "count": 1}}}, " db 2.1 ms\n"),
        ({"timings": {"d\x1b": {"duration_ms": 2.1, "count": 3}}}, r" d\x1b 2.1 ms/3" + "\n"),
        ({"timings": {"db": "\x9b"}}, r" db=\x9b" + "\n"),
        ({"timings": "\x9b"}, " 01234567\n"),
        ({"user_id": 7, "tenant": "a b"}, " user_id=7 tenant='a b'\n"),
        ({"trace_id": "4bf9", "span_id": "00f0", "user_agent": "curl"}, " 01234567\n"),
        ({"client": None}, " -  "),
        ({"duration_ms": "soon"}, "http_request method=GET"),
        ({"response_bytes": "many"}, " ms "),
    ],
    ids=str,
)
def test_parts_of_a_request_line(changes, part):
    assert part in line_of(**changes)


def test_another_event_is_as_it_is():
    record = {"timestamp": RECORD["timestamp"], "level": "warning", "event": "cart full", "items": 3, "who": "a b"}
    assert console_line(record) == b"03:04:05.678 warning     cart full items=3 who='a b'\n"


def test_a_traceback_stands_below():
    record = {"event": "oops", "exception": "Traceback:\n  File\nValueError: \x1b[31m"}
    assert console_line(record).decode().splitlines()[1:] == [
        "    Traceback:", "      File", r"    ValueError: \x1b[31m",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("level", "tint"), [("info", "\x1b[32m"), ("warning", "\x1b[33m"), ("error", "\x1b[31m"), ("odd", "")]
)
def test_colours(level, tint):
    line = console_line(RECORD | {"level": level}, colour=True).decode()
    assert f"{tint}200\x1b[0m" in line if tint else " 200 GET" in line
    assert re.sub(r"\x1b\[\d+m", "", line) == line_of()


@pytest.mark.parametrize(
    ("terminal", "environ", "colour"),
    [
        (False, {"TERM": "xterm", "FORCE_COLOR": "1"}, True),
        (False, {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        (False, {"TERM": "xterm", "FORCE_COLOR": ""}, False),
        (True, {"TERM": "xterm", "FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (True, {}, True),
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
        (False, {"TERM": "xterm"}, False),
    ],
    ids=str,
)
def test_when_to_colour(monkeypatch, terminal, environ, colour):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(terminal) is colour
    assert (b"\x1b" in renderer("console", colour=colour)(RECORD)) is colour


@pytest.mark.parametrize(("form", "function"), [("json", json_line), ("logfmt", logfmt_line)])
def test_a_file_is_never_coloured(form, function):
    assert renderer(form, colour=True) is function


COLOURED = {
    "a slow one": ({"duration_ms": 1234.5}, ["\x1b[33m  1.23 s\x1b[0m", "\x1b[33mslow\x1b[0m"]),
    "an aborted one": ({"outcome": "aborted"}, ["\x1b[33maborted\x1b[0m"]),
    "a failed one": ({"outcome": "failed", "level": "error"}, ["\x1b[31mfailed\x1b[0m", "\x1b[31m200\x1b[0m"]),
    "an error": ({"error_type": "E", "error_message": "x"}, ["\x1b[31mE: x\x1b[0m"]),
}


@pytest.mark.parametrize(("changes", "parts"), COLOURED.values(), ids=COLOURED)
def test_what_is_amiss_has_a_colour(changes, parts):
    line = console_line(RECORD | changes, colour=True).decode()
    for part in parts:
        assert part in line


ANY = st.text(st.characters())


@given(path=ANY, query=ANY, method=ANY, client=ANY, message=ANY, own=ANY)
def test_item_33_cve_2020_7694_no_control_character_reaches_a_terminal(path, query, method, client, message, own):
    changes = {
        "path": path,
        "query": query,
        "method": method,
        "client": client,
        "error_type": "E",
        "error_message": message,
    }
    for record in (RECORD | changes, {"event": path, query or "x": own, "exception": message}):
        for render in (console_line, logfmt_line):
            text = render(record).decode()
            assert text.endswith("\n")
            kinds = {unicodedata.category(character) for character in text.replace("\n", "")}
            assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
            assert "\u202e" not in text
    assert console_line(RECORD | changes).count(b"\n") == 1


class Mute:
    def __str__(self):
        raise RuntimeError("no text")


ODD = {
    "a list": ["\x1b"], "a dict": {"a": "\n"}, "no text": Mute(), "None": None, "a large number": 2**80,
    "not a number": float("nan"), "bytes": b"\xff\n", "an exception": ValueError("\x1b\n"),
}  # fmt: skip


FULL = RECORD | {
    "error_type": "E", "error_message": "x", "error_at": "a.py:1 in f",
    "timings": {"db": {"duration_ms": 1.0, "count": 2}},
}  # fmt: skip


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize("render", [json_line, console_line, logfmt_line], ids=["json", "console", "logfmt"])
def test_a_field_that_a_processor_of_the_app_s_has_changed_costs_no_line(render, value):
    for name in [*FULL, "event", "exception", "own"]:
        if name not in {"exception", "stack"} or render is not console_line:
            line = render(FULL | {name: value}).decode()
            assert line.count("\n") == 1
            assert line[:-1].isprintable()
    assert render(dict.fromkeys([*FULL, "exception"], value)).decode().replace("\n", "").isprintable()


LOGFMT = {
    "plain": ({"a": "x", "b": 1, "c": 1.5, "d": True, "e": None}, "a=x b=1 c=1.5 d=true e=null"),
    "a space": ({"a": "x y"}, 'a="x y"'),
    "empty": ({"a": ""}, 'a=""'),
    "a quote": ({"a": 'say "x"'}, r'a="say \"x\""'),
    "a backslash": ({"a": "c:\\x"}, r'a="c:\\x"'),
    "an equals sign": ({"a": "b=c"}, 'a="b=c"'),
    "a line feed": ({"a": "x\ny"}, r'a="x\x0ay"'),
    "a list": ({"a": [1, 2]}, "a=[1,2]"),
    "an object with quotes": ({"a": {"k": 'x"y'}}, r'a="{\"k\":\"x\\\"y\"}"'),
    "letters": ({"a": "é"}, 'a="é"'),
    "a key with a space": ({"a b": 1}, "a_b=1"),
    "a key that would forge a pair": ({'x=1 level="error"': 1}, "x_1_level__error_=1"),
    "an empty key": ({"": 1}, "_=1"),
    "a key that is no text": ({7: 1}, "7=1"),
}


@pytest.mark.parametrize(("record", "line"), LOGFMT.values(), ids=LOGFMT)
def test_logfmt(record, line):
    assert logfmt_line(record).decode() == line + "\n"


PAIR = re.compile(r'([^\s="\\]+)=("(?:[^"\\]|\\.)*"|[^\s="\\]+)(?: |\n$)')


@given(st.dictionaries(ANY, ANY | st.integers() | st.lists(ANY), min_size=1))
def test_logfmt_is_read_back(record):
    line = logfmt_line(record).decode()
    pairs = PAIR.findall(line)
    assert len(pairs) == len(record)
    assert "".join(match[0] for match in PAIR.finditer(line)) == line
    for value, (_, shown) in zip(record.values(), pairs, strict=True):
        if isinstance(value, str) and value.isascii() and value.isprintable():
            assert (
                re.sub(r"\\(.)", r"\1", shown.removeprefix('"').removesuffix('"') if shown[0] == '"' else shown)
                == value
            )


@pytest.mark.parametrize("unit", ["\x1b", '"', "\\", "é", " ", "="], ids=ascii)
@pytest.mark.parametrize("render", [console_line, logfmt_line], ids=lambda render: render.__name__)
def test_64_kib_cost_linear_time(render, unit):
    render(RECORD | {"path": unit * 65536, "exception": unit * 65536})
