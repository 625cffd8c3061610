"""What the W3C's test suite for Trace Context demands (levels 1 and 2, strict), asked of real servers.

Each case is named after the test of that suite which it stands for, and behind a dash after what it sends where that
test sends several requests; ``SUITE`` holds the table to their number. The service is called with these header lines,
and calls back with ``outgoing_headers()``; the table says what of the trace must arrive there.
"""

import contextlib
import itertools
import re
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

import pytest
from support.servers import SERVERS, serving

ID = "12345678901234567890123456789012"
OTHER = "12345678901234567890123456789011"
SPAN = "1234567890123456"
SAMPLED, QUIET, RANDOM = (f"00-{ID}-{SPAN}-{flags}" for flags in ("01", "00", "02"))

VALID = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-(0[0-3])")

NEW, SAME = False, True


class Case(NamedTuple):
    """Header lines of the request, whether its trace goes on, and the tracestate that must arrive."""

    lines: list[tuple[str, str]]
    goes_on: bool
    state: str | None = None


def parent(value, name="traceparent"):
    return [(name, value)]


def state(*values, name="tracestate"):
    return [("traceparent", QUIET), *((name, value) for value in values)]


FUTURE = "-what-the-future-will-be-like"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789_-*/"
VALUE = "".join(map(chr, range(0x20, 0x7F))).replace(",", "").replace("=", "")
MEMBERS = [",".join(f"bar{n:02}={n:02}" for n in range(first, first + 10)) for first in (1, 11, 21)]
LONGEST, LONGEST_OF_TENANT = f"{'z' * 256}=1", f"{'t' * 241}@{'v' * 14}=1"

CASES = {
    "both_traceparent_and_tracestate_missing": Case([], NEW),
    "traceparent_included_tracestate_missing": Case(parent(SAMPLED), SAME),
    "traceparent_duplicated": Case([*parent(SAMPLED.replace(ID, OTHER)), *parent(SAMPLED)], NEW),
    "traceparent_header_name-dash": Case(parent(SAMPLED, "trace-parent"), NEW),
    "traceparent_header_name-dot": Case(parent(SAMPLED, "trace.parent"), NEW),
    "traceparent_header_name_valid_casing-title": Case(parent(SAMPLED, "TraceParent"), SAME),
    "traceparent_header_name_valid_casing-mixed": Case(parent(SAMPLED, "TrAcEpArEnT"), SAME),
    "traceparent_header_name_valid_casing-upper": Case(parent(SAMPLED, "TRACEPARENT"), SAME),
    "traceparent_version_0x00-dot": Case(parent(f"{SAMPLED}."), NEW),
    "traceparent_version_0x00-tail": Case(parent(SAMPLED + FUTURE), NEW),
    "traceparent_version_0xcc-bare": Case(parent("cc" + SAMPLED[2:]), SAME),
    "traceparent_version_0xcc-tail": Case(parent("cc" + SAMPLED[2:] + FUTURE), SAME),
    "traceparent_version_0xcc-dot": Case(parent("cc" + SAMPLED[2:] + FUTURE.replace("-", ".", 1)), NEW),
    "traceparent_version_0xff": Case(parent("ff" + SAMPLED[2:]), NEW),
    "traceparent_version_illegal_characters-first": Case(parent(".0" + SAMPLED[2:]), NEW),
    "traceparent_version_illegal_characters-second": Case(parent("0." + SAMPLED[2:]), NEW),
    "traceparent_version_too_long-3": Case(parent("000" + SAMPLED[2:]), NEW),
    "traceparent_version_too_long-4": Case(parent("0000" + SAMPLED[2:]), NEW),
    "traceparent_version_too_short": Case(parent("0" + SAMPLED[2:]), NEW),
    "traceparent_trace_id_all_zero": Case(parent(SAMPLED.replace(ID, "0" * 32)), NEW),
    "traceparent_trace_id_illegal_characters-first": Case(parent(SAMPLED.replace(ID, "." + ID[1:])), NEW),
    "traceparent_trace_id_illegal_characters-last": Case(parent(SAMPLED.replace(ID, ID[:-1] + ".")), NEW),
    "traceparent_trace_id_too_long": Case(parent(SAMPLED.replace(ID, ID + "3")), NEW),
    "traceparent_trace_id_too_short": Case(parent(SAMPLED.replace(ID, ID[:-1])), NEW),
    "traceparent_parent_id_all_zero": Case(parent(f"00-{ID}-{'0' * 16}-01"), NEW),
    "traceparent_parent_id_illegal_characters-first": Case(parent(f"00-{ID}-.{SPAN[1:]}-01"), NEW),
    "traceparent_parent_id_illegal_characters-last": Case(parent(f"00-{ID}-{SPAN[:-1]}.-01"), NEW),
    "traceparent_parent_id_too_long": Case(parent(f"00-{ID}-{SPAN}7-01"), NEW),
    "traceparent_parent_id_too_short": Case(parent(f"00-{ID}-{SPAN[:-1]}-01"), NEW),
    "traceparent_trace_flags_illegal_characters-first": Case(parent(SAMPLED[:-2] + ".0"), NEW),
    "traceparent_trace_flags_illegal_characters-last": Case(parent(SAMPLED[:-2] + "0."), NEW),
    "traceparent_trace_flags_too_long": Case(parent(SAMPLED[:-2] + "001"), NEW),
    "traceparent_trace_flags_too_short": Case(parent(SAMPLED[:-2] + "1"), NEW),
    "traceparent_ows_handling-space-before": Case(parent(f" {SAMPLED}"), SAME),
    "traceparent_ows_handling-tab-before": Case(parent(f"\t{SAMPLED}"), SAME),
    "traceparent_ows_handling-space-behind": Case(parent(f"{SAMPLED} "), SAME),
    "traceparent_ows_handling-tab-behind": Case(parent(f"{SAMPLED}\t"), SAME),
    "traceparent_ows_handling-around": Case(parent(f"\t {SAMPLED} \t"), SAME),
    "tracestate_included_traceparent_missing-one": Case([("tracestate", "foo=1")], NEW),
    "tracestate_included_traceparent_missing-two": Case([("tracestate", "foo=1,bar=2")], NEW),
    "tracestate_included_traceparent_included": Case(state("foo=1,bar=2"), SAME, "foo=1,bar=2"),
    "tracestate_header_name-dash": Case(state("foo=1", name="trace-state"), SAME),
    "tracestate_header_name-dot": Case(state("foo=1", name="trace.state"), SAME),
    "tracestate_header_name_valid_casing-title": Case(state("foo=1", name="TraceState"), SAME, "foo=1"),
    "tracestate_header_name_valid_casing-mixed": Case(state("foo=1", name="TrAcEsTaTe"), SAME, "foo=1"),
    "tracestate_header_name_valid_casing-upper": Case(state("foo=1", name="TRACESTATE"), SAME, "foo=1"),
    "tracestate_empty_header-alone": Case(state(""), SAME),
    "tracestate_empty_header-behind": Case(state("foo=1", ""), SAME, "foo=1"),
    "tracestate_empty_header-before": Case(state("", "foo=1"), SAME, "foo=1"),
    "tracestate_multiple_headers_different_keys": Case(
        state("foo=1,bar=2", "rojo=1,congo=2", "baz=3"), SAME, "foo=1,bar=2,rojo=1,congo=2,baz=3"
    ),
    "tracestate_duplicated_keys-same-value": Case(state("foo=1,foo=1"), SAME),
    "tracestate_duplicated_keys-other-value": Case(state("foo=1,foo=2"), SAME),
    "tracestate_duplicated_keys-two-headers": Case(state("foo=1", "foo=1"), SAME),
    "tracestate_duplicated_keys-two-headers-other-value": Case(state("foo=1", "foo=2"), SAME),
    "tracestate_all_allowed_characters": Case(state(f"{KEY}={VALUE}"), SAME, f"{KEY}={VALUE}"),
    "tracestate_all_allowed_characters-vendor": Case(
        state(f"{KEY}@a-z0-9_-*/={VALUE}"), SAME, f"{KEY}@a-z0-9_-*/={VALUE}"
    ),
    "tracestate_ows_handling-spaces-and-tabs": Case(state("foo=1 \t , \t bar=2, \t baz=3"), SAME, "foo=1,bar=2,baz=3"),
    "tracestate_ows_handling-tabs-and-spaces": Case(
        state("foo=1\t \t,\t \tbar=2,\t \tbaz=3"), SAME, "foo=1,bar=2,baz=3"
    ),
    "tracestate_ows_handling-space-before": Case(state(" foo=1"), SAME, "foo=1"),
    "tracestate_ows_handling-tab-before": Case(state("\tfoo=1"), SAME, "foo=1"),
    "tracestate_ows_handling-space-behind": Case(state("foo=1 "), SAME, "foo=1"),
    "tracestate_ows_handling-tab-behind": Case(state("foo=1\t"), SAME, "foo=1"),
    "tracestate_ows_handling-around": Case(state("\t foo=1 \t"), SAME, "foo=1"),
    "tracestate_key_illegal_characters-space": Case(state("foo =1"), SAME),
    "tracestate_key_illegal_characters-upper": Case(state("FOO=1"), SAME),
    "tracestate_key_illegal_characters-dot": Case(state("foo.bar=1"), SAME),
    "tracestate_key_illegal_vendor_format-no-vendor": Case(state("foo@=1,bar=2"), SAME),
    "tracestate_key_illegal_vendor_format-no-tenant": Case(state("@foo=1,bar=2"), SAME),
    "tracestate_key_illegal_vendor_format-two-signs": Case(state("foo@@bar=1,bar=2"), SAME),
    "tracestate_key_illegal_vendor_format-three-parts": Case(state("foo@bar@baz=1,bar=2"), SAME),
    "tracestate_member_count_limit-32": Case(
        state(*MEMBERS, "bar31=31,bar32=32"), SAME, ",".join([*MEMBERS, "bar31=31,bar32=32"])
    ),
    "tracestate_member_count_limit-33": Case(state(*MEMBERS, "bar31=31,bar32=32,bar33=33"), SAME),
    "tracestate_key_length_limit-256": Case(state("foo=1", LONGEST), SAME, f"foo=1,{LONGEST}"),
    "tracestate_key_length_limit-257": Case(state("foo=1", f"z{LONGEST}"), SAME),
    "tracestate_key_length_limit-241-and-14": Case(
        state("foo=1", LONGEST_OF_TENANT), SAME, f"foo=1,{LONGEST_OF_TENANT}"
    ),
    "tracestate_key_length_limit-242": Case(state("foo=1", f"{'t' * 242}@v=1"), SAME),
    "tracestate_key_length_limit-15": Case(state("foo=1", f"t@{'v' * 15}=1"), SAME),
    "tracestate_value_illegal_characters-equals": Case(state("foo=bar=baz"), SAME),
    "tracestate_value_illegal_characters-empty": Case(state("foo=,bar=3"), SAME),
    "propagates_random_flag": Case(parent(RANDOM), SAME),
}


class Listener(ThreadingHTTPServer):
    """The other service: keeps the headers of each call by its path."""

    daemon_threads = True

    def __init__(self):
        self.calls = {}
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_GET(self):
        self.server.calls.setdefault(self.path, []).append(
            [(name.lower(), value) for name, value in self.headers.items()]
        )
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def listener():
    with Listener() as listener:
        thread = Thread(target=listener.serve_forever)
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=["waitress", "gunicorn sync", "wsgiref"])
def server(request):
    with serving([*SERVERS[request.param], "support.traced:app"]) as server:
        yield server


_number = itertools.count()


def calls_of(server, listener, lines, times=1):
    """The headers with which the service called the other one."""
    path = f"/{next(_number)}"
    target = f"/?to={listener.server_address[1]}&path={path}&times={times}"
    head = [f"GET {target} HTTP/1.1", "Host: localhost", "Connection: close", *(f"{n}: {v}" for n, v in lines)]
    answer = server.exchange("\r\n".join([*head, "", ""]).encode("latin-1"))
    assert b" 200 OK\r\n" in answer, server.output()
    return listener.calls.pop(path)


def only(headers, name):
    values = [value for key, value in headers if key == name]
    with contextlib.suppress(ValueError):
        [value] = values
        return value
    assert not values
    return None


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_item_66_what_arrives_at_the_other_service(server, listener, case):
    [headers] = calls_of(server, listener, case.lines)
    match = VALID.fullmatch(only(headers, "traceparent"))
    assert match
    trace_id, span_id, flags = match.groups()
    assert span_id != SPAN
    assert only(headers, "tracestate") == case.state
    if case.goes_on:
        assert trace_id == ID
        assert flags == case.lines[0][1].strip()[53:55]
    else:
        assert trace_id not in {ID, OTHER, ID[1:] + "3"}
        assert flags == "02"  # ours are random, and nobody has decided to sample


MULTIPLE = {
    "multiple_requests_with_valid_traceparent": (parent(SAMPLED), SAME),
    "multiple_requests_without_traceparent": ([], NEW),
    "multiple_requests_with_illegal_traceparent": (parent(SAMPLED.replace(ID, "0" * 32)), NEW),
}


@pytest.mark.parametrize(("lines", "goes_on"), MULTIPLE.values(), ids=MULTIPLE)
def test_item_66_each_call_has_a_span_of_its_own(server, listener, lines, goes_on):
    seen = [VALID.fullmatch(only(headers, "traceparent")) for headers in calls_of(server, listener, lines, times=3)]
    assert len({match[2] for match in seen}) == 3
    [trace_id] = {match[1] for match in seen}
    assert (trace_id == ID) is goes_on


#: The tests of the suite (its classes TraceContextTest, AdvancedTest and TraceContext2Test), and how many requests each
#: of them judges.
SUITE = {
    "both_traceparent_and_tracestate_missing": 1, "traceparent_included_tracestate_missing": 1,
    "traceparent_duplicated": 1, "traceparent_header_name": 2, "traceparent_header_name_valid_casing": 3,
    "traceparent_version_0x00": 2, "traceparent_version_0xcc": 3, "traceparent_version_0xff": 1,
    "traceparent_version_illegal_characters": 2, "traceparent_version_too_long": 2, "traceparent_version_too_short": 1,
    "traceparent_trace_id_all_zero": 1, "traceparent_trace_id_illegal_characters": 2,
    "traceparent_trace_id_too_long": 1, "traceparent_trace_id_too_short": 1, "traceparent_parent_id_all_zero": 1,
    "traceparent_parent_id_illegal_characters": 2, "traceparent_parent_id_too_long": 1,
    "traceparent_parent_id_too_short": 1, "traceparent_trace_flags_illegal_characters": 2,
    "traceparent_trace_flags_too_long": 1, "traceparent_trace_flags_too_short": 1, "traceparent_ows_handling": 5,
    "tracestate_included_traceparent_missing": 2, "tracestate_included_traceparent_included": 1,
    "tracestate_header_name": 2, "tracestate_header_name_valid_casing": 3, "tracestate_empty_header": 3,
    "tracestate_multiple_headers_different_keys": 1, "tracestate_duplicated_keys": 4,
    "tracestate_all_allowed_characters": 2, "tracestate_ows_handling": 7, "tracestate_key_illegal_characters": 3,
    "tracestate_key_illegal_vendor_format": 4, "tracestate_member_count_limit": 2, "tracestate_key_length_limit": 5,
    "tracestate_value_illegal_characters": 2, "multiple_requests_with_valid_traceparent": 1,
    "multiple_requests_without_traceparent": 1, "multiple_requests_with_illegal_traceparent": 1,
    "propagates_random_flag": 1,
}  # fmt: skip


def test_item_66_no_test_of_the_suite_is_left_out():
    assert Counter(name.partition("-")[0] for name in (*CASES, *MULTIPLE)) == SUITE
    assert len(SUITE) == 41
