from typing import Any

import pytest
from flask import Blueprint, Flask
from hypothesis import given
from hypothesis import strategies as st

from overcoat.hooks import HookBundle, register


def names(app: Flask) -> list[str]:
    return [entry.bundle.name for entry in app.extensions["overcoat.hooks"].entries]


@pytest.mark.parametrize(
    ("bundles", "expected"),
    [
        pytest.param([("a", {}), ("b", {})], "ab", id="as registered"),
        pytest.param([("a", {"inside": "b"}), ("b", {})], "ba", id="inside"),
        pytest.param([("a", {}), ("b", {"outside": ["a"]})], "ba", id="outside"),
        pytest.param([("a", {"inside": ["nobody"]}), ("b", {})], "ab", id="a name that nobody has"),
        pytest.param([("a", {"inside": "c"}), ("b", {}), ("c", {})], "bca", id="the others keep their order"),
        pytest.param([("a", {"inside": ["b", "c"]}), ("b", {"inside": "c"}), ("c", {})], "cba", id="a chain"),
        pytest.param([("a", {"requires": "b"}), ("b", {})], "ab", id="requires orders nothing"),
    ],
)
def test_bundles_stand_in_onion_order(bundles: list[tuple[str, dict[str, Any]]], expected: str) -> None:
    app = Flask("shop")
    for name, options in bundles:
        HookBundle(name, **options).register(app)
    assert "".join(names(app)) == expected


def test_circle_names_its_members_and_registers_nothing() -> None:
    app = Flask("shop")
    register(app, [HookBundle("a", inside="c"), HookBundle("b", inside="a"), HookBundle("d")])
    with pytest.raises(ValueError, match=r"'.' inside '.' inside '.' inside") as caught:
        HookBundle("c", inside="b").register(app)
    assert {"'a'", "'b'", "'c'"} <= set(str(caught.value).replace(";", " ").split())
    assert "'d'" not in str(caught.value)
    assert names(app) == ["a", "b", "d"]


@pytest.mark.parametrize(
    ("required_on", "requiring_on", "fits"),
    [
        ("app", "app", True),
        ("app", "parent", True),
        ("parent", "parent", True),
        pytest.param("parent", "child", True, id="a nested blueprint is covered"),
        pytest.param("child", "parent", False, id="one further in does not cover"),
        pytest.param("parent", "app", False, id="a blueprint does not cover the app"),
    ],
)
def test_what_is_required_must_serve_the_same_requests(required_on: str, requiring_on: str, fits: bool) -> None:
    app = Flask("shop")
    parent, child = Blueprint("parent", __name__), Blueprint("child", __name__)
    targets: dict[str, Flask | Blueprint] = {"app": app, "parent": parent, "child": child}
    HookBundle("database").register(targets[required_on])
    HookBundle("audit", requires="database").register(targets[requiring_on])
    parent.register_blueprint(child)
    app.register_blueprint(parent)
    runner = app.extensions["overcoat.hooks"]
    if fits:
        assert runner.rows("before_request") == []
    else:
        with pytest.raises(RuntimeError, match=r"bundle 'audit' on .* requires 'database', which serves .* only"):
            runner.rows("before_request")


@given(
    st.permutations("abcdef"),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"), st.booleans()), max_size=12),
)
def test_any_order_keeps_every_constraint_or_is_a_circle(
    registered: list[str], wanted: list[tuple[str, str, bool]]
) -> None:
    inside: dict[str, set[str]] = {name: set() for name in "abcdef"}
    outside: dict[str, set[str]] = {name: set() for name in "abcdef"}
    for inner, outer, from_inside in wanted:
        if inner < outer:  # a total order of names satisfies them all: no circle
            (inside[inner].add(outer)) if from_inside else outside[outer].add(inner)
    app = Flask("shop")
    for name in registered:
        HookBundle(name, inside=inside[name] - outside[name], outside=outside[name] - inside[name]).register(app)
    order = names(app)
    for inner, outer, _ in wanted:
        if inner < outer:
            assert order.index(outer) < order.index(inner)
