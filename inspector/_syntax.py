"""The names in a query, read from DuckDB's own syntax tree.

They say which fields must be parsed. Every text of the tree is taken for a name: one too many costs little time, one
too few an answer.

>>> connection = duckdb.connect()
>>> names = names_in("SELECT max(status) FROM requests WHERE path = 'x'", connection)
>>> [name for name in ("status", "path", "route") if name in names]
['status', 'path']
>>> [ALL in names_in(query, connection) for query in ("SELECT count(*) FROM requests", "FROM requests")]
[False, True]
"""

from collections.abc import Iterator
from typing import Any, Final

import duckdb
import orjson

from overcoat.inspector._filters import QueryError

ALL: Final = "every field\0"
"""Among the names: the query needs every field. No text of a query is this, as a product or a pattern is `*`."""


def names_in(query: str, connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Every name in a SELECT, of a column or not.

    Args:
        query: as a user typed it, or ours.
        connection: of any database; nothing is run on it but the parser.

    Raises:
        QueryError: the text is not one SELECT.
    """
    found = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchall()
    tree = orjson.loads(found[0][0])
    if tree["error"] and tree["error_type"] != "not implemented":
        raise QueryError(f"the SQL is wrong: {tree['error_message']}")
    if tree["error"] or len(tree["statements"]) != 1:
        raise QueryError("one SELECT is expected, and nothing else")
    return set(_texts(tree))


def _texts(node: Any, *, counted: bool = False) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item, counted=counted)
    elif isinstance(node, dict):
        kind = node.get("class")
        every_column = kind == "STAR" and (node.get("columns") or not counted)
        # The name of the table among the columns is its whole row.
        if every_column or (kind == "COLUMN_REF" and node["column_names"] == ["requests"]):
            yield ALL
        for item in node.values():
            yield from _texts(item, counted=node.get("function_name") == "count")  # count(*) reads no column
