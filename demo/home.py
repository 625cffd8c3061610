"""The home page: a tour of the layers, and a command for each route of the API.

>>> from overcoat.demo import create_app
>>> response = create_app(database_url="sqlite://").test_client().get("/")
>>> response.content_type, "'nonce-" in response.headers["Content-Security-Policy"]
('text/html; charset=utf-8', True)
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from hashlib import sha384
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, render_template, request, send_from_directory

from overcoat.demo.onion import CORE_DIAMETER, Ring, rings_of, size_of

_FOLDER = Path(__file__).parent / "pages"

#: Talisman's options for the pages: a style sheet, an icon and one script of ours, which runs by its nonce; nothing
#: inline, nothing from elsewhere. What is turned off here is left to the SecurityHeaders around the app.
PAGE_HEADERS: Mapping[str, Any] = {
    "content_security_policy": {
        "default-src": "'none'",
        "script-src": "'report-sample'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "tour",
    },
    "content_security_policy_nonce_in": ["script-src"],
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
    rings = _rings(cast("Flask", current_app._get_current_object()))  # type: ignore[attr-defined]
    return render_template(
        "index.html",
        routes=routes,
        rings=rings,
        tries={ring.key: [asdict(one) for one in ring.stop.tries] for ring in rings},
        size=size_of(rings),
        core_radius=CORE_DIAMETER / 2,
        integrity=_integrity,
        log_file=Path(current_app.config["LOG_FILE"] or "overcoat-demo.log").name,
    )


@pages.get("/<any('style.css', 'tour.js', 'icon.svg'):name>")
def file(name: str) -> Response:
    """What the page loads."""
    return send_from_directory(_FOLDER, name, max_age=300)


@lru_cache
def _integrity(name: str) -> str:
    """The digest that the browser compares (Subresource Integrity, section 3.1); it is in the URL too, for caches."""
    return "sha384-" + b64encode(sha384((_FOLDER / name).read_bytes()).digest()).decode()


@lru_cache(maxsize=8)
def _rings(app: Flask) -> list[Ring]:
    return rings_of(app)


def _command(before: str, url: str, after: str) -> str:
    return " ".join(filter(None, ("curl", before, f"'{url}'", after)))
