"""describe tells who answers an error: the first row that fits is the one that Flask asks."""

from typing import Any

import pytest
from flask import Blueprint, Flask
from flask_restful import Api, Resource
from werkzeug.exceptions import Conflict, HTTPException, NotFound, abort

from overcoat.hooks import ProblemDetails, RequestContext, register
from overcoat.middleware import describe

TITLE = "when an error is answered, by the first that fits"


class OutOfStock(Conflict):
    """A status by a class of the app's own."""


def rows(app: Any) -> list[Any]:
    parts = [part for part in describe(app).children if part.name == TITLE]
    return list(parts[0].children) if parts else []


def shop() -> Flask:
    """Handlers of every kind; each answers with its own name."""
    app = Flask("shop")
    api, inner = Blueprint("api", __name__, url_prefix="/api"), Blueprint("inner", __name__, url_prefix="/inner")
    keys: list[Any] = [404, OutOfStock, HTTPException, OSError, ConnectionError, Exception]
    for scope, name, taken in (
        (app, "app", keys),
        (api, "api", [404, 409, LookupError, OSError]),
        (inner, "inner", [KeyError]),
    ):
        for key in taken:

            def answer(error: Exception, label: str = f"{name} {getattr(key, '__name__', key)}") -> tuple[str, int]:
                return label, 418

            answer.__qualname__ = answer.__defaults__[0]  # type: ignore[index]
            scope.register_error_handler(key, answer)
    errors: list[Any] = [NotFound, OutOfStock, Conflict, KeyError, IndexError, TimeoutError, ConnectionResetError]
    for where in (app, api, inner):
        for error in [*errors, ValueError, PermissionError]:

            def view(error: Any = error) -> str:
                raise error

            where.add_url_rule(f"/{error.__name__}", error.__name__, view)
    api.register_blueprint(inner)
    app.register_blueprint(api)
    return app


@pytest.mark.parametrize("prefix", ["", "/api", "/api/inner"], ids=["app", "blueprint", "nested"])
@pytest.mark.parametrize(
    "error",
    [NotFound, OutOfStock, Conflict, KeyError, IndexError, TimeoutError, ConnectionResetError, ValueError],
    ids=lambda error: error.__name__,
)
def test_the_first_row_that_fits_answers(prefix: str, error: type[Exception]) -> None:
    app = shop()
    around = {"": [""], "/api": ["", "api"], "/api/inner": ["", "api", "api.inner"]}[prefix]
    classes = {cls.__name__ for cls in error.__mro__}

    def fits(row: Any) -> bool:
        what, _, where = row.detail.partition(", blueprint ")
        status, _, name = what.rpartition(" ")
        return where in around and name in classes and status in {"", str(getattr(error, "code", ""))}

    first = next(row for row in rows(app) if fits(row))
    assert app.test_client().get(f"{prefix}/{error.__name__}").text == first.name


def test_bundles_stand_where_they_are_asked() -> None:
    app = Flask("shop")
    register(app, [RequestContext(), ProblemDetails(skip="POST")])
    api = Blueprint("api", __name__, url_prefix="/api")
    ProblemDetails(name="api-problems").register(api)
    app.register_blueprint(api)

    @app.errorhandler(404)
    def not_found(error: Exception) -> tuple[str, int]:
        return "by hand", 404

    told = [
        (row.kind, row.name.replace("test_bundles_stand_where_they_are_asked.", ""), row.detail) for row in rows(app)
    ]
    answers = "HTTPException and the 500 for what no handler takes"
    assert told == [
        ("hook", "not_found", "404 NotFound"),
        ("bundle", "api-problems: ProblemDetails.answer", f"{answers}, blueprint api and what is below its URL prefix"),
        ("bundle", "problem-details: ProblemDetails.answer", f"{answers}, skip POST"),
    ]
    assert rows(app)[1].bundle == "api-problems"
    assert "hooks/problem_details.py:" in rows(app)[1].source


def test_bundle_that_a_handler_by_hand_keeps_out_is_not_shown() -> None:
    app = Flask("shop")

    @app.errorhandler(HTTPException)
    def by_hand(error: HTTPException) -> HTTPException:
        return error

    register(app, [ProblemDetails()])
    assert [(row.kind, row.detail) for row in rows(app)] == [("hook", "HTTPException")]


@pytest.mark.parametrize("bundles_first", [True, False])
def test_extension_that_replaces_flasks_own_methods_comes_first(bundles_first: bool) -> None:
    class Broken(Resource):  # type: ignore[misc]
        def get(self) -> None:
            abort(409)

    app = Flask("shop")
    steps = [lambda: register(app, [RequestContext(), ProblemDetails()]), lambda: Api(app).add_resource(Broken, "/b")]
    for step in steps if bundles_first else reversed(steps):
        step()
    assert app.test_client().get("/b").content_type == "application/json"
    first, second = rows(app)
    assert (first.name, first.detail) == (
        "Api.error_router", "in place of Flask's handle_user_exception and handle_exception"
    )  # fmt: skip
    assert first.source.startswith("flask_restful/__init__.py:")
    assert second.bundle == "problem-details"


def test_app_without_handlers_has_no_such_part() -> None:
    app = Flask("shop")
    register(app, [RequestContext()])
    assert rows(app) == []
    assert TITLE not in str(describe(app))
