"""Lines from the start, from the end, and those with a pattern: always those that split() finds, in any blocks."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overcoat.inspector import _lines
from overcoat.inspector._files import LogFiles
from overcoat.inspector._lines import backward, containing, forward

contents = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), max_size=12).map(b"\n".join)


def blocks(content, size):
    """The content in blocks of so many bytes."""
    return [content[start : start + size] for start in range(0, len(content), size)]


def split(content):
    """The lines of a file: what stands between line ends, and what follows the last if anything does."""
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


@pytest.fixture
def files():
    return LogFiles([])


@settings(deadline=None)
@given(content=contents, size=st.integers(1, 40))
def test_forward_finds_every_line(content, size):
    assert list(forward(blocks(content, size), LogFiles([]))) == split(content)


@settings(deadline=None)
@given(content=contents, size=st.integers(8, 40))
def test_backward_finds_every_line_and_what_is_unfinished(content, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_lines, "BLOCK_BYTES", size)
        assert list(backward(io.BytesIO(content), LogFiles([]))) == content.split(b"\n")[::-1]


@settings(deadline=None)
@given(content=contents, size=st.integers(1, 40), needle=st.binary(min_size=1, max_size=2))
def test_containing_finds_the_lines_with_the_pattern(content, size, needle):
    needle = needle.replace(b"\n", b"x")
    found = list(containing(blocks(content, size), needle, LogFiles([])))
    assert found == [line for line in split(content) if needle in line]


@pytest.mark.parametrize("size", [1, 7, 50])  # no block is larger than a line may be
def test_a_line_that_is_too_long_is_dropped_and_counted(files, monkeypatch, size):
    monkeypatch.setattr(_lines, "MAX_LINE_BYTES", 50)
    content = b"one\n" + b"x" * 51 + b"\ntwo\n" + b"y" * 50 + b"\n" + b"z" * 500
    assert list(forward(blocks(content, size), files)) == [b"one", b"two", b"y" * 50]
    assert files.too_long == 2


def test_a_line_that_is_too_long_is_empty_from_the_end(files, monkeypatch):
    monkeypatch.setattr(_lines, "MAX_LINE_BYTES", 50)
    monkeypatch.setattr(_lines, "BLOCK_BYTES", 64)
    content = b"one\n" + b"x" * 500 + b"\ntwo\n" + b"z" * 500
    assert list(backward(io.BytesIO(content), files)) == [b"", b"two", b"", b"one"]
    assert files.too_long == 2


def test_a_gigantic_line_is_never_held(files):
    held = []

    def stream():
        for _ in range(40):
            held.append(sum(map(len, splitter._parts)))
            yield b"x" * 2**20

    splitter = _lines.LineSplitter(files)
    for block in stream():
        splitter.feed(block)
    assert max(held) <= _lines.MAX_LINE_BYTES
    assert splitter.finish() is None
    assert files.too_long == 1
