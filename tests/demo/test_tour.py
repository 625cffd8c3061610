"""The tour in a real browser: every button, the policy, the keyboard, the width of a telephone, dark mode."""

import re

import pytest
from support.browser import expect, needs_browser, until

from overcoat.demo.stops import STOPS

pytestmark = needs_browser


@pytest.fixture
def shown(page, server):
    """The page, at the width of a desk."""
    page.goto(f"http://127.0.0.1:{server.port}/")
    return page


def press(page, key: str, number: int = 0) -> dict:
    """Press a button of a stop; the texts of what it shows, once the log line is there."""
    stop = page.locator(f'[data-key="{key}"]')
    stop.locator(f'[data-number="{number}"]').click()
    expect(stop.locator("[aria-busy]")).to_have_count(0)
    expect(stop.locator(".result p.look, .result .failed")).to_have_count(1)
    texts = dict(
        stop.locator(".part").evaluate_all(
            "parts => parts.map(part => [part.querySelector('h4').textContent, part.textContent])"
        )
    )
    marks = stop.locator("mark").all_text_contents()
    assert stop.locator(".failed").all_text_contents() == []
    (look,) = stop.locator(".look").all_text_contents()
    (status,) = [int(name.removeprefix("Response: ")) for name in texts if name.startswith("Response: ")]
    named = dict(mark.split(": ", 1) for mark in marks)
    return {"status": status, "marks": named, "look": look, "line": texts["Log line"], "all": texts}


def test_policy_holds_and_nothing_fails(shown, seen):
    answer = shown.reload()
    assert answer.status == 200
    assert "'nonce-" in answer.all_headers()["content-security-policy"]
    assert seen.troubles == []
    assert shown.locator(".onion circle").count() == 17


def test_a_spoofed_address_is_refused(shown):
    told = press(shown, "ProxyFix")
    assert told["marks"]["client"] == "127.0.0.1"
    assert told["marks"]["scheme"] == "http"
    assert told["marks"]["X-Forwarded-For"] == "203.0.113.7"


def test_ids(shown):
    assert press(shown, "RequestID")["marks"]["request_id"] == "tour.my-own-id"
    told = press(shown, "RequestID", 1)
    assert told["marks"]["request_id"] == told["marks"]["x-request-id"] != "tour.my-own-id"
    assert "admin" in told["marks"]["client_request_id"]


def test_trace(shown):
    assert press(shown, "TraceContext")["marks"]["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


def test_the_log_page(shown):
    told = press(shown, "Mount")
    assert (told["status"], told["line"]) == (200, "Log lineIt is not in the log.")


def test_a_stream_is_timed_to_its_end(shown):
    marks = press(shown, "RequestLog")["marks"]
    assert marks["outcome"] == "complete"
    assert float(marks["duration_ms"]) >= 800  # five pauses of 160 ms
    assert float(marks["first_byte_ms"]) < float(marks["duration_ms"])


def test_a_client_that_leaves(shown):
    told = press(shown, "RequestLog", 1)
    assert told["marks"]["outcome"] == "aborted"


def test_a_slow_query(shown):
    marks = press(shown, "ServerTiming")["marks"]
    assert "db;dur=" in marks["server-timing"]
    assert marks["db_queries"] == "1"


def test_security_headers(shown):
    marks = press(shown, "SecurityHeaders")["marks"]
    assert marks["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert marks["x-content-type-options"] == "nosniff"


def test_a_cookie(shown):
    assert press(shown, "SecureCookies")["marks"]["Set-Cookie"] == "theme=dark; Path=/; HttpOnly; SameSite=Lax"


def test_another_host(shown):
    told = press(shown, "TrustedHosts")
    assert (told["status"], told["marks"]["refused_by"]) == (400, "TrustedHosts")
    assert told["marks"]["Host"] == "evil.example"
    assert "User-Agent: Overcoat tour" in told["all"]["Request"]
    assert "User-Agent" not in told["marks"], "it is sent, and has nothing to do with the layer"


def test_http_where_the_public_comes_by_it(shown):
    told = press(shown, "HTTPSRedirect")
    assert (told["status"], told["marks"]["Location"]) == (301, "https://demo.example/item/1")
    assert told["marks"]["Host"] == "demo.example"


def test_the_route(shown):
    assert press(shown, "request-context")["marks"]["route"] == "/item/<int:item_id>"


def test_an_error(shown):
    told = press(shown, "problem-details")
    assert told["status"] == 500
    assert told["marks"]["error_type"] == "RuntimeError"
    assert "demo/tour.py:" in told["marks"]["error_at"]
    assert told["marks"]["content-type"] == "application/problem+json"
    assert "kettle" not in told["all"]["Response: 500"]
    assert press(shown, "problem-details", 1)["status"] == 400


def test_compression(shown):
    marks = press(shown, "compress")["marks"]
    assert marks["content-encoding"] in {"br", "gzip", "zstd"}
    assert int(marks["response_bytes"]) < 20_000


def test_cors(shown):
    allowed = press(shown, "cors")["marks"]
    assert allowed["Access-Control-Allow-Origin"] == allowed["Origin"] == "http://localhost:3000"
    assert press(shown, "cors", 1)["marks"].get("Access-Control-Allow-Origin") != "https://evil.example"
    assert shown.locator("[data-key=cors] pre.body").count() == 0, "no empty box"


def test_the_nonce(shown, seen):
    first = press(shown, "talisman")["marks"]["content-security-policy"]
    second = press(shown, "talisman")["marks"]["content-security-policy"]
    assert "'nonce-" in first != second
    assert seen.violations == []
    assert press(shown, "talisman", 1)["look"] == "The browser refused the script: script-src-elem"
    assert [violation["directive"] for violation in seen.violations] == ["script-src-elem"]


def test_a_rollback(shown):
    told = press(shown, "database")
    assert told["status"] == 409
    assert int(told["marks"]["db_queries"]) >= 1
    names = shown.evaluate("fetch('/item').then(r => r.json()).then(d => d.items.map(item => item.name))")
    assert names == ["teapot", "lantern", "compass"]


def test_a_server_that_has_gone(shown, serve):
    other = serve()
    shown.goto(f"http://127.0.0.1:{other.port}/")
    other.stop()
    shown.locator("button[data-try]").first.click()
    expect(shown.locator(".failed")).to_have_text(re.compile("^No answer: "))


def test_keyboard(shown):
    focused = shown.locator(":focus")
    shown.keyboard.press("Tab")
    assert focused.text_content() == "Claim to be 203.0.113.7, by https"
    assert focused.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    shown.keyboard.press("Enter")
    result = shown.locator("[data-key=ProxyFix] .result")
    expect(result.locator(".look")).to_have_count(1)
    expect(result).to_contain_text("duration_ms")
    reached = set()
    for _ in range(60):
        shown.keyboard.press("Tab")
        reached.add(shown.evaluate("document.activeElement.textContent"))
    assert {one.label for key, stop in STOPS.items() if key != "HTTPSRedirect" for one in stop.tries} <= reached | {
        "Claim to be 203.0.113.7, by https"
    }


@pytest.mark.parametrize("width", [400, 768, 1280])
def test_nothing_is_wider_than_the_window(shown, width):
    shown.set_viewport_size({"width": width, "height": 800})
    press(shown, "SecurityHeaders")
    press(shown, "problem-details")
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    wide = shown.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".filter(e => !e.closest('pre, svg')).map(e => e.outerHTML.slice(0, 80))"
    )
    assert wide == []


CONTRAST = """
(() => {
  const parse = text => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * (top[3] ?? 1) + under[i] * (1 - (top[3] ?? 1)));
  const ground = node => {
    const stack = [];
    for (let e = node; e; e = e.parentElement) stack.push(parse(getComputedStyle(e).backgroundColor));
    return stack.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const light = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const found = [];
  for (const node of document.querySelectorAll("h1, h2, h3, h4, p, pre, code, button, small, mark, span")) {
    if (!node.textContent.trim() || !node.getClientRects().length) continue;
    const [a, b] = [light(over(parse(getComputedStyle(node).color), ground(node))), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([node.outerHTML.slice(0, 80), ratio]);
  }
  const svg = document.querySelector(".onion");
  let under = ground(svg);
  for (const ring of svg.querySelectorAll("a")) {
    under = over(parse(getComputedStyle(ring.querySelector("circle")).fill), under);
    const [a, b] = [light(parse(getComputedStyle(ring.querySelector("text")).fill)), light(under)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([ring.textContent.trim(), ratio]);
  }
  return found;
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(shown, scheme):
    """Text of 4.5 to 1 against its ground (WCAG 2.2, 1.4.3)."""
    shown.emulate_media(color_scheme=scheme)
    press(shown, "problem-details")
    until(shown, "document.getAnimations().length === 0", "the colours of a button that was lit to fade")
    assert shown.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")
    assert shown.evaluate(CONTRAST) == []
