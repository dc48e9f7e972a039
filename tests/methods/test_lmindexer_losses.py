"""LMIndexer's losses and hard negatives against loops in float64 and counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lmindexer_parts import contrastive_twin
from torch import Tensor

from benchmark.methods.lmindexer.losses import commitment, contrastive, denominators
from benchmark.methods.lmindexer.negatives import PrefixGroups


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_negative_is_another_document_of_the_block_with_the_same_prefix(data: st.DataObject) -> None:
    n, length, block = data.draw(st.integers(1, 12)), data.draw(st.integers(0, 2)), data.draw(st.integers(1, 13))
    documents = data.draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))
    prefix_of = data.draw(st.lists(st.tuples(*[st.integers(0, 1)] * length), min_size=9, max_size=9))
    prefixes = [prefix_of[document] for document in documents]
    found = denominators(torch.tensor(documents), torch.tensor(prefixes).reshape(n, length).long(), block)
    for i in range(n):
        for j in range(n):
            expected = documents[i] != documents[j] and prefixes[i] == prefixes[j] and i // block == j // block
            assert bool(found[i, j]) == expected


@pytest.mark.parametrize("share", [0.0, 0.15, 1.0])
def test_the_contrastive_loss_is_the_mean_over_anchors_with_negatives(share: float) -> None:
    torch.manual_seed(0)
    hidden, again, negatives = torch.randn(12, 5), torch.randn(7, 5), torch.rand(12, 12) < share
    negatives[3] = False
    expected = contrastive_twin(hidden.double().numpy(), again.double().numpy(), negatives.numpy())
    assert contrastive(hidden, again, negatives).item() == pytest.approx(expected, rel=1e-5)


def test_without_negatives_the_contrastive_loss_pulls_nowhere() -> None:
    hidden, again = torch.randn(4, 5, requires_grad=True), torch.randn(4, 5, requires_grad=True)
    loss = contrastive(hidden, again, torch.zeros(4, 4, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    for leaf in (hidden, again):
        assert leaf.grad is not None and not leaf.grad.any()


@pytest.mark.parametrize("all_columns", [True, False])
def test_the_commitment_loss_is_the_cross_entropy_of_the_earlier_codes(all_columns: bool) -> None:
    torch.manual_seed(0)
    hidden, codes = torch.randn(9, 2, 5), torch.randint(0, 4, (9, 2))
    codebooks = [torch.randn(4, 5), torch.randn(6, 5)]
    losses = []
    for i in range(9):
        for j in range(2):
            columns = np.concatenate([c.double().numpy() for c in codebooks]) if all_columns else codebooks[j].numpy()
            target = int(codes[i, j]) + (4 if all_columns and j else 0)
            shares = np.exp(0.7 * columns @ hidden[i, j].double().numpy())
            losses.append(-math.log(shares[target] / shares.sum()))
    found = commitment(hidden, codebooks, codes, scale=0.7, all_columns=all_columns)
    assert found.item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_mixed_precision_leaves_the_losses_exact() -> None:
    """A dot product of long vectors has no digit behind the point in bfloat16."""
    torch.manual_seed(0)
    hidden, codebooks, codes = 6 * torch.randn(12, 16), [torch.randn(8, 16)], torch.randint(0, 8, (12, 1))
    negatives = ~torch.eye(12, dtype=torch.bool)

    def losses() -> list[Tensor]:
        of_codes = [
            commitment(hidden[:, None], codebooks, codes, scale=1.0, all_columns=all_columns)
            for all_columns in (True, False)
        ]
        return [contrastive(hidden / 3, hidden / 3 + 0.1, negatives), *of_codes]

    with torch.autocast("cpu", torch.bfloat16):
        found = losses()
    torch.testing.assert_close(found, losses())


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_hard_negatives_share_the_prefix_and_repeat_only_where_they_must(data: st.DataObject) -> None:
    count, length, n = data.draw(st.integers(1, 15)), data.draw(st.integers(0, 2)), data.draw(st.integers(1, 5))
    rows = data.draw(st.lists(st.tuples(*[st.integers(0, 2)] * length), min_size=count, max_size=count))
    prefixes = np.asarray(rows, np.int32).reshape(count, length)
    groups = PrefixGroups(prefixes, seed=data.draw(st.integers(0, 3)))
    asked = torch.tensor(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=8)))
    found = groups.sample(asked, n, torch.Generator().manual_seed(1))
    assert torch.equal(found, groups.sample(asked, n, torch.Generator().manual_seed(1)))
    for document, negatives in zip(asked.tolist(), found.tolist(), strict=True):
        others = {other for other in range(count) if rows[other] == rows[document]} - {document}
        assert set(negatives) <= (others or {document})
        assert len(set(negatives)) == min(n, max(1, len(others)))


def test_every_other_member_of_a_group_is_drawn_equally_often() -> None:
    groups = PrefixGroups(np.repeat(np.arange(3), 7).astype(np.int32)[:, None], seed=0)
    drawn = groups.sample(torch.full((6000,), 8), 2, torch.Generator().manual_seed(0)).flatten()
    counts = torch.bincount(drawn, minlength=21)
    assert counts.nonzero().flatten().tolist() == [7, 9, 10, 11, 12, 13]
    assert (counts[counts > 0] / 12000 - 1 / 6).abs().max() < 0.02
