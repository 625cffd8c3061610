"""What a server sees through the layers is what it sees of the bare app, the headers that they add aside."""

from dataclasses import replace

import pytest
from support.client import CLIENTS, READS_ALL, Client
from support.coats import COATS, Coat, layer_classes
from support.compare import differences
from support.wsgi import FileFunction, FileWrapper, make_environ, serve
from support.zoo import SPECIMENS, Specimen

from overcoat.middleware import current_exchange

specimens = pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
coats = pytest.mark.parametrize("coat", COATS, ids=[coat.name for coat in COATS])

FILES = {"no-wrapper": lambda: None, "class": lambda: FileWrapper, "function": FileFunction}


def test_the_layers_are_found():
    assert {"ProxyFix", "RequestID", "RequestLog", "SecurityHeaders", "ServerTiming"} <= {
        cls.__name__ for cls in layer_classes()
    }


@specimens
def test_bare_app_does_what_the_table_says(specimen: Specimen):
    app, probe = specimen.make()
    seen = serve(app, make_environ(**specimen.environ()))
    raised = None if seen.error is None else (type(seen.error), seen.where)
    assert (seen.status, seen.body, raised) == (specimen.status, specimen.body, specimen.raises)
    if specimen.closes is not None:
        assert probe.closed == specimen.closes


def _compare(specimen: Specimen, coat: Coat, client: Client, wrapper: str) -> list[str]:
    app, probe = specimen.make()
    environ = make_environ(**specimen.environ(), wsgi__file_wrapper=FILES[wrapper]())
    seen = serve(coat.wear(app, []), environ, client)
    app, bare_probe = specimen.make()
    # What the driver carries is closed once, however often the server calls; an app's own iterable is not guarded.
    is_ours = type(seen.result).__module__ == "overcoat.middleware._wsgi"
    bare_environ = make_environ(**specimen.environ(), wsgi__file_wrapper=FILES[wrapper]())
    bare = serve(app, bare_environ, replace(client, closes=1) if is_ours else client)
    found = differences(bare, seen, coat.adds)
    if probe.closed != bare_probe.closed:
        found.append(f"closed {bare_probe.closed} times became {probe.closed}")
    if probe.made != bare_probe.made:
        found.append(f"made {bare_probe.made} chunks became {probe.made}")
    if current_exchange() is not None:
        found.append("current_exchange() was left set")
    if "overcoat.exchange" in environ:
        found.append("environ['overcoat.exchange'] was left behind")
    return [f"{client.name}: {one}" for one in found]


@coats
@specimens
def test_server_sees_the_bare_app(specimen: Specimen, coat: Coat):
    assert [line for client in CLIENTS for line in _compare(specimen, coat, client, "no-wrapper")] == []


@coats
@pytest.mark.parametrize("wrapper", ["class", "function"])
def test_server_sees_the_bare_app_where_it_has_a_file_wrapper(coat: Coat, wrapper: str):
    found = {name: _compare(specimen, coat, READS_ALL, wrapper) for name, specimen in SPECIMENS.items()}
    assert {name: lines for name, lines in found.items() if lines} == {}


@coats
def test_app_served_again(coat: Coat):
    """Nothing of a request stays on the layers, or on lists that the app keeps."""
    records: list[dict] = []
    for specimen in SPECIMENS.values():
        app, _ = specimen.make()
        worn = coat.wear(app, records)
        first, second = (serve(worn, make_environ(**specimen.environ())) for _ in range(2))
        # An app that keeps its error raises it twice; what is iterated once is used up: all else repeats itself.
        assert [event[0] for event in second.events] == [event[0] for event in first.events], specimen.name
        assert (second.status, len(second.headers)) == (first.status, len(first.headers)), specimen.name
        for name in ("headers", "body"):
            kept = getattr(app, name, None)
            assert kept is None or kept == getattr(specimen.make()[0], name), specimen.name
