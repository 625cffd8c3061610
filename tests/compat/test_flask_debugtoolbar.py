from typing import Any

import pytest
from flask import Flask
from flask_debugtoolbar import DebugToolbarExtension
from support.compat import OURS, Lines, ask, assert_coated, coat

PAGE = "<!doctype html><html><head><title>coats</title></head><body>coats</body></html>"


def make_app(order: str, **options: Any) -> tuple[Flask, Lines]:
    app = Flask("shop")
    app.secret_key = "tests"
    app.debug = True
    app.config.update(DEBUG_TB_INTERCEPT_REDIRECTS=False, COMPRESS_MIN_SIZE=1)
    lines = coat(app, lambda: DebugToolbarExtension(app), order, **options)
    app.add_url_rule("/", "index", lambda: PAGE)
    app.add_url_rule("/data", "data", lambda: {"coats": []})
    return app, lines


def test_toolbar_is_in_the_page_and_our_headers_around_it(order: str) -> None:
    app, lines = make_app(order)
    response = ask(app.test_client(), "/")
    assert 'id="flDebug"' in response.text
    assert response.content_length == len(response.data)
    assert_coated(response, lines[-1], response_bytes=len(response.data))


def test_what_is_no_page_stays(order: str) -> None:
    app, lines = make_app(order)
    response = ask(app.test_client(), "/data")
    assert response.json == {"coats": []}
    assert_coated(response, lines[-1])


def test_its_files_are_served(order: str) -> None:
    app, _ = make_app(order)
    response = ask(app.test_client(), "/_debug_toolbar/static/css/toolbar.css")
    assert response.status_code == 200
    assert all(name in response.headers for name in OURS)


def test_toolbar_survives_compression(order: str) -> None:
    import gzip

    app, _ = make_app(order)
    response = ask(app.test_client(), "/", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert 'id="flDebug"' in gzip.decompress(response.data).decode()
    assert response.content_length == len(response.data)


def test_policy_of_talisman_forbids_its_scripts_unless_left_out(order: str) -> None:
    policies = {}
    for talisman in (True, False):
        app, _ = make_app(order, talisman=talisman)
        policies[talisman] = ask(app.test_client(), "/").headers.get("Content-Security-Policy", "")
    assert "default-src 'self'" in policies[True]
    assert "'unsafe-inline'" not in policies[True]
    assert "script-src" not in policies[False]
    assert "default-src" not in policies[False]


@pytest.mark.parametrize("debug", [True, False])
def test_it_is_for_debug_only(order: str, debug: bool) -> None:
    app = Flask("shop")
    app.secret_key = "tests"
    app.debug = debug
    coat(app, lambda: DebugToolbarExtension(app), order)
    app.add_url_rule("/", "index", lambda: PAGE)
    assert ('id="flDebug"' in ask(app.test_client(), "/").text) is debug
