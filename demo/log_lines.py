r"""One request's line, from the end of the log file.

>>> from overcoat.demo.log_lines import find_record
>>> import pathlib
>>> _ = pathlib.Path("requests.log").write_text('{"event":"http_request","request_id":"a7","status":200}\n')
>>> find_record("requests.log", "a7")["status"]
200
>>> find_record("requests.log", "a")
"""

import re
from typing import Any

import orjson

# How far back: some thousand lines. The page asks right after the request.
_TAIL_BYTES = 1024 * 1024

# Those that RequestID accepts and makes: none needs escaping in JSON.
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def find_record(log_file: str, request_id: str) -> dict[str, Any] | None:
    """The latest record of a request, or None where there is none (yet).

    Args:
        log_file: The path of the log.
        request_id: The id of the request.
    """
    if not _ID.fullmatch(request_id):
        return None
    try:
        with open(log_file, "rb") as file:  # noqa: PTH123 - settings are texts
            file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
            tail = file.read(_TAIL_BYTES)
    except OSError:
        return None
    needle = b'"request_id":"%s"' % request_id.encode()
    for line in reversed(tail.split(b"\n")):
        if needle in line:
            try:
                record = orjson.loads(line)
            except ValueError:
                continue
            if record.get("event") == "http_request" and record.get("request_id") == request_id:
                found: dict[str, Any] = record
                return found
    return None
