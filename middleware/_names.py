"""Under which names a record is written: ours, those of a standard, or a mapping of the user's.

>>> from overcoat.middleware import RequestLog
>>> rename = compile_names(RequestLog, {"duration_ms": "latency_ms", "peer": None})
>>> rename({"status": 200, "duration_ms": 1.5, "peer": "10.0.0.1", "user_id": 7})
{'status': 200, 'latency_ms': 1.5, 'user_id': 7}
"""

from collections.abc import Callable, Mapping
from typing import Any

from overcoat.middleware._options import did_you_mean, one_of
from overcoat.middleware.fields import STANDARD_FIELDS

Rename = Callable[[Mapping[str, Any]], dict[str, Any]]


# A service writes by one map, if any: each is loaded where it is asked for.


def _otel() -> Rename:
    from overcoat.middleware._names_otel import rename  # noqa: PLC0415

    return rename


def _ecs() -> Rename:
    from overcoat.middleware._names_ecs import rename  # noqa: PLC0415

    return rename


def _gcp() -> Rename:
    from overcoat.middleware._names_gcp import make_rename  # noqa: PLC0415

    return make_rename()


#: The ready maps, by name; each is made with the environment of the process.
READY: dict[str, Callable[[], Rename]] = {"otel": _otel, "ecs": _ecs, "gcp": _gcp}


def compile_names(owner: object, names: Any) -> Rename | None:
    """What makes a record of ours one with other names, or None where it stays as it is.

    Raises:
        ValueError: An unknown name, or a mapping that would lose a field.
    """
    if isinstance(names, str):
        one_of(owner, "names", names, ["overcoat", *READY])
        return None if names == "overcoat" else READY[names]()
    label = getattr(owner, "__name__", type(owner).__name__)
    if not isinstance(names, Mapping):
        raise ValueError(
            f"{label}: names={names!r} must be one of 'overcoat', {', '.join(map(repr, READY))}, or a mapping from a "
            "field's name to yours"
        )
    return _mapped(label, dict(names)) if names else None


def _mapped(owner: str, names: dict[Any, Any]) -> Rename:
    for ours, theirs in names.items():
        if ours not in STANDARD_FIELDS:
            hint = did_you_mean(str(ours), STANDARD_FIELDS)
            raise ValueError(f"{owner}: names={{{ours!r}: ...}} is no field of the record; {hint}")
        if theirs is not None and (not isinstance(theirs, str) or not theirs):
            raise ValueError(
                f"{owner}: names={{{ours!r}: {theirs!r}}} must be a name, or None for a field that is left out"
            )
    renamed = {ours: names.get(ours, ours) for ours in STANDARD_FIELDS}
    taken: dict[str, str] = {}
    for ours, theirs in renamed.items():
        if theirs is not None and (other := taken.setdefault(theirs, ours)) != ours:
            raise ValueError(f"{owner}: names= writes {other!r} and {ours!r} both as {theirs!r}: one would be lost")

    def rename(record: Mapping[str, Any]) -> dict[str, Any]:
        named: dict[str, Any] = {}
        for name, value in record.items():  # the app's own come last, so that they replace nothing
            theirs = renamed.get(name, name)
            if theirs is not None and theirs not in named:
                named[theirs] = value
        return named

    return rename
