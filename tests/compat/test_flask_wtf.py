import re

import pytest
from flask import Flask, render_template_string
from flask_wtf import CSRFProtect, FlaskForm
from support.compat import Lines, ask, assert_coated, coat
from wtforms import StringField
from wtforms.validators import Length

from overcoat.middleware import SecurityHeaders


class CoatForm(FlaskForm):  # type: ignore[misc]
    name = StringField(validators=[Length(1, 80)])


PAGE = "<form method=post>{{ form.csrf_token }}{{ form.name }}{{ form.errors }}</form>"


@pytest.fixture
def app(order: str) -> tuple[Flask, Lines]:
    app = Flask("shop")
    app.secret_key = "tests"
    lines = coat(app, lambda: CSRFProtect(app), order)

    @app.route("/coats", methods=["GET", "POST"])
    def coats() -> str:
        form = CoatForm()
        return f"added {form.name.data}" if form.validate_on_submit() else render_template_string(PAGE, form=form)

    return app, lines


def token(page: str) -> str:
    (found,) = re.findall(r'name="csrf_token" type="hidden" value="([^"]+)"', page)
    return str(found)


SAME_SITE = {"Referer": "https://shop.example/coats"}


@pytest.mark.parametrize(
    ("name", "expected"), [("duffle", "added duffle"), ("", "Field must be between 1 and 80 characters long.")]
)
def test_form_with_its_token_is_taken(app: tuple[Flask, Lines], name: str, expected: str) -> None:
    shop, lines = app
    client = shop.test_client()
    form = {"csrf_token": token(ask(client, "/coats").text), "name": name}
    response = ask(client, "/coats", "POST", data=form, headers=SAME_SITE)
    assert expected in response.text
    assert_coated(response, lines[-1], method="POST", status=200)


@pytest.mark.parametrize(
    ("given", "headers", "detail"),
    [
        pytest.param(False, SAME_SITE, "The CSRF token is missing.", id="no token"),
        pytest.param(
            True, {"Referer": "https://evil.example/"}, "The referrer does not match the host.", id="elsewhere"
        ),
        pytest.param(True, {}, "The referrer header is missing.", id="no referrer"),
    ],
)
def test_what_is_refused_is_a_problem(
    app: tuple[Flask, Lines], given: bool, headers: dict[str, str], detail: str
) -> None:
    shop, lines = app
    client = shop.test_client()
    form = {"csrf_token": token(ask(client, "/coats").text)} if given else {}
    response = ask(client, "/coats", "POST", data=form, headers=headers)
    assert (response.status_code, response.json["detail"]) == (400, detail)
    assert_coated(response, lines[-1], level="warning")


def test_default_referrer_policy_sends_what_it_asks_for() -> None:
    # On https it wants the Referer, which a browser does not send under "no-referrer": the API preset's policy.
    headers: list[tuple[str, str]] = []
    layer = SecurityHeaders(lambda environ, start: start("200 OK", []) or [])
    layer({"REQUEST_METHOD": "GET"}, lambda status, given: headers.extend(given))
    assert dict(headers)["Referrer-Policy"] == "strict-origin-when-cross-origin"
