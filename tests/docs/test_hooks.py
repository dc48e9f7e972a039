"""The pages that the documentation makes of code: each method has one, with its text and all of its settings."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
from benchmark.registry import load, registered

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
hooks = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(hooks)


@pytest.mark.parametrize("name", registered("method"))
def test_the_list_leads_to_a_page_with_the_methods_text_and_a_row_for_each_setting(name: str) -> None:
    pages = hooks.generated_pages()
    (link,) = re.findall(rf"^\| \[`{name}`\]\(([^)]*)\)", pages["methods/index.md"], re.M)
    page = pages[f"methods/{link}"]
    cls = load("method", name)
    readme = Path(inspect.getfile(cls)).parent / "README.md"
    text = readme.read_text() if readme.is_file() else inspect.getmodule(cls).__doc__.partition("\n")[2]
    lost = [line for line in text.splitlines() if line.strip() and line not in page]
    assert lost == []
    section = page.split(f"## Settings of `{name}`\n")[1].split("\n## Settings of")[0]
    for field in cls.Config.model_fields:
        assert re.search(rf"^\| `{field}[`.]", section, re.M), field


def test_every_measured_result_has_a_page_and_stands_in_its_list() -> None:
    pages = hooks.generated_pages()
    for path in (ROOT / "reports" / "measured").glob("*.md"):
        assert f"({path.name})" in pages["measured/index.md"]
        title = path.read_text().partition("\n")[0]
        assert pages[f"measured/{path.name}"].startswith(title)


def test_lists_get_the_blank_line_that_markdown_needs() -> None:
    assert hooks.separated_lists("Text:\n- a\n  more\n- b\n") == "Text:\n\n- a\n  more\n- b\n"
    assert hooks.separated_lists("Text:\n\n- a\n") == "Text:\n\n- a\n"
