"""The main page without its figures: the filters as the URL has them, and the places that the script fills."""

# ruff: noqa: E501 (markup stands in lines of its own)

from collections.abc import Mapping
from html import escape

from overcoat.inspector.page._html import document, shown
from overcoat.inspector.page._view import GROUPS, ORDERS, RANGES

_RANGE_NAMES = {
    "": "automatic", "15m": "last 15 minutes", "1h": "last hour", "6h": "last 6 hours", "24h": "last 24 hours",
    "7d": "last 7 days", "30d": "last 30 days", "all": "all",
}  # fmt: skip
_FIELDS = (
    ("status", "Status", "5xx,404", "search"),
    ("path", "Path", "/item/*", "search"),
    ("route", "Route", "/item/<int:item_id>", "search"),
    ("client", "Client", "192.0.2.1", "search"),
    ("id", "Request id", "3d9c17", "search"),
    ("slow", "At least, ms", "250", "number"),
)
_COLUMNS = (
    ("requests", "Requests", "How many came"),
    ("errors", "Errors", "A status of 500 and up, or a request that failed"),
    ("error_share", "Error %", "Errors among the requests"),
    ("4xx", "4xx", "A status from 400 to 499: what the app refused or did not find"),
    ("p50", "p50", "Half of the requests took no longer"),
    ("p95", "p95", "95 of 100 requests took no longer"),
    ("p99", "p99", "99 of 100 requests took no longer"),
    ("bytes", "Bytes", "Sent"),
    ("total", "Total time", "All durations together"),
)
_QUESTIONS = {
    "Slowest routes": ("by=route&sort=p95", "The highest p95"),
    "Failing clients": ("by=client&sort=errors", "Most errors: a status of 500 and up, or a request that failed"),
    "Clients that are refused": ("by=client&sort=4xx", "Most answers of 4xx: what the app refused or did not find"),
    "Errors by type": ("by=error_type&sort=errors&errors=1", "What is raised, and where"),
    "Slowest requests": ("order=slowest", "One by one"),
}
"""What one comes with, the parameters that answer it, and how; the script knows which others they replace."""

_SCRIPTS = ("uplot.js", "format.js", "view.js", "charts.js", "tables.js", "page.js")
_ORDER_NAMES = {"latest": "latest first", "slowest": "slowest first"}

assert set(_RANGE_NAMES) == {"", *RANGES}


def shell(given: Mapping[str, str], version: str) -> str:
    """The page.

    Args:
        given: the parameters of its URL.
        version: of the static files.
    """
    fields = "".join(_field(name, label, example, kind, given) for name, label, example, kind in _FIELDS)
    ranges = _select("range", "Time", _RANGE_NAMES, given)
    since, until = (
        _field(name, label, example, "search", given)
        for name, label, example in (
            ("since", "Since (UTC)", "2026-11-23 10:00"),
            ("until", "Until (UTC)", "10:30, 15m"),
        )
    )
    checked = " checked" if given.get("errors") == "1" else ""
    # What a click on a figure added stays, though it has no field of its own.
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(given[name])}">'
        for name in ("method", "host", "user_agent", "error_type", "error_at", "outcome", "sort")
        if name in given
    )
    questions = "".join(
        f'<button type="button" data-find="{escape(query)}" title="{title}">{label}</button>'
        for label, (query, title) in _QUESTIONS.items()
    )
    headings = "".join(
        f'<th scope="col" class="number"><button type="button" data-sort="{name}" title="{title}">{label}</button></th>'
        for name, label, title in _COLUMNS
    )
    body = f"""<a class="skip" href="#requests">Skip to the requests</a>
<header>
<h1>Request log</h1>
<p id="state" role="status">Reading the log.</p>
<button type="button" id="live" aria-pressed="true" title="Key: p"><span class="dot" aria-hidden="true"></span>Live</button>
</header>
<main>
<noscript><p class="notice">This page needs JavaScript. <code>overcoat logs</code> shows the same in a terminal.</p></noscript>
<form id="filters" role="search" aria-label="Requests" autocomplete="off">
{ranges}{since}{until}{fields}
<label class="check"><input type="checkbox" name="errors" value="1"{checked}> Errors only</label>
{hidden}
<div class="actions"><button type="submit">Apply</button><a class="button" href="?" id="clear">Clear</a></div>
</form>
<div id="find" role="group" aria-label="Find"><span>Find</span>{questions}</div>
<p id="problem" class="notice" role="alert" hidden></p>
<p id="chosen" hidden></p>
<p id="scope"></p>
<dl id="total" aria-label="Figures of the chosen requests"></dl>
<div class="charts">
{_chart("requests", "Requests over time")}
{_chart("latency", "Latency over time")}
</div>
<section aria-labelledby="groups-title" id="by-group">
<div class="bar"><div><h2 id="groups-title">Routes</h2> <span class="covers span"></span></div>{_select("by", "By", GROUPS, given, form="filters")}</div>
<div class="scroll" tabindex="0" role="region" aria-labelledby="groups-title"><table id="groups">
<thead><tr><th scope="col" id="group-name">Route</th>{headings}<th scope="col">Over time</th></tr></thead><tbody></tbody></table></div>
<p class="note"><span id="groups-note"></span> An error is a status of 500 and up, or a request that failed; 4xx is what the app refused or did not find.</p>
</section>
<section aria-labelledby="requests-title" id="requests" tabindex="-1">
<div class="bar"><div><h2 id="requests-title">Requests</h2> <span class="covers span"></span></div>{_select("order", "Order", {n: _ORDER_NAMES[n] for n in ORDERS}, given, form="filters")}</div>
<div class="scroll" tabindex="0" role="region" aria-labelledby="requests-title"><table id="rows">
<thead><tr><th scope="col">Time <span class="zone"></span></th><th scope="col">Status</th><th scope="col" class="number">Duration</th>
<th scope="col">Request</th><th scope="col" class="number">Bytes</th><th scope="col">Client</th><th scope="col">Id</th></tr></thead>
<tbody></tbody></table></div>
<p class="note"><span id="rows-note"></span> <button type="button" id="more" hidden>Show more</button></p>
</section>
</main>
<footer><p>Keys: <kbd>/</kbd> filter, <kbd>p</kbd> pause, <kbd>j</kbd> and <kbd>k</kbd> through the requests,
<kbd>Enter</kbd> opens one. Drag over a chart to zoom, double-click to zoom out.</p></footer>"""
    return document("Request log", body, scripts=_SCRIPTS, version=version)


def _chart(name: str, title: str) -> str:
    return f"""<section aria-labelledby="{name}-over-time">
<div class="bar"><h2 id="{name}-over-time">{title}</h2><span class="covers zone"></span></div>
<div class="keys"><p class="legend" id="legend-{name}"></p><p class="readout" id="readout-{name}" aria-hidden="true"></p></div>
<div class="chart" id="chart-{name}" role="img" aria-label="{title}"></div></section>"""


def _field(name: str, label: str, example: str, kind: str, given: Mapping[str, str]) -> str:
    value = escape(given.get(name, ""))
    more = ' min="0" step="any"' if kind == "number" else ' maxlength="2048" spellcheck="false"'
    return (
        f'<label for="f-{name}">{label}<input id="f-{name}" type="{kind}" name="{name}" value="{value}"'
        f' placeholder="{escape(example)}"{more}></label>\n'
    )


def _select(name: str, label: str, choices: Mapping[str, str], given: Mapping[str, str], *, form: str = "") -> str:
    options = "".join(
        f'<option value="{value}"{" selected" if given.get(name, "") == value else ""}>{shown(text)}</option>'
        for value, text in choices.items()
    )
    owner = f' form="{form}"' if form else ""
    return f'<label for="f-{name}">{label}<select id="f-{name}" name="{name}"{owner}>{options}</select></label>\n'
