"""Which fields a query needs: one too many costs time, one too few an answer."""

import duckdb
import pytest

from overcoat.inspector._record import FIELDS
from overcoat.inspector._syntax import ALL, names_in

EVERY = {ALL}


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        ("SELECT * FROM requests", EVERY),
        ("FROM requests", EVERY),
        ("SELECT * EXCLUDE (path) FROM requests", EVERY | {"path"}),
        ("SELECT COLUMNS('.*_ms') FROM requests", EVERY),
        ("SELECT requests FROM requests", EVERY),
        ("SELECT status FROM (SELECT * FROM requests)", EVERY | {"status"}),
        ("SELECT count(*) FROM requests", set()),
        ("SELECT status, count(*) OVER () FROM requests", {"status"}),
        ("SELECT duration_ms * 2 FROM requests", {"duration_ms"}),
        ("SELECT status FROM requests WHERE path GLOB '*'", {"status", "path"}),
        ("SELECT status FROM requests ORDER BY duration_ms", {"status", "duration_ms"}),
        ("SELECT r.status FROM requests r JOIN requests s USING (client)", {"status", "client"}),
        ("SELECT 'path' FROM requests", {"path"}),
    ],
)
def test_the_fields_that_a_query_needs(query, needed):
    assert names_in(query, duckdb.connect()) & {*FIELDS, ALL} == needed
