"""Errors carry the ``message`` of the classic item API beside the members of a problem."""

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, TooManyRequests

from overcoat.demo.problems import InvalidFields, message_of
from overcoat.hooks import ProblemDetails, register


def answer(error: Exception):
    app = Flask("shop")
    register(app, [ProblemDetails(extend=message_of, html=False)])

    @app.get("/")
    def index():
        raise error

    return app.test_client().get("/", headers={"Accept": "text/html"})


def test_fields():
    response = answer(InvalidFields({"name": "Name!", "value": "Value!"}))
    assert response.content_type == "application/problem+json"
    assert response.json == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Name! Value!",
        "message": {"name": "Name!", "value": "Value!"},
    }


@pytest.mark.parametrize(
    "error", [MethodNotAllowed(["GET", "PUT"]), TooManyRequests(retry_after=7), NotFound("Item not found")]
)
def test_message_is_the_detail(error: HTTPException):
    response = answer(error)
    assert response.json["message"] == response.json["detail"] == error.description


def test_unhandled_error_tells_nothing():
    response = answer(KeyError("secret"))
    assert (response.status_code, response.content_type) == (500, "application/problem+json")
    assert "secret" not in response.text
    assert response.json["message"] == response.json["detail"]
