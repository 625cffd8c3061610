"""The names that the lines of a log have, so that a misspelt one in a query is an error and no empty answer."""

import json
from collections.abc import Iterable
from difflib import get_close_matches

import orjson

from overcoat.inspector._files import BLOCK_BYTES, LogFile
from overcoat.inspector._reader import Reader
from overcoat.inspector._record import FIELDS

_RESEMBLANCE = 0.75  # of a name to a field, from which on a misspelling is likely


def is_in_any(name: str, files: Iterable[LogFile]) -> bool:
    """Whether a name stands as a JSON string anywhere in some files: most that do are found in the first block."""
    plain, escaped = orjson.dumps(name), json.dumps(name).encode()
    return any(_contains(file, plain) or (escaped != plain and _contains(file, escaped)) for file in files)


def resembling(name: str, files: Iterable[LogFile]) -> str | None:
    """The field of the record, or of the app's lines near the starts of the files, that was probably meant."""
    reader = Reader()
    own = {key for file in files for line in file.head() if (found := reader.read(line)) for key in found[1]}
    return next(iter(get_close_matches(name, [*FIELDS, *sorted(own - FIELDS.keys())], 1, _RESEMBLANCE)), None)


def _contains(file: LogFile, needle: bytes) -> bool:
    rest = b""
    try:
        with file.open() as stream:
            while block := stream.read(BLOCK_BYTES):
                if needle in rest + block:
                    return True
                rest = block[1 - len(needle) :]
    except Exception:  # it is damaged, and whoever reads it next will say so
        return True
    return False
