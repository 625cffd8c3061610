from typing import Any

import pytest
from apiflask import APIFlask, Schema, abort
from apiflask.fields import Integer, String
from support.compat import Lines, ask, assert_coated, coat


class CoatIn(Schema):  # type: ignore[misc]
    name = String(required=True)
    size = Integer(load_default=7)


def make_app(order: str, *, json_errors: bool) -> tuple[Any, Lines]:
    app = APIFlask("shop", title="Shop", json_errors=json_errors)
    lines = coat(app, lambda: None, order)

    @app.post("/coats")
    @app.input(CoatIn)  # type: ignore[untyped-decorator]
    @app.output(CoatIn, status_code=201)  # type: ignore[untyped-decorator]
    def add(json_data: Any) -> Any:
        return json_data

    @app.get("/gone")
    def gone() -> Any:
        abort(410, "No longer sold")

    @app.get("/boom")
    def boom() -> Any:
        raise ZeroDivisionError

    return app, lines


@pytest.mark.parametrize("json_errors", [True, False])
def test_views_and_schema_work(order: str, json_errors: bool) -> None:
    app, lines = make_app(order, json_errors=json_errors)
    client = app.test_client()
    response = ask(client, "/coats", "POST", json={"name": "duffle"})
    assert (response.status_code, response.json) == (201, {"name": "duffle", "size": 7})
    assert_coated(response, lines[-1], endpoint="add", route="/coats")
    assert ask(client, "/openapi.json").json["info"]["title"] == "Shop"


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/coats", 405), ("/boom", 500)], ids=["404", "405", "500"]
)
@pytest.mark.parametrize(
    ("json_errors", "content_type"), [(True, "application/json"), (False, "application/problem+json")]
)
def test_one_of_the_two_owns_errors(order: str, json_errors: bool, content_type: str, path: str, status: int) -> None:
    app, lines = make_app(order, json_errors=json_errors)
    response = ask(app.test_client(), path)
    assert (response.status_code, response.content_type) == (status, content_type)
    assert_coated(response, lines[-1])
    assert (lines[-1].get("error_type") == "ZeroDivisionError") == (status == 500)


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [("GET", "/gone", 410, "No longer sold"), ("POST", "/coats", 422, "Validation error")],
)
def test_errors_of_its_own_class_stay_its_own(order: str, method: str, path: str, status: int, message: str) -> None:
    app, lines = make_app(order, json_errors=True)
    response = ask(app.test_client(), path, method, **({"json": {}} if method == "POST" else {}))
    assert (response.status_code, response.json["message"]) == (status, message)
    assert_coated(response, lines[-1])
