"""An app that serves while it is loaded, and whose first-request hooks tell which process ran them.

``/slow`` keeps its thread for a moment, so that requests side by side reach several workers.
"""

import os
import time

from flask import Flask

from overcoat.hooks import HookBundle, register

RUNS: list[str] = []

bundle = HookBundle("first")


@bundle.before_first_request
def prepare() -> None:
    """Take long enough for other threads of the process to come and wait."""
    if os.environ.get("FIRST_FAILS") and f"{os.getpid()} failed" not in RUNS:
        RUNS.append(f"{os.getpid()} failed")
        raise OSError("not yet")
    time.sleep(0.2)
    RUNS.append(str(os.getpid()))


app = Flask("first")
register(app, [bundle])


@app.get("/")
def index() -> dict[str, object]:
    """Which process answers, and what has run in it and in its parent."""
    time.sleep(0.05)
    return {"pid": os.getpid(), "parent": os.getppid(), "runs": RUNS}


if os.environ.get("FIRST_SERVED"):
    app.test_client().get("/")
