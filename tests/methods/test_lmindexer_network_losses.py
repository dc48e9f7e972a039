"""The losses of LMIndexer's network: between which documents, of which codebooks, on which scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from lmindexer_parts import ALL_HINTS, WIDTH, batch_of, contrastive_twin, network_of, prefix_of
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.methods.lmindexer.config import WeightsConfig
from benchmark.methods.lmindexer.losses import commitment
from benchmark.methods.lmindexer.network import Batch, LMIndexerNetwork, Stage

Array = NDArray[np.float64]
WEIGHTS = WeightsConfig(reconstruction=0, contrastive=1, commitment=0)


def passes(network: LMIndexerNetwork, batch: Batch) -> tuple[float, Array, Array]:
    """Return the contrastive loss under dropout, and h [n, D] and h' [anchors, D] as the decoder gave them."""
    seen: list[Array] = []
    decode = network.backbone.decode

    def recorded(*arguments: Any) -> Tensor:
        hidden = decode(*arguments)
        seen.append(hidden[:, -1].detach().double().numpy())
        return hidden

    network.train()
    network.backbone.decode = recorded  # type: ignore[method-assign]
    loss = network(batch, Stage(mask_ratio=0.5))["contrastive"].item()
    first, again = seen
    assert len(first) == len(batch.documents) and len(again) == batch.anchors
    assert np.abs(first[: len(again)] - again).max(axis=1).min() > 1e-4  # two dropout masks
    return loss, first, again


def test_at_the_first_position_the_negatives_are_the_others_of_the_block() -> None:
    network, rows = network_of(weights=WEIGHTS, contrastive_batch=4), [0, 1, 2, 3, 4, 5, 4, 6, 7]  # 4 comes twice
    loss, first, again = passes(network, batch_of(rows))
    negatives = [[rows[i] != rows[j] and i // 4 == j // 4 for j in range(9)] for i in range(9)]
    assert loss == pytest.approx(contrastive_twin(first, again, np.array(negatives)), rel=1e-4)


def test_at_the_first_position_sampled_is_the_cross_entropy_of_simcse() -> None:
    """The released code: cross-entropy of H1 H2^T to the diagonal, so the negatives are of the second pass too."""
    network = network_of(weights=WEIGHTS, contrastive="sampled", contrastive_batch=8)
    loss, first, again = passes(network, batch_of(list(range(8))))
    expected = nn.functional.cross_entropy(torch.from_numpy(first @ again.T), torch.arange(8))
    assert loss == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("kind", ["same-prefix", "sampled"])
def test_behind_the_first_position_the_negatives_share_the_prefix(kind: Any) -> None:
    """All with the anchor's prefix, or those drawn for the anchor; where nobody shares it, the anchor is left out."""
    network = network_of(weights=WEIGHTS, contrastive=kind)
    anchors = [0, 4, 1, 2, 19]  # 0 and 4 share a prefix; 19 is made alone below
    drawn = [8, 12, 16, 16, 5, 9, 6, 10, 19, 19]  # two for each; 4 drew 16 twice
    prefix = prefix_of(2)
    prefix[19] = torch.tensor([5, 5])
    rows = anchors + drawn
    loss, first, again = passes(network, batch_of(rows, prefix[rows], anchors=5))
    negatives = np.zeros((15, 15), bool)
    for i in range(5):
        for j in range(15):
            own = 5 + 2 * i <= j < 7 + 2 * i
            if rows[i] != rows[j] and torch.equal(prefix[rows[i]], prefix[rows[j]]):
                negatives[i, j] = own or kind == "same-prefix"
    assert not negatives[4].any() and negatives[:4].any(axis=1).all()
    assert loss == pytest.approx(contrastive_twin(first, again, negatives), rel=1e-4)


@pytest.mark.parametrize("kind", ["language-model", "quantizer"])
@torch.no_grad()
def test_the_commitment_loss_reads_id_columns_only(kind: Any) -> None:
    """Other rows of the vocabulary may change, the codebook of the position itself too; the earlier ones may not."""
    network, rows = network_of(weights=WeightsConfig(contrastive=0), commitment=kind), [0, 1, 2]
    batch = batch_of(rows, prefix_of(2)[rows])
    before = network(batch, ALL_HINTS)
    absent = (~torch.isin(network.output_tokens, batch.ids)) & (network.output_tokens > 2)
    network.backbone.token_table()[network.output_tokens[absent]] += 1
    after = network(batch, ALL_HINTS)
    assert after["commitment"] == before["commitment"] and after["reconstruction"] != before["reconstruction"]
    network.codebooks[2] += 1
    assert network(batch, ALL_HINTS)["commitment"] == before["commitment"]
    network.codebooks[1][5] += 1  # no prefix has this code: only a denominator can notice
    assert network(batch, ALL_HINTS)["commitment"] != before["commitment"]


@pytest.mark.parametrize(("kind", "scale"), [("language-model", WIDTH**-0.5), ("quantizer", 1 / 0.5)])
@torch.no_grad()
def test_the_commitment_is_t5s_or_the_quantisers_own(kind: Any, scale: float) -> None:
    network, rows = network_of(commitment=kind, temperature=0.5), [0, 1, 2, 3]
    batch = batch_of(rows, prefix_of(2)[rows])
    hidden = network.hidden(batch)[:, :-1]
    of_model = kind == "language-model"
    expected = commitment(hidden, list(network.codebooks)[:2], batch.prefix, scale=scale, all_columns=of_model)
    assert network(batch, ALL_HINTS)["commitment"].item() == pytest.approx(expected.item(), rel=1e-5)


@torch.no_grad()
def test_the_losses_are_weighted_and_summed() -> None:
    weights, rows = {"reconstruction": 2.0, "contrastive": 0.5, "commitment": 3.0}, [0, 4, 1, 8, 12, 5]
    network = network_of(weights=WeightsConfig(**weights))
    values = network(batch_of(rows, prefix_of(1)[rows], anchors=3), ALL_HINTS)
    assert set(values) == {"loss", *weights} and all(value > 0 for value in values.values())
    expected = sum(weights[name] * values[name].item() for name in weights)
    assert values["loss"].item() == pytest.approx(expected, rel=1e-5)
