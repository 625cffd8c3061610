"""What hook bundles cost a request: over the same functions, or empty ones, in Flask's own lists."""

from statistics import median
from typing import Any

import flask

from benchmarks.interleave import added, microseconds
from overcoat.hooks import HookBundle, register

BASE = "one empty hook by hand in each phase"


def app_with(*bundles: HookBundle, by_hand: int = 0) -> flask.Flask:
    """An app that serves one short text, with bundles or with empty functions in Flask's lists."""
    app = flask.Flask("benchmark", static_folder=None)
    app.add_url_rule("/item/1", "item", lambda: "coat")
    for _ in range(by_hand):
        app.before_request(lambda: None)
        app.after_request(lambda response: response)
        app.teardown_request(lambda _error: None)
    register(app, bundles)
    return app


def bundle(name: str, *, finishes: bool = False) -> HookBundle:
    """A bundle with an empty function in each of Flask's phases, and perhaps one for the true end."""
    made = HookBundle(name)
    made.before_request(lambda: None)
    made.after_request(lambda response: response)
    made.teardown_request(lambda _error: None)
    if finishes:
        made.on_finish(lambda _exchange: None)
    return made


def variants() -> dict[str, flask.Flask]:
    """The apps that take turns; the first is what the others are compared with."""
    return {
        BASE: app_with(by_hand=1),
        "five by hand in each phase": app_with(by_hand=5),
        "the runner, with a bundle that has no hooks": app_with(HookBundle("empty")),
        "one bundle with an empty hook in each phase": app_with(bundle("one")),
        "five of these": app_with(*(bundle(f"b{number}") for number in range(5))),
        "five of these that are told of the true end too": app_with(
            *(bundle(f"b{number}", finishes=True) for number in range(5))
        ),
    }


def measure(*, rounds: int, requests: int) -> list[dict[str, Any]]:
    """The rows of the table: name, microseconds, what is added to the base, the ratio to it."""
    apps = variants()
    figures = microseconds(apps, rounds=rounds, requests=requests)
    return [
        {
            "variant": name,
            "us": median(figures[name]),
            "added_us": added(figures, name, BASE),
            "ratio": median(a / b for a, b in zip(figures[name], figures[BASE], strict=True)),
        }
        for name in apps
    ]


def goals(rows: list[dict[str, Any]]) -> list[tuple[str, float, str, float]]:
    """``(what, measured, "at most", limit)`` for each goal."""
    cost = {row["variant"]: row["added_us"] for row in rows}
    return [
        ("the empty runner of hook bundles over Flask's own empty hooks, in us",
         cost["the runner, with a bundle that has no hooks"], "at most", 4.0),
        ("five bundles over the same, in us", cost["five of these"], "at most", 6.0),
    ]  # fmt: skip


if __name__ == "__main__":
    for row in measure(rounds=30, requests=2000):
        print(f"{row['variant']:<48} {row['us']:8.2f} {row['added_us']:8.2f} {row['ratio']:6.2f}")
