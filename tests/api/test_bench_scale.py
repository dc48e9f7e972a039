"""`benchmark bench scale` on catalogues of some hundred items: what is measured, and the table of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.api import bench_scale, scale_stages
from benchmark.api.scale_stages import STAGES, Clock, Place
from benchmark.cli.main import main
from benchmark.threads import usable_cores

ITEMS = 300


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """All stages over one small catalogue in this process, less training for those that learn: name -> row."""
    patch, place, clock = pytest.MonkeyPatch(), Place(tmp_path_factory.mktemp("scale"), ITEMS), Clock()
    patch.setattr(scale_stages, "PRESET", "tiny")
    patch.setattr(Place, "spec", f"planted:items={ITEMS},users=200,queries=40,train_queries=500")
    for name, stage in STAGES.items():
        stage(Place(place.folder, ITEMS) if name == "open" else place, clock)
    patch.undo()
    return {row["name"]: row for row in clock.measured} | {"place": {"place": place}}


def test_every_stage_is_measured_with_seconds_processor_seconds_and_memory(measured: dict[str, Any]) -> None:
    rows = {name: row for name, row in measured.items() if name != "place"}
    assert len(rows) == 19
    for row in rows.values():
        assert 0 <= row["cpu"] <= 1.1 * row["seconds"] * usable_cores() + 0.1 and row["seconds"] > 0
        assert 50e6 < row["peak"] < 8e9


def test_notes_say_what_the_files_of_the_stages_hold(measured: dict[str, Any]) -> None:
    place = measured["place"]["place"]
    lines = (place.folder / "rqkmeans.tsv").read_text("utf-8").splitlines()
    ids = {line.split("\t")[1] for line in lines}
    assert len(lines) == ITEMS and measured["IDs: rqkmeans"]["note"] == f"{len(ids)} different IDs"
    prefixes = {tuple(row[:depth]) for row in place.codes.with_counter().values.tolist() for depth in range(5)}
    assert measured["trie"]["note"].endswith(f" {len(prefixes) + ITEMS:,} nodes")  # a leaf of its own ends every ID
    assert np.load(place.folder / "encoded" / "embeddings.npy").shape == (ITEMS, 384)
    assert measured["verify"]["note"].endswith("numbers, 0 do not follow")
    assert measured["report: HTML"]["note"].endswith(" MB")


def test_growth_is_the_exponent_of_processor_seconds_between_the_two_largest_catalogues() -> None:
    rows = {size: [{"name": "x", "seconds": 1.0, "cpu": size**1.5 / 1000, "peak": 5e6}] for size in (100, 1_000, 4_000)}
    rows[100][0]["cpu"] = 9.0
    head, rule, line = bench_scale.table(rows)
    assert head.count("|") == rule.count("|") == line.count("|") == 13
    assert line.split("|")[-3].strip() == "1.50"
    assert line.startswith("| x | 1.00 | 9.00 | 5 | 1.00 | 31.62 | 5 |")
    assert list(bench_scale.table({100: rows[100]}))[-1].split("|")[-3].strip() == "–"


def test_a_stage_that_fails_is_a_row_that_says_so(tmp_path: Path) -> None:
    """Without embeddings there are no IDs; the stage is a process of its own, so the others go on."""
    (row,) = bench_scale.measure("trie", ITEMS, tmp_path)
    assert row["name"] == "trie" and "FileNotFoundError" in row["failed"]
    line = list(bench_scale.table({ITEMS: [row]}))[-1]
    assert line.startswith("| trie | failed | – | – | – |") and "FileNotFoundError" in line


def test_the_command_measures_the_sizes_that_are_asked_for_each_stage_in_a_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_scale, "STAGES", {name: STAGES[name] for name in ("build", "parse")})
    assert main(["bench", "scale", "--items", "400,300"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("| Stage | 300: s | 300: CPU s | 300: peak MB | 400: s |")
    assert [line.split("|")[1].strip() for line in out[2:4]] == ["data set: built", "data set: parsed once"]
    assert "threads" in out[-1] and "numpy" in out[-1]
    assert main(["bench", "kmeans", "--items", "400"]) == 2
    with pytest.raises(SystemExit):
        main(["bench", "scale", "--items", "20"])
    assert "a whole number from 300 to 1,000,000 is needed" in capsys.readouterr().err
