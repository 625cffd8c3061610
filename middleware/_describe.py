r"""describe: what runs around an app, in which order, and why that order is sound.

>>> from overcoat.middleware import RequestID, RequestLog, Stack, describe
>>> def app(environ, start_response): ...
>>> print(describe(Stack(app, [RequestID(), RequestLog(to="stderr")])))
the way in
  layer    RequestID()              names the request
  layer    RequestLog(to='stderr')  writes one line for each request, at its true end
app app
the way out
  phase    RequestLog  on_headers, on_finish
  phase    RequestID   on_headers
why this order
  RequestID outside RequestLog: every line carries the id, an early answer's too

For a Flask app its hooks stand between the two ways, in the order in which they run, those of bundles with the bundle's
name; those of blueprints inside of the app's. The tree can be walked, and is data for ``json.dumps`` too:

>>> tree = describe(Stack(app, [RequestID(), RequestLog(to="stderr")]))
>>> [node.name for node in tree.walk() if node.kind == "layer"]
['RequestID()', "RequestLog(to='stderr')"]
>>> tree.as_dict()["children"][0]["children"][0]
{'kind': 'layer', 'name': 'RequestID()', 'detail': 'names the request'}
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from overcoat.middleware._tree import Node


def describe(app: Any) -> "Node":
    """Everything that a request to ``app`` passes, from the outside in and out again.

    Args:
        app: A WSGI application, or a framework's app object with a ``wsgi_app``.

    Raises:
        RuntimeError: A hook bundle requires one that is not registered.
    """
    from overcoat.middleware._tree import tree_of  # noqa: PLC0415 - for people, not for a service at work

    return tree_of(app)
