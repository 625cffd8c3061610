"""The runner: the one function per phase that Flask calls for all bundles of an app.

It knows, for each request, which bundles were entered, and sees to it that the way out runs for those, whatever one of
them does. What it knows of a request stands on the request object: it is there in every context pushed for it, and is
not shared with a request made inside this one, as ``g`` is.
"""

from functools import partial
from threading import get_ident
from typing import Any, cast

from flask import Flask, Request, Response
from werkzeug.wrappers import Response as BaseResponse

from overcoat.hooks._current import current_request
from overcoat.hooks._entry import Call
from overcoat.hooks._guard import guard
from overcoat.hooks._plan import Exit, Plan
from overcoat.hooks._registry import Registry
from overcoat.middleware import Exchange
from overcoat.middleware._exchange import exchange_of

_NOTHING = Plan([])


class State:
    """What the runner knows of one request."""

    __slots__ = ("answered", "endpoint", "exit", "failed", "thread", "torn")

    def __init__(self, exit_: Exit, endpoint: str | None) -> None:
        self.exit = exit_
        self.endpoint = endpoint
        self.failed: Call | None = None
        self.answered = self.torn = False
        self.thread = get_ident()


class Runner(Registry):
    """The bundles of one app, as Flask calls them.

    Args:
        app: The app; the runner's functions are placed where its lists of hooks end now.
    """

    def __init__(self, app: Flask) -> None:
        super().__init__(app)

        # Plain functions: at every call Flask asks of each hook whether it is async, and of these it knows fastest.
        def before_request() -> Any:
            return self.before()

        def after_request(response: Response) -> Response:
            return self.after(response)

        def teardown_request(error: BaseException | None) -> None:
            self.teardown(error)

        hooks: tuple[Any, ...] = (before_request, after_request, teardown_request)
        for hook in hooks:
            hook.overcoat_bundles = partial(self.rows, hook.__name__)
        app.before_request(before_request)
        app.after_request(after_request)
        app.teardown_request(teardown_request)
        guard(app, self)

    def state(self) -> State:
        """The state of the current request."""
        request = current_request()
        return getattr(request, "_overcoat_hooks", None) or self.late(request)

    def begin(self, request: Request, plan: Plan) -> State:
        """The state of a request that the runner sees for the first time."""
        rule = request.url_rule
        state = State(plan.none, None if rule is None else rule.endpoint)
        request._overcoat_hooks = state  # type: ignore[attr-defined]
        if plan.finishes:
            exchange = exchange_of(request.environ)
            if exchange is not None:
                exchange.call_on_finish(partial(self.finish, state))
        return state

    def late(self, request: Request) -> State:
        """The state where no before function was reached: something answered or raised ahead of the runner."""
        try:
            plan = self.plan(request)
        except RuntimeError:
            plan = _NOTHING  # a missing bundle, as the before phase has told
        return self.begin(request, plan)

    def before(self) -> Any:
        """Run the before functions, outermost bundle first, until one answers."""
        request = current_request()
        if self.first.pending:
            self.first.run()
        plan = self.plan(request)
        state = getattr(request, "_overcoat_hooks", None) or self.begin(request, plan)
        number = 0
        try:
            for number, call in plan.before:
                answer = call()
                if answer is not None:
                    state.exit = plan.exit(number + 1)
                    return answer
        except BaseException:
            state.exit = plan.exit(number, raised=True)
            raise
        state.exit = plan.full
        return None

    def after(self, response: Response) -> Response:
        """Run the after functions of the entered bundles, innermost first."""
        request = current_request()
        state = getattr(request, "_overcoat_hooks", None) or self.late(request)
        state.answered = True
        for call in state.exit.after:
            if call is state.failed:
                continue
            try:
                result = call.call(response)
                if result is not response:
                    response = self._checked_response(call, result, response)
            except Exception as failure:
                # Flask makes a 500 of it and calls this again for that; on a 500 it would drop the hooks that are left.
                if call.critical and state.failed is None and response.status_code < 500:
                    state.failed = call
                    raise
                self._report(call, failure, state.endpoint, exchange_of(request.environ))
        return response

    def _checked_response(self, call: Call, result: Any, response: Response) -> Response:
        if result is None:
            if not call.told_none:
                call.told_none = True
                where = f"{call.hook.name} ({call.hook.location}) of bundle {call.bundle!r}"
                self.app.logger.warning("after_request hook %s returned None: the response stays unchanged", where)
            return response
        if not isinstance(result, BaseResponse):
            raise TypeError(f"after_request hook {call.hook.name} returned {type(result).__name__}: return a response")
        return cast("Response", result)

    def teardown(self, error: BaseException | None) -> None:
        """Run the teardown functions of the entered bundles, innermost first, once per request."""
        request = current_request()
        state = getattr(request, "_overcoat_hooks", None) or self.late(request)
        # A second teardown is the end of a stream with context or of a preserved one; one on another thread is that of
        # a copied context, which ends on its own.
        again = state.torn or state.thread != get_ident()
        state.torn = state.torn or not again
        fatal: BaseException | None = None
        for call in state.exit.every_teardown if again else state.exit.teardown:
            try:
                call.call(error)
            except Exception as failure:
                self._report(call, failure, state.endpoint, exchange_of(request.environ))
                if call.strict:
                    fatal = fatal or failure
            except BaseException as exit_:
                fatal = exit_
        if fatal is not None:
            raise fatal

    def finish(self, state: State, exchange: Exchange) -> None:
        """Run the finish functions of the entered bundles, innermost first, at the true end."""
        fatal: BaseException | None = None
        for call in state.exit.finish:
            try:
                call.call(exchange)
            except Exception as failure:
                self._report(call, failure, state.endpoint, exchange)
            except BaseException as exit_:
                fatal = exit_
        if fatal is not None:
            raise fatal

    def _report(self, call: Call, error: Exception, endpoint: str | None, exchange: Exchange | None) -> None:
        hook, request_id = call.hook, exchange.request_id if exchange is not None else None
        self.app.logger.error(
            "bundle %r: %s hook %s (%s) raised; endpoint %s, request %s",
            call.bundle, hook.phase, hook.name, hook.location, endpoint or "-", request_id or "-",
            extra={"hook_bundle": call.bundle, "hook": hook.name, "endpoint": endpoint, "request_id": request_id},
            exc_info=error,
        )  # fmt: skip
