"""`--ids-order`: what the row numbers of an ID file count is said and never guessed."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli.main import main
from benchmark.errors import BenchmarkError, ConfigError
from benchmark.results.id_files import read_ids
from benchmark.results.id_order import first_seen, id_order
from benchmark.types.data import Histories

IDS = ("p", "q", "r", "s")
ROWS = {"p": 10, "q": 11, "r": 12, "s": 13}  # the code that each item must get


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def counted(order: str, base: int) -> dict[str, list[int]]:
    """An ID file whose rows count the items in this order."""
    return {str(row + base): [ROWS[item]] for row, item in enumerate(order)}


def codes(path: Path, order: str, seen: tuple[str, ...] = ()) -> list[int]:
    found, notes = read_ids(path, IDS, id_order(order, IDS, seen))
    assert "its keys are" in notes[0]
    return found.values[:, 0].tolist()


@pytest.mark.parametrize("base", [0, 1])
def test_each_order_gives_every_item_its_own_id(tmp_path: Path, base: int) -> None:
    in_items, in_seen = (write(tmp_path / f"{name}.json", counted(name, base)) for name in ("pqrs", "sprq"))
    listing = write(tmp_path / "order.txt", "s\np\n\nr\nq\n")
    assert codes(in_items, "items") == [10, 11, 12, 13]
    assert codes(in_seen, "first-seen", ("s", "p", "r", "q")) == [10, 11, 12, 13]
    assert codes(in_seen, str(listing)) == [10, 11, 12, 13]
    assert codes(in_seen, str(write(tmp_path / "order.json", ["s", "p", "r", "q"]))) == [10, 11, 12, 13]
    assert codes(in_seen, "items") == [13, 10, 12, 11]  # a wrong order is not noticed: so it is asked for


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("map.tsv", "p\t7\nq\t5\nr\t9\ns\t3\n"),
        ("map.item2id", "item id\np 7\nq 5\nr 9\ns 3\nanother 1\n"),
        ("map.tsv", "7\tp\n5\tq\n9\tr\n3\ts\n"),
        ("map.json", {"p": 7, "q": "5", "r": 9, "s": 3}),
        ("map.json", {"7": "p", "5": "q", "9": "r", "3": "s"}),
    ],
)
def test_a_map_names_the_item_of_each_key(tmp_path: Path, name: str, content: object) -> None:
    ids = write(tmp_path / "ids.json", {"3": "13", "5": "11", "7": "10", "9": "12"})
    assert codes(ids, str(write(tmp_path / name, content))) == [10, 11, 12, 13]


def test_item_ids_that_are_numbers_are_ids_unless_the_order_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "ids.json", {"0": [7], "1": [8], "2": [9]})
    ids = ("2", "1", "0")
    assert read_ids(path, ids)[0].values.tolist() == [[9], [8], [7]]
    assert read_ids(path, ids, id_order("items", ids))[0].values.tolist() == [[7], [8], [9]]


def test_row_numbers_are_asked_about_also_where_some_are_item_ids(tmp_path: Path) -> None:
    path = write(tmp_path / "ids.json", {"0": [7], "1": [8], "2": [9]})
    with pytest.raises(ConfigError, match=r"row numbers from 0 on.*--ids-order items .*, first-seen .*, or a FILE"):
        read_ids(path, ("1", "2", "3"))


def test_an_order_changes_nothing_where_the_keys_are_item_ids(tmp_path: Path) -> None:
    path = write(tmp_path / "ids.json", {item: [code] for item, code in ROWS.items()})
    assert read_ids(path, IDS, id_order("items", IDS))[0].values[:, 0].tolist() == [10, 11, 12, 13]


@pytest.mark.parametrize(
    ("order", "content", "said"),
    [
        ("order.txt", "p\nq\nr\n", "4 row numbers, but the lines of order.txt are 3 items"),
        ("order.txt", "p\nq\nr\np\n", "two of its keys mean the item 'p'"),
        ("order.txt", "p\nq\nr\nt\n", "1 items have no ID, e.g. 's'; 1 IDs belong to no item, e.g. 't'"),
        ("order.txt", "t\nu\nv\nw\n", "names none of the data set's items"),
        ("order.txt", "p 1 x\n", "order.txt:1: expected an item, or item TAB key"),
        ("order.txt", "p\nq 1\n", "expected one item in every line, or an item and a key in every line"),
        ("order.txt", "p 1\nq 2\nr 1\n", "order.txt:3: the key '1' was already given, for 'p'"),
        ("order.txt", "p 1\nq 2\nr 3\ns 4\n", "1 keys are not in order.txt, e.g. '0'"),
        ("order.txt", "", "expected one item in every line"),
        ("order.json", "{", "order.json:1: broken JSON"),
        ("order.json", '{"p": 0, "q": 1, "r": 2, "s": 3, "p": 3}', "the key 'p' stands twice"),
        ("order.json", {"p": {"id": 1}}, 'expected {"item": key, ...}'),
        ("order.json", [["p"]], 'expected {"item": key, ...}'),
        ("first-seen", "", "needs the histories of a data set"),
    ],
)
def test_an_order_that_does_not_fit_is_refused(tmp_path: Path, order: str, content: object, said: str) -> None:
    path = write(tmp_path / "ids.json", counted("pqrs", 0))
    place = order if order == "first-seen" else str(write(tmp_path / order, content))
    with pytest.raises(BenchmarkError) as error:
        read_ids(path, IDS, id_order(place, IDS))
    assert said in str(error.value)


@given(st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=6))
def test_first_seen_is_the_order_of_a_walk_through_the_file(sequences: list[list[int]]) -> None:
    names = [f"n{row}" for row in range(10)]
    offsets = np.concatenate([[0], np.cumsum([len(events) for events in sequences])])
    items = np.array([item for events in sequences for item in events], np.int32)
    histories = Histories(tuple(map(str, range(len(sequences)))), offsets, items)
    walked = dict.fromkeys(names[item] for events in sequences for item in events)
    assert first_seen(histories, names) == tuple(walked)


def test_an_order_is_part_of_a_results_key_and_a_files_place_is_not(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"i{row:02}" for row in range(60)]
    rows = [f"i{row * 11 % 60:02}" for row in range(60)]
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "items.jsonl").write_bytes((shop / "items.jsonl").read_bytes())
    (folder / "sequences.txt").write_text(f"u {' '.join(rows[:40])}\nv {' '.join(rows[20:])}\n")
    theirs = write(tmp_path / "theirs.json", {str(n + 1): f"{int(item[1:]) % 3}" for n, item in enumerate(rows)})
    listing = write(tmp_path / "listing.txt", "\n".join(rows))

    def run(order: str, *words: str) -> int:
        return main([
            "run", "--dataset", str(folder), "--runs", str(tmp_path / "runs"), "--tasks", "id-quality",
            "--ids", str(theirs), "--ids-order", order, *words,
        ])  # fmt: skip

    assert run("first-seen") == run("items") == run(str(listing)) == 0
    found = [path.read_text().split("\n") for path in sorted(tmp_path.glob("runs/shop/theirs/*/seed-0/ids.tsv"))]
    assert len(found) == 3  # three keys
    right = [f"{item}\t{int(item[1:]) % 3}" for item in names]
    assert sum(lines[:-1] == right for lines in found) == 2
    moved = listing.rename(tmp_path / "elsewhere.txt")
    capsys.readouterr()
    assert run(str(moved), "--dry-run") == run("first-seen", "--dry-run") == 0
    assert capsys.readouterr().out.count("0 of 1 cells to compute") == 2
