from itertools import permutations

import pytest
from support.apps import ok
from support.coats import Stranger
from support.wsgi import call

from overcoat.middleware import Layer, ProxyFix, RequestID, RequestLog, SecurityHeaders, ServerTiming, Stack
from overcoat.middleware._order import corrected, inward


class Outer(Layer):
    outside = {"Inner": "it must see what Inner leaves"}


class Inner(Layer):
    """Says nothing itself."""


class Innermost(Layer):
    inside = {"Inner": "it needs what Inner brings", "Outer": "and what Outer brings"}


class Below(Inner):
    """A user's own kind of Inner: the rule holds for it too."""


class Ring1(Layer):
    outside = {"Ring2": "first"}


class Ring2(Layer):
    outside = {"Ring1": "second"}


WRONG = {
    "outside": ([Inner, Outer], "Outer must stand outside Inner: it must see what Inner leaves."),
    "inside": ([Innermost, Inner], "Inner must stand outside Innermost: it needs what Inner brings."),
    "far apart": ([Inner, Layer, Layer, Outer], "Outer must stand outside Inner"),
    "a subclass": ([Below, Outer], "Outer must stand outside Below: it must see"),
    "strangers between": ([Inner, Stranger, Outer], "Outer must stand outside Inner"),
    "a ring, one way": ([Ring1, Ring2], "Ring2 must stand outside Ring1: second."),
    "a ring, the other": ([Ring2, Ring1], "Ring1 must stand outside Ring2: first."),
}


def made(classes):
    return [cls() if issubclass(cls, Layer) else cls for cls in classes]


@pytest.mark.parametrize(("classes", "message"), WRONG.values(), ids=WRONG)
def test_wrong_order_is_refused(classes, message):
    with pytest.raises(ValueError) as refused:
        Stack(ok, made(classes))
    assert str(refused.value).startswith(message)
    assert "check_order=False" in str(refused.value)


@pytest.mark.parametrize(("classes", "message"), WRONG.values(), ids=WRONG)
def test_way_around(classes, message):
    assert call(Stack(ok, made(classes), check_order=False)).status == "200 OK"


RIGHT = [
    [Outer, Inner],
    [Inner, Innermost],
    [Outer, Inner, Innermost],
    [Outer, Below],
    [Outer, Stranger, Inner],
    [Inner, Inner],
]


@pytest.mark.parametrize("classes", RIGHT, ids=lambda classes: "-".join(cls.__name__ for cls in classes))
def test_right_order_is_taken(classes):
    assert call(Stack(ok, made(classes))).status == "200 OK"


def test_wrong_order_is_refused_at_the_line_that_makes_it():
    app = Outer(ok)
    app = Layer(app)
    with pytest.raises(ValueError, match="Outer must stand outside Inner"):
        Inner(app)
    assert call(Inner(app, check_order=False)).status == "200 OK"


def test_wrong_order_is_seen_through_strangers_around_the_app():
    class Application(Stranger):
        def __init__(self, app):
            super().__init__(None)
            self.application = app

        def __call__(self, environ, start_response):
            return self.application(environ, start_response)

    for stranger in (Stranger, Application):
        with pytest.raises(ValueError, match="Outer must stand outside Inner"):
            Inner(stranger(Outer(ok)))


def test_strangers_that_lead_in_a_circle_end_the_walk():
    first = Stranger(None)
    first.app = Stranger(first)
    assert [wrapper for wrapper, _ in inward(first)] == [first, first.app]


def test_a_ring_of_rules_still_gives_a_list():
    assert {type(layer) for layer in corrected([Ring1(), Ring2()])} == {Ring1, Ring2}


def test_correction_changes_as_little_as_possible():
    layers = made([Layer, Innermost, Inner, Layer, Outer])
    fixed = corrected(layers)
    assert [type(layer).__name__ for layer in fixed] == ["Layer", "Layer", "Outer", "Inner", "Innermost"]
    assert corrected(fixed) == fixed


def pasted(message):
    """The corrected list of a message, built anew from its text."""
    listed = message[message.index("Stack(app, [") : message.index("])") + 2]
    names = {cls.__name__: cls for cls in (ProxyFix, RequestID, RequestLog, ServerTiming, SecurityHeaders)}
    return eval(listed, {**names, "Stack": Stack, "app": ok, "Stranger": Stranger})


@pytest.mark.parametrize("strangers", [False, True], ids=["layers", "with-a-stranger"])
def test_every_order_of_the_published_layers(strangers):
    """It is taken, or refused with a list that is taken as it stands and has lost nothing."""
    makers = [ProxyFix, RequestID, lambda: RequestLog(to="stderr"), ServerTiming, SecurityHeaders]
    taken, messages = 0, []
    for order in permutations(range(5)):
        parts = [makers[index]() for index in order]
        if strangers:
            parts.insert(2, Stranger)
        try:
            Stack(ok, parts)
            taken += 1
        except ValueError as refused:
            messages.append(str(refused))
    assert taken + len(messages) == 120
    assert taken
    for message in messages:
        layers = [layer for _, fused in inward(pasted(message)) for layer in fused]
        assert sorted(map(repr, layers)) == sorted(repr(make()) for make in makers)
        assert ("Stranger" in message) is strangers
