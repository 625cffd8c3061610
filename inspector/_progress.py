"""How far a long read has come, on standard error, where that is a terminal.

Nothing is shown for the first second, nothing in a pipe, and nothing once the answer is being printed on the same
terminal.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_PATIENCE_SECONDS = 1.0
_REFRESH_SECONDS = 0.2
SHOW_CURSOR = "\x1b[?25h\r\x1b[K"
"""What undoes a bar that had no time to leave: the cursor is shown again, and its line is empty."""


@contextmanager
def progress(share: Callable[[], float | None]) -> Iterator[None]:
    """Show a bar while the body runs.

    Args:
        share: how much is done, from 0 to 1; None where nobody knows.
    """
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()
    thread = threading.Thread(target=_show, args=(share, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _show(share: Callable[[], float | None], done: threading.Event) -> None:
    if done.wait(_PATIENCE_SECONDS):
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("reading", total=None)
        while not done.wait(_REFRESH_SECONDS):
            part = share()
            if part is not None:
                part = min(max(part, 0.0), 1.0)
                bars.update(task, total=1.0, completed=part, description=f"reading, {part:.0%}")
