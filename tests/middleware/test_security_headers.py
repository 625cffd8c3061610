import flask
import pytest
from support.apps import answering, ok
from support.wsgi import call

from overcoat.middleware import ProxyFix, SecurityHeaders, Stack
from overcoat.middleware._presets import PRESETS, PRESETS_DATE

DEFAULTS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS = "Strict-Transport-Security"
# R19 and item 53: they do harm or nothing.
NEVER = {
    "x-xss-protection", "expect-ct", "public-key-pins", "public-key-pins-report-only", "feature-policy",
    "x-content-security-policy", "x-webkit-csp", "report-to",
}  # fmt: skip


def headers_of(app, **environ):
    seen = call(app, **environ)
    names = [name.lower() for name, _ in seen.headers]
    assert len(names) == len(set(names)), seen.headers
    return dict(seen.headers)


NO_DEVICES = (
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()"
)

# A change of these texts changes what users send: it is a line in the changelog, and a new PRESETS_DATE.
PINNED = {
    None: DEFAULTS,
    "page": DEFAULTS
    | {
        "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'self'; object-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Origin-Agent-Cluster": "?1",
        "Permissions-Policy": NO_DEVICES,
    },
    "api": DEFAULTS
    | {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": NO_DEVICES,
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    },
}


@pytest.mark.parametrize(("preset", "headers"), PINNED.items(), ids=map(str, PINNED))
def test_item_53_the_text_of_the_dated_presets(preset, headers):
    assert PRESETS_DATE == "2026-11"
    assert headers_of(SecurityHeaders(answering(), preset=preset)) == headers


def test_the_presets_are_those_that_are_pinned():
    assert PRESETS.keys() == PINNED.keys()


def test_what_refines_a_preset_leaves_the_preset_as_it_is():
    SecurityHeaders(ok, preset="page", frame_options="DENY")
    assert headers_of(SecurityHeaders(answering(), preset="page")) == PINNED["page"]


@pytest.mark.parametrize("preset", PRESETS, ids=str)
def test_no_legacy_header_item_53(preset):
    names = {name.lower() for name in headers_of(SecurityHeaders(ok, preset=preset), wsgi__url_scheme="https")}
    assert not names & NEVER
    assert "preload" not in headers_of(SecurityHeaders(ok), wsgi__url_scheme="https", HTTP_HOST="a.example")[HSTS]


OPTIONS = {
    "frame options": ({"frame_options": "DENY"}, "X-Frame-Options", "DENY"),
    "no frame options": ({"frame_options": None}, "X-Frame-Options", None),
    "no sniffing header": ({"content_type_options": None}, "X-Content-Type-Options", None),
    "referrer": ({"referrer_policy": "no-referrer"}, "Referrer-Policy", "no-referrer"),
    "no referrer": ({"referrer_policy": None}, "Referrer-Policy", None),
    "opener": (
        {"cross_origin_opener_policy": "same-origin-allow-popups"},
        "Cross-Origin-Opener-Policy",
        "same-origin-allow-popups",
    ),
    "resource": ({"cross_origin_resource_policy": "same-site"}, "Cross-Origin-Resource-Policy", "same-site"),
    "permissions": ({"permissions_policy": "camera=(self)"}, "Permissions-Policy", "camera=(self)"),
    "policy": ({"content_security_policy": {"img-src": "*"}}, "Content-Security-Policy", "img-src *"),
    "permissions as a mapping": ({"permissions_policy": {"camera": "self"}}, "Permissions-Policy", "camera=(self)"),
    "report-only": (
        {"content_security_policy_report_only": {"img-src": "*"}},
        "Content-Security-Policy-Report-Only",
        "img-src *",
    ),
    "embedder": ({"cross_origin_embedder_policy": "credentialless"}, "Cross-Origin-Embedder-Policy", "credentialless"),
    "embedder that reports": (
        {"cross_origin_embedder_policy": 'require-corp; report-to="e"', "reporting_endpoints": {"e": "/e"}},
        "Cross-Origin-Embedder-Policy",
        'require-corp; report-to="e"',
    ),
    "endpoints": ({"reporting_endpoints": {"csp": "/r"}}, "Reporting-Endpoints", 'csp="/r"'),
    "cluster": ({"origin_agent_cluster": True}, "Origin-Agent-Cluster", "?1"),
    "no cluster": ({"origin_agent_cluster": False}, "Origin-Agent-Cluster", "?0"),
    "a preset's cluster off": ({"preset": "page", "origin_agent_cluster": None}, "Origin-Agent-Cluster", None),
    "caching": ({"cache_control": "private, max-age=60"}, "Cache-Control", "private, max-age=60"),
    "frames by the policy": (
        {"content_security_policy": {"frame-ancestors": "'none'"}},
        "X-Frame-Options",
        "DENY",
    ),
    "frames that the old header cannot say": (
        {"content_security_policy": {"frame-ancestors": "'self' https://a.example"}},
        "X-Frame-Options",
        None,
    ),
    "frames by both": (
        {"content_security_policy": {"frame-ancestors": "'self'"}, "frame_options": "SAMEORIGIN"},
        "X-Frame-Options",
        "SAMEORIGIN",
    ),
    "a policy without frames": ({"content_security_policy": {"img-src": "*"}}, "X-Frame-Options", "SAMEORIGIN"),
    "no old header beside the policy": ({"preset": "page", "frame_options": None}, "X-Frame-Options", None),
    "a preset refined reaches its policy": (
        {"preset": "api", "frame_options": "SAMEORIGIN"},
        "Content-Security-Policy",
        "default-src 'none'; frame-ancestors 'self'",
    ),
    "a preset refined": ({"preset": "api", "frame_options": "SAMEORIGIN"}, "X-Frame-Options", "SAMEORIGIN"),
    "a preset's policy off": ({"preset": "api", "content_security_policy": None}, "Content-Security-Policy", None),
}


@pytest.mark.parametrize(("options", "header", "value"), OPTIONS.values(), ids=OPTIONS)
def test_options(options, header, value):
    assert headers_of(SecurityHeaders(answering(), **options)).get(header) == value


@pytest.mark.parametrize("name", [*DEFAULTS, "Content-Security-Policy", HSTS])
@pytest.mark.parametrize("written", [str, str.lower, str.upper], ids=["as usual", "lower", "upper"])
def test_r19_the_app_s_own_header_wins(name, written):
    app = SecurityHeaders(answering(headers=[(written(name), "the app's own")]), preset="page")
    seen = call(app, wsgi__url_scheme="https", HTTP_HOST="shop.example")
    assert seen.header(name) == ["the app's own"]


def test_two_policies_are_never_merged():
    own = [("content-security-policy-report-only", "img-src *"), ("Content-Security-Policy", "img-src 'self'")]
    options = {"preset": "page", "content_security_policy_report_only": {"default-src": ["'self'"]}}
    seen = call(SecurityHeaders(answering(headers=own), **options))
    assert [pair for pair in seen.headers if pair[0].lower().startswith("content-security")] == own


def test_enforced_and_report_only_at_the_same_time():
    app = SecurityHeaders(
        answering(),
        preset="page",
        content_security_policy_report_only={"default-src": ["'none'"], "report-to": ["csp"]},
        reporting_endpoints={"csp": "https://reports.example/csp"},
    )
    headers = headers_of(app)
    assert headers["Content-Security-Policy"] == PINNED["page"]["Content-Security-Policy"]
    assert headers["Content-Security-Policy-Report-Only"] == "default-src 'none'; report-to csp"
    assert headers["Reporting-Endpoints"] == 'csp="https://reports.example/csp"'


@pytest.mark.parametrize("own", ["Cache-Control", "expires"])
def test_an_app_that_says_how_to_cache_has_said_it(own):
    seen = call(SecurityHeaders(answering(headers=[(own, "0")]), preset="api"))
    assert seen.header("Cache-Control") == (["0"] if own == "Cache-Control" else [])


def test_item_52_override_takes_the_app_s_own_out():
    own = [
        ("x-frame-options", "ALLOWALL"),
        ("Set-Cookie", "a=1"),
        ("X-FRAME-OPTIONS", "x"),
        ("Referrer-Policy", "origin"),
    ]
    app = SecurityHeaders(answering(headers=own), override=["X-Frame-Options"])
    seen = call(app)
    assert seen.header("X-Frame-Options") == ["SAMEORIGIN"]
    assert seen.header("Referrer-Policy") == ["origin"]
    assert seen.header("Set-Cookie") == ["a=1"]


def test_override_of_hsts_holds_over_http_too():
    app = SecurityHeaders(answering(headers=[(HSTS, "max-age=1; preload")]), override=[HSTS])
    assert call(app, HTTP_HOST="shop.example").header(HSTS) == []
    assert call(app, HTTP_HOST="shop.example", wsgi__url_scheme="https").header(HSTS) == ["max-age=31536000"]


class Setting:
    """An app that sets what ``headers`` holds at the moment."""

    headers = ()

    def __call__(self, environ, start_response):
        return answering(headers=self.headers)(environ, start_response)


def test_the_answer_is_the_same_however_often_it_is_asked():
    app = Setting()
    layer = SecurityHeaders(app, preset="api")
    for own in ([], [("Cache-Control", "private")], [("X-Other", "1")], [("CACHE-CONTROL", "private")], []):
        app.headers = own
        taken = {name.lower() for name, _ in own}
        ours = [pair for pair in PINNED["api"].items() if pair[0].lower() not in taken]
        for _ in range(2):
            assert sorted(call(layer).headers) == sorted([*own, *ours])


def test_names_made_up_by_an_app_do_not_fill_the_memory():
    app = Setting()
    layer = SecurityHeaders(app)
    for name in ["X-" + "a" * 10_000, *(f"X-{number}" for number in range(1000))]:
        app.headers = [(name, "1")]
        assert len(call(layer).headers) == 1 + len(DEFAULTS)
    kept = layer._plain.by_names
    assert 0 < len(kept) < 300
    assert max(len(name) for names in kept for name in names) < 1100


def test_item_47_every_cookie_survives():
    cookies = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Vary", "Cookie")]
    seen = call(SecurityHeaders(answering(headers=cookies)))
    assert seen.headers[:3] == cookies


HOSTS = {"shop.example": True, "shop.example:8443": True, "localhost:": False, "0x7f.1": False, "a." * 140: False}


@pytest.mark.parametrize(("host", "sent"), HOSTS.items(), ids=["name", "port", "localhost", "address", "too long"])
def test_item_51_hsts_only_for_names(host, sent):
    seen = call(SecurityHeaders(ok), wsgi__url_scheme="https", HTTP_HOST=host)
    assert seen.header(HSTS) == (["max-age=31536000"] if sent else [])


def test_item_51_hsts_only_over_https():
    assert call(SecurityHeaders(ok), wsgi__url_scheme="http", HTTP_HOST="shop.example").header(HSTS) == []


def test_without_a_host_header_the_server_s_name_counts():
    assert (
        call(SecurityHeaders(ok), wsgi__url_scheme="https", HTTP_HOST=None, SERVER_NAME="localhost").header(HSTS) == []
    )
    assert call(SecurityHeaders(ok), wsgi__url_scheme="https", HTTP_HOST=None, SERVER_NAME="shop.example").header(HSTS)


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ({"hsts_max_age_s": 0}, ["max-age=0"]),
        ({"hsts_max_age_s": 60, "hsts_include_subdomains": True}, ["max-age=60; includeSubDomains"]),
        ({"hsts_max_age_s": None}, []),
    ],
    ids=["0 lifts it", "with subdomains", "off"],
)
def test_hsts_options(options, value):
    app = SecurityHeaders(ok, **options)
    assert call(app, wsgi__url_scheme="https", HTTP_HOST="shop.example").header(HSTS) == value


@pytest.mark.parametrize(("peer", "sent"), [("127.0.0.1", True), ("198.51.100.9", False)], ids=["proxy", "stranger"])
def test_r18_only_a_trusted_proxy_says_https(peer, sent):
    app = Stack(ok, [ProxyFix(trusted=["127.0.0.1"]), SecurityHeaders()])
    seen = call(app, REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https", HTTP_HOST="shop.example")
    assert bool(seen.header(HSTS)) is sent


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/static/site.css", 200),
        ("GET", "/nowhere", 404),
        ("POST", "/", 405),
        ("GET", "/broken", 500),
        ("GET", "/moved", 302),
    ],
)
def test_r11_item_54_every_answer_of_flask_has_them(tmp_path, method, path, status):
    (tmp_path / "site.css").write_text("body {}")
    app = flask.Flask(__name__, static_folder=str(tmp_path), static_url_path="/static")
    app.add_url_rule("/", view_func=lambda: "home")
    app.add_url_rule("/moved", endpoint="moved", view_func=lambda: flask.redirect("/"))
    app.add_url_rule("/broken", endpoint="broken", view_func=lambda: 1 / 0)

    @app.after_request
    def fail(response):
        if response.status_code == 500:
            raise RuntimeError("another after hook broke")
        return response

    app.wsgi_app = SecurityHeaders(app.wsgi_app)
    response = app.test_client().open(path, method=method)
    response.close()
    assert response.status_code == status
    assert DEFAULTS.items() <= dict(response.headers).items()


@pytest.mark.parametrize(
    "host",
    ["1." * 32768, "." * 65536, "9" * 65536, "localhost" * 7000, "[" * 65536],
    ids=["labels", "dots", "digits", "names", "brackets"],
)
def test_cve_2020_5236_a_hostile_host_costs_linear_time(host):
    call(SecurityHeaders(ok), wsgi__url_scheme="https", HTTP_HOST=host)


WRONG = {
    "unknown preset": ({"preset": "pages"}, "preset='pages' .* did you mean 'page'"),
    "preset of a wrong type": ({"preset": ["page"]}, "preset="),
    "frame options": ({"frame_options": "ALLOWALL"}, "frame_options='ALLOWALL' is none of 'DENY', 'SAMEORIGIN', None"),
    "lower case": ({"frame_options": "deny"}, "frame_options='deny'"),
    "referrer": ({"referrer_policy": "norefferer"}, "referrer_policy='norefferer' .* did you mean 'no-referrer'"),
    "sniffing": ({"content_type_options": True}, "content_type_options=True"),
    "opener": ({"cross_origin_opener_policy": "same-site"}, "cross_origin_opener_policy='same-site'"),
    "resource": ({"cross_origin_resource_policy": "none"}, "cross_origin_resource_policy='none'"),
    "age as text": ({"hsts_max_age_s": "31536000"}, "hsts_max_age_s='31536000' must be whole seconds"),
    "age below 0": ({"hsts_max_age_s": -1}, "hsts_max_age_s=-1"),
    "age as a flag": ({"hsts_max_age_s": True}, "hsts_max_age_s=True"),
    "age as a float": ({"hsts_max_age_s": 1.5}, "hsts_max_age_s=1.5"),
    "subdomains as text": ({"hsts_include_subdomains": "yes"}, "hsts_include_subdomains='yes' must be True or False"),
    "CVE-2018-1000164 line feed": (
        {"permissions_policy": "camera=()\r\nX: y"},
        "permissions_policy=.* printable ASCII",
    ),
    "empty text": ({"permissions_policy": ""}, "permissions_policy=''"),
    "permissions of a wrong type": ({"permissions_policy": ["camera"]}, "permissions_policy="),
    "embedder": ({"cross_origin_embedder_policy": "same-origin"}, "cross_origin_embedder_policy='same-origin'"),
    "embedder of a wrong type": ({"cross_origin_embedder_policy": 1}, "cross_origin_embedder_policy=1"),
    "cluster as text": ({"origin_agent_cluster": "?1"}, r"origin_agent_cluster='\?1' is none of True, False"),
    "caching": ({"cache_control": "no store"}, "cache_control='no store' is no list of cache directives"),
    "caching of a wrong type": ({"cache_control": True}, "cache_control=True"),
    "CVE-2018-1000164 line feed in caching": ({"cache_control": "no-store\r\nX: y"}, "cache_control="),
    "endpoint that is not there": (
        {"content_security_policy": {"img-src": "*", "report-to": "csp"}},
        "content_security_policy reports to 'csp', which reporting_endpoints= does not name",
    ),
    "endpoint misspelt": (
        {
            "content_security_policy_report_only": {"img-src": "*", "report-to": "cps"},
            "reporting_endpoints": {"csp": "/r"},
        },
        "reports to 'cps', .* did you mean 'csp'",
    ),
    "opener's endpoint": (
        {"cross_origin_opener_policy": 'same-origin; report-to="x"'},
        "cross_origin_opener_policy reports to 'x'",
    ),
    "deny, and frames of its own": (
        {"content_security_policy": {"frame-ancestors": "'self'"}, "frame_options": "DENY"},
        "frame_options='DENY' contradicts frame-ancestors=",
    ),
    "same origin, and frames of others": (
        {"content_security_policy": {"frame-ancestors": "https://a.example"}, "frame_options": "SAMEORIGIN"},
        "frame_options='SAMEORIGIN' contradicts",
    ),
    "preload alone": ({"hsts_preload": True}, "hsts_preload=True .* refused by the browsers' preload list"),
    "override as text": ({"override": "X-Frame-Options"}, "override='X-Frame-Options' must be a list"),
    "override as a flag": ({"override": True}, "override=True must be a list"),
    "override of another header": ({"override": ["X-Frame-Option"]}, "no header of .* did you mean 'X-Frame-Options'"),
    "override of nothing": ({"override": ["cache-control"]}, "'cache-control' would only remove it"),
    "override twice": ({"override": ["X-Frame-Options", "x-frame-options"]}, "override= names 'x-frame-options' twice"),
    "override of a number": ({"override": [1]}, "override=1 is no header"),
    "policy as text": ({"content_security_policy": "default-src 'self'"}, "must be a mapping"),
    "misspelt option": ({"hsts_max_age": 1}, "unknown option hsts_max_age=1; did you mean 'hsts_max_age_s'"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        SecurityHeaders(ok, **options)
