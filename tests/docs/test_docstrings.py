"""Every example in a docstring runs, those of the tests' own helpers too."""

import doctest
import importlib
import pkgutil
from importlib.util import find_spec
from pathlib import Path

import pytest
import support

import overcoat.demo
import overcoat.hooks
import overcoat.inspector
import overcoat.middleware

PACKAGES = [overcoat.middleware, overcoat.hooks, overcoat.inspector, overcoat.demo, support]


def with_examples():
    """The names of the modules that show something; of what shows nothing only packages are imported."""
    for package in PACKAGES:
        names = [package.__name__]
        names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
        for name in names:
            origin = find_spec(name).origin
            if origin is not None and ">>> " in Path(origin).read_text(encoding="utf-8"):
                yield name


@pytest.mark.parametrize("name", sorted(with_examples()))
def test_the_examples_of_a_module_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    told = []
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(test, out=told.append)
    assert runner.tries
    assert not told, "".join(told)


def test_every_public_layer_shows_an_example():
    shown = set(with_examples())
    assert {f"overcoat.middleware.{name}" for name in (
        "proxy_fix", "request_id", "request_log", "security_headers", "server_timing", "fields", "timing", "logs",
    )} <= shown  # fmt: skip
