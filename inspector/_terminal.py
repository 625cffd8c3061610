"""Where the answer goes: a terminal with a width and colours, or a pipe with neither.

Colours follow rich's reading of the environment: none without a terminal, with `NO_COLOR`, or where `TERM` is dumb;
`FORCE_COLOR` asks for them in a pipe. In a pipe a row is as wide as it must be, unless `COLUMNS` says otherwise.
"""

import os
from functools import cache
from typing import TextIO

from rich.cells import cell_len, set_cell_size
from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style


class Terminal:
    """A stream to print on.

    Args:
        stream: standard output.
    """

    def __init__(self, stream: TextIO) -> None:
        console = Console(file=stream)
        columns = os.environ.get("COLUMNS", "")
        self.stream = stream
        self.is_tty = stream.isatty()
        self.width: int | None = console.width if self.is_tty or columns.isdecimal() else None
        self.height: int | None = console.height if self.is_tty else None
        self.coloured = console.is_terminal and not console.no_color and not console.is_dumb_terminal

    def paint(self, text: str, style: str) -> str:
        """The text in a style such as `bold red`; plain where there are no colours."""
        return _style(style).render(text, color_system=ColorSystem.STANDARD) if self.coloured and style else text

    def write(self, text: str) -> None:
        """Print a line."""
        self.stream.write(text + "\n")


@cache
def _style(definition: str) -> Style:
    return Style.parse(definition)


def fit(text: str, width: int) -> str:
    """The text in exactly so many columns, with an ellipsis where it does not fit."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def cut(text: str, width: int | None) -> str:
    """The text in at most so many columns."""
    return text if width is None or cell_len(text) <= width else fit(text, width)
