"""Tables are of results, not of versions of the code: the newest result of a row, task and seed is shown."""

import json
from pathlib import Path

from result_files import hits, put

from benchmark.api.compare import compare
from benchmark.api.results import load_results
from benchmark.cli.main import main

TASK = "recommendation"


def put_version(runs: Path, label: str, key: str, share: float, day: int, *, seed: int = 0, task: str = TASK) -> Path:
    written = {task: f"2026-11-{day:02}T12:00:00.000+00:00"}
    return put(runs, label, seed=seed, key=key, task=task, values=hits(share, seed + 1), cost={"written": written})


def rows(runs: Path) -> dict[str, tuple[float, int]]:
    (filled,) = load_results(runs).table(TASK).filled
    return {row.label: (round(row.cells[0].mean, 3), len(row.seeds)) for row in filled.rows}


def test_an_older_version_adds_no_row_and_takes_no_star(tmp_path, capsys):
    put_version(tmp_path, "a", "new", 0.6, 20)
    put_version(tmp_path, "b", "new", 0.2, 20)
    alone = str(load_results(tmp_path).table(TASK))
    old = put_version(tmp_path, "a", "old", 0.3, 10)
    assert str(load_results(tmp_path).table(TASK)) == alone and list(rows(tmp_path)) == ["a", "b"]
    assert compare("a", "b", runs=tmp_path).tasks[0].metrics[0].winner == "A"

    assert main(["report", "--runs", str(tmp_path), "--tables", TASK]) == 0
    assert "1 older results, of other versions of the suite, are left out" in capsys.readouterr().err
    assert main(["report", "--runs", str(tmp_path), "--tables", TASK, "--all-versions"]) == 0
    assert "a@old" in capsys.readouterr().out
    assert compare(str(old), "a", runs=tmp_path).tasks[0].metrics[0].winner == "B", "a folder may be of any version"


def test_the_newest_counts_by_task_and_seed_whatever_its_key(tmp_path):
    put_version(tmp_path, "a", "k2", 0.6, 10)
    put_version(tmp_path, "a", "k1", 0.9, 20)
    put_version(tmp_path, "a", "k2", 0.2, 10, seed=1)
    search = put_version(tmp_path, "a", "k3", 0.5, 30, task="search")
    mean = (float(hits(0.9, 1).mean()) + float(hits(0.2, 2).mean())) / 2
    assert rows(tmp_path) == {"a": (round(mean, 3), 2)}, "seed 0 of the newer version, seed 1 of the only one"
    assert json.loads((search / "result.json").read_text())["metrics"].keys() == {"search"}
    assert len(load_results(tmp_path).table("search").filled) == 1


def test_a_result_without_a_written_time_is_dated_by_its_file(tmp_path):
    import os

    new = put(tmp_path, "a", key="k1", values=hits(0.9))
    old = put(tmp_path, "a", key="k2", values=hits(0.1))
    os.utime(old / "result.json", (1e9, 1e9))
    assert rows(tmp_path) == {"a": (round(float(hits(0.9).mean()), 3), 1)}
    os.utime(new / "result.json", (9e8, 9e8))
    assert rows(tmp_path) == {"a": (round(float(hits(0.1).mean()), 3), 1)}
