"""The views over the lines of the logs, as SQL.

- `"overcoat.lines"`: every line, with its kind: `broken` (no JSON), `other` (the app's own), `left_out` (by the
  filters), `request`;
- `requests`: the lines of kind `request`.

A view has only the fields it was asked for, as parsing them is what costs time.

>>> print(view_statements([], Filters(), ["status"], [])[1])
CREATE OR REPLACE TEMP VIEW requests AS SELECT "event", "status" FROM "overcoat.lines" WHERE "overcoat.kind" = 'request'
"""

# ruff: noqa: S608 (this file writes SQL: names and values are quoted, and a user's own query is theirs)

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import orjson

from overcoat.inspector._filters import TIMESTAMP_SQL, Filters, identifier, quote
from overcoat.inspector._record import FIELDS, MAX_LINE_BYTES, REQUEST_EVENT

LINES: Final = '"overcoat.lines"'
KIND: Final = '"overcoat.kind"'
KINDS: Final = ("broken", "other", "left_out", "request")
LINE: Final = '"overcoat.line"'
"""The line as written; a column only where whole lines are read."""

_KIND_TYPE = f"ENUM {KINDS}"  # an enumeration is faster to group by than texts
_GLOB = str.maketrans({"*": "[*]", "?": "[?]", "[": "[[]"})  # DuckDB expands patterns in file names


@dataclass(frozen=True)
class Source:
    """A file that DuckDB reads itself."""

    path: str
    packing: str


def view_statements(
    sources: Sequence[Source], filters: Filters, fields: Iterable[str], extras: Iterable[str], *, whole: bool = False
) -> list[str]:
    """The statements that create the views.

    Args:
        sources: the files.
        filters: which requests to keep.
        fields: the fields of the record to parse.
        extras: the app's own fields to parse, as text.
        whole: whether to keep each line as written.
    """
    wanted = {*fields, *filters.fields(), "event"}
    # The timestamp is parsed as written: a bad one is a null, and not a reason to drop the line.
    types = {name: "VARCHAR" if name == "timestamp" else kind for name, kind in FIELDS.items() if name in wanted}
    types |= dict.fromkeys(extras, "VARCHAR")
    names = ", ".join([identifier(name) for name in types] + [LINE] * whole)
    values = ", ".join(
        f"{TIMESTAMP_SQL if name == 'timestamp' else f'j.{identifier(name)}'} AS {identifier(name)}" for name in types
    )
    broken, other, left_out, request = (f"'{kind}'::{_KIND_TYPE}" for kind in KINDS)
    kind = f"""CASE WHEN j IS NULL THEN {broken}
        WHEN j.event IS DISTINCT FROM {quote(REQUEST_EVENT)} THEN {other}
        WHEN coalesce({filters.sql()}, false) THEN {request} ELSE {left_out} END"""
    parsed = f"SELECT {values}{f', {LINE}' * whole}, {kind} AS kind FROM ({_objects(sources, types, whole=whole)})"
    if filters.where is not None:
        # The user's condition ends on a line of its own, so that a comment in it ends there.
        kept = f"CASE WHEN kind <> 'request' OR (\n{filters.where}\n) THEN kind ELSE {left_out} END"
        parsed = f"SELECT {names}, {kept} AS kind FROM ({parsed})"
    return [
        f"CREATE OR REPLACE TEMP VIEW {LINES} AS SELECT {names}, kind AS {KIND} FROM ({parsed})",
        f"CREATE OR REPLACE TEMP VIEW requests AS SELECT {names} FROM {LINES} WHERE {KIND} = 'request'",
    ]


def _objects(sources: Sequence[Source], types: dict[str, str], *, whole: bool) -> str:
    """A SELECT of one struct `j` for each line, null where the line is not JSON."""
    struct = "STRUCT(" + ", ".join(f"{identifier(name)} {kind}" for name, kind in types.items()) + ")"
    selects = []
    # Run by run, so that the lines come in the order of the files.
    for packing, run in groupby(sources, key=lambda source: source.packing):
        paths = [quote(source.path.translate(_GLOB)) for source in run]
        options = (
            f"[{', '.join(paths)}], hive_partitioning = false, ignore_errors = true,"
            f" maximum_object_size = {MAX_LINE_BYTES},"
            f" compression = '{packing or 'uncompressed'}'"
        )
        if whole:
            # Without the list the optimizer parses a line again for each of its fields.
            struct_of_line = f"unnest([json_transform(json, {quote(orjson.dumps(types).decode())})])"
            selects.append(f"SELECT json AS {LINE}, {struct_of_line} AS j FROM read_ndjson_objects({options})")
        else:
            selects.append(
                f"SELECT j FROM read_json({options}, format = 'newline_delimited', records = false,"
                f" columns = {{'j': {quote(struct)}}})"
            )
    empty = f"SELECT {f'NULL::VARCHAR AS {LINE}, ' * whole}NULL::{struct} AS j WHERE false"
    return " UNION ALL ".join(selects) or empty
