"""A small item API in which every layer and hook bundle of Overcoat is at work.

>>> from overcoat.demo import create_app
>>> create_app(database_url="sqlite://").test_client().get("/item/1").status
'200 OK'

``overcoat demo`` serves it, and ``overcoat.demo.wsgi:app`` hands it to any WSGI server. The file to read is ``app.py``:
it composes the whole in the order in which a request meets it. The routes stand in ``items.py``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["create_app"]


def create_app(**settings: Any) -> "Flask":
    """Make the demo's app, with its database ready.

    Args:
        **settings: The fields of ``overcoat.demo.config.Settings``; one that is not given is read from the environment
            (``database_url`` from ``DATABASE_URL``).

    Raises:
        ValueError: A setting that is unknown or unusable.
        DatabaseError: The database cannot be used (``overcoat.demo.database.DatabaseError``).
    """
    # Imported here, so that `overcoat --help` loads nothing but the standard library.
    from overcoat.demo.app import create_app as create

    return create(**settings)
