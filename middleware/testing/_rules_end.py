"""Rules of the end: ``close``, errors, exits."""

from overcoat.middleware.testing._rule import Rule, of_trials, told
from overcoat.middleware.testing._trial import Trial

_ANOTHER_CLOSE = "iterable_whose_iterator_has_another_close"
_PEP_CLOSE = "PEP 3333, Specification Details: close()"


def _close(trial: Trial) -> str | None:
    if trial.specimen.name == _ANOTHER_CLOSE or not trial.bare_probe.closed or not trial.returned:
        return None
    return "" if trial.probe.closed else f"never closed; the request: {told(trial.worn)}"


def _close_once(trial: Trial) -> str | None:
    if not trial.bare_probe.closed:
        return None
    return "" if trial.probe.closed <= 1 else f"closed {trial.probe.closed} times"


def _close_own(trial: Trial) -> str | None:
    if trial.specimen.name != _ANOTHER_CLOSE:
        return None
    return "closed iter(body), not the body" if trial.probe.closed_another else ""


def _raised(trial: Trial, *, exits: bool) -> str | None:
    bare, worn = trial.bare, trial.worn
    if not trial.plain or trial.specimen.group != "errors" or isinstance(bare.error, Exception) is exits:
        return None
    # A generator cannot raise StopIteration (PEP 479).
    kinds = {type(bare.error), RuntimeError if isinstance(bare.error, StopIteration) else type(bare.error)}
    if type(worn.error) in kinds and bool(bare.sent) == bool(worn.sent):
        return ""
    return f"{told(bare)} became {told(worn)}"


def _errors(trial: Trial) -> str | None:
    # A page can stand for an error only before the first byte.
    if "errors" in trial.allow and not trial.bare.sent:
        return None
    return _raised(trial, exits=False)


def _exits(trial: Trial) -> str | None:
    return _raised(trial, exits=True)


RULES = (
    Rule(
        "close",
        "close() of the app's iterable is called, whatever happened: an error, a client that left.",
        _PEP_CLOSE,
        of_trials(_close),
    ),
    Rule("close-once", "close() is called once, not twice.", _PEP_CLOSE, of_trials(_close_once)),
    Rule(
        "close-own",
        "The close() that is called is the iterable's own, not that of iter() of it.",
        _PEP_CLOSE,
        of_trials(_close_own),
    ),
    Rule(
        "errors",
        "An error reaches the server as it is: in the call, in the body, in close().",
        "PEP 3333, Error Handling",
        of_trials(_errors),
    ),
    Rule(
        "exits",
        "SystemExit, KeyboardInterrupt and GeneratorExit pass, and are not answered.",
        "practice: a server must be able to stop",
        of_trials(_exits),
    ),
)
