"""The demo under `overcoat check`: its page and its API reach the best grade, with at least 125 points."""

import json
import os
import subprocess
import sys


def test_the_demo_reaches_the_best_grade(tmp_path):
    # Deployed: under a name of its own, behind what redirects http.
    paths = ["--path", "/", "--path", "/item", "--https-only", "--host", "demo.example"]
    command = [sys.executable, "-m", "overcoat.inspector", "check", "overcoat.demo:create_app", "--json", *paths]
    wanted = ["--fail-under", "A+", "--min-score", "125"]
    environ = {
        **os.environ,
        "DATABASE_URL": "sqlite://",
        "LOG_FILE": str(tmp_path / "demo.log"),
        "TRUSTED_HOSTS": "demo.example",
    }
    done = subprocess.run([*command, *wanted], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    told = json.loads(done.stdout)
    assert (done.stderr, done.returncode) == ("", 0)
    assert {page["path"]: page["grade"] for page in told["pages"]} == {"/": "A+", "/item": "A+"}
    assert min(page["score"] for page in told["pages"]) >= 125
    assert [finding for finding in told["findings"] if finding["severity"] != "note"] == []
