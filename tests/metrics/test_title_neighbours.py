"""Title neighbours and churn of IDs: by hand, and against scikit-learn's nearest neighbours."""

from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from benchmark.metrics import title_neighbours
from benchmark.metrics.churn import churn
from benchmark.metrics.title_neighbours import nearest_by_title, neighbour_hits, sampled

WORDS = ["red", "blue", "green", "lamp", "chair", "desk", "oak", "steel", "light", "soft", "round", "small"]


def test_neighbours_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    titles = [" ".join(random.choice(WORDS, 5)) for _ in range(120)]
    vectors = TfidfVectorizer().fit_transform(titles)
    finder = NearestNeighbors(n_neighbors=11, metric="cosine", algorithm="brute").fit(vectors)
    distances, _ = finder.kneighbors(vectors)
    cosines = (vectors @ vectors.T).toarray()
    found = nearest_by_title(titles)
    assert [row for row, _ in found] == list(range(120))
    for row, near in found:
        assert row not in near and len(set(near)) == 10
        assert cosines[row, near] == pytest.approx(1 - distances[row][1:], abs=1e-7)


def test_only_titles_with_a_word_in_common_are_neighbours_and_the_earlier_of_equally_near_ones_count() -> None:
    titles = ["red lamp", "chair", "red lamp", *["red lamp"] * 12, ""]
    found = dict(nearest_by_title(titles))
    assert set(found) == {0, *range(2, 15)}
    assert found[0] == list(range(2, 12)) and found[14] == [0, *range(2, 11)]
    assert nearest_by_title(["", "!"]) == []


def test_of_a_large_catalogue_some_are_looked_at_and_all_can_be_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    titles = [" ".join(random.choice(WORDS, 4)) for _ in range(50)]
    whole = dict(nearest_by_title(titles))
    monkeypatch.setattr(title_neighbours, "SAMPLE", 7)
    monkeypatch.setattr(title_neighbours, "CELLS", 100)  # two items at once
    assert sampled(50).tolist() == [0, 7, 14, 21, 28, 35, 42]
    assert dict(nearest_by_title(titles)) == {row: whole[row] for row in sampled(50).tolist()}


def test_hits_chance_and_lift_by_hand() -> None:
    codes = [(0, 1), (0, 1), (0, 2), (1, 1), (1,)]
    near = [(0, [1, 2]), (3, [4, 0, 1, 2])]
    found = neighbour_hits(codes, near)
    # first codes: both of 0's, one of 3's four; pairs that agree: (3 x 2 + 2 x 1) of 5 x 4
    assert found["neighbour_hit@1"] == (1 + 1 / 4) / 2
    assert found["neighbour_hit@1 (chance)"] == 8 / 20
    assert found["neighbour_lift@1"] == pytest.approx(0.625 / 0.4)
    # first two codes: one of 0's two, none of 3's four; one pair agrees
    assert found["neighbour_hit@2"] == (1 / 2 + 0) / 2
    assert found["neighbour_hit@2 (chance)"] == 2 / 20


def test_random_codes_have_a_lift_of_one_and_one_code_for_all_too() -> None:
    random = np.random.default_rng(0)
    near = [(row, random.choice(3000, 10, replace=False).tolist()) for row in range(2000)]
    codes = [(int(code),) for code in random.integers(0, 8, 3000)]
    assert neighbour_hits(codes, near)["neighbour_lift@1"] == pytest.approx(1, abs=0.05)
    assert neighbour_hits([(0,)] * 3000, near)["neighbour_lift@1"] == 1
    assert neighbour_hits(codes, []) == {}


def test_churn_by_hand() -> None:
    ids = {"a": (0, 0), "b": (0, 1), "c": (1, 0), "d": (0, 1), "e": (2, 0)}
    found = churn(ids, ["a", "a", "b", "c"], ["a", "d", "e", "e", "e"])
    assert found == {
        "new_item": 4 / 5,  # d, e, e, e
        "new_prefix@1": 3 / 5,  # e's first code is new; d's whole ID is b's
        "new_prefix@2": 3 / 5,
        # first codes before: 0 3/4, 1 1/4; after: 0 2/5, 2 3/5
        "code_drift@1": pytest.approx((abs(3 / 4 - 2 / 5) + 1 / 4 + 3 / 5) / 2),
    }
    assert churn(ids, [], ["a"]) == {} and churn(ids, ["a"], []) == {}


def test_a_longer_prefix_is_new_at_least_as_often_and_never_more_often_than_the_item() -> None:
    random = np.random.default_rng(0)
    ids = {str(item): tuple(random.integers(0, 3, 3).tolist()) for item in range(60)}
    events = [str(item) for item in random.integers(0, 60, 80)]
    found = churn(ids, events[:30], events[30:])
    shares = [found[name] for name in ("new_prefix@1", "new_prefix@2", "new_prefix@3", "new_item")]
    assert shares == sorted(shares)
    before, after = (Counter(ids[item][0] for item in part) for part in (events[:30], events[30:]))
    assert found["code_drift@1"] == pytest.approx(sum(max(0, before[c] / 30 - after[c] / 50) for c in range(3)))
