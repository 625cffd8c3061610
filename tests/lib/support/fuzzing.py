"""Properties that are tried on a fixed number of examples: the same ones in CI, new ones in ``make fuzz``.

``FUZZ_EXAMPLES`` is how many examples all properties have together. Without it each run has the same ones, so that a
failure is the commit's; with it each run has others, and failures are kept in ``.hypothesis`` and tried again first.
"""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import SearchStrategy

#: Of ``make check``, in all.
EXAMPLES = 20_000
TOTAL = int(os.environ.get("FUZZ_EXAMPLES") or EXAMPLES)

_SETTINGS = {
    "deadline": None,
    "print_blob": True,
    "suppress_health_check": list(HealthCheck),
}
if "FUZZ_EXAMPLES" not in os.environ:
    _SETTINGS |= {"derandomize": True, "database": None}

#: Property to its share of the examples, in per cent.
SHARES: dict[str, int] = {}


def fuzzed(strategy: SearchStrategy[Any], *, percent: int) -> Callable[[Callable[[Any], None]], Callable[[], None]]:
    """A test that holds the decorated property to so many per cent of the examples, and counts them.

    A failure is printed as the property's name and its argument, as an expression: ``run(case=Request(...))``.
    """

    def decorate(holds: Callable[[Any], None]) -> Callable[[], None]:
        number = max(TOTAL * percent // 100, 1)
        SHARES[holds.__name__] = percent

        def test() -> None:
            tried = 0

            @settings(max_examples=number, **_SETTINGS)
            @given(case=strategy)
            def run(case: Any) -> None:
                nonlocal tried
                tried += 1
                holds(case)

            # The database knows a failure by the function that had it.
            run.__qualname__ = run.hypothesis.inner_test.__qualname__ = holds.__qualname__
            run()
            assert tried >= number, f"{tried} examples of {number} were tried"

        test.__name__, test.__qualname__, test.__doc__ = holds.__name__, holds.__qualname__, holds.__doc__
        test.__module__ = holds.__module__
        return test

    return decorate
