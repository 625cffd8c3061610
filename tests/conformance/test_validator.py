"""``wsgiref.validate`` outside the layers, inside them, and between: valid apps stay valid."""

from wsgiref.validate import validator

import pytest
from support.client import READS_ALL, Client
from support.coats import COATS, Coat, parts
from support.wsgi import call, make_environ, serve
from support.zoo import SPECIMENS, Specimen

from overcoat.middleware import Stack

VALID = {name: specimen for name, specimen in SPECIMENS.items() if specimen.valid}

valid_specimens = pytest.mark.parametrize("specimen", VALID.values(), ids=VALID)
coats = pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])


@valid_specimens
def test_specimen_is_valid(specimen: Specimen):
    """The table's word is checked, so that nothing below passes for want of an app."""
    app, _ = specimen.make()
    seen = serve(validator(app), make_environ(**specimen.environ()))
    assert seen.error is None or "Content-Type" in str(seen.error)


@pytest.mark.parametrize("client", [READS_ALL, Client("leaves", leaves_after=1)], ids=lambda client: client.name)
@coats
def test_valid_outside_and_inside(coat: Coat, client: Client):
    """A few specimens have no Content-Type, of which the validator complains: then in both."""
    wrong = {}
    for name, specimen in VALID.items():
        app, bare_probe = specimen.make()
        bare = serve(validator(app), make_environ(**specimen.environ()), client)
        app, probe = specimen.make()
        seen = serve(validator(coat.wear(validator(app), [])), make_environ(**specimen.environ()), client)
        expected = (bare.status, bare.body, bare.where, type(bare.error), bare_probe.closed)
        found = (seen.status, seen.body, seen.where, type(seen.error), probe.closed)
        if found != expected:
            wrong[name] = found, expected
    assert wrong == {}


@valid_specimens
def test_valid_between_all_layers(specimen: Specimen):
    records: list[dict] = []
    app, _ = specimen.make()
    bare = serve(validator(app), make_environ(**specimen.environ()))
    layers = [one for part in parts(records) for one in (lambda inner: validator(inner), part)]  # noqa: PLW0108 - a new callable for each place
    seen = serve(Stack(specimen.make()[0], layers), make_environ(**specimen.environ()))
    assert (seen.status, seen.body, type(seen.error)) == (bare.status, bare.body, type(bare.error))
    assert len(records) == 1


@coats
def test_valid_app_that_reads_its_body(coat: Coat):
    def app(environ, start_response):
        stream = environ["wsgi.input"]
        read = stream.read(2) + stream.readline() + b"".join(stream.readlines()) + b"".join(stream)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [read]

    import io

    records: list[dict] = []
    worn = validator(coat.wear(validator(app), records))
    data = b"one\ntwo\nthree\n"
    seen = call(worn, REQUEST_METHOD="POST", CONTENT_LENGTH=str(len(data)), wsgi__input=io.BytesIO(data))
    assert (seen.error, seen.body) == (None, data)
    if coat.logs:
        assert records[0]["request_bytes"] == len(data)
