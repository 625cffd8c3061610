"""Request logs for the tests of the inspector: realistic, hostile, of any length, and the same for the same seed.

>>> first, *rest = log_lines(3, seed=1)
>>> len(rest), first.startswith(b'{"timestamp":"2026-11-20T00:00:')
(2, True)
"""

import random
from datetime import UTC, datetime, timedelta

import orjson

START = datetime(2026, 11, 20, tzinfo=UTC)

_ROUTES = (
    ("GET", "/item", "/item"),
    ("POST", "/item", "/item"),
    ("GET", "/item/<int:item_id>", "/item/{n}"),
    ("PUT", "/item/<int:item_id>", "/item/{n}"),
    ("DELETE", "/item/<int:item_id>", "/item/{n}"),
    ("GET", "/items/range/<int:start_id>/<int:end_id>", "/items/range/{n}/{n}"),
    ("GET", None, "/reports/{uuid}/pages/{n}"),
    ("GET", None, "/blobs/{hex}"),
    ("GET", None, "/wp-login.php"),
)
_AGENTS = ("curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "kube-probe/1.31")

#: Values that strangers send: terminal escapes, bidi controls, forged lines, markup, wide and unassigned characters.
HOSTILE = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "a\r\nb\tc\x00d\x7fe",
    "\x9b31m\x85",
    "\u202etxt.exe\u2066\u200f\u061c",
    "line\u2028sep\u2029par",
    "\ufeff\u00ad\u200b\U000e0041",
    "[bold red]markup[/] {x} %s",
    "日本語" * 40,
    '"},"status":200,{"',
    "'; DROP TABLE requests; --",
    "x" * 10_000,
)


def timestamp(when):
    """As RequestLog writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def request(**fields):
    """The record of one ordinary request, with other fields where given; None takes a field away."""
    record = {
        "timestamp": timestamp(START),
        "level": "info",
        "event": "http_request",
        "method": "GET",
        "path": "/item/7",
        "route": "/item/<int:item_id>",
        "status": 200,
        "duration_ms": 12.5,
        "response_bytes": 42,
        "client": "192.0.2.1",
        "peer": "127.0.0.1",
        "request_id": "8c2f64dc7b5d4f0b9f5b8f3d5d2e1a90",
        "outcome": "complete",
    }
    return {name: value for name, value in {**record, **fields}.items() if value is not None}


def line(**fields):
    """The line of one request, without its end."""
    return orjson.dumps(request(**fields))


def records(count, *, seed=0):
    """So many records of requests, in the order of their time; some failed, some were aborted, some have no route."""
    chance = random.Random(seed)
    when = START
    for _ in range(count):
        when += timedelta(milliseconds=chance.expovariate(1 / 300))
        method, route, template = chance.choice(_ROUTES)
        path = template
        for mark, value in (("{n}", f"{chance.randrange(1, 9999)}"), ("{hex}", f"{chance.getrandbits(160):040x}")):
            path = path.replace(mark, value)
        digits = f"{chance.getrandbits(128):032x}"
        path = path.replace("{uuid}", "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))
        status = chance.choices([200, 201, 204, 400, 404, 500, 503], [80, 6, 2, 2, 7, 2, 1])[0] if route else 404
        duration_ms = round(chance.lognormvariate(2, 1), 3)
        record = request(
            timestamp=timestamp(when),
            level="error" if status >= 500 else "warning" if status >= 400 else "info",
            method=method,
            path=path,
            route=route,
            query="page=2&token=[redacted]" if chance.random() < 0.1 else None,
            status=status,
            duration_ms=duration_ms,
            first_byte_ms=round(duration_ms * 0.9, 3),
            response_bytes=chance.randrange(20, 9000),
            client=f"198.51.100.{chance.randrange(256)}",
            scheme="https",
            host="shop.example",
            http_version="1.1",
            user_agent=chance.choice(_AGENTS),
            request_id=f"{chance.getrandbits(128):032x}",
            tenant=chance.choice([None, "acme", "globex"]),
        )
        if chance.random() < 0.3:
            record["timings"] = {"db": {"duration_ms": round(duration_ms / 2, 3), "count": chance.randrange(1, 5)}}
        if chance.random() < 0.02:
            record["outcome"] = "aborted"
        if status == 500 and chance.random() < 0.5:
            record |= {"outcome": "failed", "error_type": "ValueError", "error_at": "shop/cart.py:41 in add"}
        yield record


def log_lines(count, *, seed=0):
    """So many lines, without their ends."""
    return [orjson.dumps(record) for record in records(count, seed=seed)]


def hostile_records():
    """Requests each of whose texts is hostile, and an app's line among them."""
    texts = ("method", "path", "query", "client", "request_id", "route", "error_type", "user_agent", "host", "level")
    for index, value in enumerate(HOSTILE):
        fields = dict.fromkeys(texts, value)
        yield request(
            **fields,
            timestamp=timestamp(START + timedelta(seconds=index)),
            status=500,
            outcome="failed",
            error_message=value,
            timings={value: {"duration_ms": 1.5, "count": 1}},
            **{f"own {value[:50]}": value},
        )
    yield {
        "timestamp": timestamp(START),
        "event": HOSTILE[0],
        "request_id": HOSTILE[0],
        "exception": f"a\n{HOSTILE[0]}",
    }


def log_file(path, lines):
    """A file of lines; its path as text."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return str(path)
