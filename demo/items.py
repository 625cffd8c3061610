"""The routes of the item API.

==========================================  ============================================================
``GET /item``                               all items; a page of them with ``?limit=`` and ``?after=``
``POST /item``                              create one
``GET /item/<item_id>``                     one
``PUT /item/<item_id>``                     replace it, or create it under that id
``DELETE /item/<item_id>``                  delete it
``GET /items/range/<start_id>/<end_id>``    those whose ids lie in a range, both ends included
==========================================  ============================================================

>>> from overcoat.demo import create_app
>>> create_app(database_url="sqlite://").test_client().get("/items/range/1/2").json["items"][0]
{'id': 1, 'name': 'teapot', 'value': 24.5}
"""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request, url_for
from sqlalchemy import select
from werkzeug.exceptions import BadRequest, NotFound, RequestEntityTooLarge, UnsupportedMediaType

from overcoat.demo import store
from overcoat.demo.models import LARGEST_ID, Item, db
from overcoat.demo.schemas import ItemSchema, PageSchema, checked

items = Blueprint("items", __name__)

#: The largest id that a client may choose: half of what every JSON reader counts exactly (RFC 7493, section 2.2), so
#: that the ids that the database gives to a later POST are exact too.
LARGEST_CHOSEN_ID = 2**52


@items.get("/item")
def list_items() -> Response:
    """All items, or a page of them with a link to the next."""
    page = checked(PageSchema(), request.args)
    limit: int | None = page["limit"]
    query = select(Item).where(Item.id > page["after"]).order_by(Item.id)
    found = db.session.scalars(query if limit is None else query.limit(limit + 1)).all()
    response = jsonify(items=_documents(found[:limit]))
    if limit is not None and len(found) > limit:
        response.headers["Link"] = f'<{url_for(".list_items", limit=limit, after=found[limit - 1].id)}>; rel="next"'
    return response


@items.post("/item")
def create_item() -> tuple[Response, int, dict[str, str]]:
    """Create an item under the next free id."""
    item = store.create(_fields())
    return jsonify(_document(item)), 201, {"Location": url_for(".get_item", item_id=item.id)}


@items.get("/item/<int:item_id>")
def get_item(item_id: int) -> Response:
    """One item."""
    item = db.session.get(Item, item_id) if item_id <= LARGEST_ID else None
    if item is None:
        raise NotFound("Item not found")
    return jsonify(_document(item))


@items.put("/item/<int:item_id>")
def put_item(item_id: int) -> Response:
    """Replace an item, or create it under that id."""
    fields = _fields()
    if 0 < item_id <= LARGEST_CHOSEN_ID:
        store.put(item_id, fields)
    elif item_id > LARGEST_ID or not store.replace(item_id, fields):
        raise BadRequest(f"Item id must be from 1 to {LARGEST_CHOSEN_ID}")
    return jsonify(id=item_id, **fields)


@items.delete("/item/<int:item_id>")
def delete_item(item_id: int) -> Response:
    """Delete an item."""
    if item_id > LARGEST_ID or not store.remove(item_id):
        raise NotFound("Item not found")
    return jsonify(message="Item deleted")


@items.get("/items/range/<int:start_id>/<int:end_id>")
def list_range(start_id: int, end_id: int) -> Response:
    """The items of a range of ids."""
    query = select(Item).where(Item.id.between(min(start_id, LARGEST_ID), min(end_id, LARGEST_ID))).order_by(Item.id)
    found = db.session.scalars(query).all() if start_id <= LARGEST_ID else ()
    if not found:
        raise NotFound("No items found in this range")
    return jsonify(items=_documents(found))


def _fields() -> dict[str, Any]:
    """The validated fields of the item in the request's body."""
    if not request.is_json:
        raise UnsupportedMediaType("Send the item as application/json")
    try:
        document = current_app.json.loads(request.get_data())
    except RequestEntityTooLarge:
        raise RequestEntityTooLarge(f"The body is larger than {request.max_content_length} bytes") from None
    except ValueError as error:
        raise BadRequest(f"The body is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise BadRequest("The body must be a JSON object with name and value")
    return checked(ItemSchema(), document)


def _document(item: Item) -> dict[str, Any]:
    return {"id": item.id, "name": item.name, "value": item.value}


def _documents(found: Iterable[Item]) -> list[dict[str, Any]]:
    return [_document(item) for item in found]
