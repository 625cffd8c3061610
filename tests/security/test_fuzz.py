"""Hostile requests to every layer, alone and stacked: what must hold whatever is sent and whatever the app does.

Twenty thousand examples in ``make check``, the same in each run; ``make fuzz`` tries as many others as it is told.
Layers are made once and serve all examples, so that what one request leaves behind meets the next.
"""

import json
import logging
import re
from collections import Counter
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from urllib.parse import quote

import pytest
from support import hostile
from support.coats import COATS
from support.fuzzing import EXAMPLES, SHARES, fuzzed
from support.hostile import Answer, Request, cases, plain
from support.wsgi import serve

from overcoat.middleware import (
    HTTPSRedirect,
    ProxyFix,
    RequestID,
    RequestLog,
    SecureCookies,
    SecurityHeaders,
    ServerTiming,
    Stack,
    TraceContext,
    TrustedHosts,
    add_fields,
    csp_nonce,
    current_exchange,
    outgoing_headers,
)
from overcoat.middleware._console import renderer

# ------------------------------------------------------------------------------------------------ what is worn

TRUSTED = ["10.0.0.0/8", "fd00::/8"]
EVERYTHING = {"x_host": 1, "x_port": 1, "x_prefix": 1}
POLICY = {"default-src": ["'self'"], "script-src": ["'nonce'"]}
HEADERS = ["Referer", "Accept", "Origin", "Content-Type", "X-Forwarded-For", "Forwarded", "Traceparent"]
RESPONSE_HEADERS = ["Location", "Content-Type", "X-Odd", "Vary", "Server-Timing"]


class App:
    """Does and answers what it is told, and keeps what it saw."""

    def __init__(self):
        self.answer = Answer()

    def told(self, answer):
        self.answer, self.environ, self.outgoing = answer, None, {}
        self.headers = [plain(header) for header in answer.headers]
        return self

    def __call__(self, environ, start_response):
        self.environ = dict(environ)
        answer, exchange = self.answer, current_exchange()
        if exchange is not None:
            exchange.fields.update({name: plain(value) for name, value in answer.fields.items()})
            for name, description in answer.timings:
                exchange.add_timing(name, 1_000_000, description=description)
            if "nonce" in answer.calls:
                csp_nonce()
            if "outgoing" in answer.calls:
                self.outgoing = outgoing_headers()
            add_fields(**{"of-the-app": "1"})
        if "raise" in answer.calls:
            raise Deliberate(*answer.fields)
        start_response(answer.status, list(self.headers))
        return (chunk for chunk in answer.chunks) if answer.streams else list(answer.chunks)


class Deliberate(Exception):
    """What the app raises."""


class Worn:
    """Something around the app, and where its records go; worn once, for a layer keeps nothing of a request."""

    def __init__(self, wear):
        self.app, self.records = App(), []
        self.wrapped = wear(self.app, self.records)

    def serve(self, request, answer):
        """The environ as it was sent, and what the server saw."""
        self.app.told(answer)
        self.records.clear()
        environ = request.made()
        sent = dict(environ)
        return sent, serve(self.wrapped, environ)


def _full(records, *, proxy, log=None, cookies=None, headers=None):
    """Every layer there is, in an order that is allowed."""
    hosts = ["shop.example", "*.shop.example", "[::1]", "10.0.0.0/8"]
    return [
        ProxyFix(**proxy),
        RequestID(trusted=proxy.get("trusted")),
        TraceContext(trusted=proxy.get("trusted"), response_header="traceresponse"),
        RequestLog(to=records.append, **log or {}),
        TrustedHosts(hosts=hosts, allow_missing=True),
        HTTPSRedirect(skip="/healthz"),
        SecureCookies(**cookies or {}),
        SecurityHeaders(**headers or {"preset": "page", "content_security_policy_report_only": POLICY}),
        ServerTiming(expose="all", allow_origin="*"),
    ]


_SHOWN = {"headers": HEADERS, "response_headers": RESPONSE_HEADERS, "sensitive": ["page"]}
FULL = {
    "trusted": partial(_full, proxy={"trusted": TRUSTED, **EVERYTHING}, log=_SHOWN),
    "forwarded": partial(
        _full, proxy={"trusted": TRUSTED, "header": "forwarded", "x_host": 1}, log={"names": "ecs", "headers": HEADERS}
    ),
    "counted": partial(
        _full,
        proxy={"x_for": 2, "x_proto": 2, "x_host": 2, "x_port": 2, "x_prefix": 2},
        log={"names": "otel", "hide_path": "/static/", "slow_ms": None},
        cookies={"mode": "report"},
    ),
    "trusts-nobody": partial(
        _full,
        proxy={"trusted": []},
        log={"names": "gcp", "level": lambda exchange: "debug", "quiet": "/healthz", "sample": 0.5},
        cookies={"secure": True, "same_site": "Strict", "readable": ["a"], "exempt": ["session"]},
        headers={"preset": "api", "override": ["X-Frame-Options"], "content_security_policy": POLICY},
    ),
}
ALONE = {coat.name: coat for coat in COATS}


@lru_cache
def alone(name):
    return Worn(ALONE[name].wear)


@lru_cache
def full(name):
    return Worn(lambda app, records: Stack(app, FULL[name](records)))


@pytest.fixture(autouse=True)
def _quiet():
    """Layers log what is wrong with the configuration once: not what is tested here."""
    logging.getLogger("overcoat").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("overcoat").setLevel(logging.NOTSET)


# ------------------------------------------------------------------------------------------------ what must hold

REFUSALS = {"400 Bad Request", "414 URI Too Long"}
REDIRECTS = {"301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"}
# What a layer may take the app's word from: an id has one truth, and ``override=`` says so.
REPLACED = {"x-request-id", "x-trace", "x-frame-options"}
_LOCATION = re.compile(
    r"(https|wss)://(([a-z0-9_-]+\.)*shop\.example|localhost|example\.com|\[::1\]|10\.[0-9.]+)(:[0-9]+)?/"
)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CLEAN = re.compile(r"[ -~]*")


def _key(pair):
    return pair if isinstance(pair, tuple | str | None) else repr(pair)


def ours(sent, before):
    """The headers, or ends of them, that layers made: all that are not the app's."""
    left = Counter(map(_key, before))
    cookies = [pair[1].rstrip("; \t") for pair in before if _is_cookie(pair)]
    for pair in sent:
        if left[_key(pair)]:
            left[_key(pair)] -= 1
        elif _is_cookie(pair) and (start := max((c for c in cookies if pair[1].startswith(c)), key=len, default=None)):
            yield pair[0], pair[1][len(start) :]
        else:
            yield pair


def _is_cookie(pair):
    return type(pair) is tuple and len(pair) == 2 and str(pair[0]).lower() == "set-cookie" and type(pair[1]) is str


def check_response(worn, sent, seen, answer, *, refuses):
    """No error but the app's own, no answer but the app's and refusals, and nothing of the client in our headers."""
    asked = worn.app.environ is not None
    if "raise" in answer.calls and asked:
        assert type(seen.error) is Deliberate, seen.error
        return
    assert seen.error is None, repr(seen.error)
    if not asked:
        assert refuses
        assert seen.status in REFUSALS | REDIRECTS
        before = []
    else:
        assert seen.status == answer.status
        assert seen.body == b"".join(answer.chunks)
        before = worn.app.headers
        kept = [pair for pair in before if not _is_cookie(pair) and _name(pair) not in REPLACED]
        assert [pair for pair in seen.headers if any(pair is one or pair == one for one in kept)][: len(kept)] == kept
        # A browser drops such a cookie: whatever were added to it would stand behind the control character.
        assert [
            pair for pair in before if _is_cookie(pair) and _CONTROL.search(pair[1]) and pair not in seen.headers
        ] == []
        assert sum(map(_is_cookie, seen.headers)) == sum(map(_is_cookie, before))
    for pair in ours(seen.headers, before):
        assert type(pair) is tuple
        name, value = pair
        assert _CLEAN.fullmatch(name), pair
        assert _CLEAN.fullmatch(value), pair
        assert len(value) <= 4096, name
        if name == "Location":
            assert _LOCATION.match(value), value
    assert all(_CLEAN.fullmatch(value) for value in worn.app.outgoing.values())


def _name(pair):
    try:
        return str(pair[0]).lower()
    except (TypeError, IndexError):
        return ""


RENDERERS = {"json": renderer("json", colour=False), "logfmt": renderer("logfmt", colour=False),
             "console": renderer("console", colour=False), "colour": renderer("console", colour=True)}  # fmt: skip
# What a terminal, a reader of lines or a browser acts on: controls (C0, DEL, C1), separators of lines and paragraphs,
# what turns the direction of text (Unicode, UAX 9), the byte order mark, halves of pairs.
_ACTED_ON = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_COLOUR = re.compile(r"\x1b\[[0-9]{1,2}m")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOGFMT_PAIR = re.compile(r'[^\s="\\]+=(?:[^\s"\\]*|"(?:[^"\\]|\\.)*")(?: |\Z)')


def check_lines(record):
    """Each form is one line without anything that a terminal, a reader of lines or a browser acts on."""
    for form, render in RENDERERS.items():
        line = render(record).decode("utf-8")
        assert line.endswith("\n")
        text = line[:-1]
        if form == "colour":
            text = _COLOUR.sub("", text)
        assert not (found := _ACTED_ON.search(text)), f"{form}: {found[0]!a} in {text[:300]!a}"
        if form == "json":
            keys = {_SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", str(key)) for key in record}
            assert json.loads(line).keys() == keys
        elif form == "logfmt":
            position = 0
            while position < len(text):
                pair = _LOGFMT_PAIR.match(text, position)
                assert pair, text[position : position + 200]
                position = pair.end()


def check_log(worn, number=None):
    assert number is None or len(worn.records) == number
    for record in worn.records:
        check_lines(record)


@fuzzed(cases(lambda choice: (choice.of(sorted(ALONE)), hostile.request(choice), hostile.answer(choice))), percent=35)
def test_every_layer_alone(case):
    name, request, answer = case
    coat, worn = ALONE[name], alone(name)
    sent, seen = worn.serve(request, answer)
    check_response(worn, sent, seen, answer, refuses="answers" in coat.allow)
    check_log(worn, 1 if coat.logs else 0)


@fuzzed(cases(lambda choice: (choice.of(sorted(FULL)), hostile.request(choice), hostile.answer(choice))), percent=30)
def test_the_full_stack(case):
    name, request, answer = case
    worn = full(name)
    sent, seen = worn.serve(request, answer)
    check_response(worn, sent, seen, answer, refuses=True)
    check_log(worn, None if name == "trusts-nobody" else 1)
    if worn.app.environ is not None:
        check_client(PROXIES[name], sent, worn.app.environ)
    if name == "trusted":
        (record,) = worn.records
        assert record.get("client", "") == (client_of(PROXIES[name], sent) or "")
        assert record.get("peer", "") == (sent.get("REMOTE_ADDR") or "")


# --------------------------------------------------------------------------------------------- whom ProxyFix believes

PROXIES = {
    "trusted": {"trusted": TRUSTED, **EVERYTHING},
    "unix": {"trusted": ["unix:", "10.0.0.0/8"]},
    "first": {"trusted": TRUSTED, "x_for": 1},
    "anybody": {"trusted": ["0.0.0.0/0", "::/0"]},
    "trusts-nobody": {"trusted": []},
    "counted": {"x_for": 2, "x_proto": 2, "x_host": 2, "x_port": 2, "x_prefix": 2},
    "one": EVERYTHING,
    "forwarded": {"trusted": TRUSTED, "header": "forwarded", "x_host": 1},
    "forwarded, counted": {"x_for": 2, "header": "forwarded"},
}
PROXY_KEYS = [key for key in hostile.BY_KEY if "FORWARDED" in key or key in {"REMOTE_ADDR", "HTTP_HOST", "SCRIPT_NAME"}]
RIGHTS = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME")
_IN_BRACKETS = re.compile(r"\[([^\[\]]*:[^\[\]]*)\](?::([0-9]{1,5}))?")
_WITH_PORT = re.compile(r"([^:]*):([0-9]{1,5})")


def address_of(text):
    """An address as proxies write it, or None: another reading of the grammar than the layer's."""
    text = text.strip(" \t")
    if not text.isascii() or len(text) > 80:
        return None
    match = _IN_BRACKETS.fullmatch(text) or _WITH_PORT.fullmatch(text)
    if match is None and text.count(":") == 1:
        return None
    if match is not None:
        text, port = match.groups()
        if port is not None and not 0 < int(port) < 65536:
            return None
    try:
        address = ip_address(text.split("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def trusts(options, address):
    """Whether an address is a proxy's."""
    networks = [ip_network(entry) for entry in options["trusted"] if entry != "unix:"]
    return any(address in network for network in networks)


def trusts_peer(options, peer):
    """Whether forwarding headers count at all."""
    if options.get("trusted") is None:
        return True
    if peer is not None and (peer in {"", "localhost", "0.0.0.0"} or peer.startswith("unix:")):
        return "unix:" in options["trusted"]
    return peer is not None and (address := address_of(peer)) is not None and trusts(options, address)


def client_of(options, sent):
    """Whom X-Forwarded-For says that the request is from, or the peer."""
    peer = sent.get("REMOTE_ADDR")
    elements = [text for text in sent.get("HTTP_X_FORWARDED_FOR", "").split(",") if text.strip(" \t")]
    if not elements or not trusts_peer(options, peer):
        return peer
    if options.get("trusted") is None:
        count = options.get("x_for", 1)
        found = address_of(elements[-count]) if count <= len(elements) else None
        return peer if found is None else str(found)
    found = None
    for text in elements[: -options.get("x_for", len(elements)) - 1 : -1]:
        found = address_of(text)
        if found is None:
            return peer
        if not trusts(options, found):
            break
    return str(found)


def check_client(options, sent, got):
    """An untrusted peer changes nothing and hands nothing on; a trusted one names whom its header says."""
    peer = sent.get("REMOTE_ADDR")
    assert "HTTP_PROXY" not in got
    if not trusts_peer(options, peer):
        assert got.get("REMOTE_ADDR") == peer
        assert [got.get(key) for key in RIGHTS] == [sent.get(key) for key in RIGHTS]
        assert not [key for key in got if key.startswith("HTTP_") and "FORWARDED" in key]
        assert got.keys().isdisjoint({"HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_CF_CONNECTING_IP", "HTTP_CLIENT_IP"})
    elif options.get("header") == "forwarded":
        value = re.sub(r":_[\w.-]*", "", sent.get("HTTP_FORWARDED", "").replace("\\", ""))  # an obfuscated port
        texts = [*re.split(r"[^\w.:%-]", value), *re.findall(r"\[([^\[\]]*)\]", value)]
        named = {str(found) for text in texts if (found := address_of(text))}
        assert got.get("REMOTE_ADDR") in {peer, *named}
        assert got.keys().isdisjoint({"HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO"})
    else:
        assert got.get("REMOTE_ADDR") == client_of(options, sent)
        assert "HTTP_FORWARDED" not in got
    # What is new is what its header promises, whoever wrote it.
    for key, pattern in _PROMISED.items():
        before, after = sent.get(key), got.get(key)
        if after != before and not (key == "HTTP_HOST" and _with_another_port(before, after)):
            assert re.fullmatch(pattern, after, re.ASCII), (key, after)


_PROMISED = {
    "wsgi.url_scheme": "https?|wss?",
    "HTTP_HOST": r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[1-9]\d{0,4})?",
    "SERVER_NAME": r"[a-z0-9._-]+|\[[0-9a-f:.]+\]",
    "SERVER_PORT": r"[1-9]\d{0,4}",
    "SCRIPT_NAME": r"(/[^\s/\\?#\x00-\x1f]+)+",
}


def _with_another_port(before, after):
    """Whether the host is the one that came, with a port from X-Forwarded-Port."""
    host, _, port = after.rpartition(":")
    is_port = re.fullmatch(r"[1-9]\d{0,4}", port, re.ASCII) is not None
    return is_port and before is not None and before in {host, f"{host}:{before.rpartition(':')[2]}"}


@lru_cache
def proxy(name):
    fix = ProxyFix(**PROXIES[name])
    return fix, Worn(lambda app, records: Stack(app, [fix]))


@fuzzed(cases(lambda choice: (choice.of(sorted(PROXIES)), hostile.request(choice, PROXY_KEYS))), percent=15)
def test_no_spoofed_address_gets_in(case):
    name, request = case
    fix, worn = proxy(name)
    sent, seen = worn.serve(request, Answer())
    assert seen.error is None
    check_client(PROXIES[name], sent, worn.app.environ)
    told = fix.explain(sent)
    assert not _ACTED_ON.search(str(told).replace("\n", ""))
    assert [told.client.value, told.scheme.value, told.host.value] == [worn.app.environ.get(key) for key in RIGHTS[:3]]


# What the proxies append, and who the client is then: the leftmost of it names one, and is no proxy's.
_CHAINS = {
    "for": (
        {"192.0.2.1": "192.0.2.1", "[2001:DB8::1]:80": "2001:db8::1", "::ffff:192.0.2.1": "192.0.2.1"},
        ("10.0.0.9", "fd00::9", "::ffff:10.0.0.9"),
    ),
    "forwarded": (
        {
            "for=192.0.2.1": "192.0.2.1",
            'For="[2001:db8::1]:4711"': "2001:db8::1",
            'for="192.0.2.1:80";proto=http;by=_a': "192.0.2.1",
            'by="\\",";for=192.0.2.1': "192.0.2.1",
        },
        ("for=10.0.0.9", 'for="[fd00::9]";proto=https', 'for=10.0.0.9;by="a,\\"b"'),
    ),
}


def _spoofed(choice):
    kind = choice.of(sorted(_CHAINS))
    clients, proxies = _CHAINS[kind]
    make = hostile.BY_KEY["HTTP_FORWARDED" if kind == "forwarded" else "HTTP_X_FORWARDED_FOR"]
    words = choice.of(hostile.LONG) if choice.below(30) == 29 else hostile.spoilt(make, choice)
    return kind, words, choice.of(sorted(clients)), tuple(choice.some(lambda choice: choice.of(proxies), 3))


@fuzzed(cases(_spoofed), percent=10)
def test_what_a_client_writes_changes_nothing_of_what_proxies_append(case):
    kind, words, client, proxies = case
    key, name = ("HTTP_FORWARDED", "forwarded") if kind == "forwarded" else ("HTTP_X_FORWARDED_FOR", "trusted")
    _, worn = proxy(name)
    schemes = ["https", *("http" for _ in proxies)]  # each proxy appends what it saw, the first one https
    seen = {}
    for claim in ("", plain(words)):
        claims = {key: [claim, client, *proxies], "HTTP_X_FORWARDED_PROTO": [claim, *schemes]}
        worn.serve(Request({key: ", ".join(filter(None, texts)) for key, texts in claims.items()}), Answer())
        seen[claim] = [worn.app.environ.get(key) for key in RIGHTS]
        assert seen[claim][0] == _CHAINS[kind][0][client]
        assert kind == "forwarded" or seen[claim][1] == "https"
    assert seen[""] == seen[plain(words)]


# ------------------------------------------------------------------------------------------------ what is never told

_SECRET = "s3cr3t-7f9c"
_NAMES = (
    *("token", "access_token", "Password", "api-key", "X-Amz-Signature", "client.secret", "x[jwt]", "sessionId"),
    *("code", "PIN"),
)


def _query(choice):
    secret = f"{choice.of(_NAMES)}={_SECRET}"
    encoded = choice.below(3)  # in all, as is promised
    for _ in range(encoded):
        secret = choice.of(
            (
                f"next={quote(secret)}",
                f"next=https://a.example/?{quote(secret)}",
                f"u={quote(f'https://me:{_SECRET}@a.example/')}",
                f"j={quote(json.dumps({choice.of(_NAMES): _SECRET}))}",
            )
        )
    if not encoded:
        name, _, rest = secret.partition("=")
        secret = "".join(f"%{ord(letter):02x}" if choice.below(6) == 5 else letter for letter in name) + f"={rest}"
    pairs = [*choice.some(hostile.query, 2), secret, *choice.some(hostile.query, 2)]
    return choice.of("&;").join(pairs)


@fuzzed(cases(lambda choice: (_query(choice), hostile.environ(choice, ["PATH_INFO", "HTTP_HOST"], 2))), percent=10)
def test_no_secret_is_logged(case):
    query, environ = case
    worn = full("trusted")
    headers = {
        "HTTP_AUTHORIZATION": f"Bearer {_SECRET}", "HTTP_COOKIE": f"a={_SECRET}", "HTTP_X_API_KEY": _SECRET,
        "HTTP_REFERER": f"https://a.example/?{query}",
    }  # fmt: skip
    answer = Answer(headers=(("Set-Cookie", f"a={_SECRET}"), ("Location", f"/?{query}")))
    _, seen = worn.serve(Request(environ | {"QUERY_STRING": query, **headers}), answer)
    assert seen.error is None
    (record,) = worn.records
    assert _SECRET not in repr(record)


def test_the_whole_number_of_examples_is_tried():
    assert sum(SHARES.values()) >= 100
    assert EXAMPLES >= 20_000
