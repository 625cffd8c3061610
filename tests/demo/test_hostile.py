"""Whatever is sent to whatever route, the answer is never a server error, and what is an error has a message."""

import json
import string
from urllib.parse import unquote_to_bytes

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

IDS = st.one_of(
    st.integers(0, 9),
    st.sampled_from([2**31 - 1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64, 10**20, 10**4000, -1]),
    st.integers(),
    st.sampled_from(["1.5", "x", "%00", "\u0661", "1e3", "0x1", "+1", "1_0", "%ff", "..", " "]),
).map(str)
FIXED = [
    "/item",
    "/",
    "/style.css",
    "/livez",
    "/readyz",
    *map("/tour/{}".format, ("cookie", "large", "query", "rollback")),
]
WITH_IDS = ["/item/{}", "/items/range/{}/{}", "/tour/send/cors/{}"]
WITH_TEXT = "/tour/log/"
#: The one takes a second for each example; the other answers 500, as it should.
LEFT_OUT = {"tour.stream", "tour.error"}
PATHS = st.one_of(
    st.sampled_from(FIXED),
    st.text(string.printable + "é\u202e", max_size=20).map(lambda text: WITH_TEXT + text.replace("?", "")),
    *(st.tuples(IDS, IDS).map(lambda ids, path=path: path.format(*ids)) for path in WITH_IDS),
    st.text(string.printable + "é\u202e", max_size=20).map(lambda text: "/" + text.replace("?", "").replace("#", "")),
)
QUERIES = st.one_of(
    st.just(""),
    st.tuples(IDS, IDS).map(lambda pair: "limit={}&after={}".format(*pair)),
    st.text(string.printable, max_size=30).filter(lambda text: "#" not in text),
)
ANY_METHOD = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "BREW"])
REQUEST_LINES = st.one_of(
    st.just(("POST", "/item")),
    st.tuples(st.just("PUT"), IDS.map("/item/{}".format)),
    st.tuples(ANY_METHOD, PATHS),
)
NAMES = st.one_of(st.text(max_size=90), st.sampled_from(["\0", "\ud800", "x" * 81, " "]))
NUMBERS = st.one_of(
    st.floats(),
    st.integers(),
    st.sampled_from([10**400, -(10**400), 2**63, True, "1e400", "nan", " 7 ", "1_0", "\u0663", "0x1", "9" * 5000]),
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "value", "id", ""]), inner),
    max_leaves=8,
)


def encoded(value) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


BODIES = st.one_of(
    st.fixed_dictionaries({"name": NAMES, "value": NUMBERS}).map(encoded),
    st.fixed_dictionaries({}, optional={"name": NAMES | ANYTHING, "value": NUMBERS | ANYTHING, "id": IDS}).map(encoded),
    ANYTHING.map(encoded),
    st.tuples(NAMES, NAMES).map(lambda pair: b'{"name": %b, "name": %b, "value": 1}' % tuple(map(encoded, pair))),
    st.binary(max_size=60),
    st.sampled_from([b"[" * 60_000, b'{"name":' * 9_000, b" " * 70_000, b"\xef\xbb\xbf{}"]),
    st.sampled_from([b'{"name": "a", "value": 1e400}', b'{"name": "a", "value": NaN}']),
)
MEDIA_TYPES = st.sampled_from(
    ["application/json"] * 5 + ["application/problem+json", "application/json; charset=utf-16", "text/plain", "", None]
)
HEADER_TEXT = st.text([chr(code) for code in [*range(32, 127), *range(160, 256)]], max_size=40)
HEADERS = st.dictionaries(
    st.sampled_from(["Host", "X-Forwarded-For", "X-Request-ID", "Accept-Encoding", "Origin", "If-None-Match"]),
    HEADER_TEXT,
)


@pytest.fixture
def client(make_app, database_url, records):
    settings = {"trusted_proxies": "127.0.0.1", "trusted_hosts": "*", "https_redirect": False}
    yield make_app(database_url=database_url, **settings).test_client()
    assert {record["level"] for record in records()} <= {"info", "warning"}


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(REQUEST_LINES, QUERIES, BODIES, MEDIA_TYPES, HEADERS)
def test_never_a_server_error(client, request_line, query, body, media_type, headers):
    method, path = request_line
    response = client.open(
        # As a server hands the path on; the test client would take "//x" for a host.
        environ_overrides={"PATH_INFO": unquote_to_bytes(path).decode("latin-1")},
        method=method,
        query_string=query,
        data=body,
        content_type=media_type,
        headers=headers,
        buffered=True,
    )
    status = response.status_code
    assert status < 500
    if status == 400 and "Host" in headers and response.content_type == "text/plain; charset=utf-8":
        assert method == "HEAD" or response.data == b"This host is not served here.\n"
    elif status >= 400:
        assert response.content_type == "application/problem+json"
        if method != "HEAD":
            document = orjson.loads(response.data)
            assert document["status"] == status
            assert document["message"]


def test_all_routes_are_driven(make_app):
    routes = make_app().url_map.bind("localhost")
    paths = [*FIXED, WITH_TEXT + "x", *(path.format(1, 2) for path in WITH_IDS)]
    driven = {routes.match(path, method)[0] for path in paths for method in routes.allowed_methods(path)}
    assert driven | LEFT_OUT == {rule.endpoint for rule in routes.map.iter_rules()}


GOOD_NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80).filter(str.strip)
GOOD_VALUES = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    GOOD_NAMES, GOOD_VALUES, st.sampled_from([("POST", "/item", 201), ("PUT", "/item/2", 200), ("PUT", "/item/9", 200)])
)
def test_an_item_comes_back_as_it_was_sent(client, name, value, request_line):
    method, path, status = request_line
    response = client.open(path, method=method, json={"name": name, "value": value})
    item = orjson.loads(response.data)
    assert (response.status_code, item["name"], item["value"]) == (status, name, value)
    assert orjson.loads(client.get(f"/item/{item['id']}").data) == item
