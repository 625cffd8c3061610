"""Rules of the way in: the environ, the request's body, requests that overlap, contexts and threads."""

import io
from collections.abc import Callable, Iterator
from itertools import product
from threading import Thread
from typing import Any

from overcoat.middleware.testing._environ import Environ
from overcoat.middleware.testing._rule import Rule, Verdict, told
from overcoat.middleware.testing._seen import Seen
from overcoat.middleware.testing._server import serve
from overcoat.middleware.testing._specimen import Start
from overcoat.middleware.testing._trial import Lab, Trial, ok
from overcoat.middleware.testing._zoo_environs import LAWFUL

_ASKED = (
    "REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "wsgi.version", "wsgi.url_scheme", "wsgi.input",
    "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
)  # fmt: skip


def answer_of(lab: Lab, seen: Seen) -> str:
    """What is wrong with the answer to a request that the app answers with 200 and ``ok``."""
    # A refusal is an answer; an error page is none.
    served = seen.error is None and seen.status is not None and not seen.status.startswith("5")
    return "" if served and (seen.sent == b"ok" or lab.allow & {"answers", "body"}) else told(seen)


def _environ(lab: Lab) -> Iterator[Verdict]:
    own, found = object(), dict[str, str]()

    def app(environ: Environ, start_response: Start) -> Any:
        wrong = [key for key in _ASKED if key not in environ]
        if type(environ) is not dict:
            found["it is a dict"] = f"it is a {type(environ).__name__}"
        if wrong:
            found["it has what it must have"] = f"{wrong[0]} is gone"
        if environ.get("server.own") is not own:
            found["a server's own key"] = "server.own is gone"
        return ok(environ, start_response)

    serve(lab.wear(app), lab.environ(server__own=own))
    for case in ("it is a dict", "it has what it must have", "a server's own key"):
        yield case, found.get(case, "")
    worn = lab.wear(ok)
    for name, overrides in LAWFUL.items():
        yield name, answer_of(lab, serve(worn, lab.environ(**overrides)))


_PATIENCE_S = 5.0
_DATA = b"one\ntwo\n\nfour" * 50
_READS: dict[str, Callable[[Any], bytes]] = {
    "read()": lambda stream: stream.read(),
    "read(size)": lambda stream: b"".join(iter(lambda: stream.read(7), b"")),
    "readline()": lambda stream: b"".join(iter(stream.readline, b"")),
    "readlines(hint)": lambda stream: b"".join(iter(lambda: b"".join(stream.readlines(9)), b"")),
    "iteration": b"".join,
}


def _input(lab: Lab) -> Iterator[Verdict]:
    for case, read in _READS.items():
        taken = list[bytes]()

        def app(environ: Environ, start_response: Start, read: Any = read, taken: list[bytes] = taken) -> Any:
            taken.append(read(environ["wsgi.input"]))
            return ok(environ, start_response)

        overrides = {"CONTENT_LENGTH": str(len(_DATA)), "CONTENT_TYPE": "text/plain", "REQUEST_METHOD": "POST"}
        seen = serve(lab.wear(app), lab.environ(**overrides, wsgi__input=io.BytesIO(_DATA)))
        if taken == [_DATA]:
            yield case, ""
        elif taken or "answers" not in lab.allow:
            yield case, f"the app read {len(taken[0])} of {len(_DATA)} bytes" if taken else told(seen)


def _overlap(lab: Lab) -> Iterator[Verdict]:
    for late, place in product((False, True), ("in the call", "between two chunks")):
        yield from _overlapping(lab, late, place)


def _overlapping(lab: Lab, late: bool, place: str) -> Iterator[Verdict]:
    answers: dict[str, Seen] = {}
    reached: list[str] = []

    def ask(path: str) -> None:
        answers[path] = serve(worn, lab.environ(PATH_INFO=path))

    def meet(path: str, at: str) -> None:
        if (path, at) == ("/first", place):
            second = Thread(target=ask, args=["/the-second"], daemon=True)
            second.start()
            second.join(_PATIENCE_S)

    def chunks(path: str) -> Iterator[bytes]:
        yield path.encode()
        meet(path, "between two chunks")
        yield path.encode()

    def app(environ: Environ, start_response: Start) -> Any:
        path = environ["PATH_INFO"]
        reached.append(path)
        meet(path, "in the call")
        start_response(f"299 {path}", [("Content-Type", "text/plain")])
        return chunks(path)

    def late_app(environ: Environ, start_response: Start) -> Any:
        yield from app(environ, start_response)

    worn = lab.wear(late_app if late else app)
    ask("/first")
    for path in ("/first", "/the-second"):
        case = f"two requests, the second {place} of the first{', late start' if late else ''}: {path}"
        seen = answers.get(path)
        if seen is None:
            # Where the middleware answered the first request itself, there was no second.
            if reached:
                yield case, f"it waited for the first for {_PATIENCE_S} s"
            continue
        own = seen.error is None and (seen.status == f"299 {path}" or bool(lab.allow & {"headers", "answers"}))
        sound = len(seen.sent) == 2 * len(path) or bool(lab.allow & {"body", "answers"})
        yield case, "" if own and sound else told(seen)


def _contexts(lab: Lab) -> Iterator[Verdict]:
    whole = {trial.specimen.name: trial for trial in lab.trials if trial.plain}
    for trial in lab.trials:
        if not (trial.client.in_contexts or trial.client.closes_elsewhere) or trial.specimen.name not in whole:
            continue
        before = whole[trial.specimen.name]
        same = _end(before) == _end(trial)
        yield trial.name, "" if same else f"{told(before.worn)} became {told(trial.worn)}"


def _end(trial: Trial) -> tuple[object, ...]:
    worn = trial.worn
    # A body that is made may tell the time.
    return type(worn.error), worn.status, bool(worn.sent) if "body" in trial.allow else worn.sent, trial.probe.closed


RULES = (
    Rule(
        "environ",
        "The app gets a dict with all of its keys, and nothing is taken for given that may be missing.",
        "PEP 3333, environ Variables",
        _environ,
    ),
    Rule(
        "input",
        "The app can read all of the request's body, in every way.",
        "PEP 3333, Input and Error Streams",
        _input,
    ),
    Rule("overlap", "Requests that overlap are kept apart.", "PEP 3333, Thread Support", _overlap),
    Rule(
        "contexts",
        "The call, each chunk and close() may each happen in another context or thread.",
        "practice: waitress closes files from another thread, pools and greenlets switch",
        _contexts,
    ),
)
