"""Every layer, alone and in stacks, keeps every rule of the published kit."""

import pytest
from support.coats import COATS, Coat

from overcoat.middleware import Layer, RequestID, SecurityHeaders, ServerTiming, Stack
from overcoat.middleware.testing import check_middleware


@pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])
def test_coat_keeps_all_rules(coat: Coat):
    report = check_middleware(lambda app: coat.wear(app, []), allow=coat.allow)
    assert report, str(report)
    assert all(row.passed or row.waived for row in report.rows)


class Leaves(Layer):
    """A transform that leaves every body as it is."""

    def on_body(self, exchange, chunks):
        return None


class Doubles(Layer):
    """A transform that changes bodies, their length and a header."""

    def on_body(self, exchange, chunks):
        exchange.set_header("ETag", "W/doubled")
        for chunk in chunks:
            yield chunk * 2 if isinstance(chunk, bytes) else chunk


class Pages(Layer):
    """Answers errors."""

    def on_error(self, exchange, error):
        def page(environ, start_response):
            start_response("500 SORRY", [("Content-Type", "text/plain")])
            return [b"sorry"]

        return page


class Refuses(Layer):
    """Answers what is not asked by https."""

    def on_request(self, exchange):
        def refusal(environ, start_response):
            start_response("403 FORBIDDEN", [("Content-Type", "text/plain")])
            return [b"no"]

        return None if exchange.environ.get("wsgi.url_scheme") == "https" else refusal


ALLOWED = {
    "leaves": (Leaves, {}),
    "doubles": (Doubles, {"allow": {"body"}}),
    "doubles-in-a-stack": (
        lambda app: Stack(app, [RequestID(), ServerTiming(), Doubles(), SecurityHeaders()]),
        {"allow": {"body"}},
    ),
    "pages": (Pages, {"allow": {"errors"}}),
    "refuses": (Refuses, {"allow": {"answers"}, "environ": {"wsgi.url_scheme": "https"}}),
}


@pytest.mark.parametrize(("factory", "options"), ALLOWED.values(), ids=ALLOWED)
def test_layer_that_does_what_it_may(factory, options):
    report = check_middleware(factory, **options)
    assert report, str(report)


@pytest.mark.parametrize("name", ["doubles", "pages"])
def test_layer_that_does_more_than_it_may(name):
    factory, _ = ALLOWED[name]
    assert {row.rule.name for row in check_middleware(factory).failures} >= {
        "doubles": {"start", "body"},
        "pages": {"errors"},
    }[name]


def test_layer_that_answers_all_the_same_is_told_to_say_when_it_does_not():
    with pytest.raises(ValueError, match=r"answered every request itself.*environ=\{'wsgi.url_scheme': 'https'\}"):
        check_middleware(Refuses, allow={"answers"})
