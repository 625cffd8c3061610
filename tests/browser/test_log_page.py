"""The log page in Chromium: what a person sees and does, what a hostile log does not, and what axe-core says of it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from support.browser import expect, needs_browser, served_here, until
from support.log_lines import HOSTILE, hostile_records, line, records, timestamp

from overcoat.inspector import LogPage

pytestmark = needs_browser

#: axe-core 4.14.1, as published, with its licence beside it.
AXE = (Path(__file__).parents[1] / "lib" / "axe" / "axe.min.js").read_text()
MARKUP = "<script>window.theirs = 1</script><img src=x onerror=\"window.theirs = 1\"><a href='javascript:1'>\"'>{{x}}"


class Log:
    """A log and the page over it."""

    def __init__(self, path, url):
        self.path, self.url = path, url

    def write(self, *lines):
        with self.path.open("ab") as log:
            log.writelines(one + b"\n" for one in lines)


@pytest.fixture
def log(tmp_path):
    """An empty log under a page of its own."""
    path = tmp_path / "app.log"
    path.write_bytes(b"")
    app = LogPage(path)
    with served_here(app) as url:
        yield Log(path, url)
    app.close()


@pytest.fixture
def full(log):
    """A log of the last ten minutes: 2,000 requests and two that are to be found."""
    made = list(records(2000, seed=1))
    start = datetime.now(UTC) - timedelta(minutes=11)
    for one in made:
        passed = datetime.fromisoformat(one["timestamp"]) - datetime(2026, 11, 20, tzinfo=UTC)
        one["timestamp"] = timestamp(start + passed)
    slow = [line(timestamp=one["timestamp"], route="/slow", path="/slow", duration_ms=900.0) for one in made[:40:2]]
    failing = [
        line(
            timestamp=one["timestamp"], client="203.0.113.9", status=500, outcome="failed", error_type="KeyError",
            request_id=f"bad{index}", timings={"db": {"duration_ms": 6, "count": 2}},
        )
        for index, one in enumerate(made[:60:2])
    ]  # fmt: skip
    log.write(*map(orjson.dumps, made), *slow, *failing)
    return log


def opened(page, url, query=""):
    page.goto(f"{url}/{query}")
    for rows in ("#rows tbody tr", "#groups tbody tr"):
        expect(page.locator(rows)).not_to_have_count(0)


def first_group(page):
    return page.locator("#groups tbody th").first


def shown_rows(page):
    return page.locator("#rows tbody")


def look_for(page, request_id):
    page.locator("#f-id").fill(request_id)
    page.locator("#f-id").press("Enter")


def test_it_loads_and_draws_under_its_policy_and_asks_nobody_else(page, seen, full):
    opened(page, full.url)
    expect(page.locator("#state")).to_have_text("2,050 requests")
    expect(page.locator("#rows tbody tr")).to_have_count(100)
    until(page, "document.querySelectorAll('#groups .spark rect').length > 20", "the routes' small charts")
    origins = page.evaluate(
        "[...new Set(performance.getEntriesByType('resource').map(one => new URL(one.name).origin))]"
    )
    assert origins == [full.url]
    assert seen.troubles == []
    painted = """[...document.querySelectorAll('canvas')].map(canvas => new Set(
        new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        .data.buffer)).size > 3)"""
    until(page, f"String({painted}) === 'true,true'", "two charts to be painted")


def test_a_new_line_appears_by_itself(page, seen, log):
    page.goto(log.url)
    expect(page.locator("#state")).to_have_text("No requests yet")
    log.write(line(timestamp=timestamp(datetime.now(UTC)), path="/first", request_id="first"))
    expect(shown_rows(page)).to_contain_text("/first")
    expect(page.locator("#total dd").first).to_have_text("1")
    assert seen.troubles == []


#: Counts in every page what it has asked for and has no answer to yet.
ASKING = """
window.asking = 0;
{
    const theirs = fetch;
    window.fetch = (...given) => { asking += 1; return theirs(...given).finally(() => { asking -= 1; }); };
}
"""


def test_pause_holds_and_live_goes_on(page, full):
    page.add_init_script(ASKING)
    opened(page, full.url)
    page.keyboard.press("p")
    assert page.locator("#live").get_attribute("aria-pressed") == "false"
    until(page, "asking === 0", "the answers that were asked for before")
    full.write(line(timestamp=timestamp(datetime.now(UTC)), path="/later"))
    page.wait_for_timeout(1200)  # nothing is to happen
    assert "/later" not in page.locator("body").text_content()
    page.keyboard.press("p")
    expect(shown_rows(page)).to_contain_text("/later")


def test_the_slowest_route_is_one_click_away(page, seen, full):
    opened(page, full.url)
    page.locator("[data-sort=p95]").click()
    expect(first_group(page)).to_have_text("/slow")
    assert page.evaluate("location.search") == "?sort=p95"
    assert page.locator("th[aria-sort]").text_content() == "p95"
    first_group(page).get_by_role("button").click()
    requests = page.locator("#rows .request")
    expect(requests.filter(has_not_text=re.compile("^GET /slow$"))).to_have_count(0)
    assert page.evaluate("new URLSearchParams(location.search).get('route')") == "/slow"
    assert page.locator("#f-route").input_value() == "/slow"
    page.go_back()
    expect(page.locator("#f-route")).to_have_value("")
    expect(page.locator("#rows tbody tr")).to_have_count(100)
    assert seen.troubles == []


def test_the_failing_client_is_found_by_grouping(page, full):
    opened(page, full.url, "?errors=1&by=client")
    expect(first_group(page)).to_have_text("203.0.113.9")
    assert page.locator("#f-by").input_value() == "client"
    assert page.locator("[name=errors]").is_checked()


#: What is found first, and what the page is then about, for each question that stands on it.
FOUND = {
    "Slowest routes": ("/slow", "Routes", "?sort=p95"),
    "Failing clients": ("203.0.113.9", "Clients", "?by=client&sort=errors"),
    "Clients that are refused": ("203.0.113.10", "Clients", "?by=client&sort=4xx"),
    "Errors by type": ("KeyError", "Errors", "?by=error_type&sort=errors&errors=1"),
}


@pytest.mark.parametrize(("label", "found"), FOUND.items(), ids=FOUND)
def test_a_question_is_answered_by_a_click(page, seen, full, label, found):
    full.write(*[line(timestamp=timestamp(datetime.now(UTC)), client="203.0.113.10", status=403) for _ in range(40)])
    opened(page, full.url)
    button = page.get_by_role("button", name=label, exact=True)
    first, title, query = found
    button.click()
    expect(first_group(page)).to_have_text(first)
    assert page.locator("#groups-title").text_content() == title
    assert page.evaluate("location.search") == query
    assert button.get_attribute("aria-pressed") == "true"
    assert seen.troubles == []


def test_a_question_replaces_the_one_before_and_keeps_the_filters(page, full):
    opened(page, full.url, "?by=error_type&sort=errors&errors=1&method=GET&n=200")
    page.locator('[data-find="order=slowest"]').click()
    assert page.evaluate("location.search") == "?method=GET&order=slowest"
    expect(shown_rows(page)).to_contain_text("/slow")


def test_an_outcome_stands_out_by_how_bad_it_is(page, log):
    outcomes = ("complete", "handed_off", "aborted", "failed")
    now = timestamp(datetime.now(UTC))
    log.write(*[line(timestamp=now, path=f"/{one}", outcome=one, request_id=one) for one in outcomes])
    opened(page, log.url)
    shown = page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('#rows .request')].map(one =>"
        " [one.querySelector('a').textContent, [...one.querySelectorAll('span')].map(word => word.className)]))"
    )
    assert shown == {
        "GET /complete": [], "GET /handed_off": [], "GET /aborted": ["outcome"], "GET /failed": ["outcome bad"],
    }  # fmt: skip
    colours = [
        page.locator(one).evaluate("word => getComputedStyle(word).color")
        for one in ("#rows .outcome:not(.bad)", "#rows .bad")
    ]
    assert colours[0] != colours[1]
    kinds = {"complete": None, "handed_off": "status s2", "aborted": "status s4", "failed": "status s5"}
    for one, kind in kinds.items():
        page.goto(f"{log.url}/request?id={one}")
        badges = page.locator(".facts .status").evaluate_all("badges => badges.slice(1).map(one => one.className)")
        assert badges == ([kind] if kind else [])


def test_an_old_request_is_found_by_its_id_whatever_the_page_shows(page, full):
    full.write(line(request_id="old-one", path="/old"))  # of 2026-11-20; the page begins with the last hour
    opened(page, full.url)
    look_for(page, "old")
    expect(shown_rows(page)).to_contain_text("/old")
    assert page.locator("#f-range option").first.text_content() == "auto: all"


def test_an_id_that_is_not_in_the_index_is_looked_for_in_the_log(page, full):
    full.write(orjson.dumps({"event": "said without a request", "request_id": "stray"}))
    opened(page, full.url)
    page.goto(f"{full.url}/?id=stray")
    page.locator("#rows-note a").click()
    expect(page.locator("main")).to_contain_text("said without a request")


def test_figures_of_another_question_are_marked_until_the_new_ones_come(page, full):
    opened(page, full.url)
    busy = "document.querySelector('main').getAttribute('aria-busy')"
    at_rest = page.locator("main[aria-busy=false]")
    assert page.evaluate(f"document.querySelector('[data-find]').click(); {busy}") == "true"
    expect(at_rest).to_have_count(1)
    assert first_group(page).text_content() == "/slow"
    assert page.evaluate(f"go({{status: 'six'}}); {busy}") == "true"
    expect(at_rest).to_have_count(1)
    expect(page.locator("#problem")).to_be_visible()


def test_when_all_is_read_the_figures_do_not_wait_for_their_turn(page, full):
    opened(page, full.url)
    until(page, "!overviewRunning && versions.overview === versions.requests")
    page.evaluate("overviewDueMs = Infinity; allRead = false")
    full.write(line(timestamp=timestamp(datetime.now(UTC))))
    expect(page.locator("#total dd").first).to_have_text("2,051")


def test_rows_that_stay_are_left_alone(page, log):
    log.write(line(timestamp=timestamp(datetime.now(UTC)), path="/first"))
    opened(page, log.url)
    first = page.query_selector("#rows tbody tr")
    log.write(orjson.dumps({"event": "not a request"}), line(timestamp="2026-11-20T00:00:00Z", path="/long-ago"))
    expect(page.locator("#state")).to_have_text("2 requests")
    assert first.evaluate("first => first === document.querySelector('#rows tbody tr')") is True
    log.write(line(timestamp=timestamp(datetime.now(UTC)), path="/second"))
    expect(shown_rows(page)).to_contain_text("/second")


def test_the_request_behind_an_id_is_found_and_has_a_page(page, seen, full):
    opened(page, full.url)
    look_for(page, "bad17")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.locator("#f-id").blur()
    page.keyboard.press("j")
    expect(page.locator("#rows a")).to_be_focused()
    assert page.locator(":focus").get_attribute("href") == "request?id=bad17"
    page.keyboard.press("Enter")
    page.wait_for_url("**/request?id=bad17")
    assert page.locator("h1").text_content() == "GET /item/7"
    text = page.locator("main").text_content()
    assert all(word in text for word in ("KeyError", "203.0.113.9", "db", "6.0 ms", "48.0%"))
    assert page.locator(".timing rect").first.get_attribute("width") == "480"
    assert page.evaluate("document.getElementById('back').search") == "?id=bad17"
    assert seen.troubles == []


def test_a_wrong_filter_is_told_and_mended(page, full):
    page.goto(f"{full.url}/?status=six")
    expect(page.locator("#problem")).to_be_visible()
    assert "is no status" in page.locator("#problem").text_content()
    page.locator("#clear").click()
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("#rows tbody tr")).not_to_have_count(0)


def test_dragging_over_a_chart_zooms_in_and_a_double_click_out(page, seen, full):
    opened(page, full.url)
    until(page, "versions.overview && versions.overview === versions.requests", "charts that are not drawn anew")
    chart = page.locator("#chart-requests .u-over")
    box = chart.bounding_box()

    def at(share):
        return box["x"] + box["width"] * share, box["y"] + 30

    page.mouse.move(*at(0.2))
    page.mouse.down()
    page.mouse.move(*at(0.4))
    page.mouse.move(*at(0.6))
    page.mouse.up()
    until(page, "new URLSearchParams(location.search).has('since')")
    assert page.locator("#f-since").input_value().endswith("Z")
    chart.dblclick()
    until(page, "!new URLSearchParams(location.search).has('since')")
    assert seen.troubles == []


NARROW = {"width": 400, "height": 800}


@pytest.mark.parametrize("size", [(1280, 900), (400, 800)], ids=["wide", "narrow"])
@pytest.mark.parametrize(("label", "place"), {"Slowest requests": "#requests", "Slowest routes": "#by-group"}.items())
def test_the_first_rows_of_an_answer_are_seen(page, full, size, label, place):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    opened(page, full.url)
    page.get_by_role("button", name=label, exact=True).click()
    expect(page.locator("main[aria-busy=false]")).to_have_count(1)
    rows = f"[...document.querySelectorAll('{place} tbody tr')].slice(0, 5).map(row => row.getBoundingClientRect())"
    until(page, f"{rows}.every(one => one.top >= 0 && one.bottom <= innerHeight)", "the first rows to be in view")
    expect(page.get_by_role("button", name=label, exact=True)).to_be_focused()


def test_who_moves_on_is_not_drawn_back_to_the_answer(page, full):
    opened(page, full.url)
    page.get_by_role("button", name="Slowest requests", exact=True).click()
    page.mouse.wheel(0, -5000)
    until(page, "scrollY === 0")
    page.evaluate("bringIntoView()")
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("chart", ["requests", "latency"])
def test_the_readout_is_of_the_step_under_the_pointer(page, full, chart):
    opened(page, full.url)
    until(page, "versions.overview && versions.overview === versions.requests", "charts that are not drawn anew")
    page.keyboard.press("p")
    box = page.locator(f"#chart-{chart} .u-over").bounding_box()
    steps = page.evaluate("shownOverview.time_s.length")
    before = page.evaluate("document.documentElement.scrollHeight")
    for step in (0, steps - 2, steps - 1):
        for part in (0.2, 0.8):
            page.mouse.move(box["x"] + box["width"] * (step + part) / steps, box["y"] + 60)
            time = page.evaluate(f"dayAndClock.format(shownOverview.time_s[{step}] * 1000)")
            expect(page.locator(f"#readout-{chart}")).to_contain_text(f"{time}: ")
            expect(page.locator(f"#legend-{chart}")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollHeight") == before
    page.mouse.move(5, 5)
    expect(page.locator(f"#legend-{chart}")).to_be_visible()


def test_a_legend_tells_what_is_there_and_a_chart_of_nothing_has_no_scale(page, log):
    log.write(*[line(timestamp=timestamp(datetime.now(UTC)), status=status) for status in (200, 503)])
    opened(page, log.url)
    shown = page.locator("#legend-requests .key:visible")
    assert shown.all_text_contents() == ["2xx", "5xx"]
    page.goto(f"{log.url}/?path=/no/such")
    expect(page.locator("#total dd").first).to_have_text("0")
    expect(page.locator(".legend .key:visible")).to_have_count(0)


def test_a_list_and_the_request_tell_the_same_time(page, log):
    log.write(line(timestamp="2026-11-20T05:03:51.213999Z", request_id="then"))
    opened(page, log.url)
    shown = page.locator("#rows time").text_content()
    assert shown.endswith(":51.213")
    zone = page.evaluate("zone")
    page.locator("#rows a").click()
    # Without its script that page has the line's own time, in UTC.
    expect(page.locator("time")).to_have_text(re.compile(rf"{re.escape(shown[-12:])}.*{re.escape(f'({zone})')}$"))


def test_times_of_one_list_have_one_form(page, log):
    today = timestamp(datetime.now(UTC))
    log.write(line(timestamp=today), line(timestamp="2026-11-20T05:03:51Z", request_id="then"))
    opened(page, log.url, "?range=all")
    forms = {re.sub(r"[A-Za-z]+|[0-9]+", "0", time) for time in page.locator("#rows time").all_text_contents()}
    assert len(forms) == 1
    assert page.locator("#rows .zone").text_content() == f"({page.evaluate('zone')})"


def test_it_says_which_requests_the_figures_are_of(page, full):
    full.write(line(request_id="old"))
    opened(page, full.url)
    expect(page.locator("#scope")).to_have_text(re.compile(r"^Last hour: .+, 2,050 of 2,051 requests\.$"))
    assert page.locator(".span").all_text_contents() == ["last hour"] * 2
    page.locator("#f-range").select_option("all")
    expect(page.locator("#scope")).to_have_text(re.compile(r"^All time: .+\), 2,051 requests\.$"))


PARTS = {
    "a part": ("share_read: 0.567", "Figures so far: 56% of the log is read, its end first.", "last hour, so far"),
    "the latest": ("share_read: 0.567, full: true", "these are the latest of the log.", "last hour"),
    "all": ("share_read: 1", "2,050 requests.", "last hour"),
}


@pytest.mark.parametrize(("given", "told", "span"), PARTS.values(), ids=PARTS)
def test_figures_of_a_part_of_the_log_say_so(page, full, given, told, span):
    opened(page, full.url)
    until(page, "shownOverview && shownOverview.share_read === 1", "all of it to be read")
    scope, spans = page.evaluate(
        f"showOverview({{...shownOverview, {given}}}), [byId('scope').textContent,"
        " [...document.querySelectorAll('.span')].map(one => one.textContent)]"
    )
    assert scope.endswith(told)
    assert spans == [span, span]


def test_an_id_that_was_looked_for_everywhere_is_not_offered_to_be(page, full):
    opened(page, full.url)
    page.goto(f"{full.url}/?id=no-such")
    note = page.locator("#rows-note")
    expect(note).to_have_text(
        "No request of the log has an id that begins with “no-such”. Look for it in what the app logged"
    )
    note.locator("a").click()
    expect(page.locator(".notice")).to_contain_text("the id no-such, or one that begins so")
    page.goto(f"{full.url}/?id=no-such&status=5xx")
    expect(note).to_contain_text("Look for the id in the whole log")


def test_the_share_of_errors_is_an_order_and_red_where_it_is_high(page, full):
    opened(page, full.url, "?by=client")
    page.get_by_role("button", name="Error %").click()
    expect(first_group(page)).to_have_text("203.0.113.9")
    assert page.evaluate("location.search") == "?by=client&sort=error_share"
    shares = page.evaluate(
        "[...document.querySelectorAll('#groups tbody tr')].map(row => [parseFloat(row.cells[3].textContent) || 0,"
        " row.cells[3].classList.contains('bad')])"
    )
    assert shares[0] == [100, True]
    assert [bad for share, bad in shares] == [share >= 5 for share, bad in shares]


def test_errors_tell_their_place_and_a_request(page, seen, log):
    now = timestamp(datetime.now(UTC))
    own = {"status": 500, "outcome": "failed", "error_type": "KeyError", "timestamp": now}
    places = {"cart.py:88 in apply": 3, "cart.py:91 in total": 2}
    for place, count in places.items():
        log.write(
            *[line(request_id=f"{place[8]}{n}", error_at=place, error_message="<b>", **own) for n in range(count)]
        )
    opened(page, log.url, "?by=error_type&sort=errors")
    about = page.locator("#groups .about")
    expect(about).to_have_text([f"{place}<b>the latest request" for place in places])
    page.locator("#groups tbody button").nth(1).click()
    expect(page.locator("#rows tbody tr")).to_have_count(2)
    chosen = page.locator("#chosen .chip").all_text_contents()
    assert [one.rpartition(" ")[0] for one in chosen] == ["error: KeyError", "place: cart.py:91 in total"]
    expect(about).to_have_count(1)
    about.get_by_role("link").click()
    expect(page.locator(".error")).to_have_text("KeyError <b> cart.py:91 in total")
    assert seen.troubles == []


def test_a_wrong_value_is_asked_once_and_its_field_is_marked(page, full):
    opened(page, full.url)
    asked = []
    page.on("response", lambda response: asked.append(response.status))
    page.evaluate("go({slow: '-1'})")
    expect(page.locator("#problem")).to_have_text("At least, ms: write milliseconds, such as 250")
    expect(page.locator("[aria-invalid]")).to_have_attribute("id", "f-slow")
    page.wait_for_timeout(3500)  # what is tried again is tried after three seconds
    assert asked.count(400) == 1
    page.locator("#f-slow").fill("1")
    page.locator("#f-slow").press("Enter")
    expect(page.locator("#problem")).to_be_hidden()
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    expect(page.locator("#rows tbody tr")).not_to_have_count(0)


def test_of_what_says_which_time_is_meant_the_last_word_counts(page, full):
    page.goto(f"{full.url}/?since=2026-11-20T00:00:00Z&until=2026-11-21T00:00:00Z&path=/x*")
    expect(page.locator("#f-range option").first).to_have_text("set by Since, Until")
    page.locator("#f-range").select_option("1h")
    assert page.evaluate("location.search") == "?path=%2Fx*&range=1h"
    page.locator("#f-since").fill("15m")
    page.locator("#f-since").press("Enter")
    assert page.evaluate("location.search") == "?path=%2Fx*&since=15m"


def test_on_a_narrow_screen_names_stay_and_the_sorted_column_is_seen(page, full):
    page.set_viewport_size(NARROW)
    opened(page, full.url)
    page.get_by_role("button", name="Slowest routes", exact=True).click()
    until(page, "document.querySelector('#groups').closest('.scroll').scrollLeft > 0", "the table to be scrolled")
    name, column = (page.locator(f"#groups {one}").bounding_box() for one in ("#group-name", "th[aria-sort]"))
    assert name["x"] >= 0
    assert name["x"] + name["width"] <= column["x"] + 1
    assert column["x"] + column["width"] <= NARROW["width"]


RATES = {(90, 60): "1.5/s", (90, 3600): "1.5/min", (33, 3600): "33/h", (1, 108000): "0.8/d", (432000, 60): "7,200/s"}


@pytest.mark.parametrize(("given", "told"), RATES.items(), ids=RATES.values())
def test_a_rate_is_in_the_unit_in_which_it_reads_best(page, log, given, told):
    page.goto(log.url)
    assert page.evaluate(f"formatRate({given[0]}, {given[1]})") == told


@pytest.mark.parametrize("by", ["route", "client", "method", "host", "user_agent", "error_type", "outcome"])
def test_nothing_of_a_hostile_log_runs_or_turns_the_page_around(page, seen, log, by):
    texts = ("method", "path", "query", "client", "route", "error_type", "user_agent", "host", "outcome", "level")
    own = line(
        **dict.fromkeys(texts, MARKUP), **{MARKUP: MARKUP}, request_id=MARKUP, timings={MARKUP: {"duration_ms": 1}}
    )
    said = orjson.dumps({"event": MARKUP, "level": MARKUP, "request_id": MARKUP, "exception": f"{MARKUP}\n{MARKUP}"})
    log.write(said, own, *map(orjson.dumps, hostile_records()))
    opened(page, log.url, f"?range=all&by={by}")
    links = shown_rows(page).locator("a").evaluate_all("links => links.map(one => one.href)")
    assert len(links) == len(HOSTILE) + 1
    assert shown_rows(page).text_content().count("<script>") >= 2
    page.locator("#groups tbody button").last.click()
    assert seen.troubles == []
    for link in links if by == "route" else links[:1]:
        page.goto(link)
        assert page.evaluate(
            "[window.theirs, document.querySelectorAll('main img, main a[href^=javascript]').length]"
        ) == [None, 0]
        odd = page.evaluate(
            r"document.body.innerText.match("
            r"/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/)"
        )
        assert odd is None
        assert (seen.violations, seen.failures) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off(page, full, scheme, width):
    page.emulate_media(color_scheme=scheme)
    opened(page, full.url)
    page.set_viewport_size({"width": width, "height": 900})
    for url in (
        f"{full.url}/?method=GET&status=5xx",
        f"{full.url}/request?id=bad3",
        f"{full.url}/request?id=none",
        f"{full.url}/request?id=bad",
    ):
        page.goto(url)
        if "status" in url:
            for rows in ("#groups tbody tr", "#rows tbody tr"):
                expect(page.locator(rows)).not_to_have_count(0)
        page.evaluate(f"{AXE}; 1")
        found = page.evaluate(
            "axe.run().then(({violations}) => violations.filter(one => ['serious', 'critical'].includes(one.impact))"
            ".map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html + ' ' + node.failureSummary)]))"
        )
        assert found == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_in_the_dark_the_page_is_dark(page, full):
    backs = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        opened(page, full.url)
        backs[scheme] = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert backs == {"light": "rgb(251, 251, 250)", "dark": "rgb(19, 22, 25)"}
