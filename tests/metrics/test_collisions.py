"""Collision-aware metrics against every order of small groups, scikit-learn's nDCG with ties and cases by hand."""

from itertools import chain, permutations, product
from math import comb, log2

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from benchmark.errors import BenchmarkError, DataError
from benchmark.metrics.collisions import IdGroups, collision_aware, readings
from benchmark.metrics.ranking import RECOMMENDATION, SEARCH, read_scores, score_run, write_scores
from benchmark.types.rankings import Rankings
from benchmark.types.trec import write_run

MEASURES = ("R@1", "R@3", "R@6", "nDCG@1", "nDCG@3", "nDCG@6", "RR@2", "RR@6")


def plain(measure, ranked, grades):
    """A metric of one list of items, from its definition."""
    name, k = measure.split("@")
    gains = [max(grades.get(item, 0), 0) for item in ranked[: int(k)]]
    relevant = sorted((grade for grade in grades.values() if grade >= 1), reverse=True)
    if not relevant:
        return 0.0
    if name == "R":
        return sum(gain >= 1 for gain in gains) / len(relevant)
    if name == "RR":
        return next((1 / rank for rank, gain in enumerate(gains, 1) if gain), 0.0)
    best = sum(gain / log2(rank + 1) for rank, gain in enumerate(relevant[: int(k)], 1))
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1)) / best


def every_order(ranked, id_of):
    """Every list of items that one ranking of IDs stands for."""
    reached = list(dict.fromkeys(id_of[item] for item in ranked))
    members = [[item for item in id_of if id_of[item] == name] for name in reached]
    return [list(chain(*orders)) for orders in product(*(permutations(group) for group in members))]


def aware(ranked, id_of, grades, measures=MEASURES):
    run = {"q": {item: -float(rank) for rank, item in enumerate(ranked)}}
    values = collision_aware(readings(measures), {"q": grades}, run, IdGroups.of(id_of, id_of.values()))
    return {name: value.item() for name, value in values.items()}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_readings_are_the_worst_mean_and_best_over_every_order_of_the_groups(data):
    items = [f"i{number}" for number in range(8)]
    id_of = dict(zip(items, data.draw(st.lists(st.integers(0, 4), min_size=8, max_size=8)), strict=True))
    while max(list(id_of.values()).count(name) for name in id_of.values()) > 4:  # 24 orders a group at most
        id_of[max(id_of, key=lambda item: list(id_of.values()).count(id_of[item]))] = len(set(id_of.values())) + 9
    ranked = data.draw(st.lists(st.sampled_from(items), unique=True, max_size=6))
    grades = data.draw(st.dictionaries(st.sampled_from([*items, "not in the catalogue"]), st.integers(-1, 3)))
    values = aware(ranked, id_of, grades)
    orders = every_order(ranked, id_of)
    for measure in MEASURES:
        every = [plain(measure, order, grades) for order in orders]
        assert values[f"{measure} (strict)"] == pytest.approx(min(every))
        assert values[f"{measure} (expected)"] == pytest.approx(np.mean(every))
        assert values[f"{measure} (optimistic)"] == pytest.approx(max(every))


def test_a_group_that_pushes_another_out_of_the_list_by_hand():
    # b shares its ID with c and d, which the run did not find; the relevant e is then at rank 5, not 3.
    id_of = {"a": 0, "b": 1, "c": 1, "d": 1, "e": 2}
    values = aware(["a", "b", "e"], id_of, {"e": 1}, ("R@3", "RR@5"))
    assert [values[f"R@3 ({reading})"] for reading in ("strict", "expected", "optimistic")] == [0, 0, 0]
    assert [values[f"RR@5 ({reading})"] for reading in ("strict", "expected", "optimistic")] == [0.2] * 3
    values = aware(["a", "b", "e"], id_of, {"c": 1}, ("R@3", "RR@5"))  # c holds rank 2, 3 or 4
    assert [values[f"R@3 ({reading})"] for reading in ("strict", "expected", "optimistic")] == [0, 2 / 3, 1]
    assert values["RR@5 (expected)"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 4) / 3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 100_000), st.integers(1, 30))
def test_expected_ndcg_is_scikit_learns_ndcg_with_ties(seed, k):
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 6, 200)
    grade = rng.choice([0, 0, 0, 1, 2, 3], 200)
    items = [f"i{number}" for number in range(200)]
    ranked = [f"i{number}" for number in rng.permutation(200)]
    place = {name: rank for rank, name in enumerate(dict.fromkeys(group[int(item[1:])] for item in ranked))}
    theirs = ndcg_score([grade], [[-place[name] for name in group]], k=k)
    id_of = dict(zip(items, group.tolist(), strict=True))
    values = aware(ranked, id_of, dict(zip(items, grade.tolist(), strict=True)), (f"nDCG@{k}",))
    assert values[f"nDCG@{k} (expected)"] == pytest.approx(theirs)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 12), st.integers(1, 20))
def test_expected_reciprocal_rank_of_a_large_group_counts_its_subsets(size, relevant, before, k):
    relevant = min(relevant, size)
    id_of = {f"a{number}": number for number in range(before)} | {f"b{number}": "b" for number in range(size)}
    values = aware([*list(id_of)[:before], "b0"], id_of, {f"b{number}": 1 for number in range(relevant)}, (f"RR@{k}",))
    ways = {p: comb(size - p, relevant - 1) for p in range(1, size - relevant + 2)}  # first relevant one at place p
    expected = sum(count / (before + p) for p, count in ways.items() if before + p <= k) / comb(size, relevant)
    assert values[f"RR@{k} (expected)"] == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 100_000), st.booleans())
def test_readings_are_ordered_and_without_collisions_equal_ir_measures(tmp_path_factory, seed, collide):
    rng = np.random.default_rng(seed)
    ids = [f"i{number}" for number in range(40)]
    names = rng.integers(0, 12, 40).tolist() if collide else ids
    queries = [f"q{number}" for number in range(15)]
    items = np.array([rng.permutation(40)[:20] for _ in queries], np.int32)
    path = tmp_path_factory.mktemp("run") / "run.trec"
    write_run(path, queries, ids, Rankings(items, np.tile(np.arange(20, 0, -1, dtype=np.float32), (15, 1))), "t")
    qrels = [(q, item, int(rng.integers(0, 4))) for q in [*queries, "unseen"] for item in rng.choice(ids, 4, False)]
    measures = tuple(dict.fromkeys((*RECOMMENDATION, *SEARCH)))
    scores = score_run(path, qrels, (*measures, *readings(measures)), IdGroups.of(ids, names))
    for measure in ("R@1", "R@5", "R@10", "nDCG@5", "nDCG@10", "RR@10", "RR@20"):
        strict, expected, optimistic = (
            scores.per_query[f"{measure} ({reading})"] for reading in ("strict", "expected", "optimistic")
        )
        assert (strict <= expected + 1e-12).all() and (expected <= optimistic + 1e-12).all()
        if not collide:
            for values in (strict, expected, optimistic):
                assert values == pytest.approx(scores.per_query[measure])
    write_scores(path.with_name("scores.tsv"), scores)
    again = read_scores(path.with_name("scores.tsv"))
    assert all((again.per_query[name] == values).all() for name, values in scores.per_query.items())


def test_average_precision_and_the_published_measures_have_no_readings():
    assert {name.split(" ")[0] for name in readings(SEARCH)} == {"R@1", "R@10", "nDCG@5", "nDCG@10", "RR@10"}
    assert not any("published" in name for name in readings(SEARCH))


def test_groups_count_the_items_of_each_id():
    groups = IdGroups.of(["a", "b", "c"], ["7-1", "0-2", "7-1"])
    assert groups.group_of["a"] == groups.group_of["c"] != groups.group_of["b"]
    assert sorted(groups.sizes) == [1, 2]


def test_what_cannot_be_scored_is_refused(tmp_path):
    (tmp_path / "run.trec").write_text("q Q0 a 1 1 t\n")
    qrels = [("q", "a", 1)]
    with pytest.raises(BenchmarkError, match=r"R@5 \(strict\) needs the IDs"):
        score_run(tmp_path / "run.trec", qrels, ["R@5 (strict)"])
    with pytest.raises(BenchmarkError, match=r"'AP@5 \(strict\)'"):
        score_run(tmp_path / "run.trec", qrels, ["AP@5 (strict)"], IdGroups.of("a", "a"))
    with pytest.raises(DataError, match=r"'a' for 'q'.* no ID"):
        score_run(tmp_path / "run.trec", qrels, ["R@5 (strict)"], IdGroups.of("b", "b"))
