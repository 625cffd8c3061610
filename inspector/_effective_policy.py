"""The one policy that several Content-Security-Policies come to, as the HTTP Observatory reads them.

>>> from overcoat.inspector._effective_policy import effective_policy
>>> policy = effective_policy(["default-src 'none'; script-src 'self' https://a.example", "script-src 'self'"])
>>> sorted(policy.directives.items())
[('default-src', ["'none'"]), ('script-src', ["'self'"])]

What several policies allow is what each of them allows (Content Security Policy Level 3, section 8.1). A directive that
stands twice in one policy is refused, though browsers take the first: one of the two is a slip.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote

# The shortest text that is taken for a policy.
_SHORTEST = len("img-src") - 1
# Those that may stand twice.
_REPORTS = frozenset({"report-uri", "report-to"})
# A meta element cannot set these (HTML, "Content security policy state").
_NOT_IN_META = ("frame-ancestors", "report-uri", "sandbox")
# The order in which the Unicode Collation Algorithm has what sources are made of, before digits and letters.
_RANK = {
    char: rank for rank, char in enumerate("_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz")
}


class PolicyError(ValueError):
    """A policy that cannot be read; says why."""


@dataclass(frozen=True)
class EffectivePolicy:
    """What was read.

    Attributes:
        directives: Lower-case name to lower-case sources; a list without sources holds ``'none'``.
        has_duplicates: Whether a reporting directive stands twice.
    """

    directives: dict[str, list[str]]
    has_duplicates: bool = False

    def sources(self, *names: str) -> list[str]:
        """The sources of the first of these directives that is there; without one everything is allowed."""
        return next((self.directives[name] for name in names if name in self.directives), ["*"])


@dataclass
class _Source:
    text: str
    policy: int
    kept: bool


def split_policies(values: Iterable[str]) -> list[str]:
    """The policies of some header lines: a comma parts them, for none can stand in a policy."""
    return [policy.strip() for value in values for policy in value.split(",")]


def effective_policy(policies: Sequence[str], *, meta: bool = False) -> EffectivePolicy:
    """The policy that these come to.

    Args:
        policies: Each one policy.
        meta: Whether they are a page's own, which some directives cannot be.

    Raises:
        PolicyError: One is empty, or has a directive twice.
    """
    read: dict[str, list[_Source]] = {}
    has_duplicates = False
    for index, policy in enumerate(policies):
        if len(policy.strip()) < _SHORTEST:
            raise PolicyError(f"{policy.strip()!r} is no policy")
        seen: set[str] = set()
        for words in map(str.split, policy.split(";")):
            if not words:
                continue
            name = words[0].lower()
            if name in seen and name not in _REPORTS:
                raise PolicyError(f"the directive {name} stands twice")
            has_duplicates |= name in seen
            seen.add(name)
            read[name] = _merged(read.get(name, []) if index else [], words, index)
            if index == 0 and len(policies) > 1:
                # From now on a source counts only if another policy has it too.
                for source in read[name]:
                    source.kept = False
    directives = {name: [source.text for source in sources] or ["'none'"] for name, sources in read.items()}
    if meta:
        directives = {name: sources for name, sources in directives.items() if name not in _NOT_IN_META}
    return EffectivePolicy({name: sorted(set(sources)) for name, sources in directives.items()}, has_duplicates)


def _merged(before: list[_Source], words: list[str], index: int) -> list[_Source]:
    texts = [word.lower() for word in words[1:]] or ["'none'"] * words[0].lower().endswith("-src")
    sources = [*before, *(_Source(text, index, index == 0) for text in texts)]
    sources.sort(key=lambda source: [_RANK.get(char, ord(char)) for char in source.text])
    for one, other in pairwise(sources):
        if one.policy == other.policy:
            if other.text.startswith(one.text):
                other.kept = False  # the shorter one allows it already
        elif _covers(one.text, other.text):
            other.kept = True
    return [source for source in sources if source.kept]


def _covers(one: str, other: str) -> bool:
    """Whether a source with a path allows what another one does (Content Security Policy Level 3, section 6.7.2.12)."""
    ours, theirs = one.split("/"), other.split("/")
    if one.endswith("/"):
        ours.pop()
        return len(ours) < len(theirs) and [*map(unquote, ours)] == [*map(unquote, theirs[: len(ours)])]
    return [*map(unquote, ours)] == [*map(unquote, theirs)]
