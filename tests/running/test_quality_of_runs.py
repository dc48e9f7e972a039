"""ID quality and collision-aware scores of a whole run, recomputed from the files that it leaves behind."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import FAST

from benchmark.cli.main import main
from benchmark.data.layout import read_sequences
from benchmark.results.result_files import Result, histories_file, load_results

CROWDED = ["--set", "rqkmeans.codebook_size=2", "--set", "rqkmeans.levels=2"]  # 60 items, at most 4 IDs


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    words = ["run", "--dataset", str(shop), "--methods", "rqkmeans,popularity,bm25", "--runs", str(folder)]
    assert main([*words, *CROWDED, *FAST, "--device", "cpu"]) == 0
    return folder


def result_of(runs: Path, method: str) -> Result:
    (found,) = (result for result in load_results(runs) if result.method == method)
    return found


def ids_of(result: Result) -> dict[str, str]:
    return dict(line.split("\t") for line in (result.folder / "ids.tsv").read_text().splitlines())


def test_the_training_histories_lie_once_beside_the_results(shop: Path, runs: Path) -> None:
    result = result_of(runs, "rqkmeans")
    path = histories_file(result.folder, result.dataset["fingerprint"])
    assert list(runs.glob("**/histories-*")) == [path]
    raw = [line.split() for line in (shop / "sequences.txt").read_text().splitlines()]
    assert [line.split() for line in path.read_text().splitlines()] == [words[:-2] for words in raw]
    read_sequences(path, {f"i{row:02}": row for row in range(60)})  # the layout of a data set's own sequences


def test_co_purchase_follows_from_the_ids_and_the_training_histories(runs: Path) -> None:
    result = result_of(runs, "rqkmeans")
    first = {item: codes.split("-")[0] for item, codes in ids_of(result).items()}
    text = histories_file(result.folder, result.dataset["fingerprint"]).read_text()
    pairs = [pair for line in text.splitlines() for pair in pairwise(line.split()[1:])]
    ends = [item for pair in pairs for item in pair]
    draws = [(a, b) for a in ends for b in ends if a != b]
    metrics = result.metrics["id-quality"]
    assert metrics["co_purchase_pairs"] == len(pairs)
    share, chance = (np.mean([first[a] == first[b] for a, b in drawn]) for drawn in (pairs, draws))
    assert metrics["co_purchase@1"] == pytest.approx(share)
    assert metrics["co_purchase_lift@1"] == pytest.approx(share / chance)


def test_dead_codes_follow_from_the_ids_and_the_codebook_sizes(runs: Path) -> None:
    result = result_of(runs, "rqkmeans")
    counts = json.loads((result.folder / "result.json").read_text())["counts"]["id-quality"]
    assert counts == {"items": 60, "codebook@1": 2, "codebook@2": 2}
    used = [len(set(column)) for column in zip(*(row.split("-") for row in ids_of(result).values()), strict=True)]
    metrics = result.metrics["id-quality"]
    assert [metrics[f"dead_codes@{position}"] for position in (1, 2)] == pytest.approx([1 - n / 2 for n in used])
    assert metrics["dead_codes"] == pytest.approx(1 - sum(used) / 4)


@pytest.mark.parametrize("task", ["recommendation", "search"])
def test_one_relevant_item_counts_at_its_groups_last_mean_and_first_rank(runs: Path, task: str) -> None:
    result = result_of(runs, "rqkmeans")
    ids = ids_of(result)
    lines = (result.folder / f"qrels.{task}.txt").read_text().splitlines()
    relevant = {query: item for query, _, item, _ in (line.split() for line in lines)}
    ranked: dict[str, list[str]] = {query: [] for query in relevant}
    for line in (result.folder / f"run.{task}.trec").read_text().splitlines():
        query, _, item, *_ = line.split()
        ranked[query].append(item)
    values: dict[str, list[float]] = {reading: [] for reading in ("strict", "expected", "optimistic")}
    for query, item in relevant.items():
        reached = list(dict.fromkeys(ids[other] for other in ranked[query]))
        order = [name for name in reached for other in ids.values() if other == name]  # one entry per item
        ranks = [rank for rank, name in enumerate(order, 1) if name == ids[item]]
        hits = [rank <= 10 for rank in ranks] or [False]
        for reading, value in zip(values, (hits[-1], np.mean(hits), hits[0]), strict=True):
            values[reading].append(float(value))
    metrics = result.metrics[task]
    assert any(0 < value < 1 for value in values["expected"])  # there is something to tell apart
    for reading, expected in values.items():
        assert metrics[f"R@10 ({reading})"] == pytest.approx(np.mean(expected))
    header, *rows = (line.split("\t") for line in result.scores_file(task).read_text().splitlines())
    column = header.index("R@10 (expected)")
    assert {row[0]: float(row[column]) for row in rows} == pytest.approx(
        dict(zip(relevant, values["expected"], strict=True))
    )


@pytest.mark.parametrize(("method", "task"), [("popularity", "recommendation"), ("bm25", "search")])
def test_methods_without_ids_have_no_collision_aware_scores(runs: Path, method: str, task: str) -> None:
    assert not [name for name in result_of(runs, method).metrics[task] if "strict" in name]
