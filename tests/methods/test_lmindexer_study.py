"""What LMIndexer's study measures, by hand and one document after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lmindexer_parts import ALL_HINTS, DOCUMENTS, TEXTS, batch_of, encoder_backbone, network_of
from torch import Tensor

from benchmark.methods.lmindexer import study
from benchmark.methods.lmindexer.negatives import PrefixGroups
from benchmark.methods.lmindexer.network import LMIndexerNetwork, Stage


@pytest.mark.parametrize(
    ("truth", "predicted", "macro", "micro"),
    [
        ([0, 0, 1, 2], [0, 1, 1, 3], 1 / 3, 1 / 2),
        ([4, 7, 7], [4, 7, 7], 1, 1),
        ([1, 1, 1, 1], [1, 1, 1, 9], 3 / 7, 3 / 4),
    ],
)
def test_f1_by_hand(truth: list[int], predicted: list[int], macro: float, micro: float) -> None:
    """First row: tokens 0 and 1 have F1 2/3, tokens 2 and 3 have 0; third: 6/7 and 0."""
    found = study.f1(np.array(truth), np.array(predicted))
    assert found == {"macro_f1": pytest.approx(macro), "micro_f1": pytest.approx(micro)}


@pytest.mark.parametrize(
    ("codes", "expected"), [([5, 5, 5], 1.0), ([0, 1, 2, 3], 4.0), ([0, 0, 0, 9], 4 / 3**0.75), ([2, 2, 7, 7], 2.0)]
)
def test_perplexity_by_hand(codes: list[int], expected: float) -> None:
    assert study.perplexity(np.array(codes)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [([[3, 3, 3, 3, 3]], 0.2), ([[0, 1, 2, 3, 4]], 1.0), ([[2, 0, 2, 0, 1]], 0.6), ([[1, 1], [1, 2], [4, 3]], 5 / 6)],
)
def test_diff_ratio_by_hand(groups: list[list[int]], expected: float) -> None:
    assert study.diff_ratio(np.array(groups)) == pytest.approx(expected)


@torch.no_grad()
def measured_by_hand(network: LMIndexerNetwork, prefix: Tensor) -> dict[str, float]:
    """One document after the other, all hints in sight; a group is everyone with the same prefix."""
    network.eval()
    truth: list[int] = []
    predicted: list[int] = []
    codes, kept = [], []
    for document in range(len(TEXTS)):
        batch = batch_of([document], prefix[[document]])
        *earlier, h = network.hidden(batch).unbind(dim=1)
        for position, state in enumerate(earlier):
            kept.append(int((state @ network.codebooks[position].T).argmax()) == int(prefix[document, position]))
        codes.append(int((h @ network.codebooks[prefix.shape[1]].T).argmax()))
        for token in batch.real[0].nonzero().flatten().tolist():
            logits, target = network.reconstruct(h, batch, ALL_HINTS, torch.tensor([[token]]))
            truth.append(int(target))
            predicted.append(int(logits.argmax()))
    groups = [[c for c, other in zip(codes, prefix, strict=True) if torch.equal(other, own)] for own in prefix]
    f1 = []
    for token in {*truth, *predicted}:
        both = sum(t == p == token for t, p in zip(truth, predicted, strict=True))
        f1.append(2 * both / (truth.count(token) + predicted.count(token)))
    return {
        "macro_f1": float(np.mean(f1)),
        "micro_f1": float(np.mean(np.array(truth) == np.array(predicted))),
        "diff_ratio": float(np.mean([len(set(group)) / len(group) for group in groups])),
        "agreement": float(np.mean(kept)),
    }


@pytest.mark.parametrize("training", [True, False])
def test_the_study_measures_all_items_and_leaves_no_trace(training: bool) -> None:
    """The random state, the modes of all modules and every weight are as before."""
    network = network_of(lambda: encoder_backbone(2), study_items=1000).train(training)
    prefix = (torch.arange(len(TEXTS)) // 3)[:, None]  # groups of three, as many as the study takes
    groups = PrefixGroups(prefix.numpy().astype(np.int32), seed=0)
    random, modes = torch.get_rng_state(), [module.training for module in network.modules()]
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    found = study.measure(network, DOCUMENTS, prefix, groups, ALL_HINTS, network.config, seed=0)
    assert torch.equal(random, torch.get_rng_state())
    assert modes == [module.training for module in network.modules()] and network.training == training
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    assert found == pytest.approx(measured_by_hand(network, prefix), rel=1e-5) and 0 < found["agreement"] < 1


def test_without_codes_the_study_measures_reconstruction_alone() -> None:
    network, prefix = network_of(study_items=4), torch.zeros(len(TEXTS), 0, dtype=torch.long)
    groups, stage = PrefixGroups(prefix.numpy().astype(np.int32), seed=0), Stage(mask_ratio=0.5, no_code=True)
    assert set(study.measure(network, DOCUMENTS, prefix, groups, stage, network.config, 0)) == {"macro_f1", "micro_f1"}


def test_the_study_of_items_without_text_is_no_error() -> None:
    assert study.f1(np.empty(0, np.int64), np.empty(0, np.int64)) == {"macro_f1": 0.0, "micro_f1": 0.0}
