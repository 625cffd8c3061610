"""The apps that the server benchmarks serve, chosen by the environment: ``BENCH_VARIANT`` is one of ``WRAPPERS``."""

import os
from pathlib import Path

from benchmarks import variants

#: What goes around Flask's own application.
WRAPPERS = {"bare": lambda app, _: app, "ours": variants.ours, "hand": variants.hand_fused}

app = variants.bare()
wrap = WRAPPERS[os.environ.get("BENCH_VARIANT", "bare")]
app.wsgi_app = wrap(app.wsgi_app, Path(os.environ.get("BENCH_FOLDER", ".")))  # type: ignore[method-assign]
