"""The oldest packages that are supported, as pip takes them: `python -m support.oldest` prints a requirement a line.

>>> [text for text in oldest() if text.startswith("Flask==")]
['Flask==3.0']
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

_PROJECT = Path(__file__).parents[3] / "pyproject.toml"
_EXTRAS = ("flask",)
_BESIDE = ("Flask-SQLAlchemy",)  # of the demo's packages the one whose session a bundle ends


def oldest() -> Iterator[str]:
    """The core's packages and those of its bundles, each in the first release that pyproject.toml allows."""
    project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    beside = [text for text in extras["demo"] if text.startswith(_BESIDE)]
    for text in [*project["dependencies"], *(text for name in _EXTRAS for text in extras[name]), *beside]:
        name, version = re.fullmatch(r"([\w-]+)>=([\d.]+)", text).groups()
        yield f"{name}=={version}"


if __name__ == "__main__":
    print(*oldest(), sep="\n")
