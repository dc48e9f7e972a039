"""A query that is itself an item does not find itself, whatever ranks; the other reading has tables of its own."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import FAST
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.api.results import load_results
from benchmark.cli.main import main
from benchmark.conformance import small_corpus
from benchmark.data.self_retrieval import own_items
from benchmark.types.data import QuerySet
from benchmark.types.rankings import Rankings, without
from benchmark.types.trec import read_run

pytestmark = pytest.mark.usefixtures("small_encoder")

CLAIMS = (
    "trains are cheap because rails last", "trains are slow because rails bend", "ships are cheap because water floats",
    "ships are slow because water drags", "planes are fast in thin air", "bikes need no fuel at all",
)  # fmt: skip
RIVAL = {"c0": "c1", "c1": "c0", "c2": "c3", "c3": "c2"}
N_ITEMS = 30  # deeper than a ranking: the place of the query itself is filled again


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    """Claims that are searched with claims: relevant is the one of the other opinion. One query is no claim."""
    folder = tmp_path / "claims"
    folder.mkdir()
    texts = [*CLAIMS, *(f"number {row} because" for row in range(6, N_ITEMS))]
    items = [json.dumps({"id": f"c{row}", "title": text}) for row, text in enumerate(texts)]
    (folder / "items.jsonl").write_text("\n".join(items) + "\n")
    queries = [*((name, texts[int(name[1:])]) for name in RIVAL), ("other", "fuel because")]
    (folder / "queries.tsv").write_text("".join(f"{name}\t{text}\n" for name, text in queries))
    (folder / "qrels.txt").write_text("".join(f"{q} 0 {i} 1\n" for q, i in (*RIVAL.items(), ("other", "c5"))))
    return folder


def run(folder: Path, *words: str) -> int:
    return main([
        "run", "--dataset", str(folder), "--runs", str(folder.parent / "runs"), "--device", "cpu", "--preset", "tiny",
        "--tasks", "search", *words,
    ])  # fmt: skip


def rankings(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Reading -> query -> items, best first."""
    return {
        result.self_retrieval: {q: list(items) for q, items in read_run(result.folder / "run.search.trec").items()}
        for result in load_results(folder.parent / "runs")
    }


def test_both_readings_of_bm25_by_hand_in_tables_of_their_own(claims: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(claims, "--methods", "bm25") == 0
    assert "4 queries are themselves items: each one's own item is left out" in " ".join(
        capsys.readouterr().out.split()
    )
    assert run(claims, "--methods", "bm25", "--self-retrieval", "kept") == 0
    assert "may find themselves (self-retrieval kept" in " ".join(capsys.readouterr().out.split())
    found = rankings(claims)
    excluded, kept = found["excluded"], found["kept"]
    for query in RIVAL:
        assert kept[query][0] == query and excluded[query] == (kept[query][1:] + excluded[query][-1:])
        assert len(excluded[query]) == len(kept[query]) == 20
    assert excluded["other"] == kept["other"] and excluded["other"][0] == "c5"
    results = load_results(claims.parent / "runs")
    tables = results.table("search").filled
    assert len(tables) == 2 and [len(table.rows) for table in tables] == [1, 1]
    by_hand = {
        name: np.mean([1 / (1 + ranked[query].index(RIVAL[query])) for query in RIVAL] + [1.0])
        for name, ranked in found.items()
    }
    for result in results:
        assert result.metrics["search"]["RR@10"] == pytest.approx(by_hand[result.self_retrieval])
        assert result.config["protocol"]["self_queries"] == 4
    frame = results.to_frame()
    assert sorted(set(frame.queries)) == ["judged, self-retrieval excluded", "judged, self-retrieval kept"]
    assert main(["verify", str(claims.parent / "runs")]) == 0


def test_ids_that_generate_are_refilled_to_the_full_depth(claims: Path) -> None:
    """The beam is one wider, so that 20 items remain where the query itself was among them."""
    words = ["--methods", "random", "--set", "random.codebook_size=8", *FAST]
    assert run(claims, *words) == run(claims, *words, "--self-retrieval", "kept") == 0
    found = rankings(claims)
    for query in RIVAL:
        assert len(found["excluded"][query]) == len(found["kept"][query]) == 20
        assert query not in found["excluded"][query]
    assert any(query in found["kept"][query] for query in RIVAL)


def test_an_item_that_is_judged_relevant_to_the_query_of_its_id_stays(
    claims: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (claims / "qrels.txt").write_text("c0 0 c1 1\nc3 0 c3 1\n")
    assert run(claims, "--methods", "bm25") == 0
    assert "1 queries have the id of an item that is not the query itself" in " ".join(capsys.readouterr().out.split())
    found = rankings(claims)["excluded"]
    assert "c0" not in found["c0"] and found["c3"][0] == "c3"
    (result,) = load_results(claims.parent / "runs")
    assert result.config["protocol"]["self_queries"] == 1


def test_ids_that_coincide_by_chance_leave_nothing_out(claims: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Queries are numbered as items are, but ask something else, as in MS MARCO."""
    (claims / "queries.tsv").write_text("c1\ttrains rails\nc4\tslow ships because water drags\n")
    (claims / "qrels.txt").write_text("c1 0 c0 1\nc4 0 c3 1\n")
    assert run(claims, "--methods", "bm25") == 0
    assert "2 queries have the id of an item that is not" in " ".join(capsys.readouterr().out.split())
    found = rankings(claims)[""]
    assert "c1" in found["c1"] and found["c4"][0] == "c3"
    (result,) = load_results(claims.parent / "runs")
    assert result.self_retrieval == "" and "self_retrieval" not in result.config["protocol"]


def test_a_set_whose_queries_are_no_items_says_nothing(claims: Path) -> None:
    for name in ("queries.tsv", "qrels.txt"):
        text = (claims / name).read_text()
        (claims / name).write_text("".join(f"q{line}\n" for line in text.splitlines()))
    assert run(claims, "--methods", "bm25") == 0
    before = rankings(claims)
    shutil.rmtree(claims.parent / "runs")
    assert run(claims, "--methods", "bm25", "--self-retrieval", "kept") == 0
    assert rankings(claims) == before and set(before) == {""}
    (result,) = load_results(claims.parent / "runs")
    assert "self_retrieval" not in result.config["protocol"]


def test_a_wrong_word_is_refused(claims: Path) -> None:
    with pytest.raises(SystemExit):
        run(claims, "--methods", "bm25", "--self-retrieval", "keep")
    from benchmark import run as run_in_python

    with pytest.raises(ValueError, match=r"self-retrieval: 'keep' is neither excluded nor kept"):
        run_in_python(["bm25"], claims, self_retrieval="keep", runs=claims.parent / "runs")


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(-1, 9), st.integers(1, 9))
def test_without_is_a_plain_filter(seed: int, size: int, left_out: int, depth: int) -> None:
    items = np.random.default_rng(seed).permutation(10)[:size].tolist()
    padded = np.array([[*items, -1]], np.int32)
    scores = np.array([[*range(len(items), 0, -1), 0]], np.float32)
    found = without(Rankings(padded, scores), np.array([left_out], np.int32), depth)
    expected = [(item, len(items) - row) for row, item in enumerate(items) if item != left_out][:depth]
    real = found.items[0] >= 0
    assert list(zip(found.items[0][real].tolist(), found.scores[0][real].tolist(), strict=True)) == expected
    assert found.items.shape[1] <= depth and real[: len(expected)].all()


def test_simulated_queries_are_never_items() -> None:
    corpus = small_corpus(3)
    rows = np.arange(3, dtype=np.int32)
    queries = QuerySet("simulated", corpus.ids, ("a", "b", "c"), rows, (rows + 1) % 3, np.ones(3, np.int32))
    assert own_items(queries, corpus)[0].tolist() == [-1, -1, -1]
    texts = (corpus.field("title")[0].upper(), "something else", corpus.texts()[2])
    judged = QuerySet("judged", corpus.ids, texts, rows, (rows + 1) % 3, np.ones(3, np.int32))
    assert own_items(judged, corpus)[0].tolist() == [0, -1, 2]
