"""The process in which `overcoat check module:app` loads and asks the app; ``_isolated`` starts it.

``python -m overcoat.inspector._check_worker`` takes one argument, the orders as JSON: ``target``, ``paths``, ``host``,
``https_only``, ``seconds``, and two files: ``report`` for the report or ``{"error": ...}``, ``trace`` for where the app
was when its time was up.
"""

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

from overcoat.inspector._load_app import UnusableError, load_app


def work(orders: dict[str, Any]) -> dict[str, Any]:
    """The report, or why there is none."""
    try:
        app = load_app(orders["target"])
    except UnusableError as error:
        return {"error": str(error)}
    # What it needs is loaded after the app, whose own module names are the ones that count.
    from overcoat.inspector._examination import examine

    report = examine(app, paths=orders["paths"], host=orders["host"], https_only=orders["https_only"])
    return {"target": orders["target"], **report}


def main() -> None:
    """Work, write the report, and leave at once, whatever threads the app has started."""
    orders = json.loads(sys.argv[1])
    with Path(orders["trace"]).open("w", encoding="utf-8") as trace:
        faulthandler.dump_traceback_later(orders["seconds"], exit=True, file=trace)
        report = work(orders)
        faulthandler.cancel_dump_traceback_later()
    partial = Path(orders["report"] + ".part")
    partial.write_text(json.dumps(report), encoding="utf-8")
    partial.replace(orders["report"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
