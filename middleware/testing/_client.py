"""The clients of the tests: how much of a response each takes, and how its connection ends."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    """How the other end behaves, and the server with it.

    Args:
        name: For the id of a test.
        leaves_after: The server closes the response after so many chunks; None reads to the end.
        breaks_at: Sending the n-th non-empty chunk, counted from 1, raises BrokenPipeError as a closed socket does.
        measures: The server reads what has a length once more, before it sends it, as gevent does.
        closes: How often the server calls ``close``.
        closes_elsewhere: Whether it does so from another thread, as waitress does.
        in_contexts: Whether call, each ``next`` and ``close`` run in a context of their own, as on a pool of threads.
    """

    name: str
    leaves_after: int | None = None
    breaks_at: int | None = None
    measures: bool = False
    closes: int = 1
    closes_elsewhere: bool = False
    in_contexts: bool = False


READS_ALL = Client("reads-all")

CLIENTS = (
    READS_ALL,
    Client("leaves-before-the-first-byte", leaves_after=0),
    Client("leaves-after-one-chunk", leaves_after=1),
    Client("leaves-after-three-chunks", leaves_after=3),
    Client("breaks-at-the-first-byte", breaks_at=1),
    Client("breaks-mid-stream", breaks_at=2),
    Client("measures-lists", measures=True),
    Client("closes-twice", closes=2),
    Client("closes-from-another-thread", closes_elsewhere=True),
    Client("steps-in-contexts", in_contexts=True),
)
