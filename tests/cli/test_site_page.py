"""docs/site.md: every command works as it is written, one after the other, and leaves behind what the page says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import commands, typed

from benchmark.cli.main import main

PAGE = (Path(__file__).parents[2] / "docs" / "site.md").read_text()

pytestmark = pytest.mark.usefixtures("small_demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where all commands are typed."""
    folder = tmp_path_factory.mktemp("publisher")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.mark.parametrize("line", commands(PAGE))
def test_the_command_works(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(typed(line)) == 0
    assert capsys.readouterr().out.strip()


def test_the_site_has_the_files_that_the_page_lists(folder: Path) -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.M)
    named = {name for row in rows for name in re.findall(r"`(\S+)`", row)}
    assert {path.name for path in (folder / "site").iterdir()} == named
    assert {"tables.csv", "tables.md", "index.html"} <= {path.name for path in (folder / "site-small").iterdir()}
