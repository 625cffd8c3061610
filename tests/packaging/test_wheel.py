"""The package as a user gets it: built as a wheel, installed alone, imported, run."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ["middleware", "hooks", "inspector", "demo"]


def run(*command, **options):
    """Run a command; its output is in the failure if it fails."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """A wheel built from a copy of what git tracks, so that nothing left over from a build is in it."""
    source = tmp_path_factory.mktemp("source")
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, names):
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            target.write_bytes((ROOT / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", out, source)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """A fresh virtual environment with the wheel and its core dependencies alone; the path of its interpreter."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    run(python, "-m", "pip", "install", "--quiet", wheel)
    return python


def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    folders = {tuple(name.split("/")[:2]) for name in names if not name.startswith("overcoat-")}
    assert folders == {("overcoat", package) for package in PACKAGES}
    assert not any(name.startswith("overcoat/__init__") for name in names)
    assert {f"overcoat/{package}/py.typed" for package in PACKAGES} <= set(names)


def test_every_file_of_the_folders_is_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = run("git", "ls-files", "--cached", "--others", "--exclude-standard", *PACKAGES, cwd=ROOT).split()
    missing = {f"overcoat/{name}" for name in tracked if (ROOT / name).is_file()} - names
    assert missing == set()


SERVE = """
import io, sys
from overcoat.middleware import ProxyFix, RequestID, RequestLog, SecurityHeaders, ServerTiming, Stack

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]

layers = [ProxyFix(trusted=["127.0.0.1"]), RequestID(), RequestLog(to="stdout"), ServerTiming(), SecurityHeaders()]
stack = Stack(app, layers)
from wsgiref.util import setup_testing_defaults
environ = {}
setup_testing_defaults(environ)
body = stack(environ, lambda status, headers, exc_info=None: None)
assert b"".join(body) == b"hello"
body.close()
"""

FOREIGN = """
import overcoat.middleware, sys
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"flask", "duckdb", "rich", "sqlalchemy", "flask_cors", "flask_talisman", "flask_compress"}))
"""

TWICE = """
import importlib, pkgutil, sys
import overcoat.middleware
for module in pkgutil.iter_modules(overcoat.middleware.__path__, "overcoat.middleware."):
    importlib.import_module(module.name)
print(sorted({"middleware", "hooks", "inspector", "demo"} & set(sys.modules)))
files = [module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)]
print(sorted({file for file in files if files.count(file) > 1 and "overcoat" in file}))
"""


def test_the_layers_serve_a_request_with_the_core_dependencies_alone(installed):
    assert '"event":"http_request"' in run(installed, "-W", "error", "-c", SERVE)


def test_importing_the_middleware_loads_nothing_of_the_extras(installed):
    assert run(installed, "-c", FOREIGN).strip() == "[]"


def test_no_module_is_loaded_twice_or_under_a_bare_name(installed):
    assert run(installed, "-c", TWICE).split("\n")[:2] == ["[]", "[]"]


def test_the_command_says_its_version(installed, wheel):
    command = installed.with_name("overcoat")
    assert run(command, "--version").strip().endswith(wheel.name.split("-")[1])


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [(["logs", "--stats", "x.log"], "overcoat[logs]"), (["demo"], "overcoat[demo]")],
    ids=["logs", "demo"],
)
def test_a_missing_extra_is_named_with_the_line_that_installs_it(installed, arguments, extra, tmp_path):
    (tmp_path / "x.log").write_text('{"event":"http_request"}\n')
    done = subprocess.run(
        [installed.with_name("overcoat"), *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 2
    assert f"pip install '{extra}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_tests_themselves_import_no_bare_name():
    assert run(sys.executable, "-c", TWICE).split("\n")[:2] == ["[]", "[]"]
