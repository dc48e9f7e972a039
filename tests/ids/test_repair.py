"""`benchmark ids repair` on finished cells and on files, and `unique_by` in a run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FAST

from benchmark.cli.main import main
from benchmark.conformance import small_corpus
from benchmark.errors import ConfigError, UsageError
from benchmark.ids.id_set import IdSet, open_ids
from benchmark.ids.repair import mean_distances, read_vectors, repair
from benchmark.methods.rqkmeans import ResidualKMeans
from benchmark.results.result_files import read_id_lines, read_result
from benchmark.running.plan import make_variants
from benchmark.types.codes import Codes
from benchmark.types.method import Context

pytestmark = pytest.mark.usefixtures("small_encoder")

RUN = ("--tasks", "id-quality", "--device", "cpu", "--set", "rqkmeans.levels=2", "--set", "rqkmeans.codebook_size=16")


@pytest.fixture(scope="module")
def cells(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """rqkmeans with each way of telling equal IDs apart, and hc, which cannot move items."""
    runs = tmp_path_factory.mktemp("runs")
    words = ["run", "--methods", "rqkmeans,nearest=rqkmeans,sinkhorn=rqkmeans,hc,random", "--dataset", str(shop), *RUN]
    for by in ("nearest", "sinkhorn"):
        for setting in ("levels=2", "codebook_size=16", f"unique_by={by}"):
            words += ["--set", f"{by}.{setting}"]
    for setting in ("hc.children=4", "hc.leaf_factor=8", "random.codebook_size=6"):
        words += ["--set", setting]
    assert main([*words, "--runs", str(runs)]) == 0
    labels = ("rqkmeans", "nearest", "sinkhorn", "hc", "random")
    return {label: next((runs / "shop" / label).glob("*/seed-0")) for label in labels}


@pytest.mark.parametrize("by", ["nearest", "sinkhorn"])
def test_repair_of_a_cell_gives_what_a_run_with_that_setting_gives(
    by: str, cells: dict[str, Path], shop: Path, tmp_path: Path, capsys: Any
) -> None:
    before, after = (read_id_lines(cells[label] / "ids.tsv") for label in ("rqkmeans", by))
    assert len(set(before.values())) < 60 == len(set(after.values()))
    assert {item: codes[:-1] for item, codes in before.items()} == {item: codes[:-1] for item, codes in after.items()}
    words = ["ids", "repair", str(cells["rqkmeans"]), "--by", by, "--device", "cpu"]
    assert main([*words, "--json", "--out", str(tmp_path / "out.tsv")]) == 0
    assert read_id_lines(tmp_path / "out.tsv") == after
    found = json.loads(capsys.readouterr().out)
    assert found["moved"] == sum(before[item] != after[item] for item in before)
    assert found["after"]["unique"] == 1 > found["before"]["unique"]
    metrics = {label: read_result(cells[label] / "result.json").metrics["id-quality"] for label in ("rqkmeans", by)}
    for side, label in (("before", "rqkmeans"), ("after", by)):
        assert found[side]["AMI"] == pytest.approx(metrics[label]["AMI"])
        assert found[side]["collision_rate"] == metrics[label]["collision_rate"]
    notes = read_result(cells[by] / "result.json").notes
    assert f"unique_by={by} gave {found['moved']} of 60 items another last code." in notes
    assert main([*words, "--items", str(shop), "--out", str(tmp_path / "again.jsonl")]) == 0  # embedded anew
    records = [json.loads(line) for line in (tmp_path / "again.jsonl").read_text().splitlines()]
    assert {record["id"]: tuple(record["codes"]) for record in records} == after
    assert {record["counter"] for record in records} == {0}


def test_the_counter_is_the_last_code_where_it_is_needed(cells: dict[str, Path], tmp_path: Path, capsys: Any) -> None:
    assert main(["ids", "repair", str(cells["rqkmeans"]), "--by", "counter", "--out", str(tmp_path / "c.tsv")]) == 0
    assert (tmp_path / "c.tsv").read_bytes() == (cells["rqkmeans"] / "ids.unique.tsv").read_bytes()
    out = capsys.readouterr().out
    assert "a counter stands behind the codes" in out and "1.0000" in out
    assert main(["ids", "repair", str(cells["nearest"]), "--by", "counter", "--out", str(tmp_path / "n.tsv")]) == 0
    assert (tmp_path / "n.tsv").read_bytes() == (cells["nearest"] / "ids.tsv").read_bytes()


def test_other_forms_of_the_file_are_the_same_ids(cells: dict[str, Path], tmp_path: Path) -> None:
    for name in ("x.tsv", "x.index.json"):
        assert main(["ids", "repair", str(cells["rqkmeans"]), "--by", "nearest", "--out", str(tmp_path / name)]) == 0
    one, other = (open_ids(str(tmp_path / name)) for name in ("x.tsv", "x.index.json"))
    assert one.items == other.items and np.array_equal(one.codes.values, other.codes.values)


def test_vectors_of_the_items_serve_where_no_indexer_does(
    cells: dict[str, Path], shop: Path, tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "mine.tsv"
    file.write_bytes((cells["rqkmeans"] / "ids.tsv").read_bytes())
    words = ["ids", "repair", str(file), "--by", "nearest", "--device", "cpu"]
    assert main(words) == 2
    assert "give --items (their texts are embedded) or --embeddings FILE.npy" in capsys.readouterr().err
    vectors = np.random.default_rng(0).normal(size=(60, 8))
    np.save(tmp_path / "vectors.npy", vectors)
    for given in (["--items", str(shop)], ["--embeddings", str(tmp_path / "vectors.npy")]):
        assert main([*words, *given, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["after"]["unique"] == 1
    np.save(tmp_path / "few.npy", vectors[:50])
    assert main([*words, "--embeddings", str(tmp_path / "few.npy")]) == 2
    assert "expected finite numbers of shape (60, dim), got (50, 8)" in capsys.readouterr().err
    (tmp_path / "some.jsonl").write_text('{"id": "i00", "title": "lamp"}\n')
    assert main([*words, "--items", str(tmp_path / "some.jsonl")]) == 2
    assert "--items: has no item 'i01'" in capsys.readouterr().err


def test_mean_vectors_are_the_centroids_of_a_residual_kmeans() -> None:
    """So that without its indexer its IDs are repaired as with it."""
    corpus = small_corpus(60)
    vectors = np.random.default_rng(1).normal(size=(60, 5)).astype(np.float32)
    method = ResidualKMeans(levels=2, codebook_size=6)
    codes = method.fit(corpus, Context(embedder=lambda corpus, encoder, context: vectors))
    rows = np.array([3, 17, 41])
    assert np.allclose(mean_distances(codes, vectors, rows), method.code_distances(corpus, codes, rows), atol=1e-4)


def test_full_prefixes_are_left_to_the_counter_and_said() -> None:
    codes = Codes(np.array([[0, 0]] * 5 + [[1, 0]] * 2, np.int32), (2, 3))
    found = repair(IdSet("mine", tuple("abcdefg"), codes), "nearest", vectors=np.eye(7, dtype=np.float32))
    assert (found.moved, found.crowded) == (1, 5)
    assert "5 items share prefixes with more items than codes, and were left" in found.lines()
    assert len(np.unique(found.final.values, axis=0)) == 7


def test_an_indexer_without_distances_is_told_before_anything_runs(cells: dict[str, Path], shop: Path) -> None:
    with pytest.raises(ConfigError, match=r"hc\.unique_by: hc cannot say how far an item is"):
        make_variants(["hc"], "tiny", {"hc.unique_by": "nearest"})
    with pytest.raises(UsageError, match="nothing says how far"):
        repair(open_ids(str(cells["hc"])), "nearest")
    random = open_ids(str(cells["random"]))
    assert not repair(random, "nearest").codes.counter().any()
    by_vectors = repair(open_ids(str(cells["hc"])), "nearest", vectors=np.eye(60, dtype=np.float32))
    assert by_vectors.moved + by_vectors.crowded > 0


def test_counters_are_counted_anew_only_where_an_item_came_or_went() -> None:
    """Behind 0 one of two items leaves; the three behind 1 have no room and keep what they came with."""
    codes = Codes(np.array([[0, 0], [0, 0], [1, 0], [1, 0], [1, 0], [2, 1]], np.int32), (3, 2))
    ids = IdSet("mine", tuple("abcdef"), codes, known_counters=np.array([1, 0, 2, 0, 1, 5], np.int32))
    found = repair(ids, "nearest", vectors=np.eye(6, dtype=np.float32))
    assert (found.moved, found.crowded) == (1, 3)
    assert found.counters.tolist() == [0, 0, 2, 0, 1, 5]
    assert found.final.values[:, -1].tolist() == found.counters.tolist()


def test_a_cell_without_id_quality_is_repaired_in_the_codebooks_that_were_learned(
    shop: Path, tmp_path: Path, capsys: Any
) -> None:
    """Also in codes beyond the largest one that an item has."""
    words = [
        "run",
        "--methods",
        "random",
        "--dataset",
        str(shop),
        "--tasks",
        "recommendation",
        "--device",
        "cpu",
        *FAST,
    ]
    settings = ["--set", "random.levels=1", "--set", "random.codebook_size=200", "--seeds", "1"]
    assert main([*words, *settings, "--runs", str(tmp_path / "runs")]) == 0
    cell = next((tmp_path / "runs" / "shop" / "random").glob("*/seed-1"))
    largest = max(codes[0] for codes in read_id_lines(cell / "ids.tsv").values())
    assert largest < 199 and open_ids(str(cell)).codes.sizes == (200,)
    found = repair(open_ids(str(cell)), "nearest")
    assert found.moved and not found.counters.any()
    assert main(["ids", "push", str(cell), str(tmp_path / "out")]) == 0  # and the folder says the sizes
    assert open_ids(str(tmp_path / "out")).codes.sizes == (200,)


def test_categories_may_hold_any_sign(cells: dict[str, Path], tmp_path: Path) -> None:
    """JSON has U+2028 as it is, and it is no end of a line."""
    from shutil import copytree

    runs = copytree(cells["rqkmeans"].parents[3], tmp_path / "runs")
    listing = next(runs.glob("shop/items-*.jsonl"))
    records = [json.loads(line) for line in listing.read_text().split("\n") if line]
    records[0]["categories"] = ["a\u2028b"]
    listing.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    ids = open_ids(str(next(runs.glob("shop/rqkmeans/*/seed-0"))))
    assert ids.about[records[0]["id"]].path == ("a\u2028b",) and len(ids.about) == 60


def test_files_that_are_no_vectors_get_one_clear_message(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npy"

    def refused() -> str:
        with pytest.raises(UsageError) as error:
            read_vectors(path, 3)
        return str(error.value)

    path.write_bytes(b"")
    assert "not a .npy file of numbers" in refused()
    path.write_bytes(b"PK\x03\x04 cut off")
    assert "not a .npy file of numbers" in refused()
    with path.open("wb") as file:
        np.savez(file, a=np.eye(3))
    assert "expected one array in a .npy file, got an archive" in refused()
    for wrong, message in (
        (np.array([["a", "b"]] * 3), "expected real numbers, got an array of <U1"),
        (np.eye(3, dtype=np.complex64), "expected real numbers, got an array of complex64"),
        (np.eye(3, dtype=bool), "expected real numbers, got an array of bool"),
        (np.array([[{}]] * 3), "not a .npy file of numbers"),
        (np.full((3, 2), 1e300), "expected finite numbers of shape (3, dim)"),
        (np.empty((3, 0)), "got (3, 0)"),
        (np.float64(3), "got ()"),
    ):
        np.save(path, wrong)
        assert message in refused()
    np.save(path, np.eye(3, dtype=np.int64))
    assert read_vectors(path, 3).dtype == np.float32
