"""New ids for requests, traces and spans.

>>> from overcoat.middleware._ids import new_id, new_span_id
>>> len(new_id()), len(new_span_id())
(32, 16)
"""

import os
from random import Random

# Ids are names, not secrets, so a generator seeded by the system serves, at a fifth of uuid4's cost. It is seeded anew
# in a forked worker, which would otherwise repeat its siblings' ids; random.seed() elsewhere does not touch it.
_random = Random()  # noqa: S311
_bits = _random.getrandbits
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_random.seed)


def new_id() -> str:
    """128 random bits as 32 lower-case hexadecimal digits, never all zero: an id of a request or a trace."""
    return f"{_bits(128) or 1:032x}"


def new_span_id() -> str:
    """64 random bits as 16 lower-case hexadecimal digits, never all zero: an id of a span."""
    return f"{_bits(64) or 1:016x}"
