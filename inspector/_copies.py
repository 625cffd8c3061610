"""Clean copies of the logs that DuckDB's JSON reader does not take as they are.

It reads files, not streams; a line must begin with its object; and a damaged gzip file or a line beyond its limit
ends the whole read. A copy has every readable line, without its prefix, in a temporary file.
"""

from pathlib import Path

from overcoat.inspector._files import BLOCK_BYTES, LogFile, LogFiles
from overcoat.inspector._lines import forward
from overcoat.inspector._record import json_part

_PROBE_BYTES = 2**16


def needs_copy(file: LogFile) -> bool:
    """Whether a log only streams, or has objects behind a prefix near its start or its end."""
    if file.size_bytes is None:
        return True
    try:
        with file.open() as stream:
            pieces = stream.read(_PROBE_BYTES).split(b"\n")
            if file.seekable and file.size_bytes > _PROBE_BYTES:
                stream.seek(-_PROBE_BYTES, 2)
                pieces += stream.read(_PROBE_BYTES).split(b"\n")[1:]
    except (OSError, EOFError):
        return True
    return any(piece[:1] != b"{" and json_part(piece) is not None for piece in pieces)


def copy_clean(file: LogFile, files: LogFiles, target: Path) -> None:
    """Copy a log's objects, one a line; what has none is counted as broken.

    Raises:
        OSError: there is no room for the copy.
    """
    with target.open("wb", buffering=BLOCK_BYTES) as copy:
        for line in forward(files.blocks(file), files):
            text = line
            if line[:1] != b"{":
                found = json_part(line)
                if found is None:
                    files.broken += bool(line.strip())
                    continue
                text = found[0]
            copy.write(text)
            copy.write(b"\n")
