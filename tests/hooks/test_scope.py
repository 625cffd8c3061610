from typing import Any

import pytest
from flask import Blueprint, Flask, request
from support.hooks import make_app, recording, serve

from overcoat.hooks import register
from overcoat.hooks._scope import blueprints_of

CASES = [("/", "GET"), ("/", "HEAD"), ("/", "POST"), ("/admin/", "GET"), ("/admin/users/", "GET"), ("/nowhere", "GET")]


def served(**options: Any) -> list[str]:
    log: list[str] = []
    app = make_app()
    admin = Blueprint("admin", __name__, url_prefix="/admin")
    users = Blueprint("users", __name__, url_prefix="/users")
    for blueprint in (admin, users):
        blueprint.add_url_rule("/", "index", lambda: "hello")
    admin.register_blueprint(users)
    app.register_blueprint(admin)
    register(app, [recording("a", log, **options)])
    found = []
    for path, method in CASES:
        log.clear()
        serve(app, path, method)
        assert log in ([], ["a<", "a>", "a.", "a!"])
        found += [f"{method} {path}"] if log else []
    return found


ALL = [f"{method} {path}" for path, method in CASES]


@pytest.mark.parametrize(
    ("rules", "matching"),
    [
        pytest.param("index", ALL[:3], id="endpoint"),
        pytest.param("admin.index", ["GET /admin/"], id="endpoint of a blueprint"),
        pytest.param("admin.", ["GET /admin/", "GET /admin/users/"], id="blueprint with nested ones"),
        pytest.param(["admin.users."], ["GET /admin/users/"], id="nested blueprint"),
        pytest.param("POST", ["POST /"], id="method"),
        pytest.param("GET", [name for name in ALL if not name.startswith("POST")], id="GET means HEAD"),
        pytest.param(["POST", "admin.index"], ["POST /", "GET /admin/"], id="any of several"),
        pytest.param(lambda request: request.path.startswith("/n"), ["GET /nowhere"], id="callable"),
        pytest.param(["HEAD", lambda request: request.endpoint is None], ["HEAD /", "GET /nowhere"], id="both kinds"),
    ],
)
def test_only_and_skip_are_opposites(rules: Any, matching: list[str]) -> None:
    assert served(only=rules) == matching
    assert served(skip=rules) == [name for name in ALL if name not in matching]


def test_only_and_skip_together() -> None:
    assert served(only="admin.", skip="admin.users.") == ["GET /admin/"]


def test_empty_skip_skips_nothing() -> None:
    assert served(skip=[]) == ALL


def test_callable_is_asked_once_a_request() -> None:
    asked: list[str] = []
    app = make_app(recording("a", log := [], only=lambda request: asked.append(request.path) or True))
    serve(app)
    serve(app, "/stream")
    assert asked == ["/", "/stream"]
    assert len(log) == 8


def test_callable_that_wavers_is_believed_each_time() -> None:
    answers = iter([True, False, True])
    app = make_app(recording("a", log := [], only=lambda request: next(answers)))
    for count in (4, 4, 8):
        serve(app)
        assert len(log) == count


def test_callable_that_raises_is_logged_and_the_bundle_serves(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(recording("a", log := [], skip=lambda request: request.no_such_thing))
    assert serve(app)[0] == "200 OK"
    assert log == ["a<", "a>", "a.", "a!"]
    assert "only= or skip= of bundle 'a' raised" in caplog.text


def test_callable_sees_the_request_in_its_context() -> None:
    app = make_app(recording("a", log := [], only=lambda given: given.path == request.path))
    serve(app)
    assert len(log) == 4


@pytest.mark.parametrize(
    ("rule", "warning"),
    [
        ("indx", "bundle 'a': skip='indx' is no endpoint of this app; did you mean 'index'?"),
        ("admn.", "bundle 'a': skip='admn.' is no blueprint of this app; did you mean 'admin'?"),
        ("get", "bundle 'a': skip='get' is no endpoint of this app; there is"),
    ],
)
def test_rule_that_names_nothing_is_told_once(rule: str, warning: str, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(recording("a", log := [], skip=rule))
    app.register_blueprint(Blueprint("admin", __name__))
    serve(app)
    serve(app, "/stream")
    assert len(log) == 8
    (record,) = caplog.records
    assert record.getMessage().startswith(warning)


@pytest.mark.parametrize("endpoint", [None, "index", "admin.index", "admin.users.index", "a.b.c.d"])
def test_blueprints_are_those_that_flask_finds(endpoint: str | None) -> None:
    app = Flask("shop")
    with app.test_request_context("/"):
        if endpoint is not None:
            request.url_rule = type("Rule", (), {"endpoint": endpoint})()
        assert blueprints_of(endpoint) == request.blueprints
