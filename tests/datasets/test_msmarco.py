"""MACRO-1M and TREC-DL-1M: MS MARCO's archive, topics and NIST's judgments in miniature; the released code's draw."""

import gzip
import io
import json
import random
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upstream import declaration, serving

from benchmark.cli.main import main
from benchmark.data.dataset import open_dataset
from benchmark.datasets import msmarco
from benchmark.errors import DataError
from benchmark.fetching import download
from benchmark.fetching.sources import read_declaration

ROOM = Path(__file__).parents[2] / "datasets"
SIZE = 30
PASSAGES = {str(row): f"Passage {row} says wörd{row % 7}." for row in range(200)}
ARCHIVE = {
    "collection.tsv": "".join(f"{name}\t{text}\n" for name, text in PASSAGES.items()),
    "queries.train.tsv": "11\tfirst training\n12\tnobody judged this\n13\tsecond\ttraining\n",
    "qrels.train.tsv": "13\t0\t7\t1\n11\t0\t150\t1\n11\t0\t199\t1\n13\t0\t7\t1\n",
    "queries.dev.small.tsv": "21\twhere is 40\n22\twhere are two\n",
    "qrels.dev.small.tsv": "22\t0\t8\t1\n21\t0\t40\t1\n22\t0\t9\t1\n",
    "queries.eval.tsv": "31\tsecret\n",
}
COUNTS = {"judged train queries": 2, "judged train judgments": 3}
MACRO = COUNTS | {"items": SIZE, "judged test queries": 2, "judged test judgments": 3}


def packed(parts: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, text in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return content.getvalue()


def sampled(judged: set[int], size: int = SIZE) -> list[int]:
    """Return the sample as the released code draws it: judged passages, then a shuffled copy of the collection."""
    random.seed(313)
    corpus = list(PASSAGES)
    random.shuffle(corpus)
    found = sorted(judged)
    for name in corpus:
        if len(found) >= size:
            break
        if int(name) not in found:
            found.append(int(name))
    return sorted(found)


SAMPLE = sampled({7, 150, 199, 40, 8, 9})
INSIDE = [row for row in SAMPLE if row not in (7, 150, 199, 40, 8, 9)]
OUTSIDE = next(row for row in range(200) if row not in SAMPLE)
TOPICS = {
    "msmarco-test2019-queries.tsv.gz": "51\tjudged and inside\n52\tnever judged\n53\tonly outside\n",
    "msmarco-test2020-queries.tsv.gz": "61\tonly irrelevant\n62\tvery relevant\n",
}
NIST = {
    "2019qrels-pass.txt": f"51 Q0 {INSIDE[0]} 1\n51 Q0 {INSIDE[1]} 0\n53 Q0 {OUTSIDE} 3\n51 Q0 {OUTSIDE} 2\n",
    "2020qrels-pass.txt": f"61 0 {INSIDE[0]} 0\n62 0 {INSIDE[2]} 3\n62 0 7 2\n",
}


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A loopback server with the miniatures; the declarations name it, and samples are small."""
    monkeypatch.setattr(download, "PAUSE", 0.001)
    monkeypatch.setattr(msmarco, "SIZE", SIZE)
    with serving() as server:
        server.files["/pub/collectionandqueries.tar.gz"] = packed(ARCHIVE)
        for name, text in TOPICS.items():
            server.files[f"/pub/{name}"] = gzip.compress(text.encode())
        for name, text in NIST.items():
            server.files[f"/pub/{name}"] = text.encode()
        judged = declaration(ROOM / "trec_dl.toml", tmp_path / "trec_dl.toml", f"{server.url}/pub")
        monkeypatch.setattr(msmarco, "judgment_files", lambda: read_declaration(judged, "judgments").files)
        for builder, counts in (
            (msmarco.Macro1M, MACRO),
            (msmarco.TrecDL1M, MACRO | {"judged test queries": 2}),
        ):
            path = tmp_path / f"{builder.name}.toml"
            declaration(
                ROOM / "msmarco.toml", path, f"{server.url}/pub", **{f'"{key}"': n for key, n in counts.items()}
            )
            found = read_declaration(path, builder.name)
            monkeypatch.setattr(builder, "declaration", classmethod(lambda cls, found=found: found))
        yield server


def got(name: str, folder: Path, *more: str) -> Path:
    assert main(["data", "get", name, "--yes", "--data-root", str(folder / "root"), *more]) == 0
    return folder / "root" / name


def test_macro_is_the_judged_passages_and_the_authors_sample_in_the_order_of_the_collection(published, tmp_path):
    folder = got("macro-1m", tmp_path)
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text("utf-8").splitlines()]
    assert items == [{"id": str(row), "description": PASSAGES[str(row)]} for row in SAMPLE]
    assert (folder / "queries.train.tsv").read_text() == "11\tfirst training\n13\tsecond training\n"
    assert (folder / "qrels.train.txt").read_text() == "13 0 7 1\n11 0 150 1\n11 0 199 1\n"
    assert (folder / "queries.tsv").read_text() == "21\twhere is 40\n22\twhere are two\n"
    assert (folder / "qrels.txt").read_text() == "22 0 8 1\n21 0 40 1\n22 0 9 1\n"
    dataset = open_dataset("macro-1m", cache=tmp_path, data_root=tmp_path / "root")
    assert {key: dataset.counts()[key] for key in MACRO} == MACRO and dataset.default_tasks == ("search",)
    assert dataset.about["notes"] == ["1 repeated judgments (train); left out"]
    assert list((tmp_path / "root" / "raw" / "msmarco").glob(".unpacked*")) == []


def test_trec_dl_keeps_topics_with_a_relevant_passage_in_the_same_sample(published, tmp_path):
    folder = got("trec-dl-1m", tmp_path)
    assert (folder / "items.jsonl").read_bytes() == (got("macro-1m", tmp_path) / "items.jsonl").read_bytes()
    assert (folder / "queries.tsv").read_text() == "51\tjudged and inside\n62\tvery relevant\n"
    assert (folder / "qrels.txt").read_text() == f"51 0 {INSIDE[0]} 1\n62 0 {INSIDE[2]} 3\n62 0 7 2\n"
    notes = open_dataset("trec-dl-1m", cache=tmp_path, data_root=tmp_path / "root").about["notes"]
    assert "4 NIST judgments are of passages outside the sample or graded 0; left out" in notes
    assert "2 TREC topics have no relevant passage in the sample; left out" in notes


def test_a_run_on_it_scores_the_search(published, tmp_path, capsys):
    got("macro-1m", tmp_path)
    run = ["run", "--methods", "bm25", "--dataset", "macro-1m", "--data-root", str(tmp_path / "root")]
    assert main([*run, "--runs", str(tmp_path / "runs")]) == 0
    result = json.loads(next((tmp_path / "runs" / "macro-1m").glob("bm25/*/seed-0/result.json")).read_text())
    assert list(result["metrics"]) == ["search"]


def test_unpacked_files_brought_by_hand_make_the_same_data_set(published, tmp_path):
    once = (got("macro-1m", tmp_path) / "items.jsonl").read_bytes()
    (tmp_path / "hand").mkdir()
    for name, text in ARCHIVE.items():
        (tmp_path / "hand" / name).write_text(text, "utf-8")
    other = tmp_path / "other"
    assert (got("macro-1m", other, "--from", str(tmp_path / "hand")) / "items.jsonl").read_bytes() == once


def test_other_counts_than_the_published_ones_stop_the_build(published, tmp_path, capsys):
    parts = ARCHIVE | {"qrels.train.tsv": "13\t0\t7\t1\n"}
    published.files["/pub/collectionandqueries.tar.gz"] = packed(parts)
    assert main(["data", "get", "macro-1m", "--yes", "--data-root", str(tmp_path / "root")]) == 2
    assert "judged train queries: expected 2, found 1" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["raw"]


@pytest.mark.parametrize(
    ("part", "text", "reason"),
    [
        ("collection.tsv", "0\tone\n2\tthree\n", "collection.tsv:2: expected: 1 TAB passage; got '2.tthree'"),
        ("collection.tsv", "0 one\n", "collection.tsv:1: expected: 0 TAB passage"),
        (
            "qrels.train.tsv",
            "11\t0\t200\t1\n",
            "qrels.train.tsv:1: passage 200 is not in the collection, which has 200",
        ),
        ("qrels.train.tsv", "11\t0\t-1\t1\n", "qrels.train.tsv:1: a passage id must be a whole number"),
        ("qrels.train.tsv", "11\t7\t1\n", "qrels.train.tsv:1: expected query, 0, passage and grade"),
        ("qrels.train.tsv", "11\t0\t7\tyes\n", "qrels.train.tsv:1: the grade must be a whole number"),
        ("queries.train.tsv", "11\t\n", "queries.train.tsv:1: expected: query id TAB text"),
        ("queries.train.tsv", "11\ta\n11\tb\n", "queries.train.tsv:2: the query id '11' was already used"),
        ("queries.train.tsv", "12\ta\n", "not one query was found .train."),
        ("queries.dev.small.tsv", None, "holds no queries.dev.small.tsv"),
    ],
)
def test_a_wrong_archive_is_refused_with_file_and_line(part, text, reason, tmp_path, monkeypatch):
    monkeypatch.setattr(msmarco, "SIZE", SIZE)
    parts = {"qrels.train.tsv": "11\t0\t0\t1\n", "qrels.dev.small.tsv": "21\t0\t0\t1\n"} if part[0] == "c" else {}
    parts = {name: value for name, value in (ARCHIVE | parts | {part: text}).items() if value is not None}
    (tmp_path / "a.tar.gz").write_bytes(packed(parts))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=reason):
        msmarco.Macro1M().build_from({msmarco.ARCHIVE: tmp_path / "a.tar.gz"}, tmp_path / "out")


@given(st.sets(st.integers(0, 199), min_size=1, max_size=50), st.integers(1, 250))
def test_the_sample_holds_what_is_judged_and_as_many_as_asked_for(judged, size):
    chosen = bytearray(row in judged for row in range(200))
    msmarco.fill(chosen, size, msmarco.SEED)
    assert [row for row in range(200) if chosen[row]] == sampled(judged, size)


def test_lines_are_counted_with_and_without_a_last_line_end(tmp_path):
    for text, number in (("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("a\n\nb\n", 3)):
        (tmp_path / "lines").write_text(text)
        assert msmarco.count_lines(tmp_path / "lines") == number


@pytest.mark.parametrize(("name", "queries", "labels"), [("macro-1m", 6980, 7437), ("trec-dl-1m", 93, 1069)])
def test_the_declared_counts_are_the_papers(name, queries, labels):
    assert read_declaration(ROOM / "msmarco.toml", name).expect == {  # ICML 2024, data table
        "items": 1_000_000,
        "judged train queries": 502_939,
        "judged train judgments": 532_751,
        "judged test queries": queries,
        "judged test judgments": labels,
    }
