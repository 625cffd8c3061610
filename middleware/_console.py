"""Lines for a person: aligned, coloured by status where a terminal is looking, and safe to show."""

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from overcoat.middleware._json import json_line
from overcoat.middleware._text import visible

_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
_COLOURS = {"info": "\x1b[32m", "warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m", "debug": "\x1b[36m"}
_HEAD = ("timestamp", "level", "event", "exception")

# What logfmt lets stand without quotes, and what would end a key.
_PLAIN = re.compile(r"[!#-<>-\[\]-~]+")
_NOT_IN_KEY = re.compile(r'[\s="\\]')

Renderer = Callable[[Mapping[str, Any]], bytes]


def wants_colour(is_terminal: bool) -> bool:
    """Whether to colour: a terminal that is none of the dumb ones, and NO_COLOR (no-color.org) is not set."""
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console_line(record: Mapping[str, Any], *, colour: bool = False) -> bytes:
    """One record as a line for a person; a request as method, path, status, time and bytes, another event as it is."""
    level = str(record.get("level", "info"))
    tint, dim, bold, reset = (_COLOURS.get(level, ""), _DIM, _BOLD, _RESET) if colour else ("", "", "", "")
    clock = str(record.get("timestamp", ""))[11:23]
    if record.get("event") == "http_request" and isinstance(record.get("duration_ms"), float):
        text = _request(record, tint, bold, dim, reset)
    else:
        extra = " ".join(f"{k}={_short(v)}" for k, v in record.items() if k not in _HEAD)
        text = f"{tint}{visible(level):<8}{reset}{visible(str(record.get('event', '')))}"
        text += f"  {dim}{visible(extra)}{reset}" if extra else ""
    line = f"{dim}{clock}{reset} {text}\n"
    if exception := record.get("exception"):
        line += "".join(f"    {visible(row)}\n" for row in str(exception).splitlines())
    return line.encode("utf-8", "backslashreplace")


def _request(record: Mapping[str, Any], tint: str, bold: str, dim: str, reset: str) -> str:
    path = visible(str(record.get("path", "")))
    if query := record.get("query"):
        path += f"?{visible(str(query))}"
    size = record.get("response_bytes")
    parts = [
        f"{tint}{visible(str(record.get('status', '---'))):>3}{reset}",
        f"{bold}{visible(str(record.get('method', '')))[:10]:<6} {path:<32}{reset}",
        f"{_duration(record['duration_ms']):>8}",
        f"{_size(size) if isinstance(size, int) else '':>8}",
        f"{dim}{visible(str(record.get('client', '-'))):<15} {visible(str(record.get('request_id', '')))[:8]}{reset}",
    ]
    if record.get("outcome") not in {None, "complete", "handed_off"}:
        parts.append(f"{tint}{visible(str(record['outcome']))}{reset}")
    if error := record.get("error_type"):
        parts.append(f"{tint}{visible(str(error))}: {visible(str(record.get('error_message', '')))}{reset}")
    return " ".join(parts).rstrip()


def _duration(duration_ms: float) -> str:
    return f"{duration_ms:.1f} ms" if duration_ms < 1000 else f"{duration_ms / 1000:.2f} s"


def _size(size: int) -> str:
    for unit, scale in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}"
    return f"{size} B"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json_line({"": value})[4:-2].decode()
    return repr(text) if " " in text or not text else text


def logfmt_line(record: Mapping[str, Any]) -> bytes:
    """One record as ``key=value`` pairs, a value with a space, a quote or a backslash in quotes."""
    pairs = []
    for key, value in record.items():
        text = value if isinstance(value, str) else json_line({"": value})[4:-2].decode()
        if not _PLAIN.fullmatch(text):
            text = '"' + visible(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'
        name = key if isinstance(key, str) and _PLAIN.fullmatch(key) else _NOT_IN_KEY.sub("_", visible(str(key))) or "_"
        pairs.append(f"{name}={text}")
    return (" ".join(pairs) + "\n").encode("utf-8", "backslashreplace")


def renderer(form: str, is_terminal: bool) -> Renderer:
    """The function that makes a line of a record: for ``json``, ``console`` or ``logfmt``."""
    if form == "console":
        colour = wants_colour(is_terminal)
        return lambda record: console_line(record, colour=colour)
    return logfmt_line if form == "logfmt" else json_line
