"""The log page: what `overcoat logs` tells, in a browser. See `overcoat.inspector.page.log_page`."""

from overcoat.inspector.page.log_page import LogPage

__all__ = ["LogPage"]
