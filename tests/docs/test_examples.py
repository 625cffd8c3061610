"""Every Python block of the documentation runs, in the order of its page: what is shown is what happens."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(page):
    """The kind, text and line of each block."""
    text = page.read_text(encoding="utf-8")
    return [(match[1], match[2], text.count("\n", 0, match.start(2))) for match in _BLOCK.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    parser, told = doctest.DocTestParser(), []
    for kind, text, line in blocks(page):
        if kind == "python":
            exec(compile("\n" * line + text, str(page), "exec"), namespace)
        else:
            test = parser.get_doctest(text, {}, page.name, str(page), line)
            test.globs = namespace  # shared with the blocks before and after, which a copy would not be
            doctest.DocTestRunner(optionflags=_FLAGS).run(test, out=told.append, clear_globs=False)
            assert not told, "".join(told)


def test_the_pages_have_blocks():
    assert {page.name for page in PAGES if blocks(page)} >= {"README.md", "hooks.md", "middleware.md"}


#: Where each public name of logs, ids and timings is explained.
SHOWN = {
    "RequestLog": "middleware.md", "add_fields": "middleware.md", "Sensitive": "middleware.md",
    "configure_logging": "logging.md", "RequestContextFilter": "logging.md", "add_request_ids": "logging.md",
    "quiet_server_logs": "logging.md", "capture_requests": "logging.md", "RequestID": "ids.md",
    "TraceContext": "ids.md", "outgoing_headers": "ids.md", "timer": "timing.md", "ServerTiming": "timing.md",
}  # fmt: skip


@pytest.mark.parametrize(("name", "page"), SHOWN.items(), ids=SHOWN)
def test_a_name_has_a_page_with_an_example_of_it(name, page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert re.search(rf"^#+ .*{name}|`{name}\b", text, re.MULTILINE)
    assert any(re.search(rf"\b{name}\b", block) for _, block, _ in blocks(ROOT / "docs" / page))


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_the_readme_leads_to_every_page(page):
    assert f"](docs/{page.name})" in PAGES[0].read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_links_of_a_page_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
        file = page.parent / target if target else page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        slugs = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, anchor
