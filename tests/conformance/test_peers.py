"""The tables of docs/conformance.md say what the kit says today: of each well-known wrapper, and of its own rules."""

import pytest
from support.conformance_table import PAGE, PEERS, block, check, row, rules_table, versions

PAGE_TEXT = PAGE.read_text(encoding="utf-8")
REWRITE = "PYTHONPATH=tests/lib python -m support.conformance_table --write brings the page up to date"


@pytest.mark.parametrize("name", PEERS)
def test_row_of_the_page_is_what_the_kit_says(name):
    rows = [line for line in block("wrappers", PAGE_TEXT).splitlines() if line.startswith(f"| {name} |")]
    assert rows == [row(name)], f"{check(name)}\n\n{REWRITE}"


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
