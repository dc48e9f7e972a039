"""The softmax over allowed codes against PyTorch's own cross entropy of masked logits."""

import pytest
import torch
from torch import Tensor

from benchmark.generative.softmax import allowed_softmax

N, K, D = 23, 17, 8


def case(dtype: torch.dtype, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return hidden, columns, allowed and target; the first row allows its target alone, the second everything."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(N, D, dtype=dtype, generator=generator).requires_grad_()
    columns = torch.randn(K, D, dtype=dtype, generator=generator).requires_grad_()
    target = torch.randint(K, (N,), generator=generator)
    allowed = torch.rand(N, K, generator=generator) < 0.4
    allowed[0], allowed[1] = False, True
    allowed.scatter_(1, target[:, None], True)
    return hidden, columns, allowed, target


def plain(hidden: Tensor, columns: Tensor, allowed: Tensor, target: Tensor, smoothing: float) -> Tensor:
    """Cross entropy of each row's allowed logits alone, by PyTorch and its automatic gradient."""
    logits = hidden @ columns.T
    losses = []
    for row, kept, label in zip(logits, allowed, target, strict=True):
        place = kept[:label].sum()
        losses.append(torch.nn.functional.cross_entropy(row[kept], place, label_smoothing=smoothing))
    return torch.stack(losses).sum()


def gradients(loss: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(loss * 0.37, inputs)  # a factor, as accumulation divides by the number of micro-batches


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_value_and_gradients_are_those_of_cross_entropy(smoothing: float, seed: int) -> None:
    hidden, columns, allowed, target = case(torch.float64, seed)
    found = allowed_softmax(hidden, columns, allowed, target, smoothing)
    expected = plain(hidden, columns, allowed, target, smoothing)
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(gradients(found, hidden, columns), gradients(expected, hidden, columns), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_gradients_are_the_slopes_of_the_value(smoothing: float) -> None:
    hidden, columns, allowed, target = case(torch.float64)
    assert torch.autograd.gradcheck(lambda h, c: allowed_softmax(h, c, allowed, target, smoothing), (hidden, columns))


def test_no_gradient_reaches_a_column_that_no_row_allows() -> None:
    hidden, columns, allowed, target = case(torch.float32)
    allowed[:, 5] = False
    target = torch.where(target == 5, 6, target)
    allowed.scatter_(1, target[:, None], True)
    (found,) = gradients(allowed_softmax(hidden, columns, allowed, target, 0.1), columns)
    assert (found[5] == 0).all() and (found[6] != 0).all()


def test_logits_of_any_size_give_a_finite_loss_and_gradient() -> None:
    hidden, columns, allowed, target = case(torch.float32)
    with torch.no_grad():
        hidden *= 1e3
    loss = allowed_softmax(hidden, columns, allowed, target, 0.1)
    torch.testing.assert_close(loss, plain(hidden, columns, allowed, target, 0.1))
    assert all(gradient.isfinite().all() for gradient in gradients(loss, hidden, columns))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_autocast_rounds_the_products_only(smoothing: float) -> None:
    """bfloat16 has eight bits: value and gradients are near those of float32, and keep the inputs' precision."""
    hidden, columns, allowed, target = case(torch.float32)
    expected = plain(hidden, columns, allowed, target, smoothing)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = allowed_softmax(hidden, columns, allowed, target, smoothing)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected.item(), rel=0.01)
    for ours, theirs in zip(gradients(found, hidden, columns), gradients(expected, hidden, columns), strict=True):
        assert ours.dtype == torch.float32
        assert float((ours - theirs).norm() / theirs.norm()) < 0.02


def test_hidden_states_in_bfloat16_get_a_gradient_in_bfloat16() -> None:
    hidden, columns, allowed, target = case(torch.float32)
    low = hidden.detach().bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (found,) = gradients(allowed_softmax(low, columns, allowed, target), low)
    (expected,) = gradients(plain(hidden, columns, allowed, target, 0.0), hidden)
    assert found.dtype == torch.bfloat16
    assert float((found.float() - expected).norm() / expected.norm()) < 0.02
