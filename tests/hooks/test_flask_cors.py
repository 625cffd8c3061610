from typing import Any

import pytest
from flask import Flask, Response, abort
from flask_cors import CORS, cross_origin

from overcoat.hooks import FlaskCORS, HookBundle, register

ORIGIN = "https://a.example"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}


def make_app(*bundles: Any, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update(config)
    register(app, bundles)

    @app.route("/item", methods=["GET", "PUT"])
    def item() -> str:
        return "item"

    @app.route("/own", methods=["GET", "OPTIONS"])
    def own() -> tuple[str, int]:
        return "own", 202

    @app.get("/decorated")
    @cross_origin(origins=["https://b.example"])
    def decorated() -> str:
        return "decorated"

    return app


def guard() -> HookBundle:
    bundle = HookBundle("guard")
    bundle.before_request(lambda: abort(401))
    return bundle


def test_allowed_origin_is_told_and_others_are_not() -> None:
    client = make_app(FlaskCORS(origins=[ORIGIN], supports_credentials=True, max_age=600)).test_client()
    response = client.get("/item", headers={"Origin": ORIGIN})
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    other = client.get("/item", headers={"Origin": "https://a.example.evil.io"})
    assert "Access-Control-Allow-Origin" not in other.headers


@pytest.mark.parametrize(
    "options",
    [
        {"origins": "*"},
        {"origins": ["*"]},
        {"origins": ".*"},
        {"origins": [ORIGIN, r"https?://.+"]},
        {"resources": {"/api/.*": {"origins": "*"}}},
        {"resources": {"/api/.*": {"origins": [ORIGIN]}, "/open/.*": {"origins": "*"}}},
    ],
    ids=str,
)
def test_everyone_with_credentials_is_refused_at_construction(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"FlaskCORS: origins=.* with supports_credentials=True"):
        FlaskCORS(supports_credentials=True, **options)


@pytest.mark.parametrize(
    ("options", "config"),
    [
        pytest.param({"supports_credentials": True}, {}, id="the extension's default is everyone"),
        pytest.param({"supports_credentials": True}, {"CORS_ORIGINS": "*"}, id="origins from the configuration"),
        pytest.param({"origins": "*"}, {"CORS_SUPPORTS_CREDENTIALS": True}, id="credentials from the configuration"),
        pytest.param({"resources": {"/api/.*": {"supports_credentials": True}}}, {}, id="credentials of a resource"),
    ],
)
def test_everyone_with_credentials_is_refused_at_registration(options: dict[str, Any], config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="with supports_credentials=True"):
        make_app(FlaskCORS(**options), **config)


def test_flask_cors_reflects_everyone_with_credentials() -> None:
    app = make_app()
    CORS(app, supports_credentials=True)
    response = app.test_client().get("/item", headers={"Origin": "https://evil.example"})
    assert response.headers["Access-Control-Allow-Origin"] == "https://evil.example"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize(
    ("options", "config"),
    [
        ({"origins": ORIGIN, "supports_credentials": True}, {"CORS_ORIGINS": "*"}),
        ({"supports_credentials": True}, {"CORS_ORIGINS": [ORIGIN]}),
        ({"supports_credentials": True, "resources": {"/item": {"origins": [ORIGIN]}}}, {}),
        ({"resources": r"/item", "origins": [ORIGIN], "supports_credentials": True}, {}),
    ],
    ids=["option before configuration", "configuration", "resources", "one resource"],
)
def test_named_origins_with_credentials_are_fine(options: dict[str, Any], config: dict[str, Any]) -> None:
    client = make_app(FlaskCORS(**options), **config).test_client()
    assert client.get("/item", headers={"Origin": ORIGIN}).headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Origin" not in client.get("/item", headers={"Origin": "https://evil.example"}).headers


PATTERN = r"https://[a-z]+\.example"


@pytest.mark.parametrize(
    ("options", "config"),
    [
        ({"origins": PATTERN}, {}),
        ({"resources": {"/item": {"origins": PATTERN}}}, {}),
        ({}, {"CORS_ORIGINS": PATTERN}),
    ],
    ids=["origins", "resources", "configuration"],
)
def test_patterns_are_anchored_wherever_they_come_from(options: dict[str, Any], config: dict[str, Any]) -> None:
    client = make_app(FlaskCORS(**options), **config).test_client()
    assert client.get("/item", headers={"Origin": ORIGIN}).headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Origin" not in client.get("/item", headers={"Origin": f"{ORIGIN}.evil.io"}).headers


# Preflights


def test_preflight_is_answered_before_hooks_further_in_refuse_it() -> None:
    client = make_app(FlaskCORS(origins=[ORIGIN]), guard()).test_client()
    response = client.options("/item", headers=PREFLIGHT)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "PUT" in response.headers["Access-Control-Allow-Methods"]
    assert client.put("/item", headers={"Origin": ORIGIN}).status_code == 401


def test_flask_cors_leaves_the_preflight_to_be_refused() -> None:
    app = make_app()
    CORS(app, origins=[ORIGIN])
    app.before_request(lambda: abort(401))
    assert app.test_client().options("/item", headers=PREFLIGHT).status_code == 401


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        pytest.param("/item", {"Origin": ORIGIN}, 401, id="OPTIONS that is no preflight"),
        pytest.param("/nowhere", PREFLIGHT, 401, id="no such route"),
        pytest.param("/own", PREFLIGHT, 401, id="a view that handles OPTIONS"),
        pytest.param("/decorated", PREFLIGHT, 401, id="a view with cross_origin"),
    ],
)
def test_what_is_not_ours_to_answer_goes_on(path: str, headers: dict[str, str], status: int) -> None:
    client = make_app(FlaskCORS(origins=[ORIGIN]), guard()).test_client()
    assert client.options(path, headers=headers).status_code == status


def test_view_that_handles_options_does() -> None:
    client = make_app(FlaskCORS(origins=[ORIGIN])).test_client()
    assert client.options("/own", headers=PREFLIGHT).status_code == 202


def test_decorated_view_keeps_its_own_policy() -> None:
    client = make_app(FlaskCORS(origins=[ORIGIN])).test_client()
    response = client.get("/decorated", headers={"Origin": "https://b.example"})
    assert response.headers.getlist("Access-Control-Allow-Origin") == ["https://b.example"]


# Beside other headers


def test_vary_and_cookies_are_added_to() -> None:
    setting = HookBundle("setting")

    @setting.after_request
    def set_headers(response: Response) -> Response:
        response.headers["Vary"] = "Cookie"
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    client = make_app(FlaskCORS(origins=[ORIGIN, "https://b.example"]), setting).test_client()
    response = client.get("/item", headers={"Origin": ORIGIN})
    assert {name for line in response.headers.getlist("Vary") for name in line.split(", ")} == {"Cookie", "Origin"}
    assert len(response.headers.getlist("Set-Cookie")) == 2


def vary(app: Flask, path: str = "/item", **headers: str) -> list[str]:
    return app.test_client().get(path, headers=headers).headers.getlist("Vary")


@pytest.mark.parametrize("origin", [None, ORIGIN, "https://evil.example"], ids=["none", "allowed", "refused"])
@pytest.mark.parametrize(
    ("options", "varies"),
    [
        ({"origins": [ORIGIN]}, True),
        ({"origins": ORIGIN, "supports_credentials": True}, True),
        ({"origins": [PATTERN]}, True),
        ({"origins": [ORIGIN, "https://b.example"]}, True),
        ({"resources": {r"/item": {"origins": ORIGIN}}}, True),
        ({"resources": {r"/item": {"origins": ORIGIN}, r"/.*": {"origins": "*"}}}, True),
        ({"origins": "*"}, False),
        ({}, False),
        ({"origins": [ORIGIN], "resources": r"/other"}, False),
        ({"origins": [ORIGIN], "vary_header": False}, False),
    ],
    ids=str,
)
def test_vary_is_on_all_that_depends_on_the_origin(options: dict[str, Any], varies: bool, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert vary(make_app(FlaskCORS(**options)), **headers) == (["Origin"] if varies else [])
    assert vary(make_app(FlaskCORS(**options)), "/nowhere", **headers) == (
        ["Origin"] if varies and "resources" not in options else []
    )


def test_flask_cors_leaves_it_off_where_the_origin_is_refused() -> None:
    app = make_app()
    CORS(app, origins=[ORIGIN])
    assert vary(app, Origin="https://evil.example") == []


@pytest.mark.parametrize("origins", ["*", ".*", ["*", ORIGIN]])
@pytest.mark.parametrize("headers", [{}, {"Origin": ORIGIN}])
def test_everyone_is_an_asterisk(origins: Any, headers: dict[str, str]) -> None:
    response = make_app(FlaskCORS(origins=origins)).test_client().get("/item", headers=headers)
    assert response.headers.getlist("Access-Control-Allow-Origin") == ["*"]
    reflected = make_app(FlaskCORS(origins=origins, send_wildcard=False)).test_client().get("/item", headers=headers)
    assert reflected.headers.getlist("Access-Control-Allow-Origin") == [headers.get("Origin", "*")]
    assert reflected.headers.getlist("Vary") == ["Origin"] or not headers


def test_two_apps_vary_each_by_its_own_resources() -> None:
    bundle = FlaskCORS(origins=[ORIGIN])
    first, second = make_app(bundle), make_app(bundle, CORS_RESOURCES=r"/other")
    assert (vary(first), vary(second)) == (["Origin"], [])


@pytest.mark.parametrize("name", ["HTTP_ORIGIN", "HTTP_ACCESS_CONTROL_REQUEST_HEADERS"])
def test_control_characters_get_no_answer_and_no_error(name: str, caplog: pytest.LogCaptureFixture) -> None:
    environ = {"HTTP_ORIGIN": ORIGIN, "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT", name: "x\r\nSet-Cookie: a=b"}
    response = make_app(FlaskCORS()).test_client().options("/item", environ_overrides=environ)
    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Set-Cookie" not in response.headers
    assert caplog.records == []


def test_apps_error_handlers_stay_its_own() -> None:
    app = make_app(FlaskCORS(origins=[ORIGIN]))
    plain = Flask("plain")
    assert app.handle_exception.__func__ is plain.handle_exception.__func__  # type: ignore[attr-defined]
    CORS(plain)
    assert not hasattr(plain.handle_exception, "__func__")
