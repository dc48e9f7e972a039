"""Full-catalogue ranking against sorted lists: ties by id, the rules for a user's own items, bounded chunks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmark.learning import topk
from benchmark.types.data import Histories
from benchmark.types.ties import id_ranks, in_order, rows_by_id


def histories_of(sequences: list[list[int]]) -> Histories:
    offsets = np.cumsum([0, *map(len, sequences)]).astype(np.int64)
    items = np.array([item for sequence in sequences for item in sequence], np.int32)
    return Histories([f"u{user}" for user in range(len(sequences))], offsets, items)


@given(st.integers(1, 9), st.integers(1, 6), st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_top_k_is_the_head_of_a_sort_whatever_the_ties(m: int, n: int, seed: int, levels: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.integers(0, levels, (n, m)).astype(np.float32)
    scores[random.random((n, m)) < 0.2] = -np.inf
    ranks = random.permutation(m)
    for k in range(1, m + 1):
        values, columns = topk.top_k(torch.from_numpy(scores), torch.from_numpy(ranks), k)
        for row in range(n):
            best = sorted(range(m), key=lambda column: (-scores[row, column], ranks[column]))[:k]
            assert columns[row].tolist() == best and values[row].tolist() == scores[row, best].tolist()


@pytest.mark.parametrize("rule", ["keep", "exclude", "zero"])
@pytest.mark.parametrize("cells", [1, 40, 10_000])
def test_all_rows_are_ranked_as_one_by_one(rule: topk.HistoryRule, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of both signs with many ties; ids whose order is not that of the rows; a user who has everything."""
    monkeypatch.setattr(topk, "CELLS", cells)
    random = np.random.default_rng(0)
    ids = [f"i{number}" for number in random.permutation(13)]
    sequences = [random.integers(0, 13, length).tolist() for length in random.integers(0, 9, 30)] + [list(range(13))]
    scores = random.integers(-2, 3, (31, 13)).astype(np.float32)
    found = topk.rank_all(lambda rows: torch.from_numpy(scores[rows]), histories_of(sequences), id_ranks(ids), 20, rule)
    assert found.items.shape == (31, 13)
    for row, sequence in enumerate(sequences):
        own = dict.fromkeys(sequence, 0.0) if rule == "zero" else {}
        value = {item: own.get(item, scores[row, item]) for item in range(13)}
        allowed = [item for item in range(13) if rule != "exclude" or item not in sequence]
        best = sorted(allowed, key=lambda item: (value[item], ids[item]), reverse=True)
        assert found.items[row].tolist() == best + [-1] * (13 - len(best))
        assert found.scores[row, : len(best)].tolist() == [value[item] for item in best]


@given(st.lists(st.text(max_size=3), min_size=1, max_size=20, unique=True))
def test_items_of_equal_score_stand_as_in_a_written_run(ids: list[str]) -> None:
    rows, ranks = rows_by_id(ids), id_ranks(ids)
    written = [item for item, _ in in_order([(item, 1.0) for item in ids])]
    assert [ids[row] for row in rows] == written
    assert np.array_equal(ranks[rows], np.arange(len(ids)))
