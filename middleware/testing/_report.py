"""Report: what a middleware keeps of each rule, as text, as data, as a truth value.

>>> from overcoat.middleware.testing._rules import RULES
>>> report = Report("mine", (Row(RULES["close-once"], passed=7, failed=2, case="list_", found="closed 2 times"),))
>>> bool(report), report.failures[0].rule.name
(False, 'close-once')
>>> print(report)
mine: 0 of 1 rules kept, in 9 cases
FAIL  close-once  7 of 9  close() is called once, not twice. [PEP 3333, Specification Details: close()]
      in list_: closed 2 times
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from overcoat.middleware.testing._rule import Rule


@dataclass(frozen=True)
class Row:
    """What came of one rule.

    Args:
        rule: The rule.
        passed, failed: Numbers of cases.
        case, found: The simplest case that failed, and what was wrong in it; both empty where none did.
        waived: What was allowed that makes the rule void, or an empty text.
    """

    rule: Rule
    passed: int = 0
    failed: int = 0
    case: str = ""
    found: str = ""
    waived: str = ""

    @property
    def status(self) -> str:
        """``pass``, ``FAIL``, or ``skip`` where the rule was waived, or no case of it reached the app."""
        return "FAIL" if self.failed else "pass" if self.passed else "skip"

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return {
            "rule": self.rule.name,
            "text": self.rule.text,
            "source": self.rule.source,
            "status": self.status.lower(),
            "passed": self.passed,
            "failed": self.failed,
            "waived": self.waived,
            "case": self.case,
            "found": self.found,
        }


@dataclass(frozen=True)
class Report:
    """What came of all rules; false where one is broken.

    Args:
        name: Of the middleware.
        rows: A row for each rule.
    """

    name: str
    rows: tuple[Row, ...]

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows of the rules that are broken."""
        return tuple(row for row in self.rows if row.failed)

    def __bool__(self) -> bool:
        return not self.failures

    def __str__(self) -> str:
        judged = [row for row in self.rows if row.status != "skip"]
        cases = sum(row.passed + row.failed for row in judged)
        kept = len(judged) - len(self.failures)
        lines = [f"{self.name}: {kept} of {len(judged)} rules kept, in {cases:,} cases"]
        widths = max(len(row.rule.name) for row in self.rows), max(len(_count(row)) for row in self.rows)
        for row in self.rows:
            name, count = row.rule.name.ljust(widths[0]), _count(row).rjust(widths[1])
            lines.append(f"{row.status}  {name}  {count}  {row.rule.text} [{row.rule.source}]")
            if row.failed:
                lines.append(f"      in {row.case}: {row.found}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        # What a failed assert shows.
        broken = ", ".join(row.rule.name for row in self.failures)
        return f"<Report of {self.name}: {f'breaks {broken}; print it' if broken else 'keeps all rules'}>"

    def raise_for_failures(self) -> None:
        """Raise where a rule is broken.

        Raises:
            AssertionError: With the whole report as its text.
        """
        if not self:
            raise AssertionError(f"{self}")

    def as_dict(self) -> Mapping[str, Any]:
        """The report as JSON has it."""
        return {"middleware": self.name, "passed": bool(self), "rules": [row.as_dict() for row in self.rows]}


def _count(row: Row) -> str:
    if row.status == "skip":
        return (row.waived and f"{row.waived} allowed") or "no case"
    return f"{row.passed} of {row.passed + row.failed}"
