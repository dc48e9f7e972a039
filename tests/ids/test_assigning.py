"""`benchmark ids assign` on finished cells: IDs from what the cell has kept, old ones to the byte."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.cli.main import main
from benchmark.data.dataset import open_dataset
from benchmark.ids.assigning import assign_ids
from benchmark.ids.items import read_corpus
from benchmark.methods.rqkmeans import ResidualKMeans
from benchmark.results.result_files import read_id_lines
from benchmark.types.data import Corpus
from benchmark.types.method import Context

pytestmark = pytest.mark.usefixtures("small_encoder")

METHODS = ("rqkmeans", "near=rqkmeans", "rqvae", "tiger", "hc", "random", "shuffled", "category")
SETTINGS = (
    "rqkmeans.levels=2", "rqkmeans.codebook_size=8", "near.levels=2", "near.codebook_size=16", "near.unique_by=nearest",
    "rqvae.codebook_size=8", "rqvae.training.epochs=0", "rqvae.training.steps=5", "tiger.codebook_size=8",
    "tiger.training.epochs=0", "tiger.training.steps=5", "hc.children=4", "hc.leaf_factor=8", "random.codebook_size=4",
    "random.levels=1", "shuffled.codebook_size=4",
)  # fmt: skip
LABELS = [method.partition("=")[0] for method in METHODS]


@pytest.fixture(scope="module")
def cells(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The cell of each method on the shop, by label."""
    runs = tmp_path_factory.mktemp("runs")
    words = ["run", "--methods", ",".join(METHODS), "--dataset", str(shop), "--tasks", "id-quality", "--device", "cpu"]
    words += [word for setting in SETTINGS for word in ("--set", setting)]
    assert main([*words, "--runs", str(runs)]) == 0
    return {label: next((runs / "shop" / label).glob("*/seed-0")) for label in LABELS}


@pytest.fixture(scope="module")
def later(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten items that are new, of which the first five have the texts of old ones, and two that are old."""
    items = [json.loads(line) for line in (shop / "items.jsonl").read_text().splitlines()]
    copies = [{**items[row], "id": f"n{row}"} for row in (0, 7, 7, 21, 40)]
    copies[2]["id"] = "n7again"
    new = [{"id": f"m{row}", "title": f"garden hose {row}", "categories": ["home", "hose"]} for row in range(5)]
    path = tmp_path_factory.mktemp("later") / "items.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in [items[3], *copies, *new, items[50]]))
    return path


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["ids", "assign", *words, "--device", "cpu"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("label", LABELS)
def test_new_items_get_ids_and_old_ones_keep_theirs_to_the_byte(
    label: str, cells: dict[str, Path], later: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cell = cells[label]
    before = {path: path.read_bytes() for path in sorted(cell.iterdir()) if path.is_file()}
    codes, unique = read_id_lines(cell / "ids.tsv"), read_id_lines(cell / "ids.unique.tsv")
    found = printed(capsys, str(cell), str(later))
    asked = [json.loads(line)["id"] for line in later.read_text().splitlines()]
    assert [record["id"] for record in found] == asked
    for record in (found[0], found[-1]):  # known items
        assert tuple(record["codes"]) == codes[record["id"]] and record["counter"] == unique[record["id"]][-1]
    every = printed(capsys, str(cell), str(later), "--all")
    text = "".join(f"{record['id']}\t{'-'.join(map(str, record['codes']))}\n" for record in every[:60])
    assert text.encode() == before[cell / "ids.tsv"]
    assert every[60:] == found[1:-1]
    assert len({(*record["codes"], "|", record["counter"]) for record in every}) == len(every) == 70
    if label in ("rqkmeans", "hc", "rqvae", "tiger", "category"):  # they know an item by what it says
        for place, record in enumerate(found[1:6], 1):
            twin = f"i{int(record['id'].removeprefix('n').removesuffix('again')):02}"
            assert tuple(record["codes"]) == codes[twin]
            same = [unique[item][-1] for item, own in codes.items() if own == codes[twin]]
            earlier = sum(other["codes"] == record["codes"] for other in found[1:place])
            assert record["counter"] == max(same) + 1 + earlier
    if label == "near":
        assert {record["counter"] for record in every} == {0}
    assert {path: path.read_bytes() for path in sorted(cell.iterdir()) if path.is_file()} == before


def test_ids_are_those_of_the_method_that_was_fitted_by_hand(cells: dict[str, Path], shop: Path, later: Path) -> None:
    corpus = open_dataset(str(shop), cache=later.parent / "cache").corpus()
    method = ResidualKMeans(levels=2, codebook_size=8, n_init=_setting(cells["rqkmeans"], "n_init"))
    method.fit(corpus, Context(seed=0))
    new = read_corpus(str(later))
    found = assign_ids(cells["rqkmeans"], new).ids
    expected = method.assign(new).values
    assert np.array_equal([found[item][0] for item in new.ids], expected)


def _setting(cell: Path, name: str) -> int:
    value: int = json.loads((cell / "result.json").read_text())["config"]["method"][name]
    return value


def test_a_second_call_goes_on_behind_the_first(cells: dict[str, Path], later: Path, tmp_path: Path) -> None:
    cell, items = cells["rqkmeans"], read_corpus(str(later))
    half = [Corpus(items.table.slice(*part), items.fields) for part in ((0, 6), (6, 6))]
    once = assign_ids(cell, items)
    first = assign_ids(cell, half[0])
    (tmp_path / "first.jsonl").write_text("".join(first.lines()))
    second = assign_ids(cell, half[1], after=[tmp_path / "first.jsonl"])
    assert [*first.lines(), *second.lines()] == list(once.lines())
    line = json.loads((tmp_path / "first.jsonl").read_text().splitlines()[0])
    (tmp_path / "wrong.jsonl").write_text(json.dumps({**line, "counter": 99}) + "\n")
    with pytest.raises(Exception, match=r"wrong.jsonl:1: 'i03' has another ID"):
        assign_ids(cell, half[1], after=[tmp_path / "wrong.jsonl"])


def test_files_of_earlier_calls_that_contradict_each_other_are_refused_with_their_line(
    cells: dict[str, Path], shop: Path, later: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two calls that did not know of each other gave two items one ID; and lines that no call has written."""
    cell, items = cells["rqkmeans"], read_corpus(str(later))
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    for path, row in ((one, 2), (two, 3)):  # n7 and n7again, of equal texts
        path.write_text("".join(assign_ids(cell, Corpus(items.table.slice(row, 1), items.fields)).lines()))

    def refused(*files: Path) -> str:
        words = [word for file in files for word in ("--after", str(file))]
        assert main(["ids", "assign", str(cell), str(later), "--device", "cpu", *words]) == 2
        return capsys.readouterr().err

    assert "two.jsonl:1: 'n7again' has the codes and the counter of 'n7'; this file was made" in refused(one, two)
    record, wrong = json.loads(one.read_text()), tmp_path / "wrong.jsonl"
    for changed, message in (
        ({"id": "n7"}, "the item 'n7' was already given"),
        ({"id": "x"}, "'x' has the codes and the counter of 'n7'"),
        ({"id": "x", "counter": -1}, "code -1 lies outside"),
        ({"id": "x", "counter": 1.5}, "expected tokens such as <a_12> or whole numbers, got 1.5"),
        ({"id": "x", "codes": [8, 0]}, "[8, 0] is not a valid ID of this cell, whose codebooks have 8, 8 codes"),
        ({"id": "x", "codes": [0, 0, 0]}, "[0, 0, 0] is not a valid ID of this cell"),
        ({"id": "x", "codes": []}, "[] is not a valid ID of this cell"),
    ):
        wrong.write_text(f"{json.dumps(record)}\n\n{json.dumps({**record, **changed})}\n")
        assert f"wrong.jsonl:3: {message}" in refused(wrong)
    wrong.write_text('{"id": "x", "codes": [0, 0]}\n')
    assert 'wrong.jsonl:1: expected {"id": .., "codes": [..], "counter": ..}' in refused(wrong)


def test_a_blank_line_in_an_earlier_file_is_passed_by(cells: dict[str, Path], later: Path, tmp_path: Path) -> None:
    items = read_corpus(str(later))
    first = assign_ids(cells["rqkmeans"], items)
    (tmp_path / "first.jsonl").write_text("".join(first.lines()) + "\n")
    assert assign_ids(cells["rqkmeans"], items, after=[tmp_path / "first.jsonl"]).ids == first.ids


@pytest.mark.parametrize("words", [["assign", "no-cell", "no-items"], ["repair", "no-cell", "--by", "nearest"]])
@pytest.mark.parametrize("name", ["x.csv", "x.json", "jsonl"])
def test_a_wrong_ending_is_refused_before_anything_is_read(
    words: list[str], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ids", *words, "--out", str(tmp_path / name)]) == 2
    assert f"{name}: expected a name that ends in .jsonl, .tsv or .index.json\n" in capsys.readouterr().err


def test_every_form_has_the_same_ids(cells: dict[str, Path], later: Path, tmp_path: Path) -> None:
    from benchmark.hf import read_ids

    items = {}
    for name in ("x.jsonl", "ids.unique.tsv", "x.index.json"):
        words = ["ids", "assign", str(cells["hc"]), str(later), "--all", "--device", "cpu"]  # IDs of several lengths
        assert main([*words, "--out", str(tmp_path / name)]) == 0
        found = read_ids(tmp_path / name)
        items[name] = dict(zip(found.items, found.codes.values.tolist(), strict=True))
    assert len(items["x.jsonl"]) == 70
    assert items["x.jsonl"] == items["ids.unique.tsv"] == items["x.index.json"]


def test_a_table_reads_as_the_same_items_do(cells: dict[str, Path], later: Path, tmp_path: Path) -> None:
    """Also with columns that the cell's items do not have, and without some that they have."""
    new = [json.loads(line) for line in later.read_text().splitlines()][6:11]
    rows = [f"{item['id']},{item['title']},blue" for item in new]
    (tmp_path / "new.csv").write_text("\n".join(["sku,name,colour", *rows]) + "\n")
    table = read_corpus(str(tmp_path / "new.csv"), column=("id=sku", "title=name", "colour=colour"))
    assert "colour" in table.table.column_names and "categories" not in table.table.column_names
    found, expected = (assign_ids(cells["rqkmeans"], items).ids for items in (table, read_corpus(str(later))))
    assert all(found[item["id"]] == expected[item["id"]] for item in new)


def test_what_cannot_be_assigned_is_said(
    cells: dict[str, Path], shop: Path, later: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(cell: Path | str) -> str:
        assert main(["ids", "assign", str(cell), str(later), "--device", "cpu"]) in (1, 2)
        return capsys.readouterr().err

    assert "holds no finished cell" in refused(shop)
    (tmp_path / "mine.tsv").write_text((cells["rqkmeans"] / "ids.tsv").read_text())
    words = ["--dataset", str(shop), "--tasks", "id-quality", "--device", "cpu", "--runs", str(tmp_path / "runs")]
    assert main(["run", "--ids", str(tmp_path / "mine.tsv"), "--methods", "rqkmeans", *words[:4],
                 "--set", "rqkmeans.codebook_size=8", "--set", "rqkmeans.encoder.simcse_epochs=1",
                 "--set", "rqkmeans.encoder.max_length=8", *words[4:]]) == 0  # fmt: skip
    capsys.readouterr()
    mine, trained = (next((tmp_path / "runs" / "shop" / name).glob("*/seed-0")) for name in ("mine", "rqkmeans"))
    assert "IdsFile cannot assign IDs to new items" in refused(mine)
    assert "simcse_epochs" in refused(trained)
    key = json.loads((trained / "result.json").read_text())["stages"]["ids"]
    (tmp_path / "runs" / ".cache" / "ids" / key / "indexer" / "state.json").write_text("{}")
    assert "the trained model of rqkmeans is missing" in refused(trained)
