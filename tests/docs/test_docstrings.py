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


@pytest.mark.parametrize("name", overcoat.middleware.__all__)
def test_every_public_name_stands_in_an_example(name):
    module = importlib.import_module(getattr(overcoat.middleware, name).__module__)
    examples = doctest.DocTestFinder(exclude_empty=True).find(module)
    assert any(name in example.source for test in examples for example in test.examples)
