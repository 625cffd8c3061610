"""The classic item example of Flask-RESTful, with reqparse. Flask-RESTful 0.3.10 is of 2023 and in maintenance only."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask_restful import Api, Resource, reqparse
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.pool import StaticPool
from support.compat import Lines, ask, assert_coated, coat

from overcoat.hooks import DatabaseSession


def extend(app: Flask, db: SQLAlchemy) -> None:
    api = Api(app)

    class ItemModel(db.Model):  # type: ignore[name-defined,misc]
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String(80), nullable=False)
        value = db.Column(db.Float, nullable=False)

        def json(self) -> dict[str, Any]:
            return {"id": self.id, "name": self.name, "value": self.value}

    parser = reqparse.RequestParser()
    parser.add_argument("name", type=str, required=True, help="Name cannot be blank!")
    parser.add_argument("value", type=float, required=True, help="Value cannot be blank!")

    class Item(Resource):  # type: ignore[misc]
        def get(self, item_id: int | None = None) -> Any:
            if item_id:
                item = db.session.get(ItemModel, item_id)
                return item.json() if item else ({"message": "Item not found"}, 404)
            return {"items": [item.json() for item in db.session.scalars(db.select(ItemModel))]}

        def post(self) -> Any:
            item = ItemModel(**parser.parse_args())
            db.session.add(item)
            db.session.flush()
            return item.json(), 201

        def put(self, item_id: int) -> Any:
            given = parser.parse_args()
            item = db.session.get(ItemModel, item_id)
            if item:
                item.name, item.value = given["name"], given["value"]
            else:
                item = ItemModel(id=item_id, **given)
                db.session.add(item)
            return item.json()

        def delete(self, item_id: int) -> Any:
            item = db.session.get(ItemModel, item_id)
            if not item:
                return {"message": "Item not found"}, 404
            db.session.delete(item)
            return {"message": "Item deleted"}

    class Broken(Resource):  # type: ignore[misc]
        def get(self) -> Any:
            db.session.add(ItemModel(name="lost", value=1))
            db.session.flush()
            raise ZeroDivisionError("the secret is 42")

    api.add_resource(Item, "/item", "/item/<int:item_id>")
    api.add_resource(Broken, "/broken")
    with app.app_context():
        db.create_all()


@pytest.fixture
def app(order: str) -> Iterator[tuple[Flask, Lines]]:
    app = Flask("shop")
    app.config.update(SQLALCHEMY_DATABASE_URI="sqlite://", SQLALCHEMY_ENGINE_OPTIONS={"poolclass": StaticPool})
    db = SQLAlchemy(app)
    lines = coat(app, lambda: extend(app, db), order, DatabaseSession(db))
    yield app, lines
    with app.app_context():
        db.engine.dispose()


def test_crud_is_committed_by_the_bundle(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    client = shop.test_client()
    raincoat = {"id": 1, "name": "raincoat", "value": 12.5}
    response = ask(client, "/item", "POST", json={"name": "raincoat", "value": "12.5"})
    assert (response.status_code, response.json) == (201, raincoat)
    assert_coated(response, lines[-1], route="/item", endpoint="item", db_queries=1)
    assert ask(client, "/item/1").json == raincoat
    assert_coated(ask(client, "/item/1"), lines[-1], route="/item/<int:item_id>")
    assert ask(client, "/item/7", "PUT", json={"name": "duffle", "value": 3}).status_code == 200
    assert ask(client, "/item").json == {"items": [raincoat, {"id": 7, "name": "duffle", "value": 3.0}]}
    assert ask(client, "/item/7", "DELETE").json == {"message": "Item deleted"}
    assert ask(client, "/item").json == {"items": [raincoat]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/item", {}, 400, {"name": "Name cannot be blank!"}),
        ("POST", "/item", {"name": "x", "value": "y"}, 400, {"value": "Value cannot be blank!"}),
        ("GET", "/item/9", None, 404, "Item not found"),
    ],
)
def test_it_answers_the_errors_of_its_own_resources(
    app: tuple[Flask, Lines], method: str, path: str, body: Any, status: int, message: Any
) -> None:
    shop, lines = app
    response = ask(shop.test_client(), path, method, json=body)
    assert (response.status_code, response.content_type) == (status, "application/json")
    assert response.json["message"] == message
    assert_coated(response, lines[-1], level="warning")


def test_unhandled_error_is_logged_and_rolled_back(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    client = shop.test_client()
    response = ask(client, "/broken")
    assert response.json == {"message": "Internal Server Error"}
    assert_coated(response, lines[-1], status=500, error_type="ZeroDivisionError", error_message="the secret is 42")
    assert lines[-1]["error_at"].endswith(" in get")
    assert ask(client, "/item").json == {"items": []}


def test_what_is_not_its_own_is_a_problem(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    response = ask(shop.test_client(), "/nowhere")
    assert (response.status_code, response.content_type) == (404, "application/problem+json")
    assert_coated(response, lines[-1])


def test_method_that_a_resource_has_not_is_its_own(app: tuple[Flask, Lines]) -> None:
    shop, lines = app
    response = ask(shop.test_client(), "/broken", "DELETE")
    assert (response.status_code, response.content_type) == (405, "application/json")
    assert_coated(response, lines[-1])
