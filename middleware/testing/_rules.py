"""The rules, in the order of a report: the head, the start, the body, the end, the way in, what strangers send.

>>> RULES["close-once"].text
'close() is called once, not twice.'
"""

from collections.abc import Mapping
from types import MappingProxyType

from overcoat.middleware.testing import (
    _rules_body,
    _rules_end,
    _rules_headers,
    _rules_hostile,
    _rules_request,
    _rules_start,
)
from overcoat.middleware.testing._rule import Rule

_MODULES = (_rules_headers, _rules_start, _rules_body, _rules_end, _rules_request, _rules_hostile)

#: By name.
RULES: Mapping[str, Rule] = MappingProxyType({rule.name: rule for module in _MODULES for rule in module.RULES})
