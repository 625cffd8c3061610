"""``python -m overcoat.demo`` is ``overcoat demo``."""

import sys

from overcoat.inspector.cli import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))
