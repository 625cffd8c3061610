"""What can be read is read; what cannot is said, once, in words."""

import gzip
import os
import subprocess

import pytest
from support.log_lines import log_lines

from overcoat.inspector._files import LogFiles, reason
from overcoat.inspector._lines import forward

LINES = log_lines(500)
CONTENT = b"\n".join(LINES) + b"\n"


def read(files):
    """All lines of all files."""
    return [line for file in files.readable for line in forward(files.blocks(file), files)]


@pytest.mark.parametrize("name", ["app.log", "app.log.gz", "app.txt"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_gzip_is_known_by_its_first_bytes(tmp_path, name, packed):
    path = tmp_path / name
    path.write_bytes(gzip.compress(CONTENT) if packed else CONTENT)
    files = LogFiles([str(path)])
    assert read(files) == LINES
    assert files.readable[0].seekable is not packed
    assert not files.problems


def test_a_gzip_file_of_several_members_is_one_log(tmp_path):
    path = tmp_path / "app.log.gz"
    path.write_bytes(gzip.compress(CONTENT) + gzip.compress(CONTENT))
    assert read(LogFiles([str(path)])) == LINES * 2


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        pytest.param(lambda packed: packed[: len(packed) // 2], "ends too early", id="cut short"),
        pytest.param(lambda packed: packed[:-400] + b"\0" * 200 + packed[-200:], "is damaged", id="overwritten"),
        pytest.param(lambda packed: packed + b"garbage", "is damaged", id="garbage at the end"),
    ],
)
def test_a_damaged_gzip_file_is_read_as_far_as_it_goes(tmp_path, damage, problem):
    path = tmp_path / "app.log.gz"
    path.write_bytes(damage(gzip.compress(CONTENT, mtime=0)))
    files = LogFiles([str(path)])
    lines = read(files)
    good = len(lines) * 3 // 4  # damaged data unpacks to something before it is noticed
    assert good > 100
    assert lines[:good] == LINES[:good]
    assert problem in files.problems[0]


def test_what_cannot_be_opened_is_a_problem(tmp_path):
    (tmp_path / "good.log").write_bytes(CONTENT)
    files = LogFiles([str(tmp_path / "none.log"), str(tmp_path), str(tmp_path / "good.log")])
    assert [file.name for file in files.readable] == [str(tmp_path / "good.log")]
    assert [problem.rpartition(": ")[2] for problem in files.problems] == [
        "no such file",
        "is a directory; name the files in it",
    ]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied"), "no permission to read it"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (OSError(), "OSError"),
    ],
)
def test_an_error_is_told_in_words(error, words):
    assert reason(error) == words


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 5000])
def test_odd_names_are_problems(name):
    assert LogFiles([name]).problems


def test_a_log_named_twice_is_read_once(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(CONTENT)
    assert read(LogFiles([str(path), str(path)])) == LINES


def test_a_named_pipe_is_read_once(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    source = tmp_path / "app.log"
    source.write_bytes(CONTENT)
    writer = subprocess.Popen(["sh", "-c", f"cat '{source}' > '{path}'"])
    files = LogFiles([str(path)])
    assert files.total_bytes is None
    assert read(files) == LINES
    assert writer.wait(timeout=30) == 0


def test_what_was_skipped_is_told():
    files = LogFiles([])
    assert files.skipped() == []
    files.broken, files.too_long = 3, 1
    assert files.skipped() == [
        "3 lines were not JSON and were skipped",
        "1 line was longer than 16 MiB and was skipped",
    ]
