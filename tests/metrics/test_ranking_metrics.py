"""Ranking metrics against a brute force of a few lines, and the published readings against hand-computed cases."""

from math import log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchmarkError, DataError
from benchmark.metrics.ranking import RECOMMENDATION, SEARCH, read_scores, score_run, write_scores
from benchmark.types.rankings import Rankings
from benchmark.types.trec import write_run

IDS = [f"i{row}" for row in range(12)]


def dcg(gains):
    return sum(gain / log2(rank + 2) for rank, gain in enumerate(gains))


def brute_force(measure, ranked, grades):
    name, k = measure.split(" ")[0].split("@")
    top = [max(grades.get(item, 0), 0) for item in ranked[: int(k)]]
    hits = [grade >= 1 for grade in top]
    relevant = sum(grade >= 1 for grade in grades.values())
    precision = [sum(hits[: rank + 1]) / (rank + 1) for rank, hit in enumerate(hits) if hit]
    if measure.endswith("(published)"):
        if not any(hits):
            return 0.0
        return dcg(hits) / dcg(sorted(hits, reverse=True)) if name == "nDCG" else sum(precision) / len(precision)
    ideal = dcg(sorted((max(grade, 0) for grade in grades.values()), reverse=True)[: int(k)])
    first = next((rank + 1 for rank, hit in enumerate(hits) if hit), 0)
    return {
        "R": sum(hits) / relevant if relevant else 0.0,
        "AP": sum(precision) / relevant if relevant else 0.0,
        "RR": 1 / first if first else 0.0,
        "nDCG": dcg(top) / ideal if ideal else 0.0,
    }[name]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 6), st.integers(1, 12))
def test_every_measure_equals_the_brute_force(tmp_path_factory, seed, n_queries, depth):
    rng = np.random.default_rng(seed)
    queries = [f"q{row}" for row in range(n_queries)]
    items = np.array([rng.permutation(12)[:depth] for _ in queries], np.int32)
    items[rng.random(items.shape) < 0.1] = -1
    scores = rng.choice([0.0, 0.5, 1.0, 2.0], items.shape).astype(np.float32)  # many ties
    grades = {query: {item: int(rng.integers(-1, 4)) for item in rng.choice(IDS, 5)} for query in [*queries, "lost"]}
    path = tmp_path_factory.mktemp("run") / "run.trec"
    write_run(path, queries, IDS, Rankings(items, scores), "t")
    qrels = [(query, item, grade) for query, judged in grades.items() for item, grade in judged.items()]
    measures = list(dict.fromkeys((*RECOMMENDATION, *SEARCH)))
    found = score_run(path, qrels, measures)
    ranked = {
        query: [IDS[item] for item, _ in sorted(
            ((i, s) for i, s in zip(items[row].tolist(), scores[row], strict=True) if i >= 0),
            key=lambda pair: (pair[1], IDS[pair[0]]), reverse=True)]
        for row, query in enumerate(queries)
    }  # fmt: skip
    assert found.query_ids == list(grades)
    for measure in measures:
        expected = [brute_force(measure, ranked.get(query, []), judged) for query, judged in grades.items()]
        assert found.per_query[measure] == pytest.approx(expected, abs=1e-6), measure
        assert found.means[measure] == pytest.approx(np.mean(expected), abs=1e-6)


def test_negative_grades_score_as_0_also_where_a_query_has_no_others(tmp_path):
    """trec_eval's code crashes on a query whose grades are all negative."""
    items, scores = np.array([[0, 1, 2], [1, 2, 0], [5, 4, 3]], np.int32), np.array([[3, 2, 1]] * 3, np.float32)
    write_run(tmp_path / "run.trec", ["mixed", "junk", "lone"], IDS, Rankings(items, scores), "t")
    grades = {"mixed": {"i1": 2, "i0": -2, "i7": -1}, "junk": {"i1": -2, "i2": -1}, "lone": {"i5": -1}}
    qrels = [(query, item, grade) for query, judged in grades.items() for item, grade in judged.items()]
    measures = list(dict.fromkeys((*RECOMMENDATION, *SEARCH)))
    found = score_run(tmp_path / "run.trec", qrels, measures)
    as_zero = score_run(tmp_path / "run.trec", [(q, i, max(grade, 0)) for q, i, grade in qrels], measures)
    for measure in measures:
        by_hand = [brute_force(measure, ["i0", "i1", "i2"], grades["mixed"]), 0, 0]
        assert found.per_query[measure] == pytest.approx(by_hand, abs=1e-6), measure
        assert found.per_query[measure].tolist() == as_zero.per_query[measure].tolist()
    assert found.means["RR@10"] == pytest.approx(1 / 6)


def score(tmp_path, ranked, relevant, measures):
    items = np.array([[IDS.index(item) for item in ranked]], np.int32)
    scores = np.arange(len(ranked), 0, -1, dtype=np.float32)[None]
    write_run(tmp_path / "run.trec", ["q"], IDS, Rankings(items, scores), "t")
    return score_run(tmp_path / "run.trec", [("q", item, 1) for item in relevant], measures).means


def test_one_hit_at_rank_one_of_five_relevant_items(tmp_path):
    """The example of the published code's inflation: it says 1.0 twice where four of five items were missed."""
    relevant = ["i0", "i5", "i6", "i7", "i8"]
    means = score(tmp_path, ["i0", "i1", "i2", "i3", "i4"], relevant, SEARCH)
    assert means["nDCG@5 (published)"] == 1 and means["AP@5 (published)"] == 1
    assert means["nDCG@5"] == pytest.approx(1 / sum(1 / log2(rank + 1) for rank in range(1, 6)))
    assert means["AP@5"] == pytest.approx(0.2) and means["R@10"] == pytest.approx(0.2) and means["RR@10"] == 1


def test_hits_at_ranks_two_and_four_by_hand(tmp_path):
    means = score(tmp_path, ["i1", "i0", "i2", "i5", "i3"], ["i0", "i5", "i6"], SEARCH)
    assert means["AP@5 (published)"] == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert means["AP@5"] == pytest.approx((1 / 2 + 2 / 4) / 3)
    assert means["nDCG@5 (published)"] == pytest.approx((1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3)))


@given(rank=st.integers(0, 5))
@settings(max_examples=10, deadline=None)
def test_with_one_relevant_item_both_readings_agree(tmp_path_factory, rank):
    ranked = [f"i{row}" for row in range(1, 6)]
    if rank < 5:
        ranked[rank] = "i0"
    means = score(tmp_path_factory.mktemp("run"), ranked, ["i0"], SEARCH)
    assert means["nDCG@5 (published)"] == pytest.approx(means["nDCG@5"])
    assert means["AP@5 (published)"] == pytest.approx(means["AP@5"])


def test_a_run_that_found_nothing_scores_zero(tmp_path):
    (tmp_path / "run.trec").write_text("")
    scores = score_run(tmp_path / "run.trec", [("q", "a", 1), ("r", "a", 1)], SEARCH)
    assert set(scores.means.values()) == {0.0} and len(scores.query_ids) == 2


def test_unjudged_queries_of_a_run_do_not_count(tmp_path):
    (tmp_path / "run.trec").write_text("q Q0 a 1 1 t\nother Q0 a 1 1 t\n")
    scores = score_run(tmp_path / "run.trec", [("q", "a", 1)], ["R@5"])
    assert scores.query_ids == ["q"] and scores.means == {"R@5": 1.0}


def test_unknown_measures_and_missing_judgments_are_refused(tmp_path):
    (tmp_path / "run.trec").write_text("q Q0 a 1 1 t\n")
    with pytest.raises(BenchmarkError, match="'Nonsense@5'"):
        score_run(tmp_path / "run.trec", [("q", "a", 1)], ["Nonsense@5"])
    with pytest.raises(BenchmarkError, match="published reading"):
        score_run(tmp_path / "run.trec", [("q", "a", 1)], ["R@5 (published)"])
    with pytest.raises(BenchmarkError, match="no judgments"):
        score_run(tmp_path / "run.trec", [], ["R@5"])


def test_per_query_values_survive_the_file(tmp_path):
    path = tmp_path / "run.trec"
    rankings = Rankings(np.array([[1, 2], [3, 4]], np.int32), np.ones((2, 2), np.float32))
    write_run(path, ["q1", "ü#2"], IDS, rankings, "t")
    scores = score_run(path, [("q1", "i1", 1), ("ü#2", "i3", 2), ("ü#2", "i9", 1)], SEARCH)
    write_scores(tmp_path / "scores.tsv", scores)
    again = read_scores(tmp_path / "scores.tsv")
    assert again.query_ids == scores.query_ids and again.means == scores.means
    assert all((again.per_query[name] == scores.per_query[name]).all() for name in SEARCH)


def test_a_broken_score_file_is_named(tmp_path):
    path = tmp_path / "scores.tsv"
    path.write_text("query\tR@5\nq1\tmany\n")
    with pytest.raises(DataError, match=r"scores\.tsv"):
        read_scores(path)
