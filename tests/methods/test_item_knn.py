"""Item neighbours against a dense brute force: similarities, neighbourhoods, rules, ties, chunks."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from benchmark.methods.sequential import item_knn
from benchmark.methods.sequential.item_knn import ItemKNN, ItemKNNConfig
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

N_ITEMS = 14


def histories_of(sequences: list[list[int]]) -> Histories:
    offsets = np.cumsum([0, *map(len, sequences)]).astype(np.int64)
    items = np.array([item for sequence in sequences for item in sequence], np.int32)
    return Histories([f"u{user}" for user in range(len(sequences))], offsets, items)


def brute_force(train: list[list[int]], ids: list[str], neighbours: int) -> np.ndarray:
    """Return the matrix of similarities [n_items, n_items], 0 outside each row's neighbourhood."""
    users = [{user for user, sequence in enumerate(train) if item in sequence} for item in range(N_ITEMS)]
    similarity = np.zeros((N_ITEMS, N_ITEMS))
    for i in range(N_ITEMS):
        others = [j for j in range(N_ITEMS) if j != i and users[i] & users[j]]
        cosine = {j: len(users[i] & users[j]) / (len(users[i]) * len(users[j])) ** 0.5 for j in others}
        for j in sorted(others, key=lambda j: (round(cosine[j], 6), ids[j]), reverse=True)[:neighbours]:
            similarity[i, j] = cosine[j]
    return similarity


@pytest.mark.parametrize("rule", ["keep", "exclude", "zero"])
@pytest.mark.parametrize(("neighbours", "k"), [(2, 5), (100, 5), (100, 20)])
@pytest.mark.parametrize("products", [1, 2**25])
def test_rankings_are_those_of_a_dense_brute_force(
    rule: str, neighbours: int, k: int, products: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With repeats in histories, an item that nobody took, a user without history, and chunks of single rows."""
    monkeypatch.setattr(item_knn, "PRODUCTS", products)
    random = np.random.default_rng(1)
    train = [random.integers(0, N_ITEMS - 1, length).tolist() for length in random.integers(1, 6, 25)]
    tested = [*train[:10], [], [N_ITEMS - 1], [3, 3, 5]]
    ids = [f"i{number}" for number in random.permutation(N_ITEMS)]
    method = ItemKNN(ItemKNNConfig(neighbours=neighbours, history=rule))  # type: ignore[arg-type]
    corpus = Corpus(pa.table({"id": ids}))
    context = Context(seed=0, work=tmp_path)
    method.fit(corpus, histories_of(train), np.full(25, -1, np.int32), context)
    rankings = method.recommend(histories_of(tested), k)
    similarity = brute_force(train, ids, neighbours)
    assert context.facts["index_bytes"] > 0 and rankings.items.shape == (len(tested), min(k, N_ITEMS))
    for row, history in enumerate(tested):
        scores = sum((similarity[item] for item in set(history)), np.zeros(N_ITEMS))
        ranked = [item for item in range(N_ITEMS) if scores[item] > 0 and (rule == "keep" or item not in history)]
        best = sorted(ranked, key=lambda item: (round(scores[item], 6), ids[item]), reverse=True)[:k]
        assert rankings.items[row].tolist() == best + [-1] * (rankings.items.shape[1] - len(best))
        np.testing.assert_allclose(rankings.scores[row, : len(best)], scores[best], rtol=1e-6)
