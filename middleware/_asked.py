"""A callable of the user's that is asked in a request: whatever it does, the request goes on, and it is told once.

>>> from overcoat.middleware._asked import asked
>>> ask = asked("RequestLog", "level", lambda exchange: "info", lambda answer: isinstance(answer, str), None)
>>> ask(None)
'info'
"""

import logging
from collections.abc import Callable
from typing import Any

_log = logging.getLogger("overcoat")


def asked(
    owner: str,
    option: str,
    function: Callable[..., Any],
    is_answer: Callable[[Any], object],
    fallback: Any,
) -> Callable[..., Any]:
    """The function, with a fallback for when it raises or answers nonsense; the first time is logged.

    Args:
        owner: The layer whose option it is.
        option: The name of the option.
        function: What the user gave.
        is_answer: Whether something that it returned is an answer.
        fallback: What counts instead.
    """
    told = False

    def ask(*about: Any) -> Any:
        nonlocal told
        raised: Exception | None = None
        problem = "raised"
        try:
            answer = function(*about)
            if is_answer(answer):
                return answer
            problem = f"returned {answer!r:.200}"
        except Exception as error:  # the request goes on
            raised = error
        if not told:
            told = True
            _log.error("%s: %s=%r %s; this is told once", owner, option, function, problem, exc_info=raised)
        return fallback

    return ask


def anything(_answer: object) -> bool:
    """Whatever was returned is an answer."""
    return True
