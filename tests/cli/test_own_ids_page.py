"""docs/own-ids.md: from a table of 1,000 products to `generate`, every command and the example as they are written."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pages import commands, typed
from products import products

from benchmark.cli.main import main
from benchmark.results.result_files import read_id_lines

PAGE = (Path(__file__).parents[2] / "docs" / "own-ids.md").read_text()
COMMANDS = commands(PAGE)
EXAMPLE = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.S))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where all commands are typed, one after the other."""
    folder = tmp_path_factory.mktemp("newcomer")
    random = np.random.default_rng(0)
    (folder / "products.csv").write_text(products(1, 1000, random))
    (folder / "new-products.csv").write_text(products(1001, 10, random))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_works(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(typed(line)) == 0
    printed = capsys.readouterr().out
    assert printed.strip()
    if "ids assign" in line and "--out" not in line:
        assert [json.loads(row)["id"] for row in printed.splitlines()] == [f"p{n}" for n in range(1001, 1011)]


def test_the_page_leaves_behind_what_it_says(folder: Path) -> None:
    old = read_id_lines(next(folder.glob("runs/shop/rqkmeans/*/seed-0")) / "ids.unique.tsv")
    every = read_id_lines(folder / "my-ids" / "ids.unique.tsv")
    assert len(old) == 1000 and len(every) == len(set(every.values())) == 1010
    assert {item: every[item] for item in old} == old
    labels = re.findall(r"--set\s+(\w+)\.", PAGE)
    assert labels and "rqkmeans" not in labels  # a second configuration there would make its pattern name two folders
    near = read_id_lines(next(folder.glob("runs/shop/near/*/seed-0")) / "ids.tsv")
    repaired = read_id_lines(folder / "repaired.tsv")
    assert len(set(repaired.values())) == 1000 and near == repaired
    assert {path.name for path in (folder / "shop-ids").iterdir()} == {"README.md", "ids.json", "ids.parquet"}


def test_the_example_writes_ids_of_products_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A small T5 with random weights stands in a folder of the model's name, where transformers looks first."""
    from benchmark.generative.t5 import ScratchConfig, load_seq2seq, save

    titles = (folder / "products.csv").read_text().splitlines()
    sizes = ScratchConfig(d_model=32, layers=1, heads=2, d_ff=48, vocabulary_size=400)
    save(folder / "t5-small", *load_seq2seq("scratch", sizes, titles, setting="page"))
    names: dict[str, object] = {}
    exec(compile(EXAMPLE, "own-ids.md", "exec"), names)
    found = names["found"]
    assert isinstance(found, list) and len(found) == len(set(found)) == 5
    assert set(found) <= set(read_id_lines(folder / "my-ids" / "ids.unique.tsv"))
    assert str(found) in capsys.readouterr().out
