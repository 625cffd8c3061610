"""The onion: in which order the bundles of an app stand, outermost first."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from overcoat.hooks._scope import blueprints_of
from overcoat.middleware._options import did_you_mean

if TYPE_CHECKING:
    from overcoat.hooks._entry import Entry


def onion(entries: Iterable["Entry"]) -> list["Entry"]:
    """The entries, outermost first.

    As they were registered, those of the app around those of its blueprints, except where ``inside=`` and ``outside=``
    say otherwise. A name that nobody has is no constraint.

    Raises:
        ValueError: Constraints that contradict each other; names the bundles of the circle.
    """
    rest = sorted(entries, key=lambda entry: entry.blueprints is not None)
    outer = {entry: [other for other in rest if _stands_outside(other, entry)] for entry in rest}
    result: list[Entry] = []
    while rest:
        free = next((entry for entry in rest if not any(other in rest for other in outer[entry])), None)
        if free is None:
            raise ValueError(_circle(rest[0], {entry: [o for o in outer[entry] if o in rest] for entry in rest}))
        rest.remove(free)
        result.append(free)
    return result


def check_requires(entries: Sequence["Entry"]) -> None:
    """Check that what each bundle requires serves every request that the bundle serves.

    Raises:
        RuntimeError: A required bundle is missing, or stands on another blueprint only.
    """
    for entry in entries:
        for name in entry.bundle.requires:
            found = next((other for other in entries if other.bundle.name == name), None)
            if found is None:
                names = [other.bundle.name for other in entries if other is not entry]
                raise RuntimeError(
                    f"bundle {entry.bundle.name!r} requires {name!r}, which is not registered on this app; "
                    f"{did_you_mean(name, names)}"
                )
            if not _covers(found, entry):
                raise RuntimeError(
                    f"bundle {entry.bundle.name!r} on {entry.where} requires {name!r}, "
                    f"which serves {found.where} only: register it on the app"
                )


def _stands_outside(outer: "Entry", inner: "Entry") -> bool:
    return inner.bundle.name in outer.bundle.outside or outer.bundle.name in inner.bundle.inside


def _covers(outer: "Entry", inner: "Entry") -> bool:
    if outer.blueprints is None:
        return True
    known = outer.blueprints
    return inner.blueprints is not None and all(
        not known.isdisjoint((name, *blueprints_of(name))) for name in inner.blueprints
    )


def _circle(start: "Entry", outer: dict["Entry", list["Entry"]]) -> str:
    # Every entry left has another outside of it, so walking outward must come back.
    path = [start]
    while (entry := outer[path[-1]][0]) not in path:
        path.append(entry)
    path = [*path[path.index(entry) :], entry]
    steps = " inside ".join(repr(entry.bundle.name) for entry in path)
    return f"the bundles cannot be ordered: {steps}; drop one of these inside= or outside= constraints"
