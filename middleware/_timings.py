"""What is kept of the timings of one request: for each name its time and its count.

The time of a name is the time during which at least one block of it ran. So a block inside of another of its name, or
beside one in another thread, adds nothing that is counted already, and no name takes longer than the request.

>>> timings = Timings()
>>> timings.add("db", 2_000_000)
>>> timings.add("db", 1_000_000, count=3)
>>> timings
{'db': [3000000, 4]}
"""

import re

#: How many names one request keeps; the time of any further one is added up under ``other``.
MAX_NAMES = 64
#: How long a name may be, in characters.
MAX_NAME_LENGTH = 64
OTHER = "other"
#: What ServerTiming calls the time until the headers.
TOTAL = "total"

# A token (RFC 9110, section 5.6.2): the metric-name of W3C Server Timing, and a key that needs no quotes in most tools.
_NAME = re.compile(rf"[!#$%&'*+.^_`|~0-9A-Za-z-]{{1,{MAX_NAME_LENGTH}}}")
_NOT_IN_NAME = r"[^!#$%&'*+.^_`|~0-9A-Za-z-]"


def is_name(name: object) -> bool:
    """Whether this may name a timing: a token of 1 to 64 characters that is not ``total``."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None and name.lower() != TOTAL


def mend_name(name: object) -> str:
    """A name made of what is none, so that code that measures for others never fails for a name.

    >>> mend_name("db query"), mend_name("total"), mend_name("")
    ('db_query', 'total_', '_')
    """
    mended = re.sub(_NOT_IN_NAME, "_", str(name)[:MAX_NAME_LENGTH]) or "_"
    return mended if mended.lower() != TOTAL else f"{mended}_"


class Block:
    """The blocks of one name, as far as they are running.

    Attributes:
        name: What they are kept under.
        running: How many there are now.
        since_ns: ``perf_counter_ns`` from which on their time is not yet added.
        timing: Where it is added; None before the first end.
    """

    __slots__ = ("name", "running", "since_ns", "timing")

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = 0
        self.since_ns = 0
        self.timing: list[int] | None = None


class Timings(dict[str, list[int]]):
    """Name to ``[nanoseconds, count]``, in the order in which they first ended.

    Several threads may add at once: with Python's global lock no other thread comes into a change.

    Attributes:
        blocks: What is running, by name.
        descriptions: What a name means, for people.
    """

    __slots__ = ("blocks", "descriptions")

    def __init__(self) -> None:
        super().__init__()
        self.blocks: dict[str, Block] = {}
        self.descriptions: dict[str, str] = {}

    def add(self, name: str, duration_ns: int, count: int = 1, description: str | None = None) -> None:
        """Add a duration that was measured elsewhere and has just ended."""
        block = self.blocks.get(name)
        timing = self.timing(name)
        timing[1] += count
        if block is None or not block.running:
            timing[0] += duration_ns
        if description is not None:
            self.describe(name, description)

    def timing(self, name: str) -> list[int]:
        """What is kept under a name, made on demand; of one name too many, what is kept under ``other``."""
        timing = self.get(name)
        if timing is None:
            if not is_name(name):
                name = mend_name(name)
            if name not in self and len(self) >= MAX_NAMES:
                name = OTHER
            timing = self.setdefault(name, [0, 0])
        return timing

    def block(self, name: str) -> Block:
        """The blocks of a name, made on demand; of one name too many, those of ``other``."""
        if name not in self.blocks and len(self.blocks) >= MAX_NAMES:
            name = OTHER
        return self.blocks.setdefault(name, Block(name))

    def describe(self, name: str, description: str) -> None:
        """Keep the description of a name that is kept."""
        if name in self:
            self.descriptions[name] = str(description)
