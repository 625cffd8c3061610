"""A temporary folder that does not outlive its process for long, however that ends.

Who is killed (SIGKILL, power) removes nothing. So the folder is locked while its process lives, and the next process
that makes one removes those that nobody holds. systemd-tmpfiles goes by the same lock, and leaves a folder that is in
use alone however old it is.

>>> scratch = Scratch()
>>> scratch.folder.is_dir()
True
>>> scratch.remove()
>>> scratch.folder.exists()
False
"""

import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PREFIX: Final = "overcoat-logs-"

_LEAST_AGE_S = 60.0
"""A folder is a moment old before its process has locked it."""


class Scratch:
    """A folder for the process, readable by its owner alone.

    Raises:
        OSError: there is no room, or no place, for temporary files.
    """

    def __init__(self) -> None:
        _remove_abandoned(Path(tempfile.gettempdir()))
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock: int | None = _locked(self.folder)

    def remove(self) -> None:
        """Remove the folder and what is in it; a second time there is nothing to do."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _locked(folder: Path) -> int | None:
    """A descriptor that holds a folder's lock; None where another one does, or where there are no such locks."""
    if os.name != "posix":
        return None
    import fcntl

    descriptor = None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned(place: Path) -> None:
    """Remove the folders of our own that no living process holds."""
    if os.name != "posix":
        return
    with suppress(OSError):
        for folder in place.glob(f"{PREFIX}*"):
            with suppress(OSError):
                _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    found = folder.lstat()
    # Anybody may make a name in a shared /tmp: what is not surely ours stays.
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700
    if not is_ours or time.time() - found.st_mtime < _LEAST_AGE_S:
        return
    lock = _locked(folder)
    if lock is not None:
        try:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
