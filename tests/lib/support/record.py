"""The reference page of the request record, read, and a check of records against it."""

import re
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).parents[3] / "docs" / "record.md"

_ROW = re.compile(r"\| `([a-z_]+)` \| (string|integer|number|object) \| ([^|]+) \| ([^|]+) \|")
_TYPES: dict[str, type] = {"string": str, "integer": int, "number": float, "object": dict}


class Field(NamedTuple):
    """One row of the page."""

    kind: type
    always: bool


def reference() -> dict[str, Field]:
    """The fields of the page, in its order."""
    rows = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {name: Field(_TYPES[kind], there == "always") for name, kind, there, _ in rows}


def check(record: dict[str, Any], *own: str) -> None:
    """Assert that a record is as the page says, with no fields of the app's own but those named."""
    fields = reference()
    assert list(record)[:3] == ["timestamp", "level", "event"]
    missing = {name for name, field in fields.items() if field.always} - set(record)
    assert not missing, missing
    for name, value in record.items():
        if name in fields:
            assert type(value) is fields[name].kind, (name, value)
            assert value != "" or name in {"method", "path"}, name
        else:
            assert name in own, name
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["timestamp"])
    assert record["level"] in {"debug", "info", "warning", "error", "critical"}
    assert record["outcome"] in {"complete", "aborted", "failed", "handed_off"}
    assert 0 <= record.get("first_byte_ms", 0) <= record["duration_ms"]
