"""What the tests of hook bundles share: an app with the awkward endpoints, and bundles that tell what ran."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, copy_current_request_context, send_file, stream_with_context
from werkzeug.test import create_environ, run_wsgi_app

from overcoat.hooks import HookBundle, register

Log = list[str]


class AsyncFlask(Flask):
    """A Flask that runs async functions without asgiref, in the way that its documentation offers."""

    def async_to_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Run each call in a loop of its own."""
        return lambda *args, **kwargs: asyncio.run(func(*args, **kwargs))


def recording(name: str, log: Log, *, before: Any = None, **options: Any) -> HookBundle:
    """A bundle that logs what ran: ``name<`` on the way in, ``name>``, ``name.`` and ``name!`` on the way out.

    Args:
        name: Its name.
        log: Where to write.
        before: What its before hook does besides: an exception to raise, a value to return, None, or False for no hook.
        **options: Those of the bundle.
    """
    bundle = HookBundle(name, **options)

    def enter() -> Any:
        log.append(f"{name}<")
        if isinstance(before, BaseException):
            raise before
        return before

    def leave(response: Response) -> Response:
        log.append(f"{name}>")
        return response

    if before is not False:
        bundle.before_request(enter)
    bundle.after_request(leave)
    bundle.teardown_request(lambda error: log.append(f"{name}."))
    bundle.on_finish(lambda exchange: log.append(f"{name}!"))
    return bundle


def make_app(*bundles: HookBundle, flask: type[Flask] = Flask) -> Flask:
    """An app with endpoints that end in every way there is."""
    app = flask("shop")
    register(app, bundles)

    @app.route("/", methods=["GET", "POST"])
    def index() -> str:
        return "hello"

    @app.get("/boom")
    def boom() -> str:
        raise ZeroDivisionError("boom")

    @app.get("/refused")
    def refused() -> str:
        abort(403)

    @app.get("/stream")
    def stream() -> Response:
        return Response(iter([b"one", b"two"]))

    @app.get("/context-stream")
    def context_stream() -> Response:
        return Response(stream_with_context(iter([b"one", b"two"])))

    @app.get("/broken-stream")
    def broken_stream() -> Response:
        def body() -> Iterator[bytes]:
            yield b"one"
            raise ZeroDivisionError("boom")

        return Response(body())

    @app.get("/file")
    def file() -> Response:
        return send_file(Path(__file__), mimetype="text/plain")

    @app.get("/copied")
    def copied() -> str:
        from threading import Thread

        thread = Thread(target=copy_current_request_context(lambda: None))
        thread.start()
        thread.join()
        return "copied"

    return app


def serve(
    app: Any, path: str = "/", method: str = "GET", *, chunks: int | None = None, **environ: Any
) -> tuple[str, bytes]:
    """Serve one request as a server does, and close the response; ``chunks`` are taken, or all."""
    given = create_environ(path, method=method, environ_overrides=environ)
    body, status, _ = run_wsgi_app(app, given)
    taken: list[bytes] = []
    try:
        for chunk in body:
            if chunks is not None and len(taken) >= chunks:
                break
            taken.append(chunk)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
    return status, b"".join(taken)
