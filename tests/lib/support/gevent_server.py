"""gevent's own server, everything patched: ``python -m support.gevent_server PORT module:app``."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 - what follows imports what is patched
from importlib import import_module  # noqa: E402

from gevent.pywsgi import WSGIServer  # noqa: E402

if __name__ == "__main__":
    port, target = sys.argv[1:]
    module, _, name = target.partition(":")
    WSGIServer(("127.0.0.1", int(port)), getattr(import_module(module), name), log=None).serve_forever()
