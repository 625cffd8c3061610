"""A prompt Ctrl-C while DuckDB works.

The interpreter handles a signal only when the query returns, and a large join looks for interrupts rarely: it may run
on for a minute. So a thread waits for the signal too; where the query has not given way after a moment, it removes
the temporary files and ends the process.
"""

import os
import select
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from overcoat.inspector._progress import SHOW_CURSOR

INTERRUPTED: Final = 128 + signal.SIGINT
"""The exit status after Ctrl-C, as shells count it."""

_GRACE_SECONDS = 1.0


@contextmanager
def prompt_interrupts(folder: Path) -> Iterator[None]:
    """End the process soon after Ctrl-C, whatever the main thread is doing.

    Elsewhere than in the main thread, where no signals arrive, this does nothing.

    Args:
        folder: temporary files to remove.

    Raises:
        KeyboardInterrupt: also where DuckDB saw the Ctrl-C first, and told of it in its own words.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    before = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=_watch, args=(wake, folder), daemon=True)
    watcher.start()
    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        if "interrupted" in str(error).lower():
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.set_wakeup_fd(before)
        waker.close()
        watcher.join()
        wake.close()


def _watch(wake: socket.socket, folder: Path) -> None:
    while received := wake.recv(1):
        if received[0] == signal.SIGINT:
            ready, _, _ = select.select([wake], [], [], _GRACE_SECONDS)
            if ready and not wake.recv(1):
                return  # the main thread is done
            shutil.rmtree(folder, ignore_errors=True)
            if sys.stderr.isatty():
                # A bar that another thread is just drawing must not come behind it.
                terminal = os.dup(sys.stderr.fileno())
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
                os.write(terminal, SHOW_CURSOR.encode())
            os._exit(INTERRUPTED)
