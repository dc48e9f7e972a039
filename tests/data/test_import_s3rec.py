"""Sequence files of S3-Rec and P5 come in, and agree with what the raw reviews give."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import histories, imported, jsonl, notes, rows, write

from benchmark.cli.main import main


def s3rec_files(tmp_path: Path, lists: dict[str, list[str]]) -> tuple[Path, Path]:
    """Number users and items in the order in which they come, as S3-Rec's scripts do; return sequences and datamaps."""
    users = {user: str(number) for number, user in enumerate(lists, 1)}
    items: dict[str, str] = {}
    for taken in lists.values():
        for item in taken:
            items.setdefault(item, str(len(items) + 1))
    lines = (" ".join([users[user], *(items[item] for item in taken)]) for user, taken in lists.items())
    maps = {"id2user": {n: u for u, n in users.items()}, "id2item": {n: i for i, n in items.items()}}
    maps["id2attribute"] = {"1": "nail polish", "2": "lamps"}
    return write(tmp_path / "Toy.txt", "\n".join(lines) + "\n"), jsonl(tmp_path / "datamaps.json", maps)


def planted_lists() -> dict[str, list[str]]:
    random = np.random.default_rng(5)
    return {f"A{user:03}": [f"B{i:04}" for i in random.integers(0, 80, 5 + user % 7)] for user in range(40)}


def test_an_s3rec_file_gives_the_same_histories_item_by_item(tmp_path: Path) -> None:
    lists = planted_lists()
    sequences, maps = s3rec_files(tmp_path, lists)
    dataset = imported(tmp_path, "s3rec", sequences, "--datamaps", maps)
    assert histories(dataset) == lists
    assert "the order of the items is trusted" in notes(dataset)
    assert "ascend" not in notes(dataset)


def test_s3rec_items_without_datamaps_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    dataset = imported(tmp_path, "s3rec", write(tmp_path / "Toy.txt", "1 10 2 9\r\n2 2 10\r\n"))
    assert dataset.corpus().ids == ("2", "9", "10")
    assert histories(dataset) == {"1": ["10", "2", "9"], "2": ["2", "10"]}


def test_s3rec_attributes_become_words(tmp_path: Path) -> None:
    sequences, maps = s3rec_files(tmp_path, {"u": ["x", "y", "z"]})
    attributes = jsonl(tmp_path / "Toy_item2attributes.json", {"1": [1, 2], "3": [2], "2": [1]})
    dataset = imported(tmp_path, "s3rec", sequences, "--datamaps", maps, "--attributes", attributes)
    assert rows(dataset, "id", "attributes") == [("x", "nail polish, lamps"), ("y", "nail polish"), ("z", "lamps")]


def test_amazons_metadata_and_datamaps_give_an_s3rec_file_its_texts(tmp_path: Path) -> None:
    sequences, maps = s3rec_files(tmp_path, {"u": ["x", "y"]})
    why = {"asin": "y", "title": "Why", "categories": [["Home", "Signs"]]}
    lines = [why, {"asin": "no"}, {"asin": "x", "title": "X"}]
    metadata = write(tmp_path / "meta.json.gz", "".join(f"{line}\n" for line in lines))
    dataset = imported(tmp_path, "s3rec", sequences, "--datamaps", maps, "--metadata", metadata)
    assert rows(dataset, "id", "title", "categories") == [("y", "Why", ["Home", "Signs"]), ("x", "X", None)]
    assert histories(dataset) == {"u": ["x", "y"]}


def test_histories_sorted_by_item_are_reported(tmp_path: Path) -> None:
    lines = [f"{user} " + " ".join(map(str, range(user, user + 6))) for user in range(1, 20)]
    dataset = imported(tmp_path, "s3rec", write(tmp_path / "Toy.txt", "\n".join(lines)))
    assert "in 19 of 19 longer histories the items ascend: sorted by item, hardly by time" in notes(dataset)


def test_the_s3rec_bridge_and_the_amazon_builder_agree_on_the_same_events(tmp_path: Path) -> None:
    """Events in the exact 2014 format through the builder, and as S3-Rec's scripts sort them through the bridge."""
    from benchmark.datasets.amazon import read_reviews

    random = np.random.default_rng(2)
    reviews = [
        {"reviewerID": f"A{user}", "asin": f"B{item:02}", "overall": 5.0, "unixReviewTime": int(day) * 86_400}
        for user, item, day in zip(*(random.integers(0, top, 300) for top in (20, 30, 12)), strict=True)
    ]
    jsonl(tmp_path / "reviews_Toy_5.json.gz", *reviews)
    read_reviews(tmp_path / "reviews_Toy_5.json.gz").write(tmp_path)
    by_user: dict[str, list[dict[str, Any]]] = {}
    for review in reviews:
        by_user.setdefault(review["reviewerID"], []).append(review)
    lists = {
        user: [review["asin"] for review in sorted(own, key=lambda review: review["unixReviewTime"])]
        for user, own in by_user.items()
    }
    sequences, maps = s3rec_files(tmp_path, lists)
    imported(tmp_path, "s3rec", sequences, "--datamaps", maps)
    assert (tmp_path / "imported" / "sequences.txt").read_text() == (tmp_path / "sequences.txt").read_text()


def refusal(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["import", "s3rec", str(words[0]), str(tmp_path / "set"), *map(str, words[1:])]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and not (tmp_path / "set").exists()
    return error


@pytest.mark.parametrize("text", ['{"5": [1,2,3], "6": [2,1]}', '{\n    "5": [\n        1,\n', "[[1, 2], [3]]"])
def test_json_is_refused_with_a_hint_at_the_importer_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = write(tmp_path / "Toy.inter.json", text)
    error = refusal(tmp_path, capsys, path)
    assert f"{path}:1: this is JSON" in error and "benchmark import letter" in error


def test_texts_that_belong_to_none_of_the_items_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sequences = write(tmp_path / "Toy.txt", "1 2 3\n2 3 2\n")
    attributes = jsonl(tmp_path / "attributes.json", {"B01": [1]})
    metadata = write(tmp_path / "meta.json", "{'asin': 'B01', 'title': 'Lamp'}\n")
    error = refusal(tmp_path, capsys, sequences, "--attributes", attributes)
    assert f"{attributes}: describes not one of the 2 items with events (e.g. '2', its own are e.g. 'B01')" in error
    assert f"{metadata}: describes not one of the 2 items" in refusal(
        tmp_path, capsys, sequences, "--metadata", metadata
    )


def test_attributes_without_a_word_are_counted(tmp_path: Path) -> None:
    sequences, maps = s3rec_files(tmp_path, {"u": ["x", "y"]})
    attributes = jsonl(tmp_path / "attributes.json", {"1": [1, 77], "2": [2]})
    dataset = imported(tmp_path, "s3rec", sequences, "--datamaps", maps, "--attributes", attributes)
    assert rows(dataset, "attributes") == [("nail polish, 77",), ("lamps",)]
    assert "1 attributes have no word in the datamaps; kept as numbers" in notes(dataset)
