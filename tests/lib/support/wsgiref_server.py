"""The server of the standard library: ``python -m support.wsgiref_server PORT module:app``."""

import sys
from importlib import import_module
from wsgiref.simple_server import make_server

if __name__ == "__main__":
    port, target = sys.argv[1:]
    module, _, name = target.partition(":")
    with make_server("127.0.0.1", int(port), getattr(import_module(module), name)) as server:
        server.serve_forever()
