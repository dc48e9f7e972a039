"""`benchmark run` from end to end on a small shop: files, tables, caching, kills, failures, misuse."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import commands
import ir_measures
import pytest
from conftest import FAST
from sklearn.metrics import adjusted_mutual_info_score

from benchmark.cli.main import main
from benchmark.errors import BenchmarkError
from benchmark.registry import load
from benchmark.results.result_files import read_result

pytestmark = pytest.mark.usefixtures("small_encoder")

METHODS = "rqkmeans,random,category,bm25,popularity"
SMALL = ["--set", "rqkmeans.codebook_size=8", "--set", "rqkmeans.levels=2", "--set", "random.codebook_size=16"]
SMALL += [  # so that a kill can come between any two steps
    word
    for task in ("recommendation", "search")
    for word in ("--set", f"generative.{task}.checkpoint_seconds=0")
]  # fmt: skip


def run(shop: Path, runs: Path, *more: str, methods: str = METHODS) -> int:
    words = ["run", "--dataset", str(shop), "--methods", methods, "--runs", str(runs), "--device", "cpu"]
    settings = [*SMALL, *FAST] if methods == METHODS else []
    return main([*words, *settings, *more])


def command(shop: Path, runs: Path) -> list[str]:
    """The whole run as a user types it: bytes are compared between processes, which all have the same threads."""
    words = ["run", "--dataset", str(shop), "--methods", METHODS, "--runs", str(runs), *SMALL, *FAST]
    return [*words, "--device", "cpu"]


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one whole run."""
    folder = tmp_path_factory.mktemp("runs")
    commands.finish(command(shop, folder), tmp_path_factory.mktemp("printed"))
    return folder


def results(runs: Path) -> list[Path]:
    return sorted(runs.glob("*/*/*/seed-*/result.json"))


def measured(runs: Path) -> dict[str, bytes]:
    """Everything that a run leaves behind but its measured costs."""
    files = (path for path in runs.glob("shop/**/*") if path.is_file() and path.name not in ("cost.json", ".lock"))
    return {str(path.relative_to(runs)): path.read_bytes() for path in files}


def test_every_method_serves_every_task_it_can(runs: Path) -> None:
    served = {}
    for path in results(runs):
        result = json.loads(path.read_text())
        served[result["label"]] = set(result["metrics"])
    every = {"id-quality", "recommendation", "search"}
    assert served == {
        "rqkmeans": every, "random": every, "category": every, "bm25": {"search"}, "popularity": {"recommendation"},
    }  # fmt: skip


def test_a_result_says_how_many_items_have_each_text_field(shop: Path, runs: Path) -> None:
    items = [json.loads(line) for line in (shop / "items.jsonl").read_text().splitlines()]
    for path in results(runs):
        result = read_result(path)
        assert result.dataset["items_with"] == {
            name: sum(bool(item.get(name)) for item in items) for name in ("title", "description", "brand", "price")
        }
        assert set(result.absent_fields) == {name for name, n in result.dataset["items_with"].items() if n == 0}


def test_a_result_says_whether_its_method_is_a_control(runs: Path) -> None:
    said = {read_result(path).method: json.loads(path.read_text())["control"] for path in results(runs)}
    assert said == {method: method in ("random", "shuffled", "category", "popularity") for method in said}
    assert len(set(said.values())) == 2


def test_ranking_metrics_are_what_ir_measures_says_of_the_trec_files(shop: Path, runs: Path) -> None:
    qrels = {
        "search": list(ir_measures.read_trec_qrels(str(shop / "qrels.txt"))),
        "recommendation": [
            ir_measures.Qrel(line.split()[0], line.split()[-1], 1)
            for line in (shop / "sequences.txt").read_text().splitlines()
        ],
    }
    checked = 0
    for path in results(runs):
        for task, metrics in json.loads(path.read_text())["metrics"].items():
            if task == "id-quality":
                continue
            names = [name for name in metrics if " (" not in name]
            measures = [ir_measures.parse_measure(name) for name in names]
            run_file = list(ir_measures.read_trec_run(str(path.parent / f"run.{task}.trec")))
            theirs = ir_measures.calc_aggregate(measures, qrels[task], run_file)
            for name, measure in zip(names, measures, strict=True):
                assert metrics[name] == pytest.approx(theirs[measure], abs=1e-9)
                checked += 1
    assert checked == 4 * 5 + 4 * 6


def test_recommendation_metrics_equal_a_brute_force_over_the_raw_files(shop: Path, runs: Path) -> None:
    held_out = {line.split()[0]: line.split()[-1] for line in (shop / "sequences.txt").read_text().splitlines()}
    path = next((runs / "shop" / "popularity").rglob("result.json"))
    found = dict.fromkeys(held_out, 0)
    for line in (path.parent / "run.recommendation.trec").read_text().splitlines():
        user, _, item, rank, _, _ = line.split()
        if item == held_out[user]:
            found[user] = int(rank)
    metrics = json.loads(path.read_text())["metrics"]["recommendation"]
    assert metrics["R@5"] == pytest.approx(sum(0 < rank <= 5 for rank in found.values()) / len(found))
    assert metrics["RR@20"] == pytest.approx(sum(1 / rank for rank in found.values() if rank) / len(found))


def test_ami_is_scikit_learns_on_ids_tsv(shop: Path, runs: Path) -> None:
    labels = {}
    for line in (shop / "items.jsonl").read_text().splitlines():
        item = json.loads(line)
        labels[item["id"]] = ",".join(item["categories"])
    for label in ("rqkmeans", "random", "category"):
        path = next((runs / "shop" / label).rglob("result.json"))
        rows = [line.split("\t") for line in (path.parent / "ids.tsv").read_text().splitlines()]
        ami = adjusted_mutual_info_score([labels[item] for item, _ in rows], [code.split("-")[0] for _, code in rows])
        assert json.loads(path.read_text())["metrics"]["id-quality"]["AMI"] == pytest.approx(ami)
        unique = [line.split("\t")[1] for line in (path.parent / "ids.unique.tsv").read_text().splitlines()]
        assert len(set(unique)) == len(unique) == 60


def test_the_items_of_the_data_set_lie_once_beside_the_results(shop: Path, runs: Path) -> None:
    (listing,) = runs.glob("shop/items-*.jsonl")
    raw = [json.loads(line) for line in (shop / "items.jsonl").read_text().splitlines()]
    expected = [{"id": item["id"], "title": item["title"], "categories": item["categories"]} for item in raw]
    assert [json.loads(line) for line in listing.read_text().splitlines()] == expected
    assert {read_result(path).items_file for path in results(runs)} == {listing}


def test_rankings_hold_known_items_once(shop: Path, runs: Path) -> None:
    known = {json.loads(line)["id"] for line in (shop / "items.jsonl").read_text().splitlines()}
    for path in runs.glob("shop/*/*/*/run.*.trec"):
        pairs = [(line.split()[0], line.split()[2]) for line in path.read_text().splitlines()]
        assert len(set(pairs)) == len(pairs) and {item for _, item in pairs} <= known


def assert_same_files(found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_a_second_run_executes_nothing_and_prints_the_same(
    shop: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in runs.rglob("*")}
    assert run(shop, runs) == 0
    first = capsys.readouterr().out
    assert run(shop, runs) == 0
    assert capsys.readouterr().out == first and "rqkmeans" in first
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*")} == before


def test_a_finished_run_imports_no_torch(shop: Path, runs: Path) -> None:
    words = ["run", "--dataset", str(shop), "--methods", METHODS, "--runs", str(runs), *SMALL, *FAST]
    code = f"import sys; from benchmark.cli.main import main; assert main({words}) == 0\n"
    code += "sys.exit(', '.join({'torch', 'transformers', 'sklearn', 'scipy'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_same_command_elsewhere_gives_the_same_bytes(shop: Path, runs: Path, tmp_path: Path) -> None:
    commands.finish(command(shop, tmp_path), tmp_path)
    assert_same_files(measured(tmp_path), measured(runs))


def test_a_run_killed_at_three_moments_ends_with_the_same_bytes(shop: Path, runs: Path, tmp_path: Path) -> None:
    words = command(shop, tmp_path)
    moments = random.Random(0)
    for _ in range(3):
        process = commands.start(words, tmp_path)
        process.join(moments.uniform(0.5, 4))
        process.kill()
        process.join()
    commands.finish(words, tmp_path)
    assert_same_files(measured(tmp_path), measured(runs))


def test_a_dry_run_lists_cells_and_computes_nothing(
    shop: Path, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shop, tmp_path, "--dry-run") == 0
    assert "11 of 11 cells to compute" in capsys.readouterr().out
    assert not results(tmp_path)
    assert run(shop, runs, "--dry-run", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(row["done"] and set(row["stages"].values()) <= {"cached"} for row in rows)


def test_two_variants_of_a_method_are_two_rows(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    methods = "random,wide=random"
    words = ["--tasks", "id-quality", "--set", "wide.codebook_size=32", "--set", "random.codebook_size=4"]
    assert run(shop, tmp_path, *words, methods=methods) == 0
    printed = capsys.readouterr().out
    assert re.search(r"^random", printed, re.M) and re.search(r"^wide", printed, re.M)


def test_the_tuning_budget_of_a_preset_is_shown_unless_its_settings_were_changed(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--tasks", "search", "--set", "other.k1=1.5"]
    assert run(shop, tmp_path, *words, methods="bm25,other=bm25") == 0
    costs = {path.parts[-4]: json.loads(path.read_text()) for path in tmp_path.rglob("cost.json")}
    assert (costs["bm25"]["trials"], "trials" in costs["other"]) == (2, False)
    capsys.readouterr()
    assert main(["report", "--runs", str(tmp_path), "--tables", "cost", "--format", "md"]) == 0
    header, _, *rows = re.findall(r"^\|(.*)\|$", capsys.readouterr().out, re.M)
    at = [name.strip() for name in header.split("|")].index("Trials")
    shown = {cells[0].strip(): cells[at].strip() for cells in (row.split("|") for row in rows)}
    assert shown == {"bm25": "2", "other": "–"}


def test_several_seeds_give_a_mean_and_an_interval(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shop, tmp_path, "--tasks", "id-quality", "--seeds", "0,1,2", methods="random") == 0
    assert "±" in capsys.readouterr().out
    assert len(results(tmp_path)) == 3


def test_a_failed_cell_is_reported_and_costs_no_other(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: object, corpus: object, context: object) -> None:
        raise BenchmarkError("no category is like another")

    monkeypatch.setattr(load("method", "category"), "fit", fail)
    assert run(shop, tmp_path, "--tasks", "id-quality", methods="category,random") == 1
    captured = capsys.readouterr()
    assert re.search(r"failed: category, id-quality, seed 0: no category is like another", captured.err)
    assert "Traceback" not in captured.err and "random" in captured.out
    assert [path.parts[-4] for path in results(tmp_path)] == ["random"]
    assert not [path for path in tmp_path.rglob("*") if "partial" in path.name]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--methods", "rqvea"], "unknown method 'rqvea'. Did you mean 'rqvae'"),
        (["--tasks", "serch"], "unknown task 'serch'. Did you mean 'search'"),
        (["--preset", "smal"], "unknown preset 'smal'. Did you mean 'small'"),
        (["--preset", "published"], "has no preset 'published'"),
        (["--set", "random.levls=2"], "random.levls: unknown key. Did you mean 'levels'"),
        (["--set", "levels=2"], "write LABEL.KEY=VALUE"),
        (["--set", "rqvae.levels=2"], "no method 'rqvae' in this run"),
        (["--seeds", "a"], "write whole numbers from 0 on"),
        (["--seeds", "-1"], "write whole numbers from 0 on"),
        (["--methods", "bm25", "--tasks", "search", "--set", "bm25.generative.beams=3"], "generative: unknown key"),
        (["--methods", "random,random"], "'random' stands twice"),
        (["--methods", "bm25", "--tasks", "id-quality"], "nothing to run: bm25 is a retriever: no id-quality"),
        (["--dataset", "no/such/folder"], "no/such/folder"),
        (["--dataset", "dmeo"], "Did you mean 'demo'"),
        (["--queries", "jugded"], "Did you mean 'judged'"),
        (["--text-fields", "titel"], "titel"),
        (["--text-fields", "title,category,categories"], "'category' is there twice"),
        (["--device", "gpu"], "--device gpu"),
    ],
)
def test_misuse_is_one_message_and_exit_code_2(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: Iterable[str], message: str
) -> None:
    given = {"--methods": "random", "--dataset": str(shop), "--runs": str(tmp_path), "--tasks": "id-quality"}
    more = list(words)
    if more[0] in given:
        given |= {more[i]: more[i + 1] for i in range(0, len(more), 2)}
        more = []
    code = main(["run", *(word for pair in given.items() for word in pair), *more])
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err and not results(tmp_path)
    assert code == 2


def test_a_missing_gpu_is_one_message(shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    words = ["run", "--methods", "random", "--dataset", str(shop), "--runs", str(tmp_path), "--tasks", "id-quality"]
    code = main([*words, "--device", "cuda"])
    if torch.cuda.is_available():
        assert code == 0
    else:
        assert code == 1 and "PyTorch sees no GPU" in capsys.readouterr().err


def test_a_damaged_result_is_computed_again(shop: Path, tmp_path: Path) -> None:
    assert run(shop, tmp_path, "--tasks", "id-quality", methods="random") == 0
    (path,) = results(tmp_path)
    whole = path.read_text()
    path.write_text(whole[:50])
    assert run(shop, tmp_path, "--tasks", "id-quality", methods="random") == 0
    assert path.read_text() == whole


def test_fewer_beams_than_ranks_leave_the_rest_empty(shop: Path, tmp_path: Path) -> None:
    words = ["--tasks", "search", "--set", "random.generative.beams=4", *FAST]
    assert run(shop, tmp_path, *words, methods="random") == 0
    lines = next(tmp_path.rglob("run.search.trec")).read_text().splitlines()
    assert len(lines) == 12 * 4


def test_wrong_data_are_reported_once_before_anything_is_computed(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(shop, broken)
    with (broken / "sequences.txt").open("a") as file:
        file.write("u99 i01 nothing\n")
    (broken / "dataset.toml").unlink()
    assert run(broken, tmp_path / "runs", "--tasks", "id-quality", methods="random") == 2
    error = capsys.readouterr().err
    assert error.count("sequences.txt:31") == 1 and "'nothing'" in error and not results(tmp_path / "runs")


def test_an_encoder_that_is_nowhere_is_one_message(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert os.environ["HF_HUB_OFFLINE"] == "1"
    words = ["--tasks", "id-quality", "--set", "rqkmeans.encoder=nobody/nothing", "--set", "rqkmeans.codebook_size=4"]
    assert run(shop, tmp_path, *words, methods="rqkmeans") == 1
    assert "the encoder 'nobody/nothing' cannot be loaded" in capsys.readouterr().err


def test_a_set_without_training_queries_says_what_was_trained_on(
    shop: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shop, runs) == 0
    assert "judged queries; trained on simulated known-item queries" in " ".join(capsys.readouterr().out.split())
    for path in results(runs):
        assert json.loads(path.read_text())["config"]["protocol"]["training_queries"] == "simulated"
