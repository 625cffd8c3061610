r"""What may stand in front of a line's object: the known prefixes, and nothing else.

Whoever collects the output of a process puts a time, a host or the name of a container in front of each line. Only the
forms below are taken off. Any other text in front of a `{` is the line of a program that quotes JSON, perhaps a
stranger's, and must not pass for a request.

| from | looks like |
| --- | --- |
| docker compose | `web-1  | {` |
| docker logs -t, kubectl logs --timestamps | `2026-11-23T06:47:26.1Z {` |
| a container runtime (CRI) | `2026-11-23T06:47:26.1Z stdout F {` |
| kubectl logs --prefix | `[pod/web-5d/app] {` |
| syslog (RFC 3164, RFC 5424), journalctl, Heroku | `Nov 23 06:47:26 host app[42]: {` |

>>> after_prefix(b'web-1  | {"a":1}')
b'{"a":1}'
>>> after_prefix(b'user said {"a":1}') is None
True
"""

import re

_TIME = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,]{5,20}(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
_WORD = rb"[\w./@:-]{1,255}"
_TAG = rb"[\w./@-]{1,128}(?:\[[\w./-]{1,64}\])?"
_KNOWN = (
    _WORD + rb" {1,64}\| (?:" + _TIME + rb" )?",  # docker compose, with --timestamps
    rb"\[pod/" + _WORD + rb"\] (?:" + _TIME + rb" )?",
    _TIME + rb" (?:std(?:out|err) F )?",
    # RFC 3164: month, day and time, or RFC 3339 as rsyslog and journalctl write it; Heroku has no host
    rb"(?:<[0-9]{1,3}>)?(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:.]{8,15}|"
    + _TIME
    + rb") (?:"
    + _WORD
    + rb" )?"
    + _TAG
    + rb": ",
    # RFC 5424, section 6: version, time, host, app, process, message id, structured data; then a byte order mark
    rb"<[0-9]{1,3}>1 (?:-|" + _TIME + rb") " + (_WORD + rb" ") * 4 + rb"(?:-|(?:\[[^\]\n]{0,1024}\])+) ",
)
_PREFIX = re.compile(rb"(?:\x1b\[[0-9;]{0,16}m|%s|\xef\xbb\xbf){0,6}(?=\{)" % b"|".join(_KNOWN))


def after_prefix(line: bytes) -> bytes | None:
    """The line from its object on; None where something else than a known prefix stands before it, or no object."""
    if line[:1] == b"{":
        return line
    found = _PREFIX.match(line)
    return line[found.end() :] if found else None
