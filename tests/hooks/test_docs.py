import doctest
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "hooks.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_code_block_of_the_page_runs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "page"}
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    ran = 0
    for found in BLOCK.finditer(text):
        kind, code = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        if kind == "python":
            exec(compile("\n" * line + code, str(PAGE), "exec"), namespace)
        elif kind == "pycon":
            test = doctest.DocTestParser().get_doctest(code, namespace, "hooks.md", str(PAGE), line)
            output: list[str] = []
            runner.run(test, out=output.append, clear_globs=False)
            namespace.update(test.globs)
            assert output == []
        else:
            pytest.fail(f"a block of {kind} at line {line} is not run")
        ran += 1
    with namespace["service"].app_context():
        namespace["db"].engine.dispose()
    assert ran == 8


def test_every_public_bundle_is_on_the_page() -> None:
    import overcoat.hooks

    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in overcoat.hooks.__all__ if f"{name}" not in text] == []
