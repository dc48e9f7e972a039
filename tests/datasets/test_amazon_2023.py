"""Amazon Reviews 2023 by name: miniature files in upstream's format, from a loopback server to a table."""

import json
from pathlib import Path

import pytest
from foreign import histories, jsonl, notes, rows, write
from upstream import declaration, serving

from benchmark.cli.main import main
from benchmark.data.dataset import open_dataset
from benchmark.datasets import amazon_2023
from benchmark.fetching import download
from benchmark.fetching.sources import read_declaration

DECLARED = Path(__file__).parents[2] / "datasets" / "amazon_2023.toml"
COUNTS = {"items": 6, "users": 8, "interactions": 40}
ITEMS = [f"B{number}" for number in range(6)]
RATINGS = "user_id,parent_asin,rating,timestamp\n" + "".join(
    f"U{user},{ITEMS[(user + k) % 6]},{1 + k}.0,{1588687728000 + 1000 * k}\n" for user in range(8) for k in range(5)
)
METADATA = [
    {"main_category": "Video Games", "title": f"Racing game {number}", "features": ["Fast"], "description": ["Cars"],
     "price": 9.5, "images": [], "store": "Acme", "categories": ["Video Games", "Racing"], "details": {"Disks": "1"},
     "parent_asin": item}
    for number, item in enumerate(["B99", *ITEMS])
]  # fmt: skip


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """A loopback server with a miniature Video Games; the declarations name it in place of the real mirrors."""
    monkeypatch.setattr(download, "PAUSE", 0.001)
    with serving() as server:
        ratings = write(tmp_path / "Video_Games.csv.gz", RATINGS)
        metadata = jsonl(tmp_path / "meta_Video_Games.jsonl.gz", *METADATA)
        server.files["/pub/benchmark/5core/rating_only/Video_Games.csv.gz"] = ratings.read_bytes()
        server.files["/pub/raw/meta_categories/meta_Video_Games.jsonl.gz"] = metadata.read_bytes()
        mini = declaration(DECLARED, tmp_path / "amazon_2023.toml", f"{server.url}/pub", **COUNTS)
        monkeypatch.setattr(
            amazon_2023.Category2023, "declaration", classmethod(lambda cls: read_declaration(mini, cls.name))
        )
        yield server


def test_ratings_and_metadata_from_the_server_become_a_data_set_that_runs(upstream, tmp_path, capsys):
    root = ["--data-root", str(tmp_path / "root")]
    assert main(["data", "get", "games-2023", "--yes", *root]) == 0
    dataset = open_dataset("games-2023", cache=tmp_path, data_root=tmp_path / "root")
    assert dataset.title == "Amazon Video Games (2023, 5-core)"
    assert {name: dataset.counts()[name] for name in COUNTS} == COUNTS
    assert histories(dataset)["U1"] == ["B1", "B2", "B3", "B4", "B5"]
    game = ("B0", "Racing game 1", "Cars", "Acme", "9.5", ["Video Games", "Racing"])
    found = rows(dataset, "id", "title", "description", "brand", "price", "categories")
    assert found[0] == game and [item for item, *_ in found] == ITEMS
    assert "meta_Video_Games.jsonl.gz: 2 fields left out: main_category, images" in notes(dataset)
    assert main(["data", "check", "games-2023", *root, "--runs", str(tmp_path / "runs")]) == 0
    run = ["run", "--methods", "bm25,popularity", "--dataset", "games-2023", *root, "--runs", str(tmp_path / "runs")]
    assert main(run) == 0
    results = [json.loads(path.read_text()) for path in (tmp_path / "runs").glob("*/*/*/seed-0/result.json")]
    assert {task for result in results for task in result["metrics"]} == {"recommendation", "search"}
    assert {result["queries"] for result in results if "search" in result["metrics"]} == {"simulated"}


def test_other_counts_than_the_published_ones_stop_the_build(upstream, tmp_path, capsys):
    short = write(tmp_path / "short.csv.gz", RATINGS.rstrip("\n").rpartition("\n")[0] + "\n")
    upstream.files["/pub/benchmark/5core/rating_only/Video_Games.csv.gz"] = short.read_bytes()
    assert main(["data", "get", "games-2023", "--yes", "--data-root", str(tmp_path / "root")]) == 2
    assert "(interactions: expected 40, found 39)" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["raw"]


@pytest.mark.parametrize(
    ("name", "users", "items", "interactions"),
    [
        ("instrument-2023", 57_439, 24_587, 511_836), ("scientific-2023", 50_985, 25_848, 412_947),
        ("games-2023", 94_762, 25_612, 814_586),
    ],
)  # fmt: skip
def test_the_declared_counts_are_those_of_the_public_comparison(name, users, items, interactions):
    declared = read_declaration(DECLARED, name)
    assert declared.expect == {"items": items, "users": users, "interactions": interactions}
    ratings, metadata = (file.urls[0].partition("/amazon_2023/")[2] for file in declared.files)
    assert ratings == f"benchmark/5core/rating_only/{declared.files[0].name}"
    assert metadata == f"raw/meta_categories/meta_{declared.files[0].name.removesuffix('.csv.gz')}.jsonl.gz"
