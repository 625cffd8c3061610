"""Clean copies of the logs that DuckDB's JSON reader does not take as they are.

It reads files, not streams; a line must begin with its object, under our names; and a damaged gzip file or a line
beyond its limit ends the whole read. A copy has every readable line as it reads them, in a temporary file.
"""

import os
from pathlib import Path

from overcoat.inspector._files import BLOCK_BYTES, PROBE_BYTES, LogFile, LogFiles
from overcoat.inspector._lines import forward


def needs_copy(file: LogFile, files: LogFiles) -> bool:
    """Whether a log only streams, or has lines near its start or its end that DuckDB would read otherwise."""
    if file.size_bytes is None or files.mapping is not None:
        return True
    reader = files.reader(file)
    return not all(map(reader.is_native, [*file.head(), *tail_lines(file)]))


def tail_lines(file: LogFile) -> list[bytes]:
    """The last lines of a plain file that is longer than its head."""
    if not file.seekable or (file.size_bytes or 0) <= PROBE_BYTES:
        return []
    try:
        with file.open() as stream:
            stream.seek(-PROBE_BYTES, os.SEEK_END)
            return stream.read(PROBE_BYTES).split(b"\n")[1:]
    except OSError:
        return []


def copy_clean(file: LogFile, files: LogFiles, target: Path) -> None:
    """Copy a log's objects, one a line; what has none is counted as broken.

    Raises:
        OSError: there is no room for the copy.
    """
    reader = files.reader(file)
    with target.open("wb", buffering=BLOCK_BYTES) as copy:
        for line in forward(files.blocks(file), files):
            text = reader.object_of(line)
            if text is None:
                files.broken += bool(line.strip())
                continue
            copy.write(text)
            copy.write(b"\n")
