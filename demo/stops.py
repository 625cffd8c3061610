"""What the tour stops at: for each layer and bundle requests to send, and what to look for in the answers.

>>> from overcoat.demo.stops import STOPS
>>> STOPS["RequestID"].tries[0].headers
{'X-Request-ID': 'tour.my-own-id'}

The stops themselves are texts, in ``pages/stops.toml``.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

#: Stands for an origin that the settings name.
ALLOWED_ORIGIN = "the first of CORS_ORIGINS"


@dataclass(frozen=True, kw_only=True)
class Try:
    """A request that a button sends.

    Attributes:
        label: What the button says.
        look: What to look for in what comes back.
        method, path, headers, body: The request; the body is sent as JSON.
        sender: ``browser``, or ``server`` for what no browser lets a page send or see; ``abort`` and ``inline`` are
            sent by the browser too, which leaves after the first chunk, or runs a script that has no nonce.
        sets: Response headers that are the work of this layer.
        tells: Fields of the log line that are.
    """

    label: str
    look: str
    path: str = "/item/1"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    sender: Literal["browser", "server", "abort", "inline"] = "browser"
    sets: Sequence[str] = ()
    tells: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A place on the way: a layer by its class, a bundle by its name.

    Attributes:
        title: Its class.
        lesson: What it is good for.
        tries: Requests to send.
    """

    title: str
    lesson: str
    tries: tuple[Try, ...]


def _read(file: Path) -> dict[str, Stop]:
    documents: dict[str, dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        key: Stop(**{"title": key} | document | {"tries": tuple(Try(**one) for one in document["tries"])})
        for key, document in documents.items()
    }


STOPS: Mapping[str, Stop] = _read(Path(__file__).parent / "pages" / "stops.toml")
