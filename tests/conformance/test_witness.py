"""The kit finds what wrappers get wrong, and calls it by its name: each witness breaks its rules and no others."""

import pytest
from support.coats import Stranger
from support.witnesses import BROKEN

from overcoat.middleware.testing import ALLOWANCES, RULES, check_middleware


@pytest.mark.parametrize(("wrap", "expected"), BROKEN.items(), ids=[wrap.__name__ for wrap in BROKEN])
def test_broken_wrapper_breaks_its_rules(wrap, expected):
    report = check_middleware(wrap)
    assert {row.rule.name for row in report.failures} == expected, str(report)


def test_every_rule_is_broken_by_a_witness():
    assert set().union(*BROKEN.values()) == set(RULES)


@pytest.mark.parametrize("allow", [(), tuple(ALLOWANCES)], ids=["nothing-allowed", "all-allowed"])
@pytest.mark.parametrize("wrap", [lambda app: app, Stranger], ids=["none", "nothing"])
def test_a_wrapper_that_does_nothing_keeps_all(wrap, allow):
    report = check_middleware(wrap, allow=allow)
    assert report, str(report)
    assert all(row.passed or row.waived for row in report.rows)
