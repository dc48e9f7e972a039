"""`benchmark data stats` and `check`, and what a fingerprint keeps apart."""

import json
import os
import shutil
from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.data.dataset import default_data_root, open_dataset
from benchmark.data.statistics import label_leak, statistics

BEAUTY = Path(os.environ.get("BENCHMARK_DATA", "")) / "beauty"


def data_set(folder: Path, items: list[dict], **files: str) -> Path:
    folder.mkdir()
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_the_statistics_are_those_counted_by_hand(tmp_path):
    items = [
        {"id": "a", "title": "red cup", "categories": ["Home", "Cups"]},
        {"id": "b", "title": "big blue thing", "categories": ["Home", "Cups"]},
        {"id": "c", "title": "x", "description": "one two three four five six", "categories": ["Garden"]},
        {"id": "d", "title": "plain"},
    ]
    shop = data_set(
        tmp_path / "shop", items,
        sequences__txt="u a b c d a b\nv a b\nw d\n",
        queries__tsv="q1\tcup\nq2\tthing\n", qrels__txt="q1 0 a 1\nq1 0 b 1\nq2 0 b 1\n",
        dataset__toml="[facts]\ntied_events = 0.25\n",
    )  # fmt: skip
    assert statistics(open_dataset(str(shop), cache=tmp_path)) == {
        "items": {"items": 4, "labelled": 3, "labels": 2},
        "words of text": {"mean": 3.25, "median": 2.5, "max": 7},
        "share of items without": {"title": 0.0, "description": 0.75},
        "recommendation": {
            "users": 3,
            "interactions": 9,
            "training pairs": 5,
            "validation targets": 1,
            "test targets": 2,
        },
        "history length": {"mean": 3.0, "median": 2.0, "max": 6},
        "search": {"judged test queries": 2, "judged test judgments": 3},
        "order of ids": {
            "neighbours whose later item id is greater": 0.833333,
            "targets whose item id is greater": 1.0,
        },
        "time stamps": {"tied events": 0.25},
        "label leak": {"most special category": 0.3333, "any below the first": 0.3333},
    }


def test_the_share_of_items_without_a_field_counts_missing_and_blank_values(tmp_path, capsys):
    items = [
        {"id": "a", "title": "x", "brand": None},
        {"id": "b", "title": " ", "note": "y"},
        {"id": "c", "brand": "z"},
    ]
    shop = data_set(tmp_path / "shop", [{**item, "keywords": []} for item in items])
    assert main(["data", "stats", str(shop), "--runs", str(tmp_path)]) == 0
    assert "title 0.6667, brand 0.6667, note 0.6667\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("title", "path", "leaks"),
    [
        ("OPI nail polishes", ["Beauty", "Nails", "Nail Polish"], (1, 1)),
        ("polish for shoes", ["Beauty", "Nails", "Nail Polish"], (0, 0)),
        ("hair and scalp care", ["Beauty", "Hair & Scalp", "Shampoos"], (0, 1)),
        ("a beauty", ["Beauty", "Nails"], (0, 0)),
        ("a beauty", ["Beauty"], (1, 1)),
        ("title words", ["Beauty", "Title"], (1, 1)),
        ("words", ["Beauty", "Title"], (0, 0)),
    ],
)
def test_a_label_leaks_when_all_words_of_a_category_are_in_the_text(title, path, leaks, tmp_path):
    shop = data_set(tmp_path / "shop", [{"id": "a", "title": title, "categories": path}])
    assert tuple(label_leak(open_dataset(str(shop), cache=tmp_path).corpus()).values()) == leaks


@pytest.mark.skipif(not BEAUTY.is_dir(), reason="BENCHMARK_DATA names no folder with the real Beauty")
def test_on_beauty_the_table_equals_the_published_row(tmp_path):
    found = statistics(open_dataset(str(BEAUTY), cache=tmp_path))
    assert found["items"]["items"] == 12101
    assert found["recommendation"] == {
        "users": 22363, "interactions": 198502, "training pairs": 111815, "validation targets": 22363,
        "test targets": 22363,
    }  # fmt: skip


def test_stats_print_every_group_and_the_same_as_json(shop, tmp_path, capsys):
    assert main(["data", "stats", str(shop), "--runs", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "users 30" in shown and "judged test queries 12" in shown and "A small shop" in shown
    assert main(["data", "stats", str(shop), "--runs", str(tmp_path), "--json"]) == 0
    groups = json.loads(capsys.readouterr().out)["statistics"]
    assert groups["items"]["items"] == 60 and set(groups["history length"]) == {"mean", "median", "max"}


def test_a_written_copy_is_checked_like_the_original(tmp_path, capsys):
    runs = ["--runs", str(tmp_path / "runs")]
    assert main(["data", "write", "demo", str(tmp_path / "copy"), *runs]) == 0
    assert main(["data", "check", str(tmp_path / "copy"), *runs]) == 0
    assert "demo: complete, 800 items" in capsys.readouterr().out


CHANGES = {
    "items.jsonl": ("number 7", "number 8"),
    "sequences.txt": ("u1 ", "u31 "),
    "qrels.txt": ("q3 0 i15 1", "q3 0 i16 1"),
    "queries.tsv": ("number 0", "number 1"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_one_other_word_in_any_part_is_another_cell_and_another_table_row(name, shop, tmp_path, capsys):
    other = tmp_path / "shop"
    shutil.copytree(shop, other)
    text = (other / name).read_text()
    assert text.count(CHANGES[name][0]) >= 1
    (other / name).write_text(text.replace(*CHANGES[name], 1))
    runs = tmp_path / "runs"
    for folder in (shop, other):
        command = ["run", "--methods", "popularity", "--dataset", str(folder), "--runs", str(runs)]
        assert main([*command, "--tasks", "recommendation"]) == 0
    found = [json.loads(path.read_text()) for path in runs.glob("shop/popularity/*/seed-0/result.json")]
    assert len({result["dataset"]["fingerprint"] for result in found}) == len(found) == 2
    capsys.readouterr()
    assert main(["report", "--runs", str(runs), "--tables", "recommendation", "--format", "md"]) == 0
    report = capsys.readouterr().out
    assert [report.count(f"fingerprint {result['dataset']['fingerprint'][:12]}") for result in found] == [1, 1]


def test_the_data_root_is_the_variable_or_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCHMARK_DATA", str(tmp_path / "mine"))
    assert default_data_root() == tmp_path / "mine"
    monkeypatch.delenv("BENCHMARK_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_data_root() == tmp_path / "lmindexer-benchmark" / "data"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert default_data_root() == Path("/home/somebody/.cache/lmindexer-benchmark/data")
