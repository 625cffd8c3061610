import json
import logging
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort
from support.hooks import serve
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import (
    Conflict,
    Gone,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)
from werkzeug.routing import RequestRedirect

from overcoat.hooks import HookBundle, ProblemDetails, RequestContext, register
from overcoat.hooks._problem_types import compile_types
from overcoat.middleware import RequestID, RequestLog, Stack, TraceContext

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
PROBLEM = "application/problem+json"
HTML = "text/html; charset=utf-8"


class OutOfStock(Conflict):
    description = "No coat of that size is left"

    def __init__(self, size: str) -> None:
        super().__init__()
        self.size = size


class SeeOther(HTTPException):
    code = 303


def make_app(*bundles: HookBundle, error: Any = None) -> Flask:
    app = Flask("shop")
    register(app, bundles)

    @app.get("/raise")
    def raising() -> str:
        raise error

    @app.route("/item", methods=["GET", "PUT"])
    def item() -> str:
        return "item"

    @app.get("/boom")
    def boom() -> str:
        raise ZeroDivisionError("the secret is 42")

    return app


def answer(error: Any, bundle: ProblemDetails | None = None, **headers: str) -> Any:
    return make_app(bundle or ProblemDetails(), error=error).test_client().get("/raise", headers=headers)


# What a problem is


@pytest.mark.parametrize(
    ("method", "path", "status", "title"),
    [
        pytest.param("GET", "/nowhere", 404, "Not Found", id="no route"),
        pytest.param("DELETE", "/item", 405, "Method Not Allowed", id="no such method"),
        pytest.param("GET", "/boom", 500, "Internal Server Error", id="unhandled"),
    ],
)
def test_errors_that_flask_makes_are_problems(method: str, path: str, status: int, title: str) -> None:
    response = make_app(ProblemDetails()).test_client().open(path, method=method)
    assert (response.status_code, response.content_type) == (status, PROBLEM)
    problem = json.loads(response.data)
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert (problem["type"], problem["title"], problem["status"]) == ("about:blank", title, status)
    assert isinstance(problem["detail"], str)
    assert response.data.endswith(b"\n")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(NotFound("No such coat"), {"detail": "No such coat"}, id="own words"),
        pytest.param(Gone(""), {}, id="no words"),
        pytest.param(OutOfStock("XL"), {"detail": "No coat of that size is left"}, id="a class of one's own"),
        pytest.param(Conflict({"name": "taken"}), {"errors": {"name": "taken"}}, id="fields"),  # type: ignore[arg-type]
        pytest.param(Conflict(["one", "two"]), {"errors": ["one", "two"]}, id="list"),  # type: ignore[arg-type]
        pytest.param(NotFound('é\u202e\r\n\x1b</script>"'), {"detail": 'é\u202e\r\n\x1b</script>"'}, id="hostile"),
        pytest.param(NotFound("\ud800"), {"detail": "\ud800"}, id="lone surrogate"),
    ],
)
def test_words_of_the_error(error: HTTPException, expected: dict[str, Any]) -> None:
    response = answer(error)
    assert response.status_code == error.code
    known = {"type": "about:blank", "title": error.name, "status": error.code}
    assert response.json == {**known, **expected}


def test_description_that_is_no_json_costs_the_description_only(caplog: pytest.LogCaptureFixture) -> None:
    response = answer(Conflict({"name": object()}))  # type: ignore[arg-type]
    assert response.json == {"type": "about:blank", "title": "Conflict", "status": 409}
    assert "has a description that is no JSON" in caplog.text


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (MethodNotAllowed(["GET", "PUT"]), "Allow", "GET, PUT"),
        (TooManyRequests(retry_after=7), "Retry-After", "7"),
        (ServiceUnavailable(retry_after=7), "Retry-After", "7"),
        (Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "shop"})), "WWW-Authenticate", None),
    ],
    ids=["405", "429", "503", "401"],
)
@pytest.mark.parametrize("accept", ["*/*", BROWSER], ids=["program", "browser"])
@pytest.mark.parametrize("html", [True, lambda problem: "a page"], ids=["plain", "own"])
def test_headers_of_the_error_stay(error: HTTPException, header: str, value: str, accept: str, html: Any) -> None:
    response = answer(error, ProblemDetails(html=html), Accept=accept)
    assert response.status_code == error.code
    wanted = value or "Basic realm=shop"
    assert response.headers.getlist(header) == [wanted]
    assert len(response.headers.getlist("Content-Type")) == 1


def test_head_has_the_headers_of_get_and_no_body() -> None:
    app = make_app(ProblemDetails())
    head, get = (app.test_client().open("/nowhere", method=method) for method in ("HEAD", "GET"))
    assert serve(app, "/nowhere", "HEAD") == ("404 NOT FOUND", b"")
    assert dict(head.headers) == dict(get.headers)


# Who gets it


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(None, PROBLEM, id="no Accept"),
        pytest.param("", PROBLEM, id="empty"),
        pytest.param("*/*", PROBLEM, id="anything"),
        pytest.param(BROWSER, HTML, id="a browser"),
        pytest.param("text/html", HTML, id="html"),
        pytest.param("text/*", HTML, id="any text"),
        pytest.param("application/json", PROBLEM, id="json"),
        pytest.param("application/problem+json", PROBLEM, id="problem"),
        pytest.param("application/json, text/html", PROBLEM, id="both alike"),
        pytest.param("application/json;q=0.5, text/html", HTML, id="html before json"),
        pytest.param("application/json, text/html;q=0.5", PROBLEM, id="json before html"),
        pytest.param("text/html;q=0.4, application/problem+json;q=0.3, application/json;q=0.2", HTML, id="three"),
        pytest.param("text/html;q=0, */*", PROBLEM, id="anything but html"),
        pytest.param("text/html;q=0.1, application/json;q=0, application/problem+json;q=0", HTML, id="no json"),
        pytest.param("image/png", PROBLEM, id="neither"),
        pytest.param("application/xhtml+xml", HTML, id="xhtml"),
        pytest.param("text/html;q=nan", PROBLEM, id="quality that is no number"),
        pytest.param(",;=/q", PROBLEM, id="nonsense"),
        pytest.param("text/html," * 6000, HTML, id="64 KiB"),
    ],
)
@pytest.mark.parametrize("path", ["/nowhere", "/boom"])
def test_html_is_for_those_who_prefer_it(accept: str | None, expected: str, path: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    response = make_app(ProblemDetails()).test_client().get(path, headers=headers)
    assert response.content_type == expected
    assert response.headers["Vary"] == "Accept"


def test_html_is_flasks_own_page() -> None:
    plain = make_app().test_client().get("/nowhere", headers={"Accept": BROWSER})
    ours = make_app(ProblemDetails()).test_client().get("/nowhere", headers={"Accept": BROWSER})
    assert (ours.status, ours.data, ours.content_type) == (plain.status, plain.data, plain.content_type)


def test_html_can_be_left_out() -> None:
    response = answer(NotFound(), ProblemDetails(html=False), Accept=BROWSER)
    assert response.content_type == PROBLEM
    assert "Vary" not in response.headers


@pytest.mark.parametrize(
    "page",
    [
        lambda problem: f"<h1>{problem['title']}</h1>",
        lambda problem: (f"<h1>{problem['title']}</h1>", 200),
        lambda problem: Response(f"<h1>{problem['title']}</h1>"),
    ],
    ids=["text", "another status", "response"],
)
def test_html_can_be_a_page_of_ones_own(page: Any) -> None:
    response = answer(NotFound(), ProblemDetails(html=page), Accept=BROWSER)
    assert (response.status_code, response.text) == (404, "<h1>Not Found</h1>")
    assert response.headers["Vary"] == "Accept"


def test_page_that_fails_gives_way_to_the_plain_one(caplog: pytest.LogCaptureFixture) -> None:
    response = answer(NotFound(), ProblemDetails(html=lambda problem: problem["no"]), Accept=BROWSER)
    assert (response.status_code, response.content_type) == (404, HTML)
    assert "html= failed" in caplog.text


# What it must not tell


@pytest.mark.parametrize("accept", ["*/*", BROWSER], ids=["program", "browser"])
def test_unhandled_error_tells_nothing(accept: str) -> None:
    response = make_app(ProblemDetails()).test_client().get("/boom", headers={"Accept": accept})
    assert response.status_code == 500
    for word in ("secret", "ZeroDivision", "boom", ".py"):
        assert word not in response.text


def test_debug_tells_it_where_flask_does_not_hand_it_on() -> None:
    app = make_app(ProblemDetails())
    app.debug = True
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/boom")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    told = app.test_client().get("/boom").json["exception"]
    assert (told["type"], told["message"]) == ("ZeroDivisionError", "the secret is 42")
    assert told["at"].endswith(" in boom")


# Who owns errors


@pytest.mark.parametrize("first", [True, False], ids=["bundle first", "handler first"])
@pytest.mark.parametrize(
    ("handled", "raised"),
    [
        pytest.param(404, NotFound(), id="status"),
        pytest.param(NotFound, NotFound(), id="class"),
        pytest.param(OutOfStock, OutOfStock("XL"), id="class of one's own"),
        pytest.param(HTTPException, Gone(), id="all of them"),
        pytest.param(ZeroDivisionError, ZeroDivisionError(), id="exception"),
        pytest.param(Exception, ZeroDivisionError(), id="any exception"),
        pytest.param(500, ZeroDivisionError(), id="500"),
    ],
)
def test_handler_registered_by_hand_wins(first: bool, handled: Any, raised: Exception) -> None:
    app = Flask("shop")
    if first:
        register(app, [ProblemDetails()])
    app.register_error_handler(handled, lambda error: ("by hand", 418))
    if not first:
        register(app, [ProblemDetails()])
    app.add_url_rule("/", view_func=lambda: _raise(raised))
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (418, "by hand")
    other = app.test_client().delete("/")
    assert (other.content_type == PROBLEM) == (handled is not HTTPException)


def _raise(error: BaseException) -> Any:
    raise error


def test_handler_that_was_there_is_told(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("shop")
    app.register_error_handler(HTTPException, by_hand)
    register(app, [ProblemDetails()])
    assert "test_problem_details.by_hand is registered for HTTPException by hand" in caplog.text


def by_hand(error: HTTPException) -> tuple[str, int]:
    return "by hand", 418


def test_handler_on_a_blueprint_wins_there() -> None:
    app = Flask("shop")
    register(app, [ProblemDetails()])
    pages = Blueprint("pages", __name__, url_prefix="/pages")
    pages.register_error_handler(404, by_hand)
    pages.add_url_rule("/one", view_func=lambda: abort(404))
    app.register_blueprint(pages)
    client = app.test_client()
    assert client.get("/pages/one").text == "by hand"
    assert client.get("/pages/nowhere").content_type == PROBLEM


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        pytest.param(NotFound(response=Response("my own", 404)), 404, "my own", id="an error with a response"),
        pytest.param(RequestRedirect("/elsewhere"), 308, None, id="redirect"),
        pytest.param(SeeOther(), 303, None, id="a redirect of one's own"),
    ],
)
def test_responses_pass(error: HTTPException, status: int, text: str | None) -> None:
    response = answer(error)
    assert response.status_code == status
    assert text is None or response.text == text
    assert response.content_type != PROBLEM


def test_response_given_to_abort_passes() -> None:
    app = make_app(ProblemDetails())
    app.add_url_rule("/abort", view_func=lambda: abort(Response("my own", 418)))
    response = app.test_client().get("/abort")
    assert (response.status_code, response.text) == (418, "my own")


def test_error_that_a_hook_raises_is_a_problem() -> None:
    guard = HookBundle("guard")
    guard.before_request(lambda: abort(401))
    response = make_app(guard, ProblemDetails()).test_client().get("/item")
    assert (response.status_code, response.content_type) == (401, PROBLEM)


def test_failing_critical_hook_is_a_problem() -> None:
    stamp = HookBundle("stamp")
    stamp.after_request(critical=True)(lambda response: _raise(OSError("the secret")))
    response = make_app(stamp, ProblemDetails()).test_client().get("/item")
    assert (response.status_code, response.content_type) == (500, PROBLEM)
    assert "secret" not in response.text


# Where it serves


def api(url_prefix: str | None = "/api", name: str = "api") -> Blueprint:
    blueprint = Blueprint(name, __name__, url_prefix=url_prefix)
    blueprint.add_url_rule("/coat", "coat", lambda **_: abort(409), methods=["GET"])
    return blueprint


@pytest.mark.parametrize(
    ("method", "path", "ours"),
    [
        pytest.param("GET", "/api/coat", True, id="its endpoint"),
        pytest.param("GET", "/api/nowhere", True, id="404 below it"),
        pytest.param("DELETE", "/api/coat", True, id="405 below it"),
        pytest.param("GET", "/api", True, id="its prefix"),
        pytest.param("GET", "/api/", True, id="its prefix with a slash"),
        pytest.param("GET", "/api/a//b/../c", True, id="odd path below it"),
        pytest.param("GET", "/apiary", False, id="another segment"),
        pytest.param("GET", "/nowhere", False, id="404 elsewhere"),
        pytest.param("DELETE", "/item", False, id="405 elsewhere"),
        pytest.param("GET", "/api/apps-own", False, id="a view of the app below it"),
    ],
)
def test_bundle_on_a_blueprint_serves_it_and_what_is_below_its_prefix(method: str, path: str, ours: bool) -> None:
    blueprint = api()
    ProblemDetails().register(blueprint)
    app = make_app()
    app.register_blueprint(blueprint)
    app.add_url_rule("/api/apps-own", view_func=lambda: abort(404))
    assert (app.test_client().open(path, method=method).content_type == PROBLEM) is ours


@pytest.mark.parametrize(
    ("prefix", "path", "ours"),
    [
        ("/<int:tenant>/api", "/7/api/nowhere", True),
        ("/<int:tenant>/api", "/seven/api/nowhere", False),
        (None, "/nowhere", False),
        ("/", "/nowhere", False),
    ],
)
def test_prefixes_of_other_shapes(prefix: str | None, path: str, ours: bool) -> None:
    blueprint = api(prefix)
    ProblemDetails().register(blueprint)
    app = Flask("shop")
    app.register_blueprint(blueprint)
    assert (app.test_client().get(path).content_type == PROBLEM) is ours


def test_prefix_that_the_app_gives_counts() -> None:
    blueprint = api()
    ProblemDetails().register(blueprint)
    app, other = Flask("shop"), Flask("other")
    app.register_blueprint(blueprint, url_prefix="/v2")
    other.register_blueprint(blueprint)
    for served, ours, theirs in ((app, "/v2/nowhere", "/api/nowhere"), (other, "/api/nowhere", "/v2/nowhere")):
        assert served.test_client().get(ours).content_type == PROBLEM
        assert served.test_client().get(theirs).content_type == HTML


@pytest.mark.parametrize("app_first", [True, False], ids=["app first", "blueprint first"])
@pytest.mark.parametrize("turned", [True, False], ids=["another order of hooks", "order of registration"])
@pytest.mark.parametrize(
    ("path", "by"),
    [("/api/coat", "api"), ("/api/nowhere", "api"), ("/api/in/coat", "inner"), ("/api/in/x", "inner"), ("/x", "app")],
)
def test_the_innermost_of_several_answers(app_first: bool, turned: bool, path: str, by: str) -> None:
    def named(name: str) -> ProblemDetails:
        outside = ["problems-of-api"] if turned and name == "inner" else []
        return ProblemDetails(name=f"problems-of-{name}", extend=lambda error: {"by": name}, outside=outside)

    app = Flask("shop")
    outer, inner = api(), api("/in", "inner")
    if app_first:
        register(app, [named("app")])
    named("inner").register(inner)
    named("api").register(outer)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    if not app_first:
        register(app, [named("app")])
    assert app.test_client().get(path).json["by"] == by


@pytest.mark.parametrize(
    ("options", "path", "ours"),
    [
        ({"only": "item"}, "/nowhere", False),
        ({"skip": "boom"}, "/boom", False),
        ({"skip": "boom"}, "/nowhere", True),
        ({"only": lambda request: request.path.startswith("/api/")}, "/api/nowhere", True),
        ({"only": lambda request: request.path.startswith("/api/")}, "/nowhere", False),
        ({"only": "GET"}, "/nowhere", True),
        ({"only": "POST"}, "/nowhere", False),
        ({"only": lambda request: 1 / 0}, "/nowhere", True),
    ],
)
def test_scope_holds(options: dict[str, Any], path: str, ours: bool) -> None:
    response = make_app(ProblemDetails(**options)).test_client().get(path)
    assert (response.content_type == PROBLEM) is ours


def test_two_apps_share_a_bundle() -> None:
    bundle = ProblemDetails()
    for _ in range(2):
        assert make_app(bundle, bundle).test_client().get("/nowhere").content_type == PROBLEM


# Members


def test_ids_and_error_are_told_to_the_client_and_the_log() -> None:
    lines: list[dict[str, Any]] = []
    app = make_app(RequestContext(), ProblemDetails())
    app.wsgi_app = Stack(app.wsgi_app, [RequestID(), TraceContext(), RequestLog(to=lines.append)])  # type: ignore[method-assign]
    response = app.test_client().get("/boom", headers={"X-Request-ID": "abc"}, buffered=True)
    (line,) = lines
    assert response.json["request_id"] == line["request_id"] == "abc"
    assert response.json["trace_id"] == line["trace_id"]
    assert (line["status"], line["error_type"], line["error_message"]) == (500, "ZeroDivisionError", "the secret is 42")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({"size": "XL"}, {"size": "XL"}, id="more"),
        pytest.param({"title": "Gone fishing"}, {"title": "Gone fishing"}, id="over a standard one"),
        pytest.param({"status": 200}, {}, id="never another status"),
        pytest.param(None, {}, id="nothing"),
    ],
)
def test_more_members(more: Any, expected: dict[str, Any]) -> None:
    response = answer(Conflict("No"), ProblemDetails(extend=lambda error: more))
    known = {"type": "about:blank", "title": "Conflict", "status": 409, "detail": "No"}
    assert response.json == {**known, **expected}


@pytest.mark.parametrize(
    "extend",
    [lambda error: error.nothing, lambda error: "text", lambda error: {1: 2}, lambda error: {"x": object()}],
    ids=["raises", "no mapping", "no name", "no JSON"],
)
def test_failing_extend_costs_its_members_only(extend: Any, caplog: pytest.LogCaptureFixture) -> None:
    response = answer(Conflict("No"), ProblemDetails(extend=extend))
    assert (response.status_code, response.json["detail"]) == (409, "No")
    assert "extend= failed" in caplog.text
    assert caplog.records[-1].levelno == logging.ERROR


def test_extend_sees_what_was_behind_an_unhandled_error() -> None:
    bundle = ProblemDetails(extend=lambda error: {"kind": type(getattr(error, "original_exception", 0)).__name__})
    assert make_app(bundle).test_client().get("/boom").json["kind"] == "ZeroDivisionError"


TYPES = {409: "/problems/conflict", OutOfStock: "https://shop.example/out-of-stock", LookupError: "urn:x:lookup"}


@pytest.mark.parametrize(
    ("types", "error", "expected"),
    [
        (None, NotFound(), "about:blank"),
        (TYPES, NotFound(), "about:blank"),
        (TYPES, Conflict(), "/problems/conflict"),
        (TYPES, OutOfStock("XL"), "https://shop.example/out-of-stock"),
        (TYPES, KeyError("x"), "urn:x:lookup"),
        ("https://shop.example/problems/{status}", NotFound(), "https://shop.example/problems/404"),
        ("https://shop.example/problems/{status}", KeyError("x"), "https://shop.example/problems/500"),
    ],
    ids=["none", "not named", "status", "class", "behind an unhandled one", "text", "text of an unhandled one"],
)
def test_types(types: Any, error: Exception, expected: str) -> None:
    assert answer(error, ProblemDetails(types=types)).json["type"] == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"types": 7}, "types=7 must be a mapping"),
        ({"types": "https://shop.example"}, "gives all problems one type: write '{status}'"),
        ({"types": {200: "/x"}}, "types has 200, which is no status from 400 to 599"),
        ({"types": {True: "/x"}}, "types has True"),
        ({"types": {"404": "/x"}}, "types has '404', which is no status"),
        ({"types": {404: "a b"}}, "types has 'a b', which is no URI"),
        ({"types": "/x\r\n{status}"}, "which is no URI"),
        ({"types": {404: None}}, "types has None, which is no URI"),
        ({"extend": 7}, "extend=7 is no function"),
        ({"html": "yes"}, "html='yes' must be True, False or a callable"),
        ({"htlm": False}, "unknown option htlm=False"),
    ],
    ids=str,
)
def test_unusable_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        ProblemDetails(**options)
    assert "bundle 'problem-details'" in str(raised.value)


def test_no_type_is_the_default() -> None:
    assert compile_types("problems", {})(NotFound()) == "about:blank"
