"""What keeps hooks that are registered by hand from starving the bundles.

Flask calls the functions of a phase one after the other, and one that raises takes the rest with it (of teardown hooks:
until 3.2). A function by hand that runs ahead of the runner would so keep it from running at all. Its error stays what
it is; the bundles have their way out first.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from overcoat.hooks._runner import Runner


def guard(app: Flask, runner: "Runner") -> None:
    """Put the runner's way out around the two methods with which Flask calls the functions of these phases."""
    process, teardown = app.process_response, app.do_teardown_request

    def process_response(*args: Any, **named: Any) -> Any:
        try:
            return process(*args, **named)
        except Exception:
            response, state = _last(args, named), runner.state()
            # Below 500 Flask makes a 500 of it and comes again with that, which it sends whatever is raised then.
            if not state.answered and getattr(response, "status_code", 0) >= 500:
                runner.after(response)
                state.answered = False
            raise

    def do_teardown_request(*args: Any, **named: Any) -> None:
        try:
            teardown(*args, **named)
        except BaseException:
            error = _last(args, named)
            # What has run does not run again, except what cleans up at every teardown, which may.
            runner.teardown(error if isinstance(error, BaseException) else None)
            raise

    app.process_response = process_response  # type: ignore[method-assign]
    app.do_teardown_request = do_teardown_request  # type: ignore[method-assign]


def _last(args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The response or the error: what stands before it differs between versions of Flask."""
    given = (*args, *named.values())
    return given[-1] if given else None
