"""An explanation of what ProxyFix made of a request: for people, and as data.

>>> from overcoat.middleware import ProxyFix
>>> fix = ProxyFix(trusted=["10.0.0.0/8"])
>>> told = fix.explain({"REMOTE_ADDR": "10.0.0.7", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.1"})
>>> print(told)
peer    10.0.0.7   trusted by 10.0.0.0/8
hop 1   192.0.2.1  not trusted: the client
hop 2   6.6.6.6    not reached: nobody vouches for it
client  192.0.2.1  X-Forwarded-For, hop 1: the first address that is not trusted
scheme  -          kept: no X-Forwarded-Proto
host    -          kept: x_host=0
port    -          kept: x_port=0
prefix  -          kept: x_prefix=0
"""

from dataclasses import asdict, dataclass
from typing import Any

from overcoat.middleware._text import visible

_LONGEST_SHOWN = 60
_MOST_SHOWN = 20

#: The fields, each with its key of the environ.
KEYS = {
    "client": "REMOTE_ADDR",
    "scheme": "wsgi.url_scheme",
    "host": "HTTP_HOST",
    "port": "SERVER_PORT",
    "prefix": "SCRIPT_NAME",
}


@dataclass(frozen=True)
class Hop:
    """One address that a request is said to have passed.

    Attributes:
        number: 0 for the peer, then the elements of the header from the right.
        text: What the header says; of ``Forwarded``, its ``for``.
        address: The address in it, or None.
        trusted: Whether it is among the trusted; None where that was not asked.
        why: What was made of it.
    """

    number: int
    text: str
    address: str | None
    trusted: bool | None
    why: str


@dataclass(frozen=True)
class Verdict:
    """What one field of the environ came to.

    Attributes:
        before: What the server said; None where it said nothing.
        value: What the app sees.
        source: The header that it was taken from; None where it was kept.
        why: Why.
    """

    before: str | None
    value: str | None
    source: str | None
    why: str


@dataclass(frozen=True)
class Explanation:
    """Each hop, and the verdict on each field. It prints as a table.

    Attributes:
        header: The family that is read: ``"x-forwarded"`` or ``"forwarded"``.
        hops: The peer, then the elements of the header from the right.
        client: REMOTE_ADDR.
        scheme: wsgi.url_scheme.
        host: HTTP_HOST.
        port: SERVER_PORT.
        prefix: SCRIPT_NAME.
        deleted: The headers that the app does not see.
        notes: What the layer would log.
    """

    header: str
    hops: tuple[Hop, ...]
    client: Verdict
    scheme: Verdict
    host: Verdict
    port: Verdict
    prefix: Verdict
    deleted: tuple[str, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as dictionaries and lists, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        hops = [("peer" if hop.number == 0 else f"hop {hop.number}", hop.text, hop.why) for hop in self.hops]
        more = len(hops) - _MOST_SHOWN
        fields = [(field, getattr(self, field)) for field in KEYS]
        rows = [*hops[:_MOST_SHOWN], *([("...", "", f"{more} more")] if more > 0 else [])]
        rows += [(field, verdict.value or "", verdict.why) for field, verdict in fields]
        shown = [(name, short(text) or "-", visible(why)) for name, text, why in rows]
        width = max(len(text) for _, text, _ in shown)
        lines = [f"{name:<8}{text:<{width}}  {why}" for name, text, why in shown]
        lines += [f"deleted {visible(', '.join(self.deleted))}"] if self.deleted else []
        return "\n".join([*lines, *(f"note    {note}" for note in self.notes)])


def short(value: object) -> str:
    r"""A client's text, fit to be shown: bytes beyond ASCII, a no-break space among them, stand as ``\xNN``.

    Some gateways and test clients put numbers into the environ: these stand as text.
    """
    text = str(value)
    cut = text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."
    return visible(cut.encode("ascii", "backslashreplace").decode("ascii"))
