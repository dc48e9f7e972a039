"""docs/run-options.md: every command as it is written, one after the other in one folder; what it says of tables."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import FAST

from benchmark.cli.main import main
from benchmark.results.registered_tables import chosen_tables

PAGE = (Path(__file__).parents[2] / "docs" / "run-options.md").read_text()
COMMANDS = re.findall(r"^    (benchmark .*)$", PAGE, re.M)
TASKS = {"ID quality": "id-quality", "recommendation": "recommendation", "search": "search"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small_demo: None) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("options")
    lines = [f"p{number},Red lamp {number},Acme,Home > Lamps" for number in range(30)]
    (folder / "products.csv").write_text("sku,name,brand,category\n" + "\n".join(lines) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_works(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [path for word in shlex.split(line)[1:] for path in (sorted(map(str, Path().glob(word))) or [word])]
    assert main([*words, *(FAST if words[0] == "run" else [])]) == 0
    said = capsys.readouterr()
    assert said.out.strip()
    if words[0] == "import":
        note = re.search(r"^    (note: .*) \(give", PAGE, re.M)
        assert note and note[1] in said.err
    if "--limit" in words:
        assert "first look: at most 20 users and queries" in " ".join(said.out.split())


def test_the_columns_of_the_overview_are_those_that_the_page_names() -> None:
    named = dict(re.findall(r"^\| (ID quality|recommendation|search) \| (.*) \|$", PAGE, re.M))
    headlines = {table.task: ", ".join(column.header for column in table.headline)
                 for table in chosen_tables() if table.name in TASKS.values()}  # fmt: skip
    assert {TASKS[name]: columns for name, columns in named.items()} == headlines
