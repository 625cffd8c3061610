"""check_middleware: run a middleware through the rules."""

import difflib
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from overcoat.middleware.testing._report import Report, Row
from overcoat.middleware.testing._rule import Rule
from overcoat.middleware.testing._rules import RULES
from overcoat.middleware.testing._specimen import App
from overcoat.middleware.testing._trial import Lab, ok

#: What a middleware may be allowed to do, with what that means.
ALLOWANCES: Mapping[str, str] = {
    "headers": "changes or removes what the app set of status and headers",
    "body": "changes the bytes of the body, and the headers that describe them",
    "answers": "answers some requests itself, with a redirect or a refusal",
    "errors": "answers an error before the first byte with a page of its own",
}


def check_middleware(
    factory: Callable[[App], App],
    *,
    rules: Iterable[str] | None = None,
    allow: Iterable[str] = (),
    environ: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Report:
    """Run a WSGI middleware through the zoo, and tell which rules it keeps.

    Response headers may always be added: all else must be as if the middleware were not there.

    Args:
        factory: Makes the middleware around an app: its class, or a function; it is called for each app of the zoo.
        rules: The names of the rules to judge by, of ``RULES``; all by default.
        allow: What the middleware is there to do: names of ``ALLOWANCES``.
        environ: What each request says, beside what a valid one must; a key of None is left out. For a middleware that
            answers itself unless it is asked rightly: ``{"wsgi.url_scheme": "https"}``.
        name: What the report calls it; the factory's own name by default.

    Raises:
        ValueError: An unknown rule or allowance; a factory that makes no WSGI application of an app; a middleware that
            answers every request itself.
    """
    chosen = _known("rules", RULES if rules is None else rules, RULES)
    allowed = _known("allow", allow, ALLOWANCES)
    _try_factory(factory)
    shown = name or getattr(factory, "__qualname__", None) or type(factory).__qualname__
    with _unheard():
        lab = Lab(factory, allowed, environ)
        if not lab.trials:
            raise ValueError(
                f"check_middleware: {factory!r} answered every request itself, so that no app was asked: "
                "give what makes it pass one on, such as environ={'wsgi.url_scheme': 'https'}"
            )
        report = Report(shown, tuple(_row(RULES[one], lab) for one in RULES if one in chosen))
        del lab
    return report


@contextmanager
def _unheard() -> Iterator[None]:
    """Errors that the zoo raises in a generator that nobody holds any more have no one to tell but standard error."""
    before = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = before


def _row(rule: Rule, lab: Lab) -> Row:
    waiver = min(rule.waived_by & lab.allow, default="")
    if waiver:
        return Row(rule, waived=waiver)
    verdicts = list(rule.check(lab))
    failed = [verdict for verdict in verdicts if verdict[1]]
    case, found = failed[0] if failed else ("", "")
    return Row(rule, len(verdicts) - len(failed), len(failed), case, found)


def _known(option: str, given: Iterable[str], known: Collection[str]) -> frozenset[str]:
    names = [given] if isinstance(given, str) else list(given)
    for one in names:
        if one not in known:
            near = difflib.get_close_matches(str(one), known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose of {', '.join(known)}"
            raise ValueError(f"check_middleware: {option}={one!r} is unknown: {hint}")
    return frozenset(names)


def _try_factory(factory: Callable[[App], App]) -> None:
    fix = "give a callable that takes an app alone: lambda app: MyMiddleware(app, option=1)"
    if not callable(factory):
        raise ValueError(f"check_middleware: factory={factory!r} is no callable: {fix}")
    try:
        made = factory(ok)
    except Exception as error:
        raise ValueError(
            f"check_middleware: factory={factory!r} raised {type(error).__name__}: {error}: {fix}"
        ) from error
    if not callable(made):
        raise ValueError(
            f"check_middleware: factory={factory!r} returned {made!r}, which is no WSGI application: {fix}"
        )
