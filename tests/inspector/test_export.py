"""Requests for other programs."""

import re
from datetime import UTC

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.log_lines import hostile_records, log_file, log_lines, request

from overcoat.inspector._export import combined

#: As analysers of access logs read it.
COMBINED = re.compile(
    r'(?P<host>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}|-) (?P<size>\d+|-)'
    r' "(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"'
)


def test_a_request_in_the_combined_format():
    record = request(query="a=1", http_version="1.1", user_agent="curl/8.5.0")
    assert combined(record, UTC) == (
        '192.0.2.1 - - [20/Nov/2026:00:00:00 +0000] "GET /item/7?a=1 HTTP/1.1" 200 42 "-" "curl/8.5.0"'
    )


@pytest.mark.parametrize("record", [{}, request(status=None, response_bytes=None), *hostile_records()])
def test_any_record_is_one_line_that_parses(record):
    line = combined(record, UTC)
    assert line.isprintable()
    assert COMBINED.fullmatch(line)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["client", "method", "path", "query", "user_agent", "http_version"]), st.text()))
def test_any_text_is_one_line_that_parses(fields):
    assert COMBINED.fullmatch(combined(fields, UTC))


def test_every_request_is_exported(overcoat, tmp_path):
    path = log_file(tmp_path / "app.log", log_lines(500))
    ran = overcoat("logs", path, "--export", "combined", "--utc")
    assert len(ran.rows) == 500
    assert all(COMBINED.fullmatch(row) for row in ran.rows)
