"""What a server sent, byte by byte: an app in its layers next to the bare one.

>>> bare = Answer.of(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nab")
>>> worn = Answer.of(b"HTTP/1.1 200 OK\\r\\nX-A: 1\\r\\nContent-Length: 3\\r\\n\\r\\nabc")
>>> for difference in differences(bare, worn, adds={"x-a"}):
...     print(difference)
missing: [('content-length', '2')]
added: [('content-length', '3')]
sent b'ab' became b'abc'
>>> differences(bare, Answer.of(b"HTTP/1.1 200 OK\\r\\nX-A: 1\\r\\n\\r\\nab"), adds={"x-a"}, framing=False)
[]
"""

from collections.abc import Collection
from typing import NamedTuple

FRAMING = {"content-length", "transfer-encoding"}


class Answer(NamedTuple):
    """A response as it came: the status line, the headers but Date (names in lower case), and all bytes after."""

    status: str
    headers: list[tuple[str, str]]
    sent: bytes

    @classmethod
    def of(cls, received: bytes) -> "Answer":
        """The answer in all that came over a connection."""
        head, _, sent = received.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return cls(status, [pair for pair in pairs if pair[0] != "date"], sent)

    @property
    def code(self) -> int:
        """The status code."""
        return int(self.status.split(" ")[1])

    def header(self, name: str) -> str | None:
        """The first header of a name that is given in lower case, or None."""
        return dict(reversed(self.headers)).get(name)

    @property
    def body(self) -> bytes:
        """What was sent without the frames of chunks, as far as it goes."""
        if self.header("transfer-encoding") != "chunked":
            return self.sent
        body, rest = b"", self.sent
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return body


def differences(bare: Answer, worn: Answer, adds: Collection[str], *, framing: bool = True) -> list[str]:
    """What a client gets otherwise from the app in its layers than from the bare one, header additions aside.

    Args:
        bare: Of the app itself.
        worn: Of the app in its layers.
        adds: The names of the headers, in lower case, that the layers may add.
        framing: Whether the same bytes must come in the same frame too: chunks, a length, or until the end.
    """
    found = [] if bare.status == worn.status else [f"{bare.status} became {worn.status}"]
    passed = FRAMING if not framing else set()
    theirs = [pair for pair in bare.headers if pair[0] not in passed]
    ours = [pair for pair in worn.headers if pair[0] not in passed and (pair in theirs or pair[0] not in adds)]
    if theirs != ours:
        missing, added = [pair for pair in theirs if pair not in ours], [pair for pair in ours if pair not in theirs]
        found += [f"missing: {missing}"] if missing else []
        found += [f"added: {added}"] if added else []
        found += ["the order of the headers changed"] if not missing and not added else []
    before, after = (bare.sent, worn.sent) if framing else (bare.body, worn.body)
    if before != after:
        found.append(f"sent {before[:60]!r} became {after[:60]!r}")
    return found
