"""`overcoat check module:app` asks the app in a process of its own: an app may print, hang, leave or crash.

>>> from overcoat.inspector._isolated import examine_apart
>>> report = examine_apart("wsgiref.simple_server:demo_app", timeout_s=60)
>>> report["grade"], report["pages"][0]["status"]
('F', 200)
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from overcoat.inspector._load_app import UnusableError

# What the process gets beyond the app's own time: to start, to say where the app hangs, to end.
_GRACE_S = 10
_LINES_SHOWN = 5
_FRAME = re.compile(r'  File "(.*)", line (\d+) in (.*)')


def examine_apart(
    target: str,
    *,
    paths: Sequence[str] = ("/",),
    host: str | None = None,
    https_only: bool = False,
    timeout_s: float = 30.0,
) -> dict[str, Any]:
    """The report on an app.

    Args:
        target: ``module:app``, ``module:create_app()`` or ``module:create_app``, from the current directory.
        paths: The pages to ask for.
        host: The host to ask; without one the first that a layer or a setting names.
        https_only: Whether nobody is served over http.
        timeout_s: Seconds in which the app must be imported and have answered everything.

    Raises:
        UnusableError: There is no such app, or it did not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        report, trace, said = (Path(folder) / name for name in ("report", "trace", "said"))
        orders = {
            "target": target, "paths": list(paths), "host": host, "https_only": https_only, "seconds": timeout_s,
            "report": str(report), "trace": str(trace),
        }  # fmt: skip
        command = [sys.executable, "-m", "overcoat.inspector._check_worker", json.dumps(orders)]
        with said.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603  # ourselves
            try:
                status = process.wait(timeout_s + _GRACE_S)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        if report.exists():
            told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
            if "error" not in told:
                return told
            # Who leaves has said why, as a rule.
            raise UnusableError(told["error"] + (_last_lines(said) if "SystemExit" in told["error"] else ""))
        if status is None or (trace.exists() and trace.stat().st_size):
            place = _place(trace.read_text(encoding="utf-8", errors="replace")) if trace.exists() else ""
            raise UnusableError(
                f"{target!r} did not finish within {timeout_s:g} s{place}: a module that starts its server when it is "
                "imported needs `if __name__ == '__main__':` before it; a slow one needs --timeout"
            )
        raise UnusableError(f"{target!r} ended the process with status {status}{_last_lines(said)}")


def _place(trace: str) -> str:
    """Where the main thread was: the innermost line of the user's own, or of anybody's."""
    frames = [
        match.groups()
        for match in map(_FRAME.match, trace.rpartition("most recent call first")[2].splitlines())
        if match
    ]
    here = str(Path.cwd())
    for file, line, function in [*(frame for frame in frames if frame[0].startswith(here)), *frames[:1]]:
        return f" (at {Path(file).name}:{line} in {function})"
    return ""


def _last_lines(said: Path) -> str:
    """What the app printed last, which may say why."""
    lines = [line.strip() for line in said.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"; it printed: {' | '.join(lines[-_LINES_SHOWN:])[:600]}" if lines else ""
