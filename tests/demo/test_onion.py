"""The onion: every layer and bundle that the app has, from the outside in."""

import pytest
from flask import Flask

from overcoat.demo.onion import rings_of
from overcoat.hooks import FlaskCompress, ProblemDetails, RequestContext, register
from overcoat.middleware import describe


def test_every_layer_and_bundle_has_a_stop(make_app):
    app = make_app()
    parts = list(describe(app).walk())
    layers = [part.name.partition("(")[0] for part in parts if part.kind == "layer"]
    bundles = {part.bundle for part in parts if part.kind == "bundle"}
    keys = [ring.key for ring in rings_of(app)]
    assert keys[: len(layers)] == layers
    assert set(keys[len(layers) :]) == bundles
    assert keys[len(layers) :] == ["request-context", "problem-details", "compress", "cors", "talisman", "database"]


@pytest.mark.parametrize(
    ("bundles", "keys"),
    [
        pytest.param([], [], id="none"),
        pytest.param([RequestContext()], ["request-context"], id="one"),
        pytest.param([ProblemDetails()], ["problem-details"], id="one without a hook"),
        pytest.param([RequestContext(), FlaskCompress()], ["request-context", "compress"], id="in order"),
    ],
)
def test_the_rings_are_those_of_the_app(bundles, keys):
    app = Flask("shop")
    register(app, bundles)
    assert [ring.key for ring in rings_of(app)] == keys


def test_a_layer_that_is_turned_off_has_no_ring(make_app):
    assert "HTTPSRedirect" not in [ring.key for ring in rings_of(make_app(https_redirect=False))]
