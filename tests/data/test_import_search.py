"""Searches that come in: a BEIR folder, an id of ir_datasets."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from foreign import imported, jsonl, notes, rows, write

from benchmark.cli.main import main
from benchmark.results.result_files import read_result


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "mini"
    jsonl(
        folder / "corpus.jsonl",
        {"_id": "d1", "title": "Wings", "text": "Lift of a wing", "metadata": {"url": "x"}},
        {"_id": "d2", "title": "", "text": "Boundary layers"},
    )
    texts = ["lift of\ta wing", "turbulence", "layers", "wings"]
    jsonl(folder / "queries.jsonl", *({"_id": f"q{n}", "text": text, "metadata": {}} for n, text in enumerate(texts)))
    header = "query-id\tcorpus-id\tscore\n"
    write(folder / "qrels" / "test.tsv", header + "q0\td1\t2\nq1\td2\t0\nq1\tgone\t1\n")
    write(folder / "qrels" / "train.tsv", header + "q2\td2\t1\nq2\td2\t1\n")
    write(folder / "qrels" / "dev.tsv", header + "q3\td1\t1\n")
    return folder


def test_a_beir_folder_brings_documents_queries_and_every_split(tmp_path: Path, beir: Path) -> None:
    dataset = imported(tmp_path, "beir", beir)
    assert rows(dataset, "id", "title", "description") == [
        ("d1", "Wings", "Lift of a wing"), ("d2", None, "Boundary layers"),
    ]  # fmt: skip
    test, train, dev = (dataset.queries("judged", split) for split in ("test", "train", "dev"))
    assert test and train and dev
    assert (test.ids, test.texts) == (("q0", "q1"), ("lift of a wing", "turbulence"))
    assert test.grades.tolist() == [2, 0]
    assert (train.ids, dev.ids) == (("q2",), ("q3",))
    assert "1 repeated judgments (train); left out" in notes(dataset)
    assert "corpus.jsonl: 1 fields left out: metadata" in notes(dataset)
    assert "1 judgments (test) of items not in the data set; they count as missed" in notes(dataset)
    assert test.absent == ((1, "gone", 1),)


def test_an_imported_folder_runs(tmp_path: Path, beir: Path) -> None:
    imported(tmp_path, "beir", beir)
    words = ["--methods", "bm25", "--dataset", str(tmp_path / "imported"), "--tasks", "search", "--queries", "judged"]
    assert main(["run", *words, "--runs", str(tmp_path / "runs"), "--device", "cpu"]) == 0
    (path,) = (tmp_path / "runs").glob("*/*/*/seed-*/result.json")
    assert read_result(path).metrics["search"]["R@10"] == 0.5  # q0 finds d1, q1 has nothing relevant


def test_relevant_items_that_the_set_does_not_hold_count_as_missed(tmp_path: Path, beir: Path) -> None:
    """As ir-measures has it of the same run and all judgments: BEIR's ArguAna has such ones."""
    import ir_measures

    qrels = "q0\td1\t2\nq0\tgone\t1\nq0\tlost\t1\nq1\tgone\t1\nq3\td1\t1\n"
    write(beir / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore\n" + qrels)
    imported(tmp_path, "beir", beir)
    words = ["--methods", "bm25,rqkmeans", "--dataset", str(tmp_path / "imported"), "--queries", "judged"]
    words += ["--set", "rqkmeans.codebook_size=2", "--set", "rqkmeans.levels=2", "--preset", "tiny"]
    words += ["--tasks", "search", "--text-fields", "title,description", "--device", "cpu"]
    assert main(["run", *words, "--runs", str(tmp_path / "runs")]) == 0
    judged = [ir_measures.Qrel(*line.split("\t")[:2], int(line.split("\t")[2])) for line in qrels.splitlines()]
    paths = sorted((tmp_path / "runs").glob("*/*/*/seed-*/result.json"))
    assert len(paths) == 2
    for path in paths:
        run = [
            ir_measures.ScoredDoc(query, item, float(score))
            for query, _, item, _, score, _ in map(str.split, (path.parent / "run.search.trec").open())
        ]
        due = ir_measures.calc_aggregate([ir_measures.R @ 10, ir_measures.nDCG @ 10], judged, run)
        found = read_result(path)
        assert found.metrics["search"]["R@10"] == pytest.approx(due[ir_measures.R @ 10]) and due[ir_measures.R @ 10] < 1
        assert found.metrics["search"]["nDCG@10"] == pytest.approx(due[ir_measures.nDCG @ 10])
        assert found.counts["search"]["queries"] == 3
    assert main(["verify", str(tmp_path / "runs")]) == 0


@pytest.mark.parametrize("grade", ["high", "1.5", "1_0", "1000000", ""])
def test_a_grade_must_be_a_whole_number(
    tmp_path: Path, beir: Path, capsys: pytest.CaptureFixture[str], grade: str
) -> None:
    write(beir / "qrels" / "dev.tsv", f"query-id\tcorpus-id\tscore\nq3\td1\t{grade}\n")
    assert main(["import", "beir", str(beir), str(tmp_path / "set")]) == 2
    assert "dev.tsv:2: the grade must be a whole number of at most six digits" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path, beir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    assert main(["import", "beir", str(beir), str(tmp_path / "mine")]) == 2
    assert "is already there" in capsys.readouterr().err
    assert not list((tmp_path / "mine").iterdir())


def test_an_ir_datasets_id_brings_documents_queries_and_judgments(tmp_path: Path) -> None:
    ir_datasets = pytest.importorskip("ir_datasets")
    docs = write(tmp_path / "docs.tsv", "d1\tLift of a wing\nd2\tBoundary layers\n")
    queries = write(tmp_path / "queries.tsv", "q1\twhat lifts\n")
    train_queries = write(tmp_path / "train.tsv", "q7\tlayers\n")
    qrels = write(tmp_path / "qrels.txt", "q1 0 d1 1\nq1 0 d2 0\n")
    train = write(tmp_path / "train.txt", "q7 0 d2 3\n")
    for name, (texts, judged) in {"mini": (queries, qrels), "mini/train": (train_queries, train)}.items():
        local = ir_datasets.create_dataset(docs_tsv=str(docs), queries_tsv=str(texts), qrels_trec=str(judged))
        if name not in ir_datasets.registry:
            ir_datasets.registry.register(name, local)
    dataset = imported(tmp_path, "ir-datasets", "mini", "--train", "mini/train")
    assert rows(dataset, "id", "description") == [("d1", "Lift of a wing"), ("d2", "Boundary layers")]
    test, trained = dataset.queries("judged", "test"), dataset.queries("judged", "train")
    assert test and trained
    assert (test.ids, test.texts, test.grades.tolist()) == (("q1",), ("what lifts",), [1, 0])
    assert (trained.ids, trained.grades.tolist()) == (("q7",), [3])


def test_an_unknown_ir_datasets_id_names_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ir_datasets")
    assert main(["import", "ir-datasets", "beir/scifat/test", str(tmp_path / "x")]) == 2
    assert "Did you mean 'beir/scifact/test'" in capsys.readouterr().err


def test_without_the_package_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ir_datasets", None)
    assert main(["import", "ir-datasets", "vaswani", str(tmp_path / "x")]) == 1
    assert 'pip install "lmindexer-benchmark[ir-datasets]"' in capsys.readouterr().err


def test_a_collection_that_cannot_be_fetched_is_named_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline() -> Any:
        raise ConnectionError("no route to host")

    away = SimpleNamespace(has_docs=lambda: True, docs_iter=offline, docs_count=lambda: pytest.fail("it downloads all"))
    monkeypatch.setitem(sys.modules, "ir_datasets", SimpleNamespace(load=lambda name: away, registry=[]))
    assert main(["import", "ir-datasets", "far/away", str(tmp_path / "set")]) == 2
    assert "ir_datasets far/away: its documents cannot be read: no route to host" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


class TitleDoc(NamedTuple):
    """A document as ir_datasets has it, whose text begins with the title where there is one."""

    doc_id: str
    text: str
    title: str

    def default_text(self) -> str:
        return f"{self.title} {self.text}"


def test_a_title_without_a_body_stands_there_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [TitleDoc("d1", "burns oil", "lamp"), TitleDoc("d2", "", "old lamp")]
    fake = SimpleNamespace(
        has_docs=lambda: True, has_queries=lambda: False, has_qrels=lambda: False, docs_iter=lambda: iter(documents),
        docs_metadata=lambda: {"count": 2}, docs_count=lambda: 2,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "ir_datasets", SimpleNamespace(load=lambda name: fake, registry=[]))
    assert rows(imported(tmp_path, "ir-datasets", "fake"), "title", "description") == [
        ("lamp", "burns oil"), ("old lamp", None),
    ]  # fmt: skip


def test_documents_are_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than one of 20,000 documents of 10 kB is alive at any time."""
    script = f"""
import sys, types, resource
from typing import NamedTuple
class Doc(NamedTuple):
    doc_id: str
    title: str
    body: str
class Fake:
    has_docs = lambda self: True
    has_queries = has_qrels = lambda self: False
    docs_metadata = lambda self: {{"count": 20_000}}
    def docs_iter(self):
        for n in range(20_000):
            yield Doc(f"d{{n}}", "t", f"{{n}} " * 2_000)
sys.modules["ir_datasets"] = types.SimpleNamespace(load=lambda name: Fake(), registry=[])
import benchmark.cli.main as command
from benchmark.datasets import ir_datasets_bridge
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert command.main(["import", "ir-datasets", "fake", {str(tmp_path / "big")!r}]) == 0
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "big" / "items.jsonl").stat().st_size > 200e6
    assert int(done.stdout.split()[-1]) < 100  # MB
