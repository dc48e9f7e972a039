"""LMIndexer's reconstructor against its definition in NumPy loops and the layers of transformers' T5."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.methods.lmindexer.reconstructor import Reconstructor, hint_mask

Array = NDArray[np.float64]


def reconstructor_of(layers: int, open_hints: bool, width: int = 16) -> Reconstructor:
    """Return a reconstructor in eval mode whose biases and norms differ from their start."""
    torch.manual_seed(0)
    made = Reconstructor(width, layers=layers, heads=2, d_ff=24, dropout=0.1, open_hints=open_hints)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "norm" in name:
                parameter.uniform_(0.5, 1.5)
        made.position_bias.weight.normal_()
    return made.eval()


def inputs(slots: int = 2, length: int = 14, width: int = 16, documents: int = 2) -> dict[str, Tensor]:
    """Return random inputs; the rows to predict stand in an order of their own."""
    generator = torch.Generator().manual_seed(1)
    return {
        "slots": torch.randn(documents, slots, width, generator=generator),
        "queries": torch.randn(documents, slots, width, generator=generator),
        "tokens": torch.randn(documents, length, width, generator=generator),
        "visible": hint_mask(torch.ones(documents, length, dtype=torch.bool), 0.5, generator),
        "rows": torch.stack([torch.randperm(length, generator=generator)[:5] for _ in range(documents)]),
    }


def rms(vector: Array, weight: Array) -> Array:
    return vector / np.sqrt(np.mean(vector**2) + 1e-6) * weight


class NaiveBlock:
    """One query vector at one place of the context at a time."""

    def __init__(self, reconstructor: Reconstructor, depth: int) -> None:
        self.weights = {
            name: parameter.detach().double().numpy()
            for name, parameter in reconstructor.blocks[depth].named_parameters()
        }
        self.bias = reconstructor.position_bias.weight.detach().double().numpy()
        self.heads = self.bias.shape[1]

    def __call__(self, query: Array, at: int, context: list[Array], allowed: list[bool]) -> Array:
        from transformers.models.t5.modeling_t5 import T5Attention

        weights, size = self.weights, len(query) // self.heads
        asked = weights["q.weight"] @ rms(query, weights["norm.weight"])
        keys = [weights["k.weight"] @ rms(vector, weights["norm.weight"]) for vector in context]
        values = [weights["v.weight"] @ rms(vector, weights["norm.weight"]) for vector in context]
        mixed = np.zeros(len(query))
        for head in range(self.heads):
            of_head = slice(head * size, (head + 1) * size)
            share = np.zeros(len(context))
            for m in range(len(context)):
                if allowed[m]:
                    bucket = T5Attention._relative_position_bucket(torch.tensor(m - at), bidirectional=True)
                    share[m] = math.exp(asked[of_head] @ keys[m][of_head] + self.bias[int(bucket), head])
            share /= share.sum()
            mixed[of_head] = sum(share[m] * values[m][of_head] for m in range(len(context)))
        z: Array = query + weights["o.weight"] @ mixed
        inner = np.maximum(weights["wi.weight"] @ rms(z, weights["ff_norm.weight"]), 0)
        return z + np.asarray(weights["wo.weight"] @ inner)


def naive(reconstructor: Reconstructor, given: dict[str, Tensor]) -> Array:
    """Return z [n, R, D], one document, token and slot after the other."""
    arrays = {name: value.numpy().astype(np.float64) for name, value in given.items()}
    *lower, last = [NaiveBlock(reconstructor, depth) for depth in range(len(reconstructor.blocks))]
    final = reconstructor.norm.weight.detach().double().numpy()
    n_slots = arrays["slots"].shape[1]
    result = []
    for document, rows in enumerate(given["rows"].tolist()):
        start = [*arrays["slots"][document], *arrays["tokens"][document]]

        def allowed(at: int, document: int = document) -> list[bool]:
            token = max(0, at - n_slots)  # a slot looks where the first token looks
            return [True] * n_slots + given["visible"][document, token].tolist()

        for token in rows:
            z, at = np.zeros(arrays["slots"].shape[2]), token + n_slots
            for query in arrays["queries"][document]:
                context, vector = start, query
                for block in lower:
                    if reconstructor.open_hints:
                        context = [block(query, m, context, allowed(m)) for m in range(len(context))]
                    else:
                        vector = block(vector, at, context, allowed(at))
                z += rms(last(vector, at, context, allowed(at)), final)
            result.append(z)
    return np.reshape(result, (*given["rows"].shape, -1))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("open_hints", [False, True])
@torch.no_grad()
def test_the_reconstructor_is_its_definition_in_loops(layers: int, open_hints: bool) -> None:
    reconstructor = reconstructor_of(layers, open_hints)
    given = inputs(length=11 if open_hints else 14, documents=1 if open_hints and layers == 3 else 2)
    np.testing.assert_allclose(reconstructor(**given).numpy(), naive(reconstructor, given), atol=2e-4)


@torch.no_grad()
def test_a_layer_is_transformers_t5_attention_and_feed_forward() -> None:
    """Keys and values pass the query's norm; the bias is that of T5's own bidirectional attention."""
    from transformers import T5Config
    from transformers.models.t5.modeling_t5 import T5Attention, T5LayerFF

    config = T5Config(d_model=16, d_kv=8, d_ff=24, num_heads=2, is_decoder=False)
    reconstructor, given = reconstructor_of(1, open_hints=False), inputs(slots=1, length=40)
    block: Any = reconstructor.blocks[0]
    attention, feed_forward = T5Attention(config, has_relative_attention_bias=True).eval(), T5LayerFF(config).eval()
    attention.relative_attention_bias.load_state_dict(reconstructor.position_bias.state_dict())
    for name in "qkvo":
        getattr(attention, name).load_state_dict(getattr(block, name).state_dict())
    feed_forward.layer_norm.load_state_dict(block.ff_norm.state_dict())
    feed_forward.DenseReluDense.wi.load_state_dict(block.wi.state_dict())
    feed_forward.DenseReluDense.wo.load_state_dict(block.wo.state_dict())

    context = torch.cat([given["slots"], given["tokens"]], dim=1)
    allowed = torch.cat([torch.ones(2, 40, 1, dtype=torch.bool), given["visible"]], dim=2)
    bias = attention.compute_bias(41, 41)[:, :, 1:].masked_fill(~allowed[:, None], torch.finfo(torch.float32).min)
    query = given["queries"].expand(-1, 40, -1)
    mixed = attention(block.norm(query), key_value_states=block.norm(context), position_bias=bias)[0]
    z = reconstructor.norm(feed_forward(query + mixed))
    given["rows"] = torch.arange(40).expand(2, -1)
    torch.testing.assert_close(reconstructor(**given), z, atol=1e-4, rtol=1e-4)


def predictions_before_and_after(reconstructor: Reconstructor, token: int) -> tuple[Tensor, Tensor]:
    """Return z [L, D] with every hint in sight, before and after the token's vector is another."""
    given = inputs(length=9, documents=1)
    given["visible"] = hint_mask(torch.ones(1, 9, dtype=torch.bool), 0.0)
    given["rows"] = torch.arange(9)[None]
    before = reconstructor(**given)[0]
    given["tokens"][0, token] += 3 * torch.randn(16, generator=torch.Generator().manual_seed(2))
    return before, reconstructor(**given)[0]


@pytest.mark.parametrize(("layers", "open_hints"), [(1, False), (2, False), (3, False), (1, True)])
@torch.no_grad()
def test_no_prediction_sees_its_own_token(layers: int, open_hints: bool) -> None:
    reconstructor = reconstructor_of(layers, open_hints)
    for token in range(9):
        before, after = predictions_before_and_after(reconstructor, token)
        assert torch.equal(before[token], after[token])
        changed = (before - after).abs().amax(dim=1) > 1e-4
        assert changed.sum() == 8  # all others read it


@torch.no_grad()
def test_open_hints_leak_a_token_through_its_neighbours() -> None:
    before, after = predictions_before_and_after(reconstructor_of(2, open_hints=True), token=4)
    assert (before[4] - after[4]).abs().max() > 1e-3


@pytest.mark.parametrize(("layers", "open_hints"), [(1, False), (3, False), (2, True)])
@torch.no_grad()
def test_without_hints_only_the_id_decides(layers: int, open_hints: bool) -> None:
    reconstructor, given = reconstructor_of(layers, open_hints), inputs()
    given["visible"] = torch.zeros_like(given["visible"])
    before = reconstructor(**given)
    assert torch.equal(before, reconstructor(**given | {"tokens": given["tokens"] + 5}))
    for part in ("slots", "queries"):
        after = reconstructor(**given | {part: given[part].flip(0)})
        assert (before - after).abs().amax(dim=2).min() > 1e-4


@pytest.mark.parametrize("layers", [1, 3])
@torch.no_grad()
def test_the_residual_comes_from_the_query(layers: int) -> None:
    """Layers that add nothing leave the sum over the slots of the normalised queries, whatever the hints are."""
    reconstructor, given = reconstructor_of(layers, open_hints=False), inputs()
    for block in reconstructor.blocks:
        for name in ("o", "wo"):
            nn.init.zeros_(getattr(block, name).weight)
    queries = given["queries"].double()
    normed = queries / (queries.square().mean(-1, keepdim=True) + 1e-6).sqrt() * reconstructor.norm.weight
    expected = normed.sum(dim=1, keepdim=True).expand(-1, 5, -1)
    torch.testing.assert_close(reconstructor(**given).double(), expected, atol=1e-5, rtol=1e-5)
