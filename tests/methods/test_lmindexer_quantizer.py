"""LMIndexer's quantiser against an argmax in a loop and the gradient of the softmax expectation in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmark.methods.lmindexer.quantizer import straight_through


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_the_quantiser_puts_out_the_vector_of_the_code_with_the_largest_dot_product(temperature: float) -> None:
    torch.manual_seed(0)
    hidden, codebook = torch.randn(50, 8), torch.randn(7, 8)
    vectors, codes = straight_through(hidden, codebook, temperature)
    for row in range(50):
        products = [float(np.dot(hidden[row].numpy(), codebook[code].numpy())) for code in range(7)]
        assert codes[row] == np.argmax(products)
        torch.testing.assert_close(vectors[row], codebook[codes[row]], atol=1e-6, rtol=0)


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_the_quantisers_gradients_are_those_of_the_softmax_expectation(temperature: float) -> None:
    """The gradient that arrives at the chosen vectors goes back through softmax(h E^T / temperature) E."""
    torch.manual_seed(0)
    hidden, codebook = torch.randn(20, 8, requires_grad=True), torch.randn(7, 8, requires_grad=True)
    vectors, codes = straight_through(hidden, codebook, temperature)
    (vectors**3).sum().backward()
    arrived = 3 * codebook.detach()[codes] ** 2

    twins = hidden.detach().double().requires_grad_(), codebook.detach().double().requires_grad_()
    expectation = torch.softmax(twins[0] @ twins[1].T / temperature, dim=-1) @ twins[1]
    expectation.backward(arrived.double())
    for leaf, twin in zip((hidden, codebook), twins, strict=True):
        assert leaf.grad is not None and twin.grad is not None
        torch.testing.assert_close(leaf.grad.double(), twin.grad, atol=1e-4, rtol=1e-4)


def test_mixed_precision_chooses_the_codes_of_full_precision() -> None:
    """Training in bfloat16 must not quantise to other codes than the export, which is in float32."""
    torch.manual_seed(0)
    hidden, codebook = 4 * torch.randn(500, 16), torch.randn(64, 16)
    with torch.autocast("cpu", torch.bfloat16):
        vectors, codes = straight_through(hidden, codebook)
    expected_vectors, expected = straight_through(hidden, codebook)
    assert torch.equal(codes, expected)
    torch.testing.assert_close(vectors, expected_vectors)
