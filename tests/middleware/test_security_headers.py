import flask
import pytest
from support.apps import answering, ok
from support.wsgi import call

from overcoat.middleware import ProxyFix, SecurityHeaders, Stack
from overcoat.middleware.security_headers import PRESETS

DEFAULTS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
HSTS = "Strict-Transport-Security"
# R19 and item 53: they do harm or nothing.
NEVER = {"x-xss-protection", "expect-ct", "public-key-pins", "x-content-security-policy", "x-webkit-csp"}


def headers_of(app, **environ):
    seen = call(app, **environ)
    names = [name.lower() for name, _ in seen.headers]
    assert len(names) == len(set(names)), seen.headers
    return dict(seen.headers)


def test_the_defaults():
    assert headers_of(SecurityHeaders(answering())) == DEFAULTS


def test_preset_page():
    assert headers_of(SecurityHeaders(answering(), preset="page")) == DEFAULTS | {
        "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; "
        "object-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PRESETS["page"]["permissions_policy"],
    }


def test_preset_api():
    assert headers_of(SecurityHeaders(answering(), preset="api")) == DEFAULTS | {
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PRESETS["api"]["permissions_policy"],
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }


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


def test_item_47_every_cookie_survives():
    cookies = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Vary", "Cookie")]
    seen = call(SecurityHeaders(answering(headers=cookies)))
    assert seen.headers[:3] == cookies


HOSTS = {
    "shop.example": True,
    "shop.example:8443": True,
    "xn--caf-dma.example": True,
    "localhost.example": True,
    "notlocalhost": True,
    "1.2.3.4.example": True,
    "localhost": False,
    "LOCALHOST:5001": False,
    "app.localhost": False,
    "localhost.": False,
    "127.0.0.1": False,
    "127.0.0.1:5001": False,
    "192.0.2.1.": False,
    "2130706433": False,
    "[::1]": False,
    "[2001:db8::1]:8443": False,
}


@pytest.mark.parametrize(("host", "sent"), HOSTS.items(), ids=HOSTS)
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


@pytest.mark.parametrize("host", ["1." * 32768, "." * 65536, "9" * 65536, "localhost" * 7000, "[" * 65536])
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
    "not text": ({"permissions_policy": {"camera": []}}, "permissions_policy="),
    "policy as text": ({"content_security_policy": "default-src 'self'"}, "must be a mapping"),
    "misspelt option": ({"hsts_max_age": 1}, "unknown option hsts_max_age=1; did you mean 'hsts_max_age_s'"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        SecurityHeaders(ok, **options)
