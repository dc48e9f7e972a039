"""LETTER's files come in, and its semantic IDs are scored on their own data without a mapping."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import histories, imported, notes, rows, write
from sklearn.metrics import adjusted_mutual_info_score

from benchmark.cli.main import main
from benchmark.results.id_files import read_ids
from benchmark.results.result_files import read_result


def letter_files(folder: Path, *, name: str = "Toy", indent: int | None = None, **content: Any) -> Path:
    for part, value in content.items():
        write(folder / f"{name}.{part}.json", json.dumps(value, indent=indent))
    return folder


INTER = {"0": [0, 2, 10], "1": [10, 3, 0]}
ITEM = {
    "0": {"title": "Red kettle", "description": "Whistles.", "brand": "Acme", "categories": "Home,Kitchen, Kettles"},
    "10": {"title": "Hose", "categories": "Garden"}, "2": {"title": "Pan"}, "3": {"title": ""},
    "7": {"title": "Never bought"},
}  # fmt: skip
INDEX = {key: [f"<a_{int(key) % 2}>", f"<b_{int(key)}>"] for key in ("10", "3", "2", "0", "7")}


@pytest.mark.parametrize("indent", [None, 4])  # LETTER's are written over many lines, others' on one
def test_letters_files_bring_items_by_number_and_histories_as_they_are(tmp_path: Path, indent: int | None) -> None:
    folder = letter_files(tmp_path / "data", indent=indent, inter=INTER, item=ITEM, index=INDEX)
    dataset = imported(tmp_path, "letter", folder, check=False)
    assert rows(dataset, "id", "title", "description", "brand", "categories") == [
        ("0", "Red kettle", "Whistles.", "Acme", ["Home", "Kitchen", "Kettles"]), ("2", "Pan", None, None, None),
        ("3", None, None, None, None), ("7", "Never bought", None, None, None), ("10", "Hose", None, None, ["Garden"]),
    ]  # fmt: skip
    assert histories(dataset) == {"0": ["0", "2", "10"], "1": ["10", "3", "0"]}
    assert "1 items have no event" in notes(dataset) and "categories are separated by ','" in notes(dataset)


def test_the_index_files_keys_are_the_item_ids(tmp_path: Path) -> None:
    dataset = imported(tmp_path, "letter", letter_files(tmp_path, inter=INTER, item=ITEM, index=INDEX), check=False)
    codes, remarks = read_ids(tmp_path / "Toy.index.json", dataset.corpus().ids)
    assert codes.values.tolist() == [[0, 0], [0, 2], [1, 3], [1, 7], [0, 10]]  # of the items 0, 2, 3, 7, 10
    assert not any("row number" in remark for remark in remarks)


def test_letters_ids_get_the_ami_of_their_own_categories(tmp_path: Path) -> None:
    """The files list items in other orders; AMI is that of scikit-learn on codes and labels joined by number."""
    shuffled = random.Random(3)
    items = [str(item) for item in range(60)]
    label = {item: f"class {int(item) % 5}" for item in items}
    code = {item: (int(item) + (int(item) % 7 == 0)) % 5 for item in items}  # right but for every seventh
    orders = [shuffled.sample(items, len(items)) for _ in range(2)]
    histories = {str(user): [int(item) for item in shuffled.sample(items, 8)] for user in range(40)}
    item_file = {item: {"title": f"thing {item}", "categories": label[item]} for item in orders[0]}
    index = {item: [f"<a_{code[item]}>", f"<b_{item}>"] for item in orders[1]}
    letter_files(tmp_path, inter=histories, item=item_file, index=index)
    imported(tmp_path, "letter", tmp_path / "Toy.inter.json")
    words = ["--dataset", str(tmp_path / "imported"), "--tasks", "id-quality", "--runs", str(tmp_path / "runs")]
    assert main(["run", "--ids", str(tmp_path / "Toy.index.json"), *words, "--device", "cpu"]) == 0
    (path,) = (tmp_path / "runs").glob("*/*/*/seed-*/result.json")
    found = read_result(path).metrics["id-quality"]
    expected = adjusted_mutual_info_score([label[item] for item in items], [code[item] for item in items])
    assert 0.5 < expected < 0.9
    assert any(np.isclose(value, expected) for name, value in found.items() if name.startswith("AMI")), found


def test_without_an_item_file_the_set_is_for_recommendation(tmp_path: Path) -> None:
    dataset = imported(tmp_path, "letter", letter_files(tmp_path / "data", inter={"5": [2, 0, 1]}))
    assert (dataset.default_tasks, dataset.corpus().ids) == (("recommendation",), ("0", "1", "2"))
    assert histories(dataset) == {"5": ["2", "0", "1"]}


def test_items_without_an_id_are_counted(tmp_path: Path) -> None:
    index = {key: tokens for key, tokens in INDEX.items() if key != "2"}
    dataset = imported(tmp_path, "letter", letter_files(tmp_path / "data", inter=INTER, index=index))
    assert "1 items are not in Toy.index.json, so --ids will refuse that file" in notes(dataset)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"inter": [[0, 1]]}, "Toy.inter.json:1: expected a JSON object, not list"),
        ({"inter": {}}, "Toy.inter.json: empty: not one user"),
        ({"inter": {"0": 5}}, "Toy.inter.json: user '0': expected a list of items, not 5"),
        ({"inter": {"0": []}}, "user '0': expected a list of items"),
        ({"inter": {"0": [[1]]}}, "user '0': an item must be a word or a whole number, not [1]"),
        ({"inter": {"0": [1]}, "item": {"1": "a title"}}, "Toy.item.json: item '1': expected an object of texts"),
        ({"inter": {"0": [1]}, "item": {"B01": {"title": "x"}}}, "Toy.item.json: describes not one of the 1 items"),
        ({"inter": {"0": [1]}, "index": {"B01": ["<a_1>"]}}, "Toy.index.json: describes not one of the 1 items"),
        ({"item": ITEM}, "holds no *.inter.json"),
    ],
)
def test_wrong_letter_files_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: dict[str, Any], message: str
) -> None:
    letter_files(tmp_path / "data", **content)
    assert main(["import", "letter", str(tmp_path / "data"), str(tmp_path / "set")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"0": [1, 2],\n "0": [2, 1]}', "the key '0' stands twice"),
        ('{"0": [1,\n 2}', "Toy.inter.json:2: broken JSON: Expecting"),
        ('{"0": ' + "[" * 5000 + "]" * 5000 + "}", "nested deeper than 64 levels"),
        ('{"0": [' + "9" * 5000 + "]}", "a number has thousands of digits"),
    ],
)
def test_broken_or_hostile_json_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    path = write(tmp_path / "Toy.inter.json", text)
    assert main(["import", "letter", str(path), str(tmp_path / "set")]) == 2
    error = capsys.readouterr().err
    assert str(path) in error and message in error and error.count("\n") == 1
