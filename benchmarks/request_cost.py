"""What the outer layers cost a request: over bare Flask, and over a trivial WSGI app."""

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import variants
from benchmarks.interleave import added, microseconds
from overcoat.middleware import Layer, RequestID, RequestLog, SecurityHeaders, ServerTiming


class OneHeader(Layer):
    """The least that a layer can do."""

    def on_headers(self, exchange: Any) -> None:
        """Add a header."""
        exchange.headers.append(("X-One", "1"))


def measure(*, rounds: int, requests: int) -> list[dict[str, Any]]:
    """The rows of the table: name, microseconds, what is added to the base, ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        around_flask = {
            "bare Flask": variants.bare(),
            "the usual peer set": variants.peers(folder),
            "our five layers": variants.ours(variants.bare().wsgi_app, folder),
            "the same by hand": variants.hand_fused(variants.bare().wsgi_app, folder),
        }
        around_trivial = {
            "trivial WSGI app": variants.trivial,
            "one header": OneHeader(variants.trivial),
            "SecurityHeaders": SecurityHeaders(variants.trivial),
            "ServerTiming": ServerTiming(variants.trivial),
            "RequestID": RequestID(variants.trivial),
            "RequestLog": RequestLog(variants.trivial, to=folder / "log-alone.log"),
            "our five layers around it": variants.ours(variants.trivial, folder),
            "the same by hand around it": variants.hand_fused(variants.trivial, folder),
        }
        rows = []
        for apps in (around_flask, around_trivial):
            figures = microseconds(apps, rounds=rounds, requests=requests)
            base = next(iter(apps))
            for variant in apps:
                row: dict[str, Any] = {"variant": variant, "us": median(figures[variant])}
                row["added_us"] = added(figures, variant, base)
                row["ratio"] = median(a / b for a, b in zip(figures[variant], figures[base], strict=True))
                rows.append(row)
        return rows


def goals(rows: list[dict[str, Any]]) -> list[tuple[str, float, str, float]]:
    """``(what, measured, "at most", limit)`` for each goal."""
    cost = {row["variant"]: row["added_us"] for row in rows}
    ours = cost["our five layers"]
    return [
        ("our five layers, as a part of what the peer set adds", ours / cost["the usual peer set"], "at most", 1 / 8),
        ("our five layers, over the same job by hand", ours / cost["the same by hand"], "at most", 1.3),
        ("one layer that only adds a header, in us", cost["one header"], "at most", 1.3),
    ]
