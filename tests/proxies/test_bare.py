"""What proxies hand on that are told of nothing, and what ProxyFix makes of that: the table of the docs."""

import http.server
import json
import re
import threading

import pytest
from support.doors import CLIENT, HOST
from support.proxies import BARE, ROOT

PAGE = ROOT / "docs" / "proxy-recipes.md"
FILES = {
    "nginx, `proxy_pass` alone": "nginx.conf",
    "nginx, the usual four lines": "nginx-usual.conf",
    "HAProxy, `option forwardfor`": "haproxy.cfg",
    "Apache, `ProxyPass` alone": "apache2.conf",
    "Caddy, `reverse_proxy` alone": "Caddyfile",
    "Caddy, `trusted_proxies private_ranges`": "Caddyfile-private-ranges",
}
SPOOFS = [
    "X-Forwarded-For: 6.6.6.6",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Port: 666",
    "X-Forwarded-Prefix: /evil",
    "Forwarded: for=6.6.6.6;host=evil.example",
    "X-Real-IP: 6.6.6.6",
]
UNDERSCORED = "X_Forwarded_For"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the header lines as they came."""

    def do_GET(self):
        body = json.dumps(self.headers.items()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def echo():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def rows():
    """The cells of the page's table by its first column."""
    text = PAGE.read_text(encoding="utf-8").partition("<!-- begin: bare proxies -->")[2].partition("<!-- end -->")[0]
    lines = [re.split(r" *\| *", line.strip("| \n")) for line in text.strip().splitlines()[2:]]
    return {cells[0]: cells[1:] for cells in lines}


def word(value, right):
    """A value as the table says it."""
    if value is None:
        return "none"
    words = []
    for part in value.split(","):
        spoofed = any(mark in part for mark in ("6.6.6.6", "evil", "666")) or (right == "http" and part == "https")
        words.append(
            "spoof" if spoofed else "client" if CLIENT in part else "right" if part.strip() == right else "the app's"
        )
    return ", ".join(words)


def measured(fleet, echo, name):
    """The cells of a proxy: what the app is sent, then what ProxyFix tells it."""
    answer = fleet.proxy(BARE / name, echo).ask("/", SPOOFS)
    lines = [(key.lower(), value) for key, value in answer.seen]
    sent = {key: ",".join(value for other, value in lines if other == key) for key, _ in lines}
    underscored = fleet.proxy(BARE / name, echo).ask("/", [f"{UNDERSCORED}: 6.6.6.6"]).seen
    headers = {"x-forwarded-for": None, "x-forwarded-proto": "http", "x-forwarded-host": HOST, "host": HOST}
    headers |= {"x-forwarded-port": None, "x-forwarded-prefix": None, "forwarded": None}
    cells = [word(sent.get(key), right) for key, right in headers.items()]
    cells.append("handed on" if UNDERSCORED.lower() in {key.lower() for key, _ in underscored} else "dropped")
    door = fleet.proxy(BARE / name, fleet.server().address)
    fixed = door.ask("/trusted/x", SPOOFS).seen
    cells += [word(fixed["REMOTE_ADDR"], None), word(fixed["wsgi.url_scheme"], "http")]
    return cells


@pytest.mark.parametrize("name", FILES)
def test_the_docs_say_what_gets_through(name, fleet, echo):
    assert measured(fleet, echo, FILES[name]) == rows()[name]


def test_the_docs_name_no_other():
    assert list(rows()) == list(FILES)
    assert {path.name for path in BARE.iterdir()} == set(FILES.values())


@pytest.mark.parametrize("name", FILES.values())
def test_what_asks_for_no_host_takes_none(name, fleet):
    """Whatever a bare proxy hands on: without ``x_host``, ``x_port`` and ``x_prefix`` it counts for nothing."""
    door = fleet.proxy(BARE / name, fleet.server().address)
    answer = door.ask("/trusted/x", SPOOFS)
    assert answer.seen["SCRIPT_NAME"] == ""
    assert answer.seen["HTTP_HOST"] in {HOST, fleet.server().address}
