"""The onion: the layers and bundles around an app, as a picture is drawn of them.

>>> from overcoat.demo import create_app
>>> from overcoat.demo.onion import rings_of
>>> rings = rings_of(create_app(database_url="sqlite://"))
>>> [ring.key for ring in rings][:3], rings[-1].key
(['ProxyFix', 'RequestID', 'TraceContext'], 'database')
>>> (rings[0].radius - rings[1].radius) * 2 == RING_HEIGHT
True
"""

from dataclasses import dataclass

from flask import Flask

from overcoat.demo.stops import STOPS, Stop
from overcoat.middleware import describe

#: The picture in units of its own: circles that touch at the bottom, so that each has room for its name at the top.
RING_HEIGHT = 24
CORE_DIAMETER = 152
MARGIN = 2


@dataclass(frozen=True)
class Ring:
    """One of the circles.

    Attributes:
        key: The name under which ``STOPS`` has it.
        kind: ``layer`` or ``bundle``.
        does: What ``describe`` says of it; empty for a bundle.
        stop: What the tour has to show of it.
        radius, top: Of its circle, in units of the picture.
    """

    key: str
    kind: str
    does: str
    stop: Stop
    radius: float
    top: float


def rings_of(app: Flask) -> list[Ring]:
    """The rings, from the outside in."""
    tree = describe(app)
    found = [(node.name.partition("(")[0], "layer", node.detail) for node in tree.walk() if node.kind == "layer"]
    found += [(name, "bundle", "") for name in _bundles(app)]
    known = [entry for entry in found if entry[0] in STOPS]
    return [
        Ring(
            *entry,
            stop=STOPS[entry[0]],
            radius=(CORE_DIAMETER + RING_HEIGHT * (len(known) - number)) / 2,
            top=MARGIN + RING_HEIGHT * number,
        )
        for number, entry in enumerate(known)
    ]


def size_of(rings: list[Ring]) -> float:
    """Width and height of the picture."""
    return 2 * (rings[0].radius + MARGIN)


def _bundles(app: Flask) -> list[str]:
    """The names of the bundles, outermost first."""
    names: dict[str, list[str]] = {}
    for part in describe(app).children:
        names[part.name.partition(",")[0]] = [node.bundle for node in part.children if node.bundle]
    outermost, *inner = reversed(names.get("after each request", [""]))
    # What answers errors has no hook, but stands around all that may raise one.
    return [name for name in dict.fromkeys([outermost, *names.get("when an error is answered", []), *inner]) if name]
