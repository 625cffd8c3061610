"""The demo beside the item example of the usual Flask-RESTful tutorial: a client sees a difference where it must."""

import pytest
from flask import Flask
from flask_restful import Api, Resource, reqparse
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.pool import StaticPool

SEEDS = [("teapot", 24.5), ("lantern", 18.0), ("compass", 42.25)]
KETTLE = {"name": "kettle", "value": 30}
EMPTY_RANGE = "No items found in this range"

#: A client's walk: each answer depends on those before it.
WALK = [
    ("GET", "/item", None),
    ("GET", "/item/1", None),
    ("GET", "/item/99", None),
    ("POST", "/item", KETTLE),
    ("POST", "/item", {"name": "mug", "value": "9.5"}),
    ("POST", "/item", {"name": "mug"}),
    ("POST", "/item", {"value": 1}),
    ("POST", "/item", {**KETTLE, "colour": "green"}),
    ("PUT", "/item/2", KETTLE),
    ("PUT", "/item/50", KETTLE),
    ("PUT", "/item/50", {"name": "mug"}),
    ("POST", "/item", KETTLE),
    ("GET", "/item/51", None),
    ("DELETE", "/item/50", None),
    ("DELETE", "/item/50", None),
    ("GET", "/items/range/1/3", None),
    ("GET", "/items/range/3/1", None),
    ("GET", "/items/range/500/600", None),
    ("PATCH", "/item/1", KETTLE),
    ("GET", "/item", None),
]


@pytest.fixture
def example():
    """A client of the example, with the items that the demo begins with."""
    app = Flask("example")
    app.config.update(SQLALCHEMY_DATABASE_URI="sqlite://", SQLALCHEMY_ENGINE_OPTIONS={"poolclass": StaticPool})
    db = SQLAlchemy(app)

    class ItemModel(db.Model):
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String(80), nullable=False)
        value = db.Column(db.Float, nullable=False)

        def json(self):
            return {"id": self.id, "name": self.name, "value": self.value}

    parser = reqparse.RequestParser()
    parser.add_argument("name", type=str, required=True, help="Name cannot be blank!")
    parser.add_argument("value", type=float, required=True, help="Value cannot be blank!")

    class Item(Resource):
        def get(self, item_id=None):
            if item_id:
                item = db.session.get(ItemModel, item_id)
                return item.json() if item else ({"message": "Item not found"}, 404)
            return {"items": [item.json() for item in db.session.scalars(db.select(ItemModel))]}

        def post(self):
            item = ItemModel(**parser.parse_args())
            db.session.add(item)
            db.session.commit()
            return item.json(), 201

        def put(self, item_id):
            data = parser.parse_args()
            item = db.session.get(ItemModel, item_id) or ItemModel(id=item_id)
            item.name, item.value = data["name"], data["value"]
            db.session.add(item)
            db.session.commit()
            return item.json()

        def delete(self, item_id):
            item = db.session.get(ItemModel, item_id)
            if not item:
                return {"message": "Item not found"}, 404
            db.session.delete(item)
            db.session.commit()
            return {"message": "Item deleted"}

    class ItemRange(Resource):
        def get(self, start_id, end_id):
            found = db.session.scalars(db.select(ItemModel).where(ItemModel.id.between(start_id, end_id))).all()
            return {"items": [item.json() for item in found]} if found else ({"message": EMPTY_RANGE}, 404)

    api = Api(app)
    api.add_resource(Item, "/item", "/item/<int:item_id>")
    api.add_resource(ItemRange, "/items/range/<int:start_id>/<int:end_id>")
    with app.app_context():
        db.create_all()
        db.session.add_all([ItemModel(name=name, value=value) for name, value in SEEDS])
        db.session.commit()
    yield app.test_client()
    with app.app_context():
        db.engine.dispose()


def told(client, method: str, path: str, body) -> tuple[int, object]:
    """What a client of the example reads of an answer: the status, the body, of an error its message."""
    response = client.open(path, method=method, json=body)
    return response.status_code, response.json if response.status_code < 400 else response.json["message"]


def test_a_client_of_the_example_sees_no_difference(example, make_app):
    ours = make_app().test_client()  # on SQLite too: which id is free next is the database's to say
    theirs = [told(example, *request) for request in WALK]
    assert {status for status, _ in theirs} == {200, 201, 400, 404, 405}
    assert [told(ours, *request) for request in WALK] == theirs


@pytest.mark.parametrize(
    ("method", "path", "body", "theirs", "ours"),
    [
        pytest.param("POST", "/item", {"name": "", "value": 1}, 201, 400, id="a blank name"),
        pytest.param("POST", "/item", {"name": 7, "value": 1}, 201, 400, id="a number as name"),
        pytest.param("POST", "/item", {"name": "x" * 81, "value": 1}, 201, 400, id="a name that is too long"),
        pytest.param("POST", "/item", {"name": "x", "value": True}, 201, 400, id="a choice as value"),
        pytest.param("POST", "/item", {"name": "x", "value": "nan"}, 500, 400, id="no number"),
        pytest.param("PUT", "/item/0", KETTLE, 200, 400, id="an id that GET cannot find"),
        pytest.param("GET", "/item/0", None, 200, 404, id="which is the list there"),
    ],
)
def test_where_the_demo_refuses(example, make_app, method, path, body, theirs, ours):
    assert told(example, method, path, body)[0] == theirs
    assert told(make_app().test_client(), method, path, body)[0] == ours
