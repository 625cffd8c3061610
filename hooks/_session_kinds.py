"""The two kinds of places in which an app keeps the session of a request."""

from asyncio import get_running_loop
from collections.abc import Callable
from contextlib import suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any

from overcoat.hooks._unit import open_keys

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, scoped_session


class Scoped:
    """Those of a ``scoped_session``: one for each thread, or for whatever its ``scopefunc`` tells apart.

    Args:
        bundle: The name of the bundle, for messages.
        session: The ``scoped_session``.
    """

    def __init__(self, bundle: str, session: "scoped_session[Any]") -> None:
        self._bundle = bundle
        self._session = session
        self._registry: Any = session.registry
        # A registry without a function of its own holds one session for each thread.
        self._scope: Callable[[], object] = getattr(self._registry, "scopefunc", get_ident)
        if self._scope is get_ident:
            from sqlalchemy import event  # noqa: PLC0415 - SQLAlchemy is loaded only if somebody uses it
            from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

            with suppress(ArgumentError):  # a factory that does not tell the class of its sessions has no events
                event.listen(session, "after_transaction_create", self._refuse_another_thread)

    def key(self) -> object:
        """What the session belongs to here: two requests with the same share it."""
        return self._scope(), self._session

    def current(self) -> "Session | None":
        """The session that was used here, or None: none is made for the asking."""
        return self._registry() if self._registry.has() else None

    def of(self, key: object) -> "Session | None":
        """The session of that key where it can be reached from here, be it outside of Flask's contexts."""
        try:
            return self.current() if key == self.key() else None
        except RuntimeError:
            return None  # scoped by Flask's context, which is gone, and its session with it

    def forget(self) -> None:
        """Let go of the session that was used here, which is closed."""
        self._registry.clear()

    def _refuse_another_thread(self, session: "Session", _transaction: object) -> None:
        # asgiref runs an async view in a thread of its own, with the context variables of the request.
        threads = [key[0] for key in open_keys() if isinstance(key, tuple) and key[1] is self._session]
        if threads and threads[-1] != get_ident() and self.current() is session and _in_event_loop():
            self.forget()
            raise RuntimeError(
                f"bundle {self._bundle!r}: an async function runs in a thread of its own, where this scoped_session is "
                "another one than in the rest of the request, which nobody would commit: keep the session on flask.g, "
                "and give DatabaseSession the function that returns it"
            )


class Returned:
    """Those that a function returns.

    Args:
        bundle: The name of the bundle, for messages.
        function: Returns the session of the request under way.
        given: What the bundle was given, for messages.
    """

    def __init__(self, bundle: str, function: Callable[[], Any], given: object) -> None:
        from sqlalchemy.orm import Session  # noqa: PLC0415 - SQLAlchemy is loaded only if somebody uses it

        self._class = Session
        self._function = function
        self._given = f"bundle {bundle!r}: session={given!r}"
        self._asked_twice = False

    def key(self) -> object:
        """The session itself, which is shared by those for whom it is the same one."""
        session = self.current()
        if not self._asked_twice:
            if self._function() is not session:
                raise RuntimeError(
                    f"{self._given} returns another session at each call, which only its caller could commit: keep it "
                    "on flask.g for the request, or give scoped_session(...) of the function"
                )
            self._asked_twice = True
        return session

    def current(self) -> "Session":
        """The session that the function returns."""
        session = self._function()
        if not isinstance(session, self._class):
            raise RuntimeError(
                f"{self._given} returned {session!r:.200}, which is no Session: it must return that of the request, "
                "and make it where there is none"
            )
        return session

    def of(self, key: Any) -> "Session":
        """The session of that key, wherever this is."""
        session: Session = key
        return session

    def forget(self) -> None:
        """Nothing: whoever keeps it lets go of it."""


def _in_event_loop() -> bool:
    try:
        get_running_loop()
    except RuntimeError:
        return False
    return True
