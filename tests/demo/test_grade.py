"""What `overcoat check` says of the demo: the best grade, on its page and its API, as installed and as deployed."""

import json
import os
import subprocess
import sys

import pytest

PATHS = {"/": 135, "/item/1": 130, "/item": 130}
INSTALLED: dict[str, str] = {}
DEPLOYED = {"TRUSTED_HOSTS": "shop.example", "LOG_FILE": "requests.log", "DATABASE_URL": "sqlite:///shop.sqlite3"}


@pytest.mark.parametrize(
    ("environ", "host"),
    [pytest.param(INSTALLED, "demo.example", id="installed"), pytest.param(DEPLOYED, "shop.example", id="deployed")],
)
def test_grade(tmp_path, environ, host):
    options = [*(word for path in PATHS for word in ("--path", path)), "--min-score", "125", "--fail-under", "A+"]
    done = subprocess.run(
        [sys.executable, "-m", "overcoat.inspector", "check", *options, "--json", "overcoat.demo.wsgi:app"],
        cwd=tmp_path,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert {page["path"]: (page["grade"], page["score"]) for page in report["pages"]} == {
        path: ("A+", points) for path, points in PATHS.items()
    }
    assert (report["host"], report["grade"], report["score"]) == (host, "A+", 130)
    assert [finding for finding in report["findings"] if finding["severity"] != "note"] == []
