"""Which tokens LMIndexer's reconstructor may look at: never the row's own, and a share of the others per row."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.methods.lmindexer.reconstructor import hint_mask


@given(
    st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=3),
    st.floats(0, 1),
    st.integers(0, 9),
)
@settings(deadline=None, max_examples=40)
def test_a_hint_is_never_the_token_itself_nor_padding(real: list[list[bool]], mask_ratio: float, seed: int) -> None:
    visible = hint_mask(torch.tensor(real), mask_ratio, torch.Generator().manual_seed(seed))
    assert visible.shape == (len(real), 6, 6)
    for document, row, token in visible.nonzero().tolist():
        assert real[document][token] and row != token


@pytest.mark.parametrize("mask_ratio", [0.0, 0.5, 0.7, 1.0])
def test_the_mask_ratio_is_the_share_of_other_tokens_hidden_from_a_row(mask_ratio: float) -> None:
    real = torch.zeros(40, 30, dtype=torch.bool)
    real[:, 2:27] = True
    visible = hint_mask(real, mask_ratio, torch.Generator().manual_seed(0))
    others = [
        visible[:, row, token].float().mean().item() for row in range(2, 27) for token in range(2, 27) if row != token
    ]
    share, deviation = 1 - np.mean(others), math.sqrt(mask_ratio * (1 - mask_ratio) / (40 * len(others)))
    assert share == pytest.approx(mask_ratio, abs=4 * deviation + 1e-9)


def test_every_row_draws_its_own_hints() -> None:
    """Two rows agree on a third token as often as independent draws do: m^2 + (1 - m)^2."""
    visible = hint_mask(torch.ones(200, 12, dtype=torch.bool), 0.7, torch.Generator().manual_seed(0))
    rows = [(first, second) for first in range(12) for second in range(first)]
    agreement = [
        (visible[:, first, token] == visible[:, second, token]).float().mean().item()
        for first, second in rows
        for token in range(12)
        if token not in (first, second)
    ]
    assert np.mean(agreement) == pytest.approx(0.7**2 + 0.3**2, abs=0.02)
    assert max(agreement) < 0.8
