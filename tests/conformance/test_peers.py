"""The tables of docs/conformance.md say what the kit says today: of each well-known wrapper, and of its own rules."""

import sys

import pytest
from support.conformance_table import PAGE, PEERS, block, check, row, rules_table, versions

PAGE_TEXT = PAGE.read_text(encoding="utf-8")
REWRITE = "PYTHONPATH=tests/lib python -m support.conformance_table --write brings the page up to date"


# The page has its rows of Python 3.11, and says below them what is otherwise in later ones.
SINCE_PYTHON_3_12 = {"Werkzeug ProfilerMiddleware": [("17 of 26", "16 of 26"), ("`exits`", "`exits`, `overlap`")]}


@pytest.mark.parametrize("name", PEERS)
def test_row_of_the_page_is_what_the_kit_says(name):
    (told,) = [line for line in block("wrappers", PAGE_TEXT).splitlines() if line.startswith(f"| {name} |")]
    for before, since in SINCE_PYTHON_3_12.get(name, []) if sys.version_info >= (3, 12) else []:
        told = told.replace(before, since)
    assert told == row(name), f"{check(name)}\n\n{REWRITE}"


def test_page_has_no_other_rows():
    rows = [line.split(" | ")[0].strip("| ") for line in block("wrappers", PAGE_TEXT).splitlines() if "|" in line]
    assert rows[2:] == list(PEERS), REWRITE


def test_rules_of_the_page():
    assert block("rules", PAGE_TEXT) == rules_table(), REWRITE


def test_page_tells_every_release():
    # Which one is for whoever writes the page: a newer one that behaves the same needs no new page.
    told = block("wrappers", PAGE_TEXT).splitlines()[-1]
    assert [part.rsplit(" ", 1)[0] for part in told.split(", ")] == [
        part.rsplit(" ", 1)[0] for part in versions().split(", ")
    ]
