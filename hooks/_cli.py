"""``flask layers``: what a request to the app passes, from the outside in and out again.

Flask finds the command through the entry point ``flask.commands``, so an app needs nothing for it.
"""

import json
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from overcoat.middleware import describe


@click.command("layers")
@click.option("--json", "as_json", is_flag=True, help="Print the tree as JSON.")
@with_appcontext
def layers(*, as_json: bool) -> None:
    """Show the layers and hooks of the app in the order in which they run."""
    app: Any = current_app
    try:
        tree = describe(app._get_current_object())
    except (RuntimeError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(tree.as_dict(), indent=2) if as_json else str(tree))
