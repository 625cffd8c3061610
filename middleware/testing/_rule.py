"""Rule: one sentence that a middleware must keep, its source, and the function that tells where it does not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from overcoat.middleware.testing._seen import Seen, text_of
from overcoat.middleware.testing._trial import Lab, Trial

#: The name of a case, and what is wrong in it; an empty text where nothing is.
Verdict = tuple[str, str]


@dataclass(frozen=True)
class Rule:
    """One rule.

    Args:
        name: Its name, short.
        text: What it demands, in a sentence.
        source: Where that is written: a section of PEP 3333 or an RFC; or ``practice``, with what breaks otherwise.
        check: Tells the verdict of each case, the simplest first.
        waived_by: What a middleware may be allowed that makes the rule void.
    """

    name: str
    text: str
    source: str
    check: Callable[[Lab], Iterator[Verdict]]
    waived_by: frozenset[str] = frozenset()


def of_trials(judge: Callable[[Trial], str | None]) -> Callable[[Lab], Iterator[Verdict]]:
    """A check that asks a judge about each trial; None where the rule says nothing about it."""

    def check(lab: Lab) -> Iterator[Verdict]:
        for trial in lab.trials:
            found = judge(trial)
            if found is not None:
                yield trial.name, found

    return check


def told(seen: Seen) -> str:
    """How a request ended: what was raised, or the status and what was sent."""
    if seen.error is not None:
        text = _short(text_of(seen.error))
        return f"{type(seen.error).__name__}{text and f': {text}'}, raised in the {seen.where}"
    return f"{_short(seen.status)} with {short(seen.sent)}"


def short(data: bytes) -> str:
    """The beginning of a body."""
    return repr(data) if len(data) <= 24 else f"{data[:16]!r}... ({len(data)} bytes)"


def _short(text: object) -> str:
    shown = ascii(text)[1:-1] if isinstance(text, str) else ascii(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def changed(trial: Trial) -> str:
    """What came of a request instead of what the bare app brings about: another error, or none; something sent, or not.

    What was sent, and with which status, is for the rules of the head and of the body.
    """
    bare, worn = trial.bare, trial.worn
    same = (type(bare.error), bool(bare.sent)) == (type(worn.error), bool(worn.sent))
    return "" if same else f"{told(bare)} became {told(worn)}"
