import importlib.util
import sys

import pytest

from overcoat.middleware._errors import error_at, error_message, error_type


class Silent(Exception):
    def __str__(self):
        raise RuntimeError


class Outer:
    class InnerError(Exception):
        pass


def raised(function, *args):
    try:
        function(*args)
    except BaseException as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError("x"), "ValueError"),
        (SystemExit(1), "SystemExit"),
        (Outer.InnerError(), f"{__name__}.Outer.InnerError"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, ""), "UnicodeDecodeError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_error_type(error, name):
    assert error_type(error) == name


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("no"), "no"),
        (ValueError(), ""),
        (KeyError("k"), "'k'"),
        (Silent(), "<Silent whose str() raises>"),
        (ValueError("x" * 1000), "x" * 1000),
        (ValueError("x" * 1001), "x" * 999 + "…"),
        (ValueError("x" * 10_000_000), "x" * 999 + "…"),
    ],
    ids=["text", "none", "a key", "str() raises", "1000 characters", "1001 characters", "10 MB"],
)
def test_error_message(error, message):
    assert error_message(error) == message


def test_error_at_is_the_innermost_frame(tmp_path, monkeypatch):
    file = tmp_path / "shop" / "cart.py"
    file.parent.mkdir()
    file.write_text("def add(item):\n    return pay(item)\n\ndef pay(item):\n    raise ValueError(item)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = importlib.util.spec_from_file_location("shop_cart", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert error_at(raised(module.add, 1)) == "shop/cart.py:5 in pay"


def test_the_longest_root_counts(tmp_path, monkeypatch):
    file = tmp_path / "src" / "cart.py"
    file.parent.mkdir()
    file.write_text("def add():\n    raise ValueError\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(file.parent), "", *sys.path])
    namespace = {}
    exec(compile(file.read_text(), str(file), "exec"), namespace)
    assert error_at(raised(namespace["add"])) == "cart.py:2 in add"


def test_a_file_that_is_nowhere_keeps_its_name():
    namespace = {}
    exec(compile("def f():\n    1 / 0\n", "<template>", "exec"), namespace)
    assert error_at(raised(namespace["f"])) == "<template>:2 in f"


def test_an_error_that_was_never_raised_is_nowhere():
    assert error_at(ValueError()) is None


def test_the_values_of_a_statement_are_not_in_the_message():
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import OperationalError

    engine = create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(text("insert into users values (:password)"), {"password": "hunter2"})
    engine.dispose()
    assert "hunter2" in str(caught.value)
    assert error_message(caught.value) == "no such table: users"
