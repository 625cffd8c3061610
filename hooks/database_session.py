"""DatabaseSession: one database transaction per request, for a SQLAlchemy session of any kind.

>>> from flask import Flask
>>> from sqlalchemy import create_engine, text
>>> from sqlalchemy.orm import scoped_session, sessionmaker
>>> from overcoat.hooks import DatabaseSession, register
>>> engine = create_engine("sqlite://")
>>> session = scoped_session(sessionmaker(engine))
>>> app = Flask("shop")
>>> register(app, [DatabaseSession(session)])
>>> @app.get("/")
... def index():
...     return str(session.scalar(text("select 42")))
>>> app.test_client().get("/").text
'42'
>>> engine.dispose()

What was changed through the session is committed once the response is made, if its status is below 400; otherwise, and
after an error, it is rolled back. The commit comes before the response goes out and is critical: one that fails is a
500, not a lost write behind a 200. The session is removed at the end in any case, also after a stream that used it.

The request's log line tells the number of statements as ``db_queries``, their time under ``timings``, and the slowest
as ``db_slowest`` and ``db_slowest_ms``: its text without values and comments, and at most 300 characters of it.

With ``app.debug`` it looks for leaks: a connection that the request took and did not give back, by whatever session or
engine, and one that the session took again after the teardown, which a stream holds as long as its client takes. A
warning says in which line it was taken.

A function that returns the session is asked at the start and at the end of each request, so the session may be kept
wherever the app likes, such as on ``flask.g``; async views need that, or a ``scopefunc`` that goes by Flask's context,
as they run in a thread of their own: a ``scoped_session`` by thread is refused there.

What it does not do: a stream's own writes happen after the response is made, and are rolled back unless the stream
commits them. A request made inside another one that shares its session joins its transaction: the outer one commits.
An ``AsyncSession`` belongs to the event loop of one async function, and Flask has another for each: the view commits.

Where it stands: outside of every bundle whose hooks use the session.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from flask import Flask, Response

from overcoat.hooks._current import current_request
from overcoat.hooks._hook import Hook, declared
from overcoat.hooks._sessions import sessions_of
from overcoat.hooks._unit import Unit, alive_units, open_unit
from overcoat.hooks.bundle import BundleOptions, HookBundle
from overcoat.middleware import Exchange
from overcoat.middleware._exchange import exchange_of
from overcoat.middleware._timings import is_name

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class DatabaseSession(HookBundle):
    """Commits, rolls back and removes a session with each request.

    Args:
        session: A ``scoped_session``; the ``db`` of Flask-SQLAlchemy or Flask-SQLAlchemy-Lite; a function or
            ``LocalProxy`` that returns the request's ``Session``; or, where one thread serves at a time, a ``Session``.
        name: The name of the bundle; a second database needs a second name.
        commit: Whether a response is committed: True for those below 400, False for none (the views commit), or a
            callable on the response, such as ``lambda response: response.status_code < 500``.
        count_queries: Whether to count the statements of each request.
        timing: The name under which their time is added up.
        slowest_ms: The slowest statement is told where it took at least so many milliseconds; None tells none.
        find_leaks: Whether to look for connections that are not given back; None means with ``app.debug``, as it is at
            the first request.
        **options: Those of every bundle; ``always`` is True here.

    Raises:
        ValueError: Something that is no session, one that is asynchronous, or an unusable option.
    """

    def __init__(
        self,
        session: Any,
        *,
        name: str = "database",
        commit: bool | Callable[[Response], object] = True,
        count_queries: bool = True,
        timing: str = "db",
        slowest_ms: float | None = 0,
        find_leaks: bool | None = None,
        **options: Unpack[BundleOptions],
    ) -> None:
        options.setdefault("always", True)
        super().__init__(name, **options)
        self._sessions = sessions_of(name, session)
        _check(name, commit, timing, slowest_ms, find_leaks)
        self._commit = commit
        self._timing = timing
        self._count: Callable[[Exchange, str], None] | None = None
        if count_queries:
            from overcoat.hooks import _queries  # noqa: PLC0415 - SQLAlchemy is loaded only if somebody uses it

            _queries.listen()
            self._count = _queries.count_queries
            if slowest_ms is not None:
                self.on_finish(partial(_queries.tell_slowest, at_least_ms=slowest_ms))
        self._environ_key = f"overcoat.database.{name}"
        self._find_leaks = find_leaks
        self._leaks: Any = None
        self.before_request(self._open)
        self.after_request(critical=True)(self._complete)
        self.teardown_request(every=True)(self._remove)
        self.on_finish(self._remove_late)

    def setup(self, app: Flask) -> list[Hook]:
        """Decide at the first request whether to look for leaks, as ``app.debug`` is often set last."""
        if self._find_leaks is False:
            return []
        return [declared(self.name, "before_first_request", partial(self._watch, app))]

    def _watch(self, app: Flask) -> None:
        if self._find_leaks or app.debug:
            from overcoat.hooks import _leaks  # noqa: PLC0415 - only where it is used

            _leaks.watch()
            self._leaks = _leaks

    def _open(self) -> None:
        environ = current_request().environ
        self._unit(environ)
        exchange = exchange_of(environ)
        if exchange is not None and self._count is not None:
            self._count(exchange, self._timing)

    def _complete(self, response: Response) -> Response:
        session = self._sessions.current()
        unit = self._unit(current_request().environ)
        if session is None or unit.joined:
            if unit.joined and response.status_code >= 500:
                # What it has half written is in the transaction of the request around it, which is lost as a whole.
                alive_units(unit.key)[0].failed = True
            return response
        try:
            if unit.failed:
                session.rollback()
                raise RuntimeError(
                    "a request made inside of this one, on the same session, failed: nothing is committed"
                )
            if not self._commits(response):
                session.rollback()
            elif session.in_transaction():  # with autobegin=False there may be none, and commit() would not have that
                session.commit()
        except BaseException:
            session.rollback()
            raise
        return response

    def _commits(self, response: Response) -> bool:
        if callable(self._commit):
            return bool(self._commit(response))
        return self._commit and response.status_code < 400

    def _remove(self, error: BaseException | None) -> None:  # noqa: ARG002 - what was not committed is rolled back
        unit = self._unit(current_request().environ)
        # At the end of a context that was copied to another thread, the session is another one, and always our own.
        own = unit.key == self._sessions.key()
        if own:
            unit.close()
        if not (own and unit.joined):
            self._close(self._sessions.current())

    def _remove_late(self, exchange: Exchange) -> None:
        # A stream without context runs after the teardown, and another hook's error can keep Flask from calling that.
        unit: Unit | None = exchange.environ.pop(self._environ_key, None)
        # Where another request is under way with the same session, what is open in it is that one's.
        if unit is None or any(other is not unit for other in alive_units(unit.key)):
            return
        before = self._leaks.taken(exchange) if self._leaks is not None and unit.closed else {}
        unit.close()
        self._close(self._sessions.of(unit.key))
        if self._leaks is not None:
            self._leaks.tell(self.name, exchange, before)

    def _close(self, session: "Session | None") -> None:
        if session is not None:
            try:
                session.close()
            finally:
                self._sessions.forget()

    def _unit(self, environ: dict[str, Any]) -> Unit:
        unit: Unit | None = environ.get(self._environ_key)
        if unit is None:
            unit = environ[self._environ_key] = open_unit(self._sessions.key())
        return unit


def _check(bundle: str, commit: Any, timing: Any, slowest_ms: Any, find_leaks: Any) -> None:
    if not isinstance(commit, bool) and not callable(commit):
        raise ValueError(f"bundle {bundle!r}: commit={commit!r} must be True, False or a callable on the response")
    if not is_name(timing):
        raise ValueError(
            f"bundle {bundle!r}: timing={timing!r} must be a name as timer() takes it, letters and marks of an HTTP "
            "token but no space, such as 'db'"
        )
    if slowest_ms is not None and (isinstance(slowest_ms, bool) or not isinstance(slowest_ms, (int, float))):
        raise ValueError(f"bundle {bundle!r}: slowest_ms={slowest_ms!r} must be a number of milliseconds, or None")
    if find_leaks is not None and not isinstance(find_leaks, bool):
        raise ValueError(f"bundle {bundle!r}: find_leaks={find_leaks!r} must be True, False or None")
