"""Each test has a page of its own."""

from support.browser import new_context, page, pytest_itemcollected, seen

__all__ = ["new_context", "page", "pytest_itemcollected", "seen"]
