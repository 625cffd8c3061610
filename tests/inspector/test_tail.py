"""The last requests are the same as if everything had been read."""

import gzip

import orjson
import pytest
from support.log_lines import line, log_file, log_lines

from overcoat.inspector import _tail
from overcoat.inspector._files import LogFiles
from overcoat.inspector._filters import Filters
from overcoat.inspector._tail import last_requests, stream

APP_LINE = b'{"timestamp":"2026-11-20T00:00:00.000000Z","level":"info","event":"cache.miss"}'


def ids(found):
    """The request ids of what was found."""
    return [record["request_id"] for _, record in found]


@pytest.mark.parametrize("count", [0, 1, 7, 1000, 5000])
@pytest.mark.parametrize(
    "filters", [Filters(), Filters(statuses=((500, 599),)), Filters(path="/blobs/*")], ids=["all", "5xx", "path"]
)
def test_the_last_are_the_end_of_all(tmp_path, filters, count):
    name = log_file(tmp_path / "app.log", log_lines(3000))
    every = ids(stream(LogFiles([name]), filters))
    last = ids(last_requests(LogFiles([name]), filters, count))
    assert last == every[len(every) - min(count, len(every)) :]
    assert every


def test_several_files_are_merged_by_time(tmp_path):
    lines = log_lines(300)
    odd = log_file(tmp_path / "odd.log", lines[1::2])
    even = log_file(tmp_path / "even.log", lines[::2])
    found = last_requests(LogFiles([odd, even]), Filters(), 50)
    assert [text for text, _ in found] == lines[-50:]


def test_only_the_end_of_a_long_file_is_read(tmp_path):
    """A file of which only the end exists on the disk: reading the hole before it would find broken lines."""
    path = tmp_path / "app.log"
    with path.open("wb") as sparse:
        sparse.seek(2**33)
        sparse.write(b"\n" + b"\n".join(log_lines(1000)) + b"\n")
    assert path.stat().st_blocks * 512 < 2**24
    files = LogFiles([str(path)])
    assert len(last_requests(files, Filters(), 100)) == 100
    assert (files.requests, files.broken) == (100, 0)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_it_gives_up_beyond_its_budget_and_forgets_what_it_counted(tmp_path, monkeypatch, packed):
    path = tmp_path / "app.log"
    content = b"broken\n" + b"\n".join(log_lines(500)) + b"\n"
    path.write_bytes(gzip.compress(content) if packed else content)
    monkeypatch.setattr(_tail, "BUDGET_BYTES", 20_000)
    files = LogFiles([str(path)])
    assert last_requests(files, Filters(path="/nowhere"), 5) is None
    assert (files.requests, files.broken) == (0, 0)


def test_a_line_that_is_being_written_is_not_broken(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(line() + b"\n" + line()[:50])
    files = LogFiles([str(path)])
    assert len(last_requests(files, Filters(), 5)) == 1
    assert files.broken == 0


def test_a_last_line_without_an_end_counts(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(line() + b"\n" + line(request_id="last"))
    assert ids(last_requests(LogFiles([str(path)]), Filters(), 1)) == ["last"]


def test_lines_are_counted_by_kind(tmp_path):
    lines = [line(), APP_LINE, b"Listening on 8000", b"", b"   ", b"web-1  | " + line(), b'{"cut":', orjson.dumps([1])]
    files = LogFiles([log_file(tmp_path / "app.log", lines)])
    assert len(last_requests(files, Filters(), 10)) == 2
    assert (files.requests, files.others, files.broken) == (2, 1, 3)
