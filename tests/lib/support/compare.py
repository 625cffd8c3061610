"""Two servers' accounts of one app, bare and wrapped: where they differ."""

from collections.abc import Collection
from typing import Any

from support.server import Seen


def differences(bare: Seen, worn: Seen, adds: Collection[str]) -> list[str]:
    """What the server sees of the wrapped app that it does not see of the bare one, header additions aside.

    Args:
        bare: Of the app itself.
        worn: Of the app in its layers.
        adds: The names of the headers, in lower case, that the layers may add.
    """
    exact = type(bare.result) in {list, tuple}
    theirs = [event for event in bare.events if exact or event[0] != "measured"]
    ours = [event for event in worn.events if exact or event[0] != "measured"]
    starts = iter([event for event in bare.events if event[0] == "start"])
    ours = [_without(event, next(starts, None), adds) if event[0] == "start" else event for event in ours]
    found = [f"{one} became {two}" for one, two in zip(theirs, ours, strict=False) if one != two]
    found += [f"missing: {one}" for one in theirs[len(ours) :]] + [f"added: {two}" for two in ours[len(theirs) :]]
    if bare.sent != worn.sent:
        found.append(f"sent {bare.sent[:40]!r} became {worn.sent[:40]!r}")
    # Only an exact list or tuple has a length that a wrapper can promise to keep.
    if worn.length != bare.length and (exact or worn.length is not None):
        found.append(f"length {bare.length} became {worn.length}")
    return found


def _without(event: tuple[Any, ...], bare: tuple[Any, ...] | None, adds: Collection[str]) -> tuple[Any, ...]:
    kind, status, headers, exc_info = event
    if bare is None or not isinstance(headers, list):
        return event
    if "set-cookie" in adds:
        headers = [_uncompleted(one, bare[2]) for one in headers]
    return kind, status, [one for one in headers if one in bare[2] or _name(one) not in adds], exc_info


def _uncompleted(header: Any, bare: list[Any]) -> Any:
    """The app's own cookie, where this one is that with attributes behind it."""
    if _name(header) != "set-cookie":
        return header
    return next((one for one in bare if _name(one) == "set-cookie" and header[1].startswith(f"{one[1]}; ")), header)


def _name(header: Any) -> str:
    return header[0].lower() if isinstance(header, tuple) and header and isinstance(header[0], str) else ""
