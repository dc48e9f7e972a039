"""Dropout from random bytes: how much it drops, what it keeps, and from which random numbers."""

import pytest
import torch

from benchmark.generative.dropout import Dropout, random_bytes

N = 400_000


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_the_share_of_zeros_is_the_rate_to_one_part_in_256(rate: float) -> None:
    torch.manual_seed(0)
    share = float((Dropout(rate)(torch.ones(N)) == 0).double().mean())
    deviation = (rate * (1 - rate) / N) ** 0.5
    assert abs(share - rate) < 1 / 512 + 4 * deviation


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.7])
def test_what_is_kept_is_scaled_so_that_the_mean_stays(rate: float) -> None:
    torch.manual_seed(1)
    x = torch.full((N,), 3.0)
    kept = Dropout(rate)(x)
    values = kept.unique()
    assert len(values) == 2 and values[0] == 0
    assert float(values[1]) == pytest.approx(3 / (1 - round(rate * 256) / 256))
    assert float(kept.double().mean()) == pytest.approx(3, rel=0.01)


def test_a_gradient_passes_where_the_element_was_kept() -> None:
    torch.manual_seed(2)
    x = torch.randn(1000, requires_grad=True)
    kept = Dropout(0.5)(x)
    kept.sum().backward()
    torch.testing.assert_close(x.grad, (kept != 0).float() * 2)


def test_rows_and_columns_are_dropped_independently() -> None:
    """Neighbours in memory share a 64-bit draw but no fate."""
    torch.manual_seed(3)
    zero = (Dropout(0.5)(torch.ones(4000, 64)) == 0).double()
    together = torch.corrcoef(zero.T) - torch.eye(64)
    assert together.abs().max() < 5 / 4000**0.5


def test_every_byte_is_as_likely_as_any_other() -> None:
    torch.manual_seed(4)
    counts = torch.bincount(random_bytes(torch.empty(N)).long(), minlength=256).double()
    expected = N / 256
    assert float(((counts - expected) ** 2 / expected).sum()) < 350  # chi-squared, 255 degrees of freedom: p = 7e-5


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5), (2, 0)])
def test_any_shape_is_kept(shape: tuple[int, ...]) -> None:
    assert random_bytes(torch.empty(shape)).shape == shape == Dropout(0.5)(torch.ones(shape)).shape


def test_outside_training_and_at_rate_0_nothing_happens_and_no_random_number_is_drawn() -> None:
    x = torch.randn(100)
    before = torch.get_rng_state()
    assert Dropout(0.5).eval()(x) is x and Dropout(0.0)(x) is x
    assert torch.equal(torch.get_rng_state(), before)


def test_the_global_seed_decides() -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        dropped: torch.Tensor = Dropout(0.5)(torch.ones(64))
        return dropped

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))


def test_bfloat16_stays_bfloat16() -> None:
    torch.manual_seed(5)
    dropped = Dropout(0.5)(torch.ones(100, dtype=torch.bfloat16))
    assert dropped.dtype == torch.bfloat16 and dropped.unique().tolist() == [0, 2]
