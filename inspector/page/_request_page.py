"""Everything about one request, as a page: its fields, its timings as bars, what the app logged, how to repeat it."""

from collections.abc import Sequence
from typing import Any

from overcoat.inspector._curl import curl
from overcoat.inspector._record import FIELDS, Record, json_text, moment, number, text
from overcoat.inspector._text import duration, plural
from overcoat.inspector.page._html import document, shown

_HIDDEN = frozenset({"event", "timings"})
_OUTCOME_CLASSES = {"failed": "s5", "aborted": "s4"}
_MAX_TIMINGS = 64
_BAR_UNITS = 1000


def request_page(records: Sequence[Record], app_lines: Sequence[Record], version: str) -> str:
    """The page of the requests that one id has; mostly one.

    Args:
        records: the requests, at least one of them or of the lines.
        app_lines: what the app logged under the id.
        version: of the static files.
    """
    parts = [_request(record, number_of) for number_of, record in enumerate(records)]
    if not records:
        parts.append('<p class="notice">The app logged under this id, but there is no line of its request (yet).</p>')
    if app_lines:
        lines = "".join(f"<li>{_app_line(record)}</li>" for record in app_lines)
        parts.append(
            f"<section><h2>What the app logged meanwhile: {plural(len(app_lines), 'line')}</h2>"
            f"<ol class=lines>{lines}</ol></section>"
        )
    return _page(_heading(records[0]) if records else "No request yet", "".join(parts), version)


def list_page(records: Sequence[Record], count: int, version: str) -> str:
    """A list of the requests whose ids begin alike."""
    items = "".join(
        f'<li><a href="request?id={_in_url(identifier)}">{shown(identifier)}</a> {_heading(record)}</li>'
        for record in records
        if (identifier := text(record, "request_id"))
    )
    note = f"<p>{plural(count, 'request')} whose id begins so.</p>"
    return _page("Several requests", f"{note}<ul class=lines>{items}</ul>", version)


def missing_page(identifier: str, version: str) -> str:
    """What stands where no line has the id."""
    if not identifier:
        return _page("No request", '<p class="notice">The address names no id: request?id=...</p>', version)
    return _page(
        "No such request",
        f'<p class="notice">No line of the log has the id <code>{shown(identifier, limit=128)}</code>, or one that'
        " begins so. It may have been rotated away, or not be written yet: a line is written at the end of its"
        " request.</p>",
        version,
    )


def _page(title: str, main: str, version: str) -> str:
    body = (
        '<header><p class="back"><a href="./" id="back"><span aria-hidden="true">← </span>All requests</a></p>'
        f"<h1>{title}</h1></header>"
        f'<main class="request">{main}</main>'
    )
    return document(title, body, scripts=("format.js", "request.js"), version=version)


def _heading(record: Record) -> str:
    query = text(record, "query")
    path = (text(record, "path") or "-") + (f"?{query}" if query else "")
    return f"{shown(text(record, 'method') or '-', limit=32)} {shown(path, limit=300)}"


def _request(record: Record, number_of: int) -> str:
    status = number(record, "status")
    outcome = text(record, "outcome")
    badge = f'<span class="status s{status // 100:.0f}">{status:.0f}</span>' if status is not None else ""
    facts = [badge, f"<span>{shown(duration(number(record, 'duration_ms')))}</span>"]
    if outcome not in {None, "complete"}:
        kind = _OUTCOME_CLASSES.get(outcome or "", "s2")
        facts.append(f'<span class="status {kind}">{shown(outcome or "")}</span>')
    names = [name for name in FIELDS if name in record and name not in _HIDDEN]
    names += [name for name in record if name not in FIELDS]
    rows = "".join(
        f"<tr><th scope=row>{shown(name, limit=128)}</th><td>{_value(record, name)}</td></tr>" for name in names
    )
    command = curl(record)
    again = ""
    if command:
        name = f"curl-{number_of}"
        again = (
            f'<section><div class=bar><h2>To repeat it</h2><button type=button data-copy="{name}">Copy</button></div>'
            f'<pre id="{name}" tabindex=0>{shown(chr(10).join(command), limit=None)}</pre></section>'
        )
    return (
        f"<p class=facts>{' '.join(facts)}</p>{_error(record)}{_timings(record)}"
        "<section><h2>Fields</h2><div class=scroll tabindex=0 role=region aria-label=Fields>"
        f"<table class=fields><tbody>{rows}</tbody></table></div></section>{again}"
    )


def _error(record: Record) -> str:
    """What failed, and where, which is what one looks for first."""
    parts = [
        f"<{tag}>{shown(value, limit=limit)}</{tag}>"
        for name, tag, limit in (("error_type", "b", 256), ("error_message", "span", 1000), ("error_at", "code", 256))
        if (value := text(record, name))
    ]
    return f"<p class=error>{' '.join(parts)}</p>" if parts else ""


def _value(record: Record, name: str) -> str:
    if name == "timestamp" and (when := moment(record)):
        try:
            stamp = shown(when.isoformat())
        except (OverflowError, ValueError):
            return shown(text(record, name) or "")
        return f'<time datetime="{stamp}">{stamp}</time>'
    return shown(text(record, name) or ("null" if record[name] is None else ""))


def _timings(record: Record) -> str:
    timings = record.get("timings")
    if not isinstance(timings, dict) or not timings:
        return ""
    rows = [(shown(name, limit=80), *_timing(value)) for name, value in list(timings.items())[:_MAX_TIMINGS]]
    total = number(record, "duration_ms") or 0.0
    scale = max([total, *(took for _, took, _ in rows)]) or 1.0
    bars = "".join(
        f"<tr><th scope=row>{name}</th><td class=number>{duration(took)}</td>"
        f"<td class=number>{f'{took / total:.1%}' if total else ''}</td><td class=number>{count}</td>"
        f'<td class=wide><svg class=timing viewBox="0 0 {_BAR_UNITS} 10" preserveAspectRatio="none" aria-hidden=true>'
        f'<rect width="{max(4, round(took / scale * _BAR_UNITS))}" height="10"/></svg></td></tr>'
        for name, took, count in sorted(rows, key=lambda row: -row[1])
    )
    head = "".join(
        f'<th scope=col class="{kind}">{name}</th>'
        for name, kind in (("Name", ""), ("Time", "number"), ("Of all", "number"), ("Calls", "number"), ("", "wide"))
        if name
    )
    return (
        "<section><h2>Timings</h2><div class=scroll tabindex=0 role=region aria-label=Timings><table class=timings>"
        f"<thead><tr>{head}<td></td></tr></thead><tbody>{bars}</tbody></table></div></section>"
    )


def _timing(value: Any) -> tuple[float, str]:
    fields = value if isinstance(value, dict) else {"duration_ms": value}
    count = number(fields, "count")
    return max(number(fields, "duration_ms") or 0.0, 0.0), "" if count is None else f"{count:,.0f}"


def _app_line(record: Record) -> str:
    when = moment(record)
    stamp = "-" if when is None else shown(when.isoformat())
    parts = [f'<time datetime="{stamp}">{stamp}</time>' if when else "-"]
    level = text(record, "level") or "-"
    parts += [f"<b>{shown(level, limit=32)}</b>", shown(text(record, "event") or "-")]
    blocks = []
    for name, value in record.items():
        if name in {"timestamp", "level", "event", "request_id"}:
            continue
        told = value if isinstance(value, str) else json_text(value)
        if "\n" in told:  # a traceback
            lines = "\n".join(shown(line) for line in told.splitlines()[:1000])
            blocks.append(f"<pre tabindex=0>{shown(name, limit=128)}:\n{lines}</pre>")
        else:
            parts.append(f"<span class=pair>{shown(name, limit=128)}={shown(told)}</span>")
    return " ".join(parts) + "".join(blocks)


def _in_url(value: str) -> str:
    from urllib.parse import quote

    return quote(value, safe="", errors="replace")
