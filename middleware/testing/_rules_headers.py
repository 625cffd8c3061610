"""Rules of the response's head: what the app set stands, what is added is sound, what has no body gets none."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from wsgiref.util import is_hop_by_hop

from overcoat.middleware.testing._rule import Rule, Verdict, of_trials, told
from overcoat.middleware.testing._server import serve
from overcoat.middleware.testing._trial import Lab, Trial
from overcoat.middleware.testing._zoo_odd import KeepsItsLists

_REPEATED = frozenset({"two_cookies", "existing_vary", "duplicates_in_odd_case"})
_BODILESS = frozenset({
    "head_with_a_body", "head_without_a_body", "no_content_with_a_body", "no_content", "not_modified_with_a_body",
    "not_modified", "informational", "upgrade",
})  # fmt: skip

#: What describes the bytes of the body (RFC 9110, 8), and changes with them.
_OF_THE_BODY = frozenset({"content-length", "content-encoding", "etag", "accept-ranges"})

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def _is_response(trial: Trial) -> bool:
    return trial.plain and trial.specimen.group in {"bodies", "files", "responses"}


def _by_name(headers: Sequence[Any]) -> dict[str, list[str]]:
    """The values of each header; what is no header is for another rule to tell."""
    found: dict[str, list[str]] = {}
    for pair in headers:
        if isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str):
            found.setdefault(pair[0].lower(), []).append(str(pair[1]))
    return found


def _values(headers: Sequence[Any], name: str) -> list[str]:
    return _by_name(headers).get(name, [])


def _stands(name: str, values: list[str], found: list[str]) -> bool:
    """Whether the app's values of a header are there, in their order, with or without others behind them."""
    if name == "set-cookie":
        rest = iter(found)
        return all(value in rest for value in values)
    joined, among = ", ".join(values), ", ".join(found)
    return joined == among or among.startswith(f"{joined}, ") or f", {joined}" in among


def _lost(trial: Trial) -> list[str]:
    void = _OF_THE_BODY if "body" in trial.allow else ()
    found = _by_name(trial.worn.headers)
    theirs = _by_name(trial.bare.headers)
    return [n for n, values in theirs.items() if n not in void and not _stands(n, values, found.get(n, []))]


def _start(trial: Trial) -> str | None:
    bare, worn = trial.bare, trial.worn
    if not _is_response(trial) or trial.specimen.name in _REPEATED:
        return None
    if bare.status != worn.status:
        return f"{told(bare)} became {told(worn)}"
    lost = _lost(trial)
    return f"{lost[0]} became {_values(worn.headers, lost[0])}" if lost else ""


def _repeated(trial: Trial) -> str | None:
    bare, worn = trial.bare, trial.worn
    if not _is_response(trial) or trial.specimen.name not in _REPEATED:
        return None
    lost = _lost(trial)
    return f"{lost[0]}: {_values(bare.headers, lost[0])} became {_values(worn.headers, lost[0])}" if lost else ""


def _added(trial: Trial) -> str | None:
    if not _is_response(trial) or trial.worn.status is None:
        return None
    for pair in trial.worn.headers:
        if pair in trial.bare.headers:
            continue
        if type(pair) is not tuple or [type(part) for part in pair] != [str, str]:
            return f"{pair!a} is no pair of str"
        name, value = pair
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            return f"{name!a}: {value!a} is no header"
        if is_hop_by_hop(name):
            return f"{name} is for the server to set"
    return ""


def _content_length(trial: Trial) -> str | None:
    bare, worn = trial.bare, trial.worn
    if not _is_response(trial) or trial.specimen.name in _BODILESS or worn.status is None:
        return None
    theirs, ours = _values(bare.headers, "content-length"), _values(worn.headers, "content-length")
    app_lied = theirs not in ([], [str(len(bare.sent))])
    if not ours or ours == [str(len(worn.sent))] or (app_lied and ours == theirs):
        return ""
    return f"Content-Length {', '.join(ours)} for {len(worn.sent)} bytes"


def _bodiless(trial: Trial) -> str | None:
    bare, worn = trial.bare, trial.worn
    if not trial.plain or trial.specimen.name not in _BODILESS:
        return None
    # Where the app sends a body all the same, it is the server that drops it.
    if type(worn.error) is not type(bare.error) or (worn.sent and not bare.sent):
        return f"{told(bare)} became {told(worn)}"
    for name in ("content-length", "content-encoding", "transfer-encoding"):
        theirs, ours = _values(bare.headers, name), _values(worn.headers, name)
        if ours not in ([], theirs):
            return f"{name} {theirs} became {ours}"
    return ""


def _app_headers(lab: Lab) -> Iterator[Verdict]:
    app, fresh = KeepsItsLists(), KeepsItsLists()
    worn = lab.wear(app)
    for case in ("an app with a constant list of headers", "the same app, asked again"):
        serve(worn, lab.environ())
        kept = (app.headers, app.body) == (fresh.headers, fresh.body)
        yield case, "" if kept else f"{fresh.headers} became {app.headers}"


RULES = (
    Rule(
        "start",
        "Status and headers reach the server as the app gave them; others may be added.",
        "PEP 3333, The start_response() Callable",
        of_trials(_start),
        frozenset({"headers"}),
    ),
    Rule(
        "repeated-headers",
        "A header that is there twice stays there twice, in order: every Set-Cookie arrives.",
        "RFC 9110, 5.3",
        of_trials(_repeated),
        frozenset({"headers"}),
    ),
    Rule(
        "app-headers",
        "The app's own list of headers is left as it is: one that is used again does not grow.",
        "practice: a server may change the list, but apps keep theirs",
        _app_headers,
    ),
    Rule(
        "added-headers",
        "What is added is a pair of str, a sound name and value, and not hop-by-hop.",
        "PEP 3333, Other HTTP Features; RFC 9110, 5.1 and 5.5",
        of_trials(_added),
    ),
    Rule(
        "content-length",
        "A Content-Length is the length of the body that is sent.",
        "RFC 9110, 8.6",
        of_trials(_content_length),
    ),
    Rule(
        "bodiless",
        "HEAD, 1xx, 204 and 304 get no body, no other Content-Length and no encoding.",
        "RFC 9110, 6.4.1, 8.6 and 9.3.2",
        of_trials(_bodiless),
    ),
)
