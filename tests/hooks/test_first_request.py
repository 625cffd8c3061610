import os
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from support.hooks import Log, make_app, recording, serve

from overcoat.hooks import HookBundle, register


def first(log: Log, name: str = "first", *, failures: int = 0, fatal: bool = False) -> HookBundle:
    """A bundle whose hook fails so many times before it succeeds."""
    bundle = HookBundle(name)
    left = [failures]

    @bundle.before_first_request(fatal=fatal)
    def prepare() -> None:
        log.append(name)
        if left[0]:
            left[0] -= 1
            raise OSError("not yet")

    return bundle


def test_it_runs_once_before_everything_else() -> None:
    log: Log = []
    app = make_app(recording("a", log), first(log), first(log, "second"))
    for _ in range(3):
        serve(app)
    assert log[:3] == ["first", "second", "a<"]
    assert log.count("first") == log.count("second") == 1


def test_a_404_is_a_first_request() -> None:
    app = make_app(first(log := []))
    serve(app, "/nowhere")
    assert log == ["first"]


def test_flask_has_no_such_hook() -> None:
    assert not hasattr(Flask, "before_first_request")


def test_sixty_four_threads_wait_for_one_run() -> None:
    log: Log = []
    bundle = HookBundle("slow")
    entered, release = threading.Event(), threading.Event()

    @bundle.before_first_request
    def prepare() -> None:
        entered.set()
        release.wait(30)
        log.append("prepared")

    app = make_app(bundle)
    app.add_url_rule("/seen", "seen", lambda: str(len(log)))
    barrier = threading.Barrier(64)

    def call() -> bytes:
        barrier.wait(30)
        return serve(app, "/seen")[1]

    with ThreadPoolExecutor(64) as pool:
        futures = [pool.submit(call) for _ in range(64)]
        assert entered.wait(30)
        assert not any(future.done() for future in futures)
        release.set()
        assert {future.result(30) for future in futures} == {b"1"}
    assert log == ["prepared"]


def test_failure_is_a_500_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    log: Log = []
    app = make_app(first(log, "before"), first(log, failures=2), first(log, "after"))
    assert [serve(app)[0][:3] for _ in range(4)] == ["500", "500", "200", "200"]
    assert log == ["before", "first", "first", "first", "after"]  # what succeeded is not repeated
    assert "not yet" in caplog.text


def test_failure_names_the_hook() -> None:
    app = make_app(first([], failures=1))
    app.testing = True
    with pytest.raises(OSError, match="not yet") as caught:
        serve(app)
    assert any("before_first_request hook" in note and "bundle 'first'" in note for note in caught.value.__notes__)


def test_fatal_failure_is_final() -> None:
    log: Log = []
    app = make_app(first(log, failures=1, fatal=True))
    app.testing = True
    with pytest.raises(OSError, match="not yet"):
        serve(app)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="of bundle 'first' failed and is fatal") as caught:
            serve(app)
        assert isinstance(caught.value.__cause__, OSError)
    assert log == ["first"]


def test_failing_first_request_under_threads_is_retried_by_those_who_wait() -> None:
    log: Log = []
    app = make_app(first(log, failures=5))
    barrier = threading.Barrier(16)

    def call() -> str:
        barrier.wait(30)
        return serve(app)[0][:3]

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(future.result(30) for future in [pool.submit(call) for _ in range(16)])
    assert statuses == ["200"] * 11 + ["500"] * 5
    assert len(log) == 6


def test_request_to_the_app_itself_is_an_error_not_a_deadlock() -> None:
    bundle = HookBundle("warmer")
    seen: list[BaseException] = []

    @bundle.before_first_request
    def warm() -> None:
        try:
            serve(app)
        except RuntimeError as error:
            seen.append(error)

    app = make_app(bundle)
    app.testing = True
    assert serve(app)[0] == "200 OK"
    assert [str(error)[:67] for error in seen] == [
        "a before_first_request hook made a request to its own app, which wai"[:67]
    ]


def test_request_to_another_app_is_fine() -> None:
    log: Log = []
    other = make_app(first(log, "other"))
    bundle = HookBundle("warmer")
    bundle.before_first_request(lambda: serve(other))
    app = make_app(bundle)
    assert serve(app)[0] == "200 OK"
    assert log == ["other"]


def test_bundle_on_two_apps_runs_for_each() -> None:
    bundle = first(log := [])
    for app in (make_app(bundle), make_app(bundle)):
        serve(app)
        serve(app)
    assert log == ["first", "first"]


FORKING = """
    import os, sys, threading
    from flask import Flask
    from overcoat.hooks import HookBundle, register

    started, release = threading.Event(), threading.Event()
    bundle = HookBundle("fork")
    runs = []

    @bundle.before_first_request
    def prepare():
        runs.append(os.getpid())
        if {held} and len(runs) == 1:
            started.set()
            release.wait(30)

    app = Flask("shop")
    register(app, [bundle])
    app.add_url_rule("/", "index", lambda: ",".join(str(pid) for pid in runs if pid == os.getpid()))
    get = lambda: app.test_client().get("/").text

    if {held}:
        thread = threading.Thread(target=get)
        thread.start()
        started.wait(30)
    elif {served}:
        get()
    child = os.fork()
    if not child:
        get()
        os.write(1, b"child" if get() == str(os.getpid()) else b"child ran it " + get().encode())
        os._exit(0)
    os.waitpid(child, 0)
    release.set()
    if {held}:
        thread.join()
    os.write(1, b" parent" if get() == str(os.getpid()) else b" parent ran it " + get().encode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize(
    ("held", "served"),
    [
        pytest.param(False, False, id="before the parent has served"),
        pytest.param(False, True, id="after the parent has served"),
        pytest.param(True, False, id="while another thread of the parent holds the lock"),
    ],
)
def test_each_process_runs_it_once_after_a_fork(held: bool, served: bool) -> None:
    script = textwrap.dedent(FORKING).format(held=held, served=served)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "child parent"


def test_exit_in_it_leaves_nothing_held() -> None:
    bundle = HookBundle("exiting")
    runs: list[int] = []

    @bundle.before_first_request
    def prepare() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise SystemExit(3)

    app = make_app(bundle)
    with pytest.raises(SystemExit):
        serve(app)
    register(app2 := Flask("other"), [recording("a", log := [])])
    serve(app2)
    assert serve(app)[0] == "200 OK"
    assert len(runs) == 2
    assert log
