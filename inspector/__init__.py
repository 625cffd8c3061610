"""The `overcoat` command: it serves the demo and inspects request logs.

`overcoat logs` reads what `overcoat.middleware.RequestLog` writes, one JSON object a line, and answers what an
operator asks of it: the last requests, the slow ones, the failed ones, percentiles by route, everything about one
request.

>>> from overcoat.inspector.cli import main
>>> main(["logs", "/no/such/file.log"])
1

`LogPage` shows the same in a browser: a WSGI application, see `overcoat.inspector.page.log_page`.

Importing this package loads neither DuckDB nor rich: the command parses with argparse alone, and a subcommand's
libraries load when it runs.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from overcoat.inspector.page import LogPage

__all__ = ["LogPage"]


def __getattr__(name: str) -> Any:
    """Load the page when it is asked for."""
    if name == "LogPage":
        from overcoat.inspector.page import LogPage

        return LogPage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
