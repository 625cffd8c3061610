"""What `make` leaves behind where it cannot go on."""

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"

#: Passes for Python, makes an environment, and has an environment's Python whose pip fails, as without a network.
PYTHON = """#!/bin/sh
case "$*" in
  *ensurepip*|*venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *pip*) echo "no network" >&2; exit 1 ;;
esac
"""


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed (apt-get install make)")
def test_a_half_made_environment_is_made_anew(tmp_path):
    shutil.copy(MAKEFILE, tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    for _ in range(2):
        done = subprocess.run(["make", "demo", "PYTHON=./python"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 2
        assert "Setting up .venv" in done.stdout, "from the beginning"
        assert "no network" in done.stderr
