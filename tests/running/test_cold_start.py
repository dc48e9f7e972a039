"""`--split cold-start` through whole runs: nothing learned depends on withheld items, and tables against the files."""

import hashlib
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import FAST

from benchmark.api.results import load_results
from benchmark.api.run_request import RunRequest
from benchmark.cli.main import main
from benchmark.cli.parsing import parse_settings
from benchmark.data.cold_start import withheld_items
from benchmark.data.dataset import Dataset
from benchmark.methods.dual_encoder.config import DualEncoderConfig
from benchmark.methods.dual_encoder.retriever import DualEncoder
from benchmark.methods.sequential.sasrec import SASRec
from benchmark.reports.html.command import command
from benchmark.reports.tables.cold_start import COLD_START
from benchmark.reports.tables.sides import SPLITS
from benchmark.reports.tables.standard import ID_QUALITY, RECOMMENDATION, SEARCH
from benchmark.results.result_files import Result, read_id_lines
from benchmark.running.cells import Protocol
from benchmark.running.material import Material
from benchmark.running.stages import Stages
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS
from benchmark.types.method import Context
from benchmark.types.trec import read_qrels, read_run

pytestmark = pytest.mark.usefixtures("small_encoder")

SPLIT = "cold-start:0.25"
INDEXERS = ("rqkmeans", "hc", "rqvae", "random", "category", "text=rqkmeans", "tiger")
SMALL = [
    word
    for setting in (
        "rqkmeans.levels=2", "rqkmeans.codebook_size=8", "text.levels=2", "text.codebook_size=8", "hc.children=4",
        "hc.leaf_factor=8", "rqvae.codebook_size=8", "rqvae.training.epochs=0", "rqvae.training.steps=5",
        "tiger.codebook_size=8", "tiger.training.epochs=0", "tiger.training.steps=5", "random.codebook_size=4",
        "tiger.generative.ids.d_model=32", "tiger.generative.ids.heads=2",
        "text.generative.recommendation.reader=text", "text.generative.search.reader=text",
        "generative.search.item_texts=true", "generative.sentence.neighbours.share=0.3",
        "generative.sentence.general_queries.per_item=1", "generative.sentence.general_queries.shared=2",
        "generative.items.vectors=both",
    )
    for word in ("--set", setting)
]  # fmt: skip


@pytest.fixture(scope="module")
def shops(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A shop with training and development queries, and the same with other texts and events of withheld items."""
    folders = [tmp_path_factory.mktemp("data") / name / "shop" for name in ("first", "other")]
    withheld = [f"i{row:02}" for row in np.flatnonzero(withheld_items(60, 0.25))]
    for number, folder in enumerate(folders):
        shutil.copytree(shop, folder)
        items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
        for part, step in (("train", 1), ("dev", 3)):
            asked = [item for row, item in enumerate(items) if row % step == 0]
            lines = [f"{part}{row}\t{item['title'].replace('number', part)}\n" for row, item in enumerate(asked)]
            judged = [f"{part}{row} 0 {item['id']} 1\n" for row, item in enumerate(asked)]
            judged += [f"{part}{row} 0 {items[(7 * row + 5) % 60]['id']} 1\n" for row in range(0, len(asked), 2)]
            (folder / f"queries.{part}.tsv").write_text("".join(lines))
            (folder / f"qrels.{part}.txt").write_text("".join(dict.fromkeys(judged)))
        if number:
            for item in items:
                if item["id"] in withheld:
                    item |= {"title": f"quite another thing {item['id']}", "brand": "", "categories": ["x", "y"]}
            (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
            (folder / "sequences.txt").write_text("".join(_with_other_events(folder, withheld)))
    return folders[0], folders[1]


def _with_other_events(folder: Path, withheld: list[str]) -> list[str]:
    """Take withheld items out of some histories, exchange them in others, and put one behind every third."""
    lines = []
    for row, line in enumerate((folder / "sequences.txt").read_text().splitlines()):
        user, *items = line.split()
        if row % 2:
            items = [item for item in items if item not in withheld]
        items = [withheld[row % len(withheld)] if item in withheld else item for item in items]
        lines.append(" ".join([user, *items, *([withheld[-1]] if row % 3 == 0 else [])]) + "\n")
    return lines


def run(dataset: Path, runs: Path, methods: str, *words: str) -> int:
    return main([
        "run", "--dataset", str(dataset), "--methods", methods, "--runs", str(runs), "--device", "cpu", *words
    ])  # fmt: skip


@pytest.fixture(scope="module")
def runs(shops: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Both shops run with withheld items."""
    folders = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("other")
    for dataset, folder in zip(shops, folders, strict=True):
        assert run(dataset, folder, ",".join(INDEXERS), "--split", SPLIT, *FAST, *SMALL) == 0
        assert run(dataset, folder, "bm25,item-knn,popularity", "--split", SPLIT) == 0
    return folders


def request(dataset: Path, runs: Path) -> RunRequest:
    settings = parse_settings([*FAST[1::2], *SMALL[1::2]])
    return RunRequest(str(dataset), methods=INDEXERS, settings=settings, split=SPLIT, runs=runs, device="cpu")


def learned(dataset: Path, runs: Path, name: str) -> dict[str, Path]:
    """Label -> folder of what the stage of this name has left behind."""
    asked = request(dataset, runs)
    plan = asked.plan()
    stages = Stages(plan, asked.store)
    return {
        cell.variant.label: stage.final for cell in plan.cells for stage in stages.of(cell) if stage.name == name
    }  # fmt: skip


def digests(folder: Path) -> dict[str, str]:
    """File -> SHA-256 of what a stage has learned, without times and seals."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("cost.json", ".seal.json")
    }


@pytest.mark.parametrize("task", ["recommendation", "search"])
def test_what_the_generative_part_learns_is_the_same_whatever_withheld_items_are(
    shops: tuple[Path, Path], runs: tuple[Path, Path], task: str
) -> None:
    first, other = (learned(*of, f"train.{task}") for of in zip(shops, runs, strict=True))
    assert first.keys() == other.keys() == {name.partition("=")[0] for name in INDEXERS}
    for label in first:
        found = digests(first[label])
        assert any("safetensors" in name for name in found)
        assert found == digests(other[label]), label


def test_ids_of_known_items_are_the_same_whatever_withheld_items_are(runs: tuple[Path, Path]) -> None:
    withheld = withheld_items(60, 0.25)
    changed = []
    for label in (name.partition("=")[0] for name in INDEXERS):
        for file in ("ids.tsv", "ids.unique.tsv"):
            first, other = (
                list(read_id_lines(next(folder.glob(f"shop/{label}/*/seed-0/{file}"))).values()) for folder in runs
            )
            assert all(a == b for a, b, new in zip(first, other, withheld, strict=True) if not new), label
            changed.append(first != other)
    assert any(changed)  # those of withheld items follow from their texts


def test_dual_encoder_and_sasrec_learn_the_same_whatever_withheld_items_are(
    shops: tuple[Path, Path], tmp_path: Path
) -> None:
    weights = []
    for number, folder in enumerate(shops):
        work = tmp_path / str(number)
        work.mkdir()
        protocol = Protocol(DEFAULT_TEXT_FIELDS, "judged", "tiny", split=SPLIT)
        material = Material(Dataset(folder, cache=tmp_path / "cache"), protocol, lambda message: None)
        few = {"steps": 3, "epochs": 0, "batch_size": 8}
        encoder = DualEncoder(DualEncoderConfig.model_validate({"training": few, "encoder": {"simcse_epochs": 1}}))
        encoder.fit(material.learned_corpus, material.train_queries, Context(work=work))
        sasrec = SASRec(SASRec.Config.model_validate({"training": {"steps": 5, "epochs": 0}, "max_length": 5}))
        sasrec.fit(material.learned_corpus, *material.learned_histories, Context(work=work))
        state = [encoder.model.state_dict(), sasrec._model.network.state_dict()]
        weights.append([hashlib.sha256(v.numpy().tobytes()).hexdigest() for part in state for v in part.values()])
    assert weights[0] == weights[1]


def results(runs: Path) -> dict[str, Result]:
    return {result.label: result for result in load_results(runs)}


def test_withheld_items_are_ranked_by_what_can_know_them(runs: tuple[Path, Path]) -> None:
    found = results(runs[0])
    apart = {f"i{row:02}" for row in np.flatnonzero(withheld_items(60, 0.25))}
    for label, result in found.items():
        assert result.withheld_file is not None and set(result.withheld_file.read_text().split()) == apart
        assert result.history_protocol == f"split {SPLIT}" and result.config["protocol"]["withheld"] == 15
        for task in set(result.metrics) - {"id-quality"}:
            ranked = {item for items in read_run(result.folder / f"run.{task}.trec").values() for item in items}
            assert bool(ranked & apart) == (label not in ("item-knn", "popularity")), (label, task)
    learned = {
        item for line in found["popularity"].histories_file.read_text().splitlines() for item in line.split()[1:]
    }
    assert learned and not learned & apart


def test_the_table_is_a_brute_force_over_the_files(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["report", "--runs", str(runs[0]), "--tables", "cold-start", "--format", "json,md,html,latex"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    (table,) = json.loads((tmp_path / "tables.json").read_text())
    assert f"split {SPLIT} (15 items withheld from learning)" in table["caption"]
    found = results(runs[0])
    assert [row["label"] for row in table["rows"] if not row["control"]] == sorted(
        label for label, result in found.items() if not result.control
    )
    apart = {f"i{row:02}" for row in np.flatnonzero(withheld_items(60, 0.25))}
    seen = 0
    for row in table["rows"]:
        result = found[row["label"]]
        for column, cell in zip(table["columns"], row["cells"], strict=True):
            task, kind, n = re.fullmatch(r"(\w+): (\w+) \(n = (\d+)\)", column["header"]).groups()
            task = task.lower()
            if task not in result.metrics:
                assert cell["mean"] is None
                continue
            relevant: dict[str, set[str]] = {}
            for query, item, _ in read_qrels(result.folder / f"qrels.{task}.txt"):
                if (item in apart) == (kind == "withheld"):
                    relevant.setdefault(query, set()).add(item)
            ranked = {q: list(items)[:10] for q, items in read_run(result.folder / f"run.{task}.trec").items()}
            shares = [len(items & set(ranked.get(query, ()))) / len(items) for query, items in relevant.items()]
            assert len(shares) == int(n) and cell["mean"] == pytest.approx(np.mean(shares))
            seen += 1
    assert seen >= 4 * len(INDEXERS)
    assert main(["verify", str(tmp_path), "--runs", str(runs[0])]) == 0
    assert main(["verify", str(runs[0])]) == 0
    capsys.readouterr()


def test_tables_that_compare_splits_leave_it_out_and_captions_of_every_task_name_it(runs: tuple[Path, Path]) -> None:
    found = list(results(runs[0]).values())
    assert SPLITS.fill(found) == [] and COLD_START.fill([replace(result, config={}) for result in found]) == []
    for table in (SEARCH, RECOMMENDATION, ID_QUALITY):
        (filled,) = table.fill(found)
        assert f"split {SPLIT} (15 items withheld from learning)" in filled.caption


def test_a_counter_that_does_not_continue_is_found(runs: tuple[Path, Path], tmp_path: Path, capsys) -> None:
    shutil.copytree(runs[0], tmp_path / "runs", ignore=shutil.ignore_patterns(".cache"), dirs_exist_ok=True)
    folder = next((tmp_path / "runs").glob("shop/random/*/seed-0"))
    ids, seen, lines = read_id_lines(folder / "ids.tsv"), Counter(), []
    for item, codes in ids.items():  # counted in row order, withheld items among the others
        lines.append(f"{item}\t{'-'.join(map(str, (*codes, seen[codes])))}\n")
        seen[codes] += 1
    assert "".join(lines) != (folder / "ids.unique.tsv").read_text()
    (folder / "ids.unique.tsv").write_text("".join(lines))
    assert main(["verify", str(tmp_path / "runs")]) == 1
    assert "its codes and the counter give" in capsys.readouterr().out


def test_what_cannot_rank_new_items_is_left_out_before_anything_is_computed(
    shops: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "own.tsv"
    ids.write_text("".join(f"i{row:02}\t{row % 4}-{row}\n" for row in range(60)))
    words = ("--ids", str(ids), "--split", "cold-start", "--tasks", "id-quality,recommendation", *FAST)
    assert run(shops[0], tmp_path, "random", "--set", "random.generative.items.vectors=table", *words) == 0
    said = capsys.readouterr().err
    assert "skipped: own cannot assign IDs to new items" in said
    assert "skipped: random: generative.items.vectors=table has no vector for new items" in said
    assert set(results(tmp_path)) == {"random"} and set(results(tmp_path)["random"].metrics) == {"id-quality"}
    assert run(shops[0], tmp_path, "random", *words, "--dry-run") == 0
    assert "skipped: own cannot assign IDs to new items" in capsys.readouterr().err
    assert run(shops[0], tmp_path, "", "--ids", str(ids), "--split", "cold-start", *FAST) == 2
    assert "nothing to run" in capsys.readouterr().err


def test_keys_of_other_splits_do_not_change_and_those_with_withheld_items_differ(
    shops: tuple[Path, Path], tmp_path: Path
) -> None:
    def keys(split: str) -> list[str]:
        asked = RunRequest(str(shops[0]), methods=("rqkmeans", "bm25"), split=split, runs=tmp_path, device="cpu")
        plan = asked.plan()
        return [stage.key for cell in plan.cells for stage in Stages(plan, asked.store).of(cell)]

    plain, tenth, quarter = (set(keys(split)) for split in ("leave-one-out", "cold-start", SPLIT))
    assert not plain & tenth and not tenth & quarter and set(keys("cold-start:0.10")) == tenth


def test_growth_compares_ids_with_those_learned_from_all_items(shops: tuple[Path, Path], tmp_path: Path) -> None:
    grown = tmp_path / "runs"
    words = ("--set", "rqkmeans.codebook_size=8", "--set", "random.codebook_size=4", "--tasks", "id-quality")
    for split in ("leave-one-out", SPLIT, "cold-start:0.1"):
        assert run(shops[0], grown, "rqkmeans,category,random", "--split", split, *words) == 0
    report = ("report", "--runs", str(grown), "--tables", "id-growth", "--format", "json", "--out", str(tmp_path))
    assert main([*report]) == 0
    (table,) = json.loads((tmp_path / "tables.json").read_text())
    ids = {
        (result.label, result.of_histories.get("split", "")): read_id_lines(result.folder / "ids.tsv")
        for result in load_results(grown)
    }
    headers = [column["header"] for column in table["columns"]]
    assert headers[:2] == ["10% new: ID", "10% new: first code"] and headers[4] == "25% new: ID"
    for row in table["rows"]:
        for number, share in enumerate((0.1, 0.25)):
            old, new = ids[row["label"], f"cold-start:{share}"], ids[row["label"], ""]
            known = [item for item, apart in zip(old, withheld_items(60, share), strict=True) if not apart]
            whole, first, renamed, renamed_first = (cell["mean"] for cell in row["cells"][4 * number : 4 * number + 4])
            assert whole == pytest.approx(np.mean([old[item] != new[item] for item in known]))
            assert first == pytest.approx(np.mean([old[item][0] != new[item][0] for item in known]))
            assert 0 <= renamed_first <= renamed <= 1 and renamed_first <= first
    assert main(["verify", str(tmp_path), "--runs", str(grown)]) == 0
    by_label = {row["label"]: [cell["mean"] for cell in row["cells"]] for row in table["rows"]}
    assert by_label["category"][3] == 0 and by_label["random"][1] > 0.5


def test_the_command_of_a_result_names_the_split(runs: tuple[Path, Path]) -> None:
    assert f"--split {SPLIT}" in command([results(runs[0])["bm25"]])
