r"""Tables of figures: `--stats` and the rows of `--sql`.

A result with more columns than the terminal has room for is shown one field a line, as psql does with `\x auto`.
"""

from collections.abc import Sequence

from rich.cells import cell_len

from overcoat.inspector._terminal import Terminal, cut, fit
from overcoat.inspector._text import escape

MAX_COLUMN = 200  # columns of the screen for one value, where there is no width to keep to
_LEAST_COLUMN = 12  # a column of text is not cut below this


def print_grid(
    terminal: Terminal,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[bool],
    emphasis: int = 0,
) -> None:
    """Print rows under their headings.

    Args:
        terminal: where to.
        headings: of the columns.
        rows: values as they came; they are escaped here.
        right: which columns are numbers; text may be cut to fit, numbers never.
        emphasis: how many rows at the end are a summary.
    """
    names = [escape(name, limit=MAX_COLUMN) for name in headings]
    cells = [[escape(value, limit=MAX_COLUMN) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(names, *cells, strict=True)]
    if not _shrink(widths, right, terminal.width):
        _print_vertically(terminal, names, cells)
        return
    for index, row in enumerate([names, *cells]):
        line = "  ".join(
            " " * (width - cell_len(value)) + value if is_right else fit(value, width)
            for value, width, is_right in zip(row, widths, right, strict=True)
        ).rstrip()
        strong = index == 0 or index > len(cells) - emphasis
        terminal.write(terminal.paint(line, "bold" if strong else ""))


def _shrink(widths: list[int], right: Sequence[bool], room: int | None) -> bool:
    """Take what is too much from the widest column of text, again and again; whether that was enough."""
    if room is None:
        return True
    while (excess := sum(widths) + 2 * (len(widths) - 1) - room) > 0:
        texts = [index for index, is_right in enumerate(right) if not is_right]
        widest = max(texts, key=lambda index: widths[index], default=None)
        if widest is None or widths[widest] <= _LEAST_COLUMN:
            return False
        second = max((widths[index] for index in texts if index != widest), default=0)
        widths[widest] = max(widths[widest] - excess, min(second, widths[widest] - 1), _LEAST_COLUMN)
    return True


def _print_vertically(terminal: Terminal, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    width = max(map(cell_len, names))
    for number, row in enumerate(rows, 1):
        terminal.write(terminal.paint(f"── {number} ──", "dim"))
        for name, value in zip(names, row, strict=True):
            terminal.write(cut(f"{fit(name, width)}  {value}", terminal.width))
