"""`benchmark ids diff` and `inspect`, on files that are small enough to reckon by hand."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli.main import main
from benchmark.errors import UsageError
from benchmark.ids.difference import difference
from benchmark.ids.id_set import About, IdSet
from benchmark.ids.inspection import inspect
from benchmark.ids.words import Words
from benchmark.types.codes import Codes, padded

IDS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=9)


def id_set(name: str, rows: dict[str, tuple[int, ...]], about: dict[str, About] | None = None) -> IdSet:
    length = max(map(len, rows.values()))
    codes = Codes(padded(list(rows.values()), length), (4,) * length)
    return IdSet(name, tuple(rows), codes, None, about or {})


@given(rows=IDS, seed=st.integers(0, 9))
def test_renamed_codes_are_no_difference(rows: list[tuple[int, int]], seed: int) -> None:
    """Whatever the names, one renaming of each position leaves every item where it is."""
    random = np.random.default_rng(seed)
    names = [random.permutation(4), random.permutation(4)]
    a = id_set("a", {f"i{row}": codes for row, codes in enumerate(rows)})
    b = id_set("b", {f"i{row}": (int(names[0][c]), int(names[1][d])) for row, (c, d) in enumerate(rows)})
    found = difference(a, b)
    assert not found.position.any() and found.moved() == []
    assert all(depth.stable == len(rows) and depth.rand == pytest.approx(1) for depth in found.depths)


@given(rows=IDS, others=IDS)
def test_as_few_items_as_possible_move_at_the_first_position(
    rows: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    n = min(len(rows), len(others))
    a, b = (id_set(name, {f"i{row}": of[row] for row in range(n)}) for name, of in (("a", rows), ("b", others)))
    best = min(
        sum(names[others[row][0]] != rows[row][0] for row in range(n)) for names in permutations(range(3))
    )  # fmt: skip
    found = difference(a, b)
    assert found.depths[0].moved == best
    assert sum(depth.moved for depth in found.depths) == len(found.moved()) == n - found.depths[-1].stable


def test_items_that_one_side_lacks_and_ids_of_other_lengths_are_told(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "a.tsv").write_text("x\t0-1\ny\t0-2\nz\t1\nonly\t2-2\n")
    (tmp_path / "b.json").write_text(json.dumps({"x": [5, 1], "y": [5, 3, 1], "z": [6, 0], "new": [6, 1]}))
    assert main(["ids", "diff", str(tmp_path / "a.tsv"), str(tmp_path / "b.json"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["items"], found["only in a"], found["only in b"]) == (3, ["only"], ["new"])
    assert [(one["id"], one["position"]) for one in found["moved"]] == [("z", 2), ("y", 3)]
    assert main(["ids", "diff", str(tmp_path / "a.tsv"), str(tmp_path / "b.json"), "--most", "1"]) == 0
    out = capsys.readouterr().out
    assert "3 items in both; 1 only in a, 1 only in b" in out and "and 1 more" in out and "z" in out
    (tmp_path / "c.tsv").write_text("nobody\t1\n")
    assert main(["ids", "diff", str(tmp_path / "a.tsv"), str(tmp_path / "c.tsv")]) == 2
    assert "no item in common" in capsys.readouterr().err


ROWS = {"a": (0, 1), "b": (0, 1), "c": (0, 2), "d": (1, 0), "e": (1,)}
ABOUT = {
    "a": About("red desk lamp", ("home", "lamp")), "b": About("blue desk lamp", ("home", "lamp")),
    "c": About("green desk lamp", ("home", "lamp")), "d": About("hand soap"), "e": About("dish soap", ("soap",)),
}  # fmt: skip


def test_a_prefix_shows_what_it_holds() -> None:
    view = inspect(id_set("mine", ROWS, ABOUT), "0")
    assert (view["items"], view["share"], view["unique"], view["codes in use"]) == (3, 0.6, 1, 2)
    assert [(one["code"], one["items"]) for one in view["next"]] == [(1, 2), (2, 1)]
    assert view["categories"] == [{"path": ["home", "lamp"], "items": 3}]
    assert [one["id"] for one in view["examples"]] == ["a", "b", "c"]
    every = inspect(id_set("mine", ROWS, ABOUT))
    assert (every["items"], every["unique"], every["words"], every["examples"]) == (5, 3, [], [])
    assert [(one["code"], one["items"]) for one in every["next"]] == [(0, 3), (1, 2)]


def test_an_id_that_begins_others_is_not_the_same_as_they() -> None:
    rows = {"a": (1, 2), "b": (1, 2, 3), "c": (1, 2), "d": (1, 3)}
    found = inspect(id_set("mine", rows), "a")["neighbours"]
    shown = [(one["whole"], one["prefix"], [near["id"] for near in one["nearest"]]) for one in found]
    assert shown == [(True, [1, 2], ["c"]), (False, [1, 2], ["b"]), (False, [1], ["d"])]


def test_an_item_shows_whom_it_is_near_each_neighbour_once() -> None:
    view = inspect(id_set("mine", ROWS, ABOUT), "a")
    assert [(one["prefix"], [n["id"] for n in one["nearest"]]) for one in view["neighbours"]] == [
        ([0, 1], ["b"]), ([0], ["c"])
    ]  # fmt: skip
    assert inspect(id_set("mine", ROWS, ABOUT), "e")["neighbours"][0]["nearest"][0]["id"] == "d"


@pytest.mark.parametrize("wrong", ["7", "0-1-5", "nobody", "0-x"])
def test_what_is_neither_an_item_nor_a_prefix_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match=f"'{wrong}' is not"):
        inspect(id_set("mine", ROWS, ABOUT), wrong)


def test_words_are_scored_as_monroe_and_others_define_it() -> None:
    """Equations 15, 16, 20 and 22 for two groups, with a prior in proportion to all counts."""
    titles = ["red desk lamp"] * 60 + ["hand soap"] * 50 + ["red soap"] * 90
    words = Words(titles)
    found = {one.word: (one.count, one.z) for one in words.distinctive(range(60), 10)}
    counts = {"red": (60, 90), "desk": (60, 0), "lamp": (60, 0), "hand": (0, 50), "soap": (0, 140)}
    here, there = (sum(pair[side] for pair in counts.values()) for side in (0, 1))
    strength = min(500, here + there)
    for word in ("red", "desk", "lamp"):
        prior = strength * sum(counts[word]) / (here + there)
        (i, j), n = counts[word], (here, there)
        odds = [(y + prior) / (of + strength - y - prior) for y, of in zip((i, j), n, strict=True)]
        z = np.log(odds[0] / odds[1]) / np.sqrt(1 / (i + prior) + 1 / (j + prior))
        assert (word in found) == (z > 1.96)
        if word in found:
            assert found[word] == (i, pytest.approx(z))
    assert set(found) == {"desk", "lamp"}


def test_files_and_items_are_shown_in_the_terminal(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "mine.jsonl").write_text('{"id": "a", "codes": [3, 1]}\n{"id": "b", "codes": [3, 2]}\n')
    (tmp_path / "items.csv").write_text("sku,name\na,Red lamp\nb,Blue lamp\n")
    words = ["ids", "inspect", str(tmp_path / "mine.jsonl")]
    assert main([*words, "3"]) == 0
    assert "mine, prefix 3: 2 items (100.0%), 2 with an ID of their own" in capsys.readouterr().out
    named = ["--items", str(tmp_path / "items.csv"), "--column", "id=sku", "--column", "title=name"]
    assert main([*words, "a", *named]) == 0
    out = capsys.readouterr().out
    assert "a  3-1  Red lamp" in out and "shares the prefix 3: 1 other item" in out and "Blue lamp" in out
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"] == 2
    (tmp_path / "others.jsonl").write_text('{"id": "x", "title": "another shop"}\n')
    assert main([*words, "--items", str(tmp_path / "others.jsonl")]) == 2
    assert "none of its 2 IDs is of an item in --items" in capsys.readouterr().err
