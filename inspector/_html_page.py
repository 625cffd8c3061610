"""What a page of HTML says to a scanner: the scripts that it loads, and the policies in its ``meta`` elements.

>>> from overcoat.inspector._html_page import read_page
>>> page = read_page(b'<meta name=referrer content=no-referrer><script src="//cdn.example/a.js"></script>')
>>> page.referrer, page.scripts
('no-referrer', (Script(src='//cdn.example/a.js', integrity=''),))
"""

from dataclasses import dataclass
from functools import lru_cache
from html.parser import HTMLParser


@dataclass(frozen=True)
class Script:
    """A ``script`` element; ``src`` is empty for an inline one."""

    src: str
    integrity: str


@dataclass(frozen=True)
class Page:
    """What was found.

    Attributes:
        scripts: In the order of the page.
        policies: The contents of ``<meta http-equiv="Content-Security-Policy">``.
        referrer: That of the last ``<meta name="referrer">``, or None.
        inline_handlers: How many elements have an ``onclick`` or its like.
        inline_styles: How many elements have a ``style``, or are one without a nonce.
    """

    scripts: tuple[Script, ...] = ()
    policies: tuple[str, ...] = ()
    referrer: str | None = None
    inline_handlers: int = 0
    inline_styles: int = 0


@lru_cache(maxsize=1)  # the tests and the findings ask in turn
def read_page(body: bytes) -> Page:
    """What a body of HTML says."""
    reader = _Reader()
    reader.feed(body.decode("utf-8", "replace"))
    reader.close()
    return Page(tuple(reader.scripts), tuple(reader.policies), reader.referrer, reader.handlers, reader.styles)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[Script] = []
        self.policies: list[str] = []
        self.referrer: str | None = None
        self.handlers = self.styles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in reversed(attrs)}  # of two of a name the first counts
        if tag == "script":
            self.scripts.append(Script(attributes.get("src", "").strip(), attributes.get("integrity", "")))
        elif tag == "meta" and "http-equiv" in attributes and "content" in attributes:
            if attributes["http-equiv"].strip().lower() == "content-security-policy" and attributes["content"]:
                self.policies.append(attributes["content"])
        elif tag == "meta" and attributes.get("name", "").strip().lower() == "referrer" and attributes.get("content"):
            self.referrer = attributes["content"]
        self.handlers += any(name.startswith("on") for name in attributes)
        self.styles += "style" in attributes or (tag == "style" and "nonce" not in attributes)
