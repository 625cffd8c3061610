"""A finding of `overcoat check`: what is wrong, how bad it is, and what mends it.

>>> from overcoat.inspector._finding import Finding
>>> Finding("warning", "proxy-trusts-any-peer", "ProxyFix() trusts any peer", "name your proxies").as_dict()["severity"]
'warning'
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

#: The worst first. An error makes the command fail.
SEVERITIES = ("error", "warning", "note")

#: How many characters of what an app sent a finding shows.
SHOWN = 80

# So many points lost make a result an error.
_SERIOUS = -20


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        severity: One of ``SEVERITIES``.
        code: A name that stays, for scripts.
        says: What was found, in a line.
        fix: What to do.
        where: Request or layer; "" where ``says`` tells.
    """

    severity: str
    code: str
    says: str
    fix: str = ""
    where: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain data."""
        return asdict(self)


def severity_of(points: int) -> str:
    """How bad it is to have lost so many points."""
    return "error" if points <= _SERIOUS else "warning" if points < 0 else "note"


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first, each once."""
    return sorted(dict.fromkeys(findings), key=lambda finding: SEVERITIES.index(finding.severity))
