"""DatabaseSession: one database transaction per request, for any SQLAlchemy session.

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

The request's log line tells the number of statements as ``db_queries``, and their time under ``timings``.

What it does not do: a stream's own writes happen after the response is made, and are rolled back unless the stream
commits them. A request made inside another one that shares its session joins its transaction: the outer one commits.

Where it stands: outside of every bundle whose hooks use the session.
"""

from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Any, Unpack

from flask import Response

from overcoat.hooks._current import current_request
from overcoat.hooks._unit import Unit, alive_units, open_unit
from overcoat.hooks.bundle import BundleOptions, HookBundle
from overcoat.middleware import Exchange
from overcoat.middleware._exchange import ENVIRON_KEY

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, scoped_session


class DatabaseSession(HookBundle):
    """Commits, rolls back and removes a session with each request.

    Args:
        session: A ``scoped_session``, a Flask-SQLAlchemy ``db``, or, where one thread serves at a time, a ``Session``.
        name: The name of the bundle; a second database needs a second name.
        commit: Whether a response is committed: True for those below 400, False for none (the views commit), or a
            callable on the response, such as ``lambda response: response.status_code < 500``.
        count_queries: Whether to count the statements of each request.
        timing: The name under which their time is added up.
        **options: Those of every bundle; ``always`` is True here.

    Raises:
        ValueError: Something that is no session, or an unusable option.
    """

    def __init__(
        self,
        session: Any,
        *,
        name: str = "database",
        commit: bool | Callable[[Response], object] = True,
        count_queries: bool = True,
        timing: str = "db",
        **options: Unpack[BundleOptions],
    ) -> None:
        options.setdefault("always", True)
        super().__init__(name, **options)
        self.session = _checked_session(name, session)
        if not isinstance(commit, bool) and not callable(commit):
            raise ValueError(f"bundle {name!r}: commit={commit!r} must be True, False or a callable on the response")
        if not isinstance(timing, str) or not timing:
            raise ValueError(f"bundle {name!r}: timing={timing!r} must be a name, such as 'db'")
        self._commit = commit
        self._timing = timing
        self._count: Callable[[Exchange, str], None] | None = None
        if count_queries:
            from overcoat.hooks import _queries  # noqa: PLC0415 - SQLAlchemy is loaded only if somebody uses it

            _queries.listen()
            self._count = _queries.count_queries
        self._environ_key = f"overcoat.database.{name}"
        self._registry: Any = getattr(self.session, "registry", None)
        # A registry without a function of its own holds one session for each thread; a plain session is one for all.
        self._scope: Callable[[], object] = getattr(self._registry, "scopefunc", get_ident if self._registry else bool)
        self.before_request(self._open)
        self.after_request(critical=True)(self._complete)
        self.teardown_request(every=True)(self._remove)
        self.on_finish(self._remove_late)

    def _open(self) -> None:
        environ = current_request().environ
        self._unit(environ)
        exchange: Exchange | None = environ.get(ENVIRON_KEY)
        if exchange is not None and self._count is not None:
            self._count(exchange, self._timing)

    def _complete(self, response: Response) -> Response:
        session = self._current()
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
            if self._commits(response):
                session.commit()
            else:
                session.rollback()
        except BaseException:
            session.rollback()
            raise
        return response

    def _commits(self, response: Response) -> bool:
        if callable(self._commit):
            return bool(self._commit(response))
        return self._commit and response.status_code < 400

    def _remove(self, error: BaseException | None) -> None:  # noqa: ARG002 - what was not committed is rolled back
        self._close(self._unit(current_request().environ))

    def _remove_late(self, exchange: Exchange) -> None:
        # A stream without context runs after the teardown, and another hook's error can keep Flask from calling that.
        unit = exchange.environ.pop(self._environ_key, None)
        # Where another request is under way with the same session, what is open in it is that one's.
        if unit is not None and not any(other is not unit for other in alive_units(unit.key)):
            self._close(unit)

    def _close(self, unit: Unit) -> None:
        # At the end of a context that was copied to another thread, the session is another one, and always our own.
        own = unit.key == self._key()
        if own:
            unit.close()
        session = self._current()
        if session is None or (own and unit.joined):
            return
        try:
            session.close()
        finally:
            if self._registry is not None:
                self._registry.clear()

    def _current(self) -> "Session | None":
        """The session that this request has used, or None."""
        registry = self._registry
        if registry is None:
            return self.session  # type: ignore[return-value]
        try:
            return registry() if registry.has() else None
        except RuntimeError:
            return None  # scoped by Flask's app context, which is gone, and its session with it

    def _unit(self, environ: dict[str, Any]) -> Unit:
        unit: Unit | None = environ.get(self._environ_key)
        if unit is None:
            unit = environ[self._environ_key] = open_unit(self._key())
        return unit

    def _key(self) -> object:
        """What the session belongs to: two requests with the same share it."""
        try:
            return self._scope(), id(self.session)
        except RuntimeError:
            return None  # as above


def _checked_session(bundle: str, session: Any) -> "scoped_session[Any] | Session":
    try:
        from sqlalchemy.orm import Session, scoped_session, sessionmaker  # noqa: PLC0415 - only here it must be there
    except ModuleNotFoundError as error:
        raise ImportError(f"bundle {bundle!r} needs SQLAlchemy: pip install SQLAlchemy") from error

    of_extension = getattr(session, "session", None)
    if isinstance(of_extension, scoped_session):
        return of_extension
    if isinstance(session, (scoped_session, Session)):
        return session
    fix = "scoped_session(...) of it" if isinstance(session, sessionmaker) else "a scoped_session, a Session or db"
    raise ValueError(f"bundle {bundle!r}: session={session!r} is no session: give {fix}")
