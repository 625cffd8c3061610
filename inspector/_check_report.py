r"""The report of `overcoat check module:app` as text for a terminal.

>>> from overcoat.inspector._check_report import Paint, lines_of
>>> page = {"url": "https://example.com/", "status": 404, "grade": None, "score": None, "tests": [], "owasp": []}
>>> report = {"description": "app demo_app", "pages": [page], "findings": [], "remedy": "", "grade": None}
>>> print(*lines_of(report, Paint(False), width=80), sep="\n")
app demo_app
<BLANKLINE>
GET https://example.com/  404  not graded
<BLANKLINE>
no findings
"""

import os
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any, TextIO

from overcoat.inspector._text import escape

_STYLES = {"error": "1;31", "warning": "33", "note": "36", "good": "32", "bold": "1", "dim": "2"}
# A line of a fix is set in so far.
_INDENT = 8
_NAME_WIDTH = 30


class Paint:
    """Text in colour, or plain.

    Args:
        on: Whether colours are wanted.
    """

    def __init__(self, on: bool) -> None:
        self._on = on

    @classmethod
    def for_stream(cls, stream: TextIO) -> "Paint":
        """Colours on a terminal, unless ``NO_COLOR`` or a dumb ``TERM`` says no; ``FORCE_COLOR`` says yes."""
        environ = os.environ
        if environ.get("NO_COLOR"):
            return cls(False)
        return cls(bool(environ.get("FORCE_COLOR")) or (stream.isatty() and environ.get("TERM") != "dumb"))

    def __call__(self, text: str, style: str) -> str:
        """The text in a style."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._on and text else text


def lines_of(report: dict[str, Any], paint: Paint, *, width: int | None) -> Iterator[str]:
    """The lines of the report, without control characters of the app's.

    Args:
        report: What ``examine`` returns.
        paint: The colours.
        width: Columns at which a line is broken; None for no limit.
    """
    for line in report["description"].splitlines():
        yield _clean(line)
    for page in report["pages"]:
        yield ""
        yield from _page_lines(page, paint, width)
    yield ""
    # What a test found stands with its points.
    shown = {test["result"] for page in report["pages"] for test in page["tests"]}
    findings = [finding for finding in report["findings"] if finding["code"] not in shown]
    if findings:
        yield paint("findings", "bold")
    for finding in findings:
        where = f" [{finding['where']}]" if finding["where"] else ""
        label = f"  {finding['severity']:<8} "
        text = _wrapped(f"{finding['says']}{where}", label, width)
        yield paint(text[0][: len(label)], finding["severity"]) + text[0][len(label) :]
        yield from text[1:]
        if finding["fix"]:
            yield from (paint(line, "dim") for line in _wrapped(f"fix: {finding['fix']}", " " * len(label), width))
    if report["remedy"]:
        yield ""
        yield paint("to paste, with your own host: the layers, from the outside in", "bold")
        yield "  app.wsgi_app = Stack(app.wsgi_app, ["
        yield from (f"      {_clean(line)}" for line in report["remedy"].splitlines())
        yield "  ])"
    if findings or report["remedy"]:
        yield ""
    yield _summary(report, paint)


def _page_lines(page: dict[str, Any], paint: Paint, width: int | None) -> Iterator[str]:
    graded = page["grade"] is not None
    grade = f"{page['grade']}  {page['score']} points" if graded else "not graded"
    style = (
        "dim"
        if not graded
        else "good"
        if page["grade"][0] == "A"
        else "warning"
        if page["grade"][0] in "BC"
        else "error"
    )
    yield f"{paint(_clean('GET ' + page['url']), 'bold')}  {page['status']}  {paint(grade, style)}"
    for test in page["tests"]:
        points = f"{test['points']:+d}" if test["points"] else "0"
        label = f"  {points:>4}  {test['name']:<{_NAME_WIDTH}}  "
        text = _wrapped(test["says"], label, width)
        colour = "good" if test["points"] > 0 else "error" if test["points"] < 0 else "dim"
        yield paint(text[0][:8], colour) + text[0][8:]
        yield from text[1:]
        if test["fix"]:
            code = f": {test['code']}" if test["code"] else ""
            yield from (paint(line, "dim") for line in _wrapped(f"fix: {test['fix']}{code}", " " * _INDENT, width))
    rows = [row for row in page["owasp"] if graded]
    if rows:
        sent = sum(row["sent"] is not None for row in rows)
        lacking = ", ".join(row["name"] + " (optional)" * row["optional"] for row in rows if row["sent"] is None)
        told = f"OWASP list: {sent} of {len(rows)} sent" + (f"; not {lacking}" if lacking else "")
        yield from _wrapped(told, " " * _INDENT, width)


def _summary(report: dict[str, Any], paint: Paint) -> str:
    counts = Counter(finding["severity"] for finding in report["findings"])
    parts = [f"{count} {name}{'s' * (count > 1)}" for name in ("error", "warning", "note") if (count := counts[name])]
    told = ", ".join(parts) or "no findings"
    if report["grade"] is None:
        return told
    return f"{paint(report['grade'], 'bold')}  {report['score']} points; {told}"


def _wrapped(text: str, label: str, width: int | None) -> list[str]:
    text = _clean(text)
    if width is None or width < len(label) + 20:
        return [f"{label}{text}"]
    return textwrap.wrap(
        text, width, initial_indent=label, subsequent_indent=" " * len(label), break_on_hyphens=False
    ) or [label]


def _clean(text: str) -> str:
    return escape(text, limit=None)
