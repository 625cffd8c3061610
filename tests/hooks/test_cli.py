import json
import os
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from flask import Flask
from support.hooks import make_app, recording

from overcoat.hooks import register
from overcoat.hooks._cli import layers
from overcoat.middleware import RequestID, describe

ROOT = Path(__file__).parents[2]


def shop() -> Flask:
    app = make_app(recording("a", []), recording("b", [], only="POST"))
    app.wsgi_app = RequestID(app.wsgi_app)  # type: ignore[method-assign]

    @app.after_request
    def by_hand(response: object) -> object:
        return response

    return app


def test_it_prints_what_describe_tells() -> None:
    app = shop()
    done = app.test_cli_runner().invoke(layers)
    assert done.exit_code == 0
    assert done.output == f"{describe(app)}\n"
    lines = done.output.splitlines()
    assert lines[0] == "the way in"
    hooks = lines[lines.index("after each request") + 1 : lines.index("when the request is torn down")]
    assert [line.split()[1] for line in hooks] == ["shop.by_hand", "b:", "a:"]
    assert "tests/hooks/test_cli.py:" in hooks[0]
    assert hooks[1].endswith(", only POST")


def test_json_is_the_same_tree() -> None:
    app = shop()
    done = app.test_cli_runner().invoke(layers, ["--json"])
    assert done.exit_code == 0
    assert json.loads(done.output) == describe(app).as_dict()
    (row,) = [node for node in describe(app).walk() if node.name == "b: recording.enter"]
    assert (row.bundle, row.detail) == ("b", "only POST")
    assert row.source.startswith("support/hooks.py:")


def test_missing_requirement_is_said_without_a_traceback() -> None:
    app = Flask("shop")
    register(app, [recording("a", [], requires="database")])
    done = app.test_cli_runner().invoke(layers)
    assert done.exit_code == 1
    assert done.output.startswith("Error: bundle 'a' requires 'database', which is not registered on this app")


@pytest.fixture
def entry_points(tmp_path: Path) -> Path:
    """A folder with the entry points of the package as it is, whatever is installed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["flask.commands"]
    info = tmp_path / "site" / "overcoat_under_test-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: overcoat-under-test\nVersion: 0\n")
    lines = "".join(f"{name} = {target}\n" for name, target in declared.items())
    (info / "entry_points.txt").write_text(f"[flask.commands]\n{lines}")
    return info.parent


def test_flask_finds_the_command(entry_points: Path, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "from flask import Flask\n"
        "from overcoat.hooks import RequestContext, register\n"
        "def create_app():\n"
        "    app = Flask(__name__)\n"
        "    register(app, [RequestContext()])\n"
        "    app.teardown_request(close)\n"
        "    return app\n"
        "def close(error): ...\n"
    )
    spec = find_spec("overcoat")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = [str(entry_points), *(str(Path(folder).parent) for folder in spec.submodule_search_locations)]
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "shop", "layers"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    torn = done.stdout.split("when the request is torn down\n")[1].splitlines()
    assert torn[0].split() == ["hook", "close", "shop.py:8"]
    assert torn[1].split()[:3] == ["bundle", "request-context:", "RequestContext._restore"]
