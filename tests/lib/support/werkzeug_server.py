"""Werkzeug's development server: ``python -m support.werkzeug_server PORT module:app``."""

import sys

from werkzeug.serving import run_simple
from werkzeug.utils import import_string

if __name__ == "__main__":
    port, target = sys.argv[1:]
    run_simple("127.0.0.1", int(port), import_string(target), threaded=True)
