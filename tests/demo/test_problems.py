"""Errors as problem details."""

import pytest
from flask import Flask, abort
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, TooManyRequests
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response

from overcoat.demo.problems import InvalidFields, problem_response


def answer(error: HTTPException):
    app = Flask("shop")
    app.register_error_handler(HTTPException, problem_response)

    @app.get("/")
    def index():
        raise error

    return app.test_client().get("/")


def test_fields():
    response = answer(InvalidFields({"name": "Name!", "value": "Value!"}))
    assert response.json == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Name! Value!",
        "message": {"name": "Name!", "value": "Value!"},
    }


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (MethodNotAllowed(["GET", "PUT"]), "Allow", "GET, PUT"),
        (TooManyRequests(retry_after=7), "Retry-After", "7"),
    ],
)
def test_headers_of_the_error_stay(error, header, value):
    response = answer(error)
    assert response.headers.getlist(header) == [value]
    assert response.headers.getlist("Content-Type") == ["application/problem+json"]


def test_redirect_passes():
    response = answer(RequestRedirect("/elsewhere"))
    assert (response.status_code, response.headers["Location"]) == (308, "/elsewhere")


def test_response_given_to_abort_passes():
    app = Flask("shop")
    app.register_error_handler(HTTPException, problem_response)
    app.add_url_rule("/", view_func=lambda: abort(Response("my own", 418)))
    response = app.test_client().get("/")
    assert (response.status_code, response.text) == (418, "my own")


def test_error_with_a_response_of_its_own_passes():
    response = answer(NotFound(response=Response("my own", 404)))
    assert (response.status_code, response.text) == (404, "my own")


def test_unhandled_error_tells_nothing():
    app = Flask("shop")
    app.register_error_handler(HTTPException, problem_response)
    app.add_url_rule("/", view_func=lambda: {}["secret"])
    response = app.test_client().get("/")
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert "secret" not in response.text
