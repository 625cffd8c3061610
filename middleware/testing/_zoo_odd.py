"""What no app should do and some do: headers that are no list, chunks that are no bytes, results that are no body."""

from collections import UserList
from collections.abc import Iterable
from typing import Any

from overcoat.middleware.testing._environ import Environ
from overcoat.middleware.testing._specimen import TEXT, App, Body, Probe, Start, app_of, specimen

_REFUSED_IN_CALL = (TypeError, "call")
_REFUSED_IN_BODY = (TypeError, "body")


@specimen(status=None, raises=_REFUSED_IN_CALL, outcome="failed", valid=False)
def headers_as_a_tuple(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=tuple(TEXT))


@specimen(status=None, raises=_REFUSED_IN_CALL, outcome="failed", valid=False)
def headers_as_a_list_subclass(_: Probe) -> App:
    class Headers(list[Any]):
        pass

    def app(_environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", Headers(TEXT))
        return [b"ab"]

    return app


@specimen(status=None, raises=_REFUSED_IN_CALL, outcome="failed", valid=False)
def headers_as_an_iterable(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=UserList(TEXT))


@specimen(status=None, raises=_REFUSED_IN_CALL, outcome="failed", valid=False)
def headers_none(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=None)


class KeepsItsLists:
    """An app that answers each request with the same two lists."""

    def __init__(self) -> None:
        self.headers = [*TEXT, ("Server-Timing", "app;dur=1")]
        self.body = [b"ab"]

    def __call__(self, _: Environ, start_response: Start) -> Iterable[bytes]:
        """Answer."""
        start_response("200 OK", self.headers)
        return self.body


@specimen(b"ab")
def headers_list_used_again(_: Probe) -> App:
    return KeepsItsLists()


@specimen(b"ab", valid=False)
def header_pairs_as_lists(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=[["Content-Type", "text/plain"], ["X-A", "1"]])


@specimen(b"ab", valid=False)
def header_that_is_no_pair(_: Probe) -> App:
    return app_of(
        lambda: [b"ab"], headers=[("Content-Type", "text/plain"), ("X-Alone",), (), None, "X: y", ("a", "b", "c")]
    )


@specimen(b"ab", valid=False)
def header_names_that_are_no_text(_: Probe) -> App:
    return app_of(lambda: [b"ab"], headers=[(b"Content-Type", b"text/plain"), (None, "a"), (7, 8), ([], {})])


@specimen(b"ab", status="200", valid=False)
def status_without_a_reason(_: Probe) -> App:
    return app_of(lambda: [b"ab"], "200")


@specimen(b"ab", status="fine", valid=False)
def status_without_a_number(_: Probe) -> App:
    return app_of(lambda: [b"ab"], "fine")


@specimen(b"ab", status="", valid=False)
def status_empty(_: Probe) -> App:
    return app_of(lambda: [b"ab"], "")


@specimen(b"ab", status="\uff12\uff10\uff10 OK", valid=False)
def status_in_other_digits(_: Probe) -> App:
    return app_of(lambda: [b"ab"], "\uff12\uff10\uff10 OK")


@specimen(status=None, raises=_REFUSED_IN_CALL, outcome="failed", valid=False)
def status_as_bytes(_: Probe) -> App:
    return app_of(lambda: [b"ab"], b"200 OK")


@specimen(status=None, raises=_REFUSED_IN_CALL, outcome="failed", valid=False)
def status_as_a_number(_: Probe) -> App:
    return app_of(lambda: [b"ab"], 200)


@specimen(raises=_REFUSED_IN_BODY, outcome="aborted", valid=False)
def text_chunk(_: Probe) -> App:
    return app_of(lambda: ["text"])


@specimen(raises=_REFUSED_IN_BODY, closes=1, outcome="aborted", valid=False)
def bytearray_chunk(probe: Probe) -> App:
    return app_of(lambda: Body(probe, bytearray(b"ab")))


@specimen(b"ab", raises=_REFUSED_IN_BODY, closes=1, outcome="aborted", valid=False)
def number_as_a_chunk(probe: Probe) -> App:
    return app_of(lambda: Body(probe, b"ab", 7))


@specimen(raises=_REFUSED_IN_BODY, outcome="aborted", valid=False)
def none_as_a_chunk(_: Probe) -> App:
    return app_of(lambda: [None, b"ab"])


@specimen(raises=_REFUSED_IN_BODY, outcome="aborted", valid=False)
def text_as_the_body(_: Probe) -> App:
    return app_of(lambda: "text")


@specimen(raises=_REFUSED_IN_BODY, outcome="aborted", valid=False)
def bytes_as_the_body(_: Probe) -> App:
    return app_of(lambda: b"bytes")


@specimen(raises=_REFUSED_IN_BODY, outcome="failed", valid=False)
def none_as_the_body(_: Probe) -> App:
    return app_of(lambda: None)


@specimen(raises=_REFUSED_IN_BODY, outcome="failed", valid=False)
def number_as_the_body(_: Probe) -> App:
    return app_of(lambda: 7)


@specimen(status=None, raises=_REFUSED_IN_BODY, outcome="failed", valid=False)
def nothing_at_all(_: Probe) -> App:
    return lambda _environ, _start_response: None


@specimen(b"ab")
def dict_as_the_body(_: Probe) -> App:
    return app_of(lambda: {b"ab": 1})
