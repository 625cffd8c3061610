"""The apps that the server benchmarks serve, chosen by the environment: ``BENCH_VARIANT`` is ``bare`` or ``ours``."""

import os
from pathlib import Path

from benchmarks import variants

app = variants.bare()
if os.environ.get("BENCH_VARIANT") == "ours":
    app.wsgi_app = variants.ours(app.wsgi_app, Path(os.environ["BENCH_FOLDER"]))  # type: ignore[method-assign]
