"""The home page: what the demo is, and a command for each route.

>>> from overcoat.demo import create_app
>>> response = create_app(database_url="sqlite://").test_client().get("/")
>>> response.content_type, "script" in response.headers["Content-Security-Policy"]
('text/html; charset=utf-8', False)
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request, send_from_directory

_FOLDER = Path(__file__).parent / "pages"

#: Talisman's options for the pages: they load a style sheet and an icon of ours, no script, nothing inline, nothing
#: from elsewhere. What is turned off here is left to the SecurityHeaders around the app.
PAGE_HEADERS: Mapping[str, Any] = {
    "content_security_policy": {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    },
    "frame_options": None,
    "permissions_policy": None,
    "strict_transport_security": False,
}

_ITEM = """-H 'Content-Type: application/json' -d '{"name": "kettle", "value": 30}'"""

#: Method, route, what it does, and the arguments of curl before and after the URL.
ROUTES = (
    ("GET", "/item", "all items", "", "/item", ""),
    ("GET", "/item?limit=&after=", "a page of them", "-i", "/item?limit=2&after=0", ""),
    ("POST", "/item", "create an item", "", "/item", _ITEM),
    ("GET", "/item/<item_id>", "one item", "", "/item/1", ""),
    ("PUT", "/item/<item_id>", "replace an item, or create it under that id", "-X PUT", "/item/7", _ITEM),
    ("DELETE", "/item/<item_id>", "delete an item", "-X DELETE", "/item/7", ""),
    ("GET", "/items/range/<start_id>/<end_id>", "the items of a range of ids", "", "/items/range/1/2", ""),
    ("GET", "/item/999", "an error, as problem details", "-i", "/item/999", ""),
)

pages = Blueprint("pages", __name__, template_folder="pages")


@pages.get("/")
def home() -> str:
    """The page."""
    try:
        base = request.root_url.rstrip("/")
    except UnicodeError:  # a Host that is no name in any script
        base = "http://127.0.0.1:5001"
    routes = [
        {"method": method, "rule": rule, "does": does, "command": _command(before, base + path, after)}
        for method, rule, does, before, path, after in ROUTES
    ]
    return render_template("index.html", routes=routes)


@pages.get("/<any('style.css', 'icon.svg'):name>")
def file(name: str) -> Response:
    """The page's style sheet and icon."""
    return send_from_directory(_FOLDER, name, max_age=300)


def _command(before: str, url: str, after: str) -> str:
    return " ".join(filter(None, ("curl", before, f"'{url}'", after)))
