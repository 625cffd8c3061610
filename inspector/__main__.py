"""`python -m overcoat.inspector` is the `overcoat` command."""

import sys

from overcoat.inspector.cli import main

if __name__ == "__main__":
    sys.exit(main())
