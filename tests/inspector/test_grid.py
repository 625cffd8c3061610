"""Figures in columns, within the width."""

import io

import pytest
from rich.cells import cell_len

from overcoat.inspector._grid import print_grid
from overcoat.inspector._terminal import Terminal, cut, fit


def printed(headings, rows, right, *, width=None):
    """The lines of a grid."""
    terminal = Terminal(io.StringIO())
    terminal.width = width
    print_grid(terminal, headings, rows, right=right)
    return terminal.stream.getvalue().splitlines()


def test_text_stands_left_and_numbers_right():
    assert printed(["ROUTE", "N"], [["/a", "1"], ["/longer", "1,000"]], [False, True]) == [
        "ROUTE        N",
        "/a           1",
        "/longer  1,000",
    ]


def test_text_is_cut_to_the_width_and_numbers_never():
    lines = printed(["ROUTE", "N"], [["/" + "x" * 80, "123,456"]], [False, True], width=40)
    assert [cell_len(line) for line in lines] == [40, 40]
    assert lines[1].endswith("…  123,456")


@pytest.mark.parametrize("width", [10, 20, 30, 50, 80])
def test_no_line_is_wider_than_the_terminal(width):
    rows = [["日本" * 30, "x" * 300, "\x1b[2J", "5"]] * 3
    lines = printed(["one", "two", "three", "four"], rows, [False, False, False, True], width=width)
    assert max(map(cell_len, lines)) <= width
    assert "\x1b" not in "".join(lines)


def test_what_has_no_room_stands_one_field_a_line():
    lines = printed([f"column {number}" for number in range(9)], [["1"] * 9], [True] * 9, width=40)
    assert lines[:3] == ["── 1 ──", "column 0  1", "column 1  1"]


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [("abc", 5, "abc  "), ("abcdef", 4, "abc…"), ("日本語", 4, "日 …"), ("日本語", 5, "日本…"), ("abc", 0, "")],
)
def test_text_fits_in_columns(text, width, fitted):
    assert fit(text, width) == fitted
    assert cut(text, width) == fitted.rstrip()


def test_without_a_width_nothing_is_cut():
    assert cut("x" * 500, None) == "x" * 500
