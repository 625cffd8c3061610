"""A unit of work: one request's use of a session, and whether it shares that with a request around it."""

import weakref
from contextvars import ContextVar

from overcoat.hooks._current import current_request


class Unit:
    """One request's use of what ``key`` stands for.

    Attributes:
        key: What it uses.
        joined: Whether a request around this one uses the same.
        failed: Whether a request inside of this one, which shares it, must not be committed.
    """

    __slots__ = ("_open", "_request", "failed", "joined", "key")

    def __init__(self, key: object, *, joined: bool) -> None:
        self.key = key
        self.joined = joined
        self._open = True
        self.failed = False
        # A request that nobody holds any more is not around another one, even if its end was never told.
        self._request = weakref.ref(current_request())

    @property
    def closed(self) -> bool:
        """Whether its request has been torn down."""
        return not self._open

    @property
    def alive(self) -> bool:
        """Whether its request is still under way."""
        return self._open and self._request() is not None

    def close(self) -> None:
        """End it; what comes later is no longer inside of it."""
        self._open = False
        _units.set(_alive())


# Never restored by token: the end may come in another context.
_units: ContextVar[tuple[Unit, ...]] = ContextVar("overcoat_units", default=())


def open_unit(key: object) -> Unit:
    """A unit for the current request."""
    around = _alive()
    unit = Unit(key, joined=bool(around) and any(other.key == key for other in around))
    _units.set((*around, unit))
    return unit


def alive_units(key: object) -> tuple[Unit, ...]:
    """The units of that key whose requests are under way here, outermost first."""
    return tuple(unit for unit in _alive() if unit.key == key)


def open_keys() -> list[object]:
    """What the requests that are under way here use, outermost first."""
    return [unit.key for unit in _alive()]


def _alive() -> tuple[Unit, ...]:
    units = _units.get()
    return tuple([unit for unit in units if unit.alive]) if units else units
