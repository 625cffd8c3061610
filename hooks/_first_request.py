"""What runs before the first request that a process serves, and never again in that process.

Flask dropped ``before_first_request`` in 2.3; what replaces it by hand runs twice under threads, not at all after a
fork, or leaves a half-prepared app behind when it fails. Prefer ``create_app()`` for what needs no request and no fork.
"""

import os
import threading
import weakref
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, NamedTuple

from overcoat.hooks._hook import Hook


class Task(NamedTuple):
    """One function to run: what was declared, by which bundle, and the call itself."""

    bundle: str
    hook: Hook
    call: Callable[[], object]


class FirstRequest:
    """The tasks of one app, run once per process.

    Attributes:
        pending: Whether there is something left to do; all that a later request looks at.
    """

    def __init__(self) -> None:
        self.pending = False
        self._tasks: list[Task] = []
        self._renew()
        _all.add(self)

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._done: set[Hook] = set()
        self._failed: dict[Hook, Exception] = {}
        self.pending = bool(self._tasks)

    def assign(self, tasks: Iterable[Task]) -> None:
        """Set what is to run, outermost bundle first."""
        self._tasks = list(tasks)
        self.pending = bool(self._tasks)

    def run(self) -> None:
        """Run what has not run yet in this process; other threads wait until it is done.

        Raises:
            RuntimeError: A task calls the app, or a fatal one has failed before.
            Exception: What a task raised; the next request tries that task and the rest again.
        """
        around = _running.get()
        if self in around:
            raise RuntimeError(
                "a before_first_request hook made a request to its own app, which waits for that hook: "
                "call the function that the request was meant to reach"
            )
        with self._lock:
            if not self.pending:
                return
            _running.set((*around, self))
            try:
                for task in self._tasks:
                    self._run(task)
            finally:
                _running.set(around)
            self.pending = False

    def _run(self, task: Task) -> None:
        hook = task.hook
        if hook in self._done:
            return
        where = f"before_first_request hook {hook.name} of bundle {task.bundle!r}"
        if hook in self._failed:
            raise RuntimeError(f"{where} failed and is fatal: this process serves no request") from self._failed[hook]
        try:
            task.call()
        except Exception as error:
            error.add_note(f"in {where}")
            if hook.fatal:
                self._failed[hook] = error
            raise
        self._done.add(hook)


# Not inherited by threads, so a task that calls the app from a thread of its own and waits for it is not seen.
_running: ContextVar[tuple[FirstRequest, ...]] = ContextVar("overcoat_first_request", default=())

_all: "weakref.WeakSet[FirstRequest]" = weakref.WeakSet()


def _after_fork(*_: Any) -> None:
    for first in list(_all):
        first._renew()


if hasattr(os, "register_at_fork"):
    # The child serves its own first request, and a lock that another thread of the parent held has no owner here.
    os.register_at_fork(after_in_child=_after_fork)
