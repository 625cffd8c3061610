"""Seen: a server's account of one request, in order."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Seen:
    """What a server saw of one request.

    Attributes:
        events: Everything in order: ``start``, ``write``, ``chunk``, ``end`` (of the body), ``sendfile``, ``raised``,
            ``close``, each with its arguments.
        status, headers, exc_info: Of the last ``start_response`` that was accepted.
        chunks, written: What was iterated, refused ones too; and what ``write()`` took.
        made: How many chunks the app had made when it returned, then at each chunk that was taken.
        length: ``len()`` of the result, or None where it has none.
        error, where: What was raised in ``"call"``, ``"body"`` or ``"close"``; the last if there were several.
        result: What the app returned.
        sent: What went to the client.
    """

    events: list[tuple[Any, ...]] = field(default_factory=list)
    status: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    exc_info: Any = None
    chunks: list[Any] = field(default_factory=list)
    written: list[Any] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    length: int | None = None
    error: BaseException | None = None
    where: str | None = None
    result: Any = None
    sent: bytes = b""

    @property
    def body(self) -> bytes:
        """What went to the client."""
        return self.sent

    def header(self, name: str) -> list[str]:
        """The values of a response header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


def text_of(error: BaseException) -> str:
    """The text of an error, of one whose ``str()`` raises too."""
    try:
        return str(error)
    except Exception:
        return "<no text>"
