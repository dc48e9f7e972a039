"""The parts of LMIndexer against twins written another way: loops, NumPy in float64, autograd and transformers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.conformance import small_corpus
from benchmark.generative.backbone import load_t5, train_tokenizer
from benchmark.generative.config import ScratchConfig
from benchmark.methods.lmindexer import study
from benchmark.methods.lmindexer.backbones import Backbone, EncoderBackbone, T5Backbone, pool
from benchmark.methods.lmindexer.config import LMIndexerConfig, ReconstructorConfig, WeightsConfig
from benchmark.methods.lmindexer.documents import Documents
from benchmark.methods.lmindexer.losses import commitment, contrastive, denominators
from benchmark.methods.lmindexer.negatives import PrefixGroups
from benchmark.methods.lmindexer.network import Batch, LMIndexerNetwork, Stage
from benchmark.methods.lmindexer.quantizer import straight_through
from benchmark.methods.lmindexer.reconstructor import Reconstructor, hint_mask

Array = NDArray[np.float64]

WIDTH, CODES = 32, 8
SCRATCH = ScratchConfig(d_model=WIDTH, layers=1, heads=2, d_ff=48, vocabulary_size=300)
TEXTS = [*small_corpus(21).texts(), "", "one word", "a text that is " + "much " * 8 + "longer than all the others"]
EMPTY, SHORT, LONG = 21, 22, 23
TOKENIZER = train_tokenizer(SCRATCH, TEXTS)
DOCUMENTS = Documents.tokenize(TOKENIZER, TEXTS, LMIndexerConfig(max_length=48))
ALL_HINTS = Stage(mask_ratio=0.0)


# The quantiser


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


# The hints


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


# The reconstructor


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


# The losses


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


def contrastive_twin(hidden: Array, again: Array, negatives: NDArray[np.bool_]) -> float:
    """Each anchor's -log of the positive's share, in float64; anchors without negatives left out."""
    losses = []
    for i in range(len(again)):
        others = [math.exp(hidden[i] @ hidden[j]) for j in range(len(hidden)) if negatives[i, j]]
        positive = math.exp(hidden[i] @ again[i])
        if others:
            losses.append(-math.log(positive / (positive + sum(others))))
    return float(np.mean(losses)) if losses else 0.0


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


# The hard negatives


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


# The backbones


def t5(dropout: float = 0.1) -> Any:
    torch.manual_seed(0)
    model, _ = load_t5("scratch", SCRATCH.model_copy(update={"dropout": dropout}), TEXTS)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "layer_norm" in name:
                parameter.uniform_(0.5, 1.5)
    return model


def bert(layers: int = 3) -> Any:
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 48}
    return BertModel(BertConfig(vocab_size=len(TOKENIZER), max_position_embeddings=64, **sizes))


def encoder_backbone(frozen_layers: int = 0, directions: int = 0) -> EncoderBackbone:
    sizes = {"layers": 2, "frozen_layers": frozen_layers, "directions": directions}
    return EncoderBackbone(bert(), TOKENIZER, hidden_norm=3.0, **sizes).eval()


def batch_of(rows: list[int], prefix: Tensor | None = None, anchors: int | None = None) -> Batch:
    known = torch.zeros(len(rows), 0, dtype=torch.long) if prefix is None else prefix
    return DOCUMENTS.batch(torch.tensor(rows), known, len(rows) if anchors is None else anchors)


@torch.no_grad()
def test_h_is_the_last_decoder_state_of_transformers_t5() -> None:
    """Behind the final norm, and unscaled: only T5's own logits have the factor width^-0.5."""
    model = t5().eval()
    backbone, batch = T5Backbone(model, TOKENIZER, from_scratch=True), batch_of([0, EMPTY, SHORT, LONG])
    tokens = torch.tensor([[0, 7, 9], [0, 5, 5], [0, 8, 6], [0, 4, 3]])  # 0 starts the decoder
    expected = model(
        input_ids=batch.ids, attention_mask=batch.mask, decoder_input_ids=tokens, output_hidden_states=True
    )
    found = backbone.decode(backbone.encode(batch.ids, batch.mask), backbone.token_table()[tokens[:, 1:]])
    torch.testing.assert_close(found, expected.decoder_hidden_states[-1])
    logits = found * backbone.lm_scale @ backbone.token_table().T
    torch.testing.assert_close(logits, expected.logits)


@torch.no_grad()
def test_at_first_h_is_the_standardised_embedding_and_then_its_residual() -> None:
    """Computed in float64 from BERT's own output, without the decoder."""
    backbone = encoder_backbone()
    batch = batch_of(list(range(len(TEXTS))))
    backbone.standardize(backbone.pooled(batch.ids, batch.mask))
    rows = []
    for document in range(len(TEXTS)):
        alone = batch_of([document])
        states = backbone.model(input_ids=alone.ids, attention_mask=alone.mask).last_hidden_state[0].double()
        rows.append((states.mean(0) / states.mean(0).norm()).numpy())
    pooled = np.stack(rows)
    standard = (pooled - pooled.mean(0)) / pooled.std(0, ddof=1)
    x = 3.0 * standard / np.linalg.norm(standard, axis=1, keepdims=True)

    vectors = torch.randn(len(TEXTS), 2, WIDTH)
    hidden = backbone.decode(backbone.encode(batch.ids, batch.mask), vectors).numpy()
    np.testing.assert_allclose(hidden[:, 0], x, atol=2e-3)
    for position in (1, 2):
        residual = x - vectors[:, :position].sum(1).numpy()
        expected = 3.0 * residual / np.linalg.norm(residual, axis=1, keepdims=True)
        np.testing.assert_allclose(hidden[:, position], expected, atol=2e-3)


@pytest.mark.parametrize("directions", [3, 8, 40])
@torch.no_grad()
def test_later_positions_start_from_the_whitened_residual(directions: int) -> None:
    """With few codes it is the distance to the mean of the documents with the same first code, whatever that code's
    vector is; its principal components by scikit-learn, turned back, as many as there are."""
    from sklearn.decomposition import PCA

    backbone, batch = encoder_backbone(directions=directions), batch_of(list(range(len(TEXTS))))
    backbone.standardize(backbone.pooled(batch.ids, batch.mask))
    encoded, vectors = backbone.encode(batch.ids, batch.mask), torch.randn(len(TEXTS), 2, WIDTH)
    codes = np.arange(len(TEXTS)) % 3
    vectors[:, 0] = torch.randn(3, WIDTH)[codes]
    x = backbone.decode(encoded, vectors[:, :0])[:, 0]
    backbone.whiten_residual(encoded.start, vectors[:, 0])
    start = encoded.start.double().numpy()
    means = np.stack([start[codes == code].mean(0) for code in range(3)])
    residual, components = start - means[codes], min(directions, len(TEXTS) - 3)
    analysis = PCA(components, whiten=True, svd_solver="full").fit(residual)
    whitened = analysis.transform(residual) @ analysis.components_
    second = 3.0 * whitened / np.linalg.norm(whitened, axis=1, keepdims=True)
    third = second - vectors[:, 1].numpy()
    third *= 3.0 / np.linalg.norm(third, axis=1, keepdims=True)
    hidden = backbone.decode(encoded, vectors).numpy()
    np.testing.assert_allclose(hidden[:, 0], x, atol=1e-6)
    np.testing.assert_allclose(hidden[:, 1], second, atol=2e-3)
    np.testing.assert_allclose(hidden[:, 2], third, atol=5e-3)


def test_what_the_decoder_learned_for_the_first_code_says_nothing_about_later_ones() -> None:
    """Layers that add something change h_1; h_2 and h_3 stay residuals until their own gates open."""
    backbone, batch = encoder_backbone(), batch_of(list(range(len(TEXTS))))
    vectors = torch.randn(len(TEXTS), 2, WIDTH)
    before = backbone.decode(backbone.encode(batch.ids, batch.mask), vectors)
    for parameter in backbone.decoder.parameters():
        nn.init.normal_(parameter, std=0.2)
    after = backbone.decode(backbone.encode(batch.ids, batch.mask), vectors)
    assert (after[:, 0] - before[:, 0]).abs().max() > 0.1
    torch.testing.assert_close(after[:, 1:], before[:, 1:])
    nn.init.ones_(backbone.gates)
    opened = backbone.decode(backbone.encode(batch.ids, batch.mask), vectors)
    assert (opened[:, 1:] - before[:, 1:]).abs().amax(dim=(0, 2)).min() > 0.1


def test_pooling_is_the_mean_of_the_real_tokens() -> None:
    states, mask = torch.randn(3, 4, 5), torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 0, 0]])
    for row, length in enumerate((4, 1, 2)):
        mean = states[row, :length].double().mean(0)
        torch.testing.assert_close(pool(states, mask)[row].double(), mean / mean.norm(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("frozen_layers", [0, 2])
def test_frozen_layers_get_no_gradient_and_drop_nothing_out(frozen_layers: int) -> None:
    backbone, batch = encoder_backbone(frozen_layers), batch_of([0, SHORT, LONG])
    seen: list[Tensor] = []
    watched = backbone.model.encoder.layer[frozen_layers - 1] if frozen_layers else backbone.model.embeddings
    watched.register_forward_hook(lambda _, __, out: seen.append(out[0] if isinstance(out, tuple) else out))
    for mode in (True, False):
        backbone.train(mode).decode(backbone.encode(batch.ids, batch.mask), torch.zeros(3, 1, WIDTH)).sum().backward()
    assert torch.equal(*seen) == bool(frozen_layers)
    frozen = [backbone.model.embeddings, *backbone.model.encoder.layer[:frozen_layers]] if frozen_layers else []
    untouched = {id(parameter) for module in frozen for parameter in module.parameters()}
    for layer in (backbone.model.embeddings, *backbone.model.encoder.layer):
        for parameter in layer.parameters():
            assert (parameter.grad is None) == (id(parameter) in untouched) != parameter.requires_grad


@pytest.mark.parametrize("frozen_layers", [0, 1, 2, 3, 9])
@torch.no_grad()
def test_the_encoders_states_are_those_of_transformers(frozen_layers: int) -> None:
    """Layer by layer, with the frozen layers' output computed on the way or taken from the cache (in float16)."""
    backbone, rows = encoder_backbone(frozen_layers), [0, EMPTY, SHORT, LONG]
    batch = batch_of(rows)
    expected = backbone.model(input_ids=batch.ids, attention_mask=batch.mask, output_hidden_states=True)
    inside = batch.mask.bool()
    states = backbone.encode(batch.ids, batch.mask).states
    torch.testing.assert_close(states[inside], expected.last_hidden_state[inside], atol=1e-5, rtol=1e-5)
    cached = DOCUMENTS.with_lower(backbone, "cpu").batch(torch.tensor(rows), batch.prefix, 4).lower
    if frozen_layers == 0:
        assert cached is None
        return
    assert cached is not None
    frozen = expected.hidden_states[min(frozen_layers, 3)][inside]
    torch.testing.assert_close(cached[inside], frozen, atol=2e-3, rtol=2e-3)
    states = backbone.encode(torch.zeros_like(batch.ids), batch.mask, cached).states  # the token ids are not read
    torch.testing.assert_close(states[inside], expected.last_hidden_state[inside], atol=5e-3, rtol=5e-3)


# The documents


def test_a_document_is_the_tokenizers_row_cut_and_padded() -> None:
    documents = Documents.tokenize(TOKENIZER, TEXTS, LMIndexerConfig(max_length=12))
    rows = [3, EMPTY, LONG, 3]
    batch = documents.batch(torch.tensor(rows), torch.zeros(4, 0, dtype=torch.long), 4)
    assert batch.ids.shape == (4, 12)
    for row, document in enumerate(rows):
        text = TOKENIZER(TEXTS[document], add_special_tokens=False)["input_ids"][:11]
        expected = [*text, TOKENIZER.eos_token_id]
        assert batch.ids[row].tolist() == expected + [TOKENIZER.pad_token_id] * (12 - len(expected))
        assert batch.mask[row].tolist() == [1] * len(expected) + [0] * (12 - len(expected))
        assert batch.real[row].tolist() == [True] * len(text) + [False] * (12 - len(text))


@pytest.mark.parametrize(("above", "below"), [(0.0, 1.0), (0.2, 0.5), (0.5, 1.0)])
def test_tokens_in_too_few_or_too_many_texts_are_hints_but_not_scored(above: float, below: float) -> None:
    documents = Documents.tokenize(TOKENIZER, TEXTS, LMIndexerConfig(scored_above=above, scored_below=below))
    tokens = [TOKENIZER(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
    batch = documents.batch(torch.arange(len(TEXTS)), torch.zeros(len(TEXTS), 0, dtype=torch.long), len(TEXTS))
    for row, text in enumerate(tokens):
        shares = [sum(token in other for other in tokens) / len(TEXTS) for token in text]
        assert batch.scored[row, : len(text)].tolist() == [above <= share <= below for share in shares]
        assert not batch.scored[row, len(text) :].any()
        assert batch.real[row].sum() == len(text)


def test_a_text_that_repeats_a_token_need_not_be_asked_for_it() -> None:
    """It stays a hint; the end token and padding never were asked for."""
    documents = Documents.tokenize(TOKENIZER, TEXTS, LMIndexerConfig(score_repeated=False))
    batch = documents.batch(torch.tensor([0, EMPTY, LONG]), torch.zeros(3, 0, dtype=torch.long), 3)
    repeats = []
    for row, document in enumerate([0, EMPTY, LONG]):
        text = TOKENIZER(TEXTS[document], add_special_tokens=False)["input_ids"]
        repeats.append(len(text) - len(set(text)))
        assert batch.scored[row, : len(text)].tolist() == [text.count(token) == 1 for token in text]
        assert not batch.scored[row, len(text) :].any()
        assert batch.real[row].sum() == len(text)
    assert max(repeats) > 6


# The network


def network_of(backbone: Callable[[], Backbone] | None = None, **settings: Any) -> LMIndexerNetwork:
    """Return a network in eval mode whose codebooks have about the length of its hidden states."""
    made = T5Backbone(t5(), TOKENIZER, from_scratch=True) if backbone is None else backbone()
    config = LMIndexerConfig(**{"length": 3, "codebook_size": CODES, "negatives": 2, "temperature": 1.0} | settings)
    network = LMIndexerNetwork(made, config, DOCUMENTS.output_tokens(config, made))
    with torch.no_grad():
        for codebook in network.codebooks:
            codebook.normal_()
    return network.eval()


def prefix_of(position: int) -> Tensor:
    """Return codes int64 [n, position] that many documents share."""
    rows = torch.arange(len(TEXTS))
    return torch.stack([rows % 4, rows % 2, rows % 3], dim=1)[:, :position]


@pytest.mark.parametrize("backbone", [None, encoder_backbone])
@pytest.mark.parametrize("hints", ["closed", "open"])
@pytest.mark.parametrize("position", [0, 2])
@torch.no_grad()
def test_padding_never_matters(backbone: Any, hints: Any, position: int) -> None:
    """A document alone gets the hidden states and the logits that it gets beside a longer one."""
    network = network_of(backbone, reconstructor=ReconstructorConfig(layers=2, hints=hints, heads=2, d_ff=48))
    rows = [0, EMPTY, LONG, SHORT]
    together = batch_of(rows, prefix_of(position)[rows])
    tokens = torch.arange(together.ids.shape[1]).expand(4, -1)
    hidden = network.hidden(together)
    logits, target = network.reconstruct(hidden[:, -1], together, ALL_HINTS, tokens)
    for row, document in enumerate(rows):
        alone = batch_of([document], prefix_of(position)[[document]])
        length = alone.ids.shape[1]
        assert (target[row, length:] == -100).all()
        own = network.hidden(alone)
        torch.testing.assert_close(own[0], hidden[row], atol=1e-4, rtol=1e-4)
        own_logits, own_target = network.reconstruct(own[:, -1], alone, ALL_HINTS, tokens[:1, :length])
        assert torch.equal(own_target[0], target[row, :length])
        torch.testing.assert_close(own_logits[0], logits[row, :length], atol=1e-3, rtol=1e-3)


def test_the_targets_are_the_texts_tokens_without_the_special_ones() -> None:
    network, rows = network_of(), [0, EMPTY, LONG]
    batch = batch_of(rows)
    tokens = torch.arange(batch.ids.shape[1]).expand(3, -1)
    _, target = network.reconstruct(network.hidden(batch)[:, -1], batch, ALL_HINTS, tokens)
    for row, document in enumerate(rows):
        expected = TOKENIZER(TEXTS[document], add_special_tokens=False)["input_ids"]
        found = target[row][target[row] >= 0]
        assert network.output_tokens[found].tolist() == expected


@pytest.mark.parametrize("wanted", [3, 40])
def test_scored_tokens_are_different_tokens_of_the_text(wanted: int) -> None:
    network, batch = network_of(scored_tokens=wanted), batch_of([0, SHORT, LONG])
    picks = [network._rows(batch.real) for _ in range(200)]
    for row, lengths in enumerate(batch.real.sum(1).tolist()):
        inside = [set(pick[row][batch.real[row, pick[row]]].tolist()) for pick in picks]
        assert {len(chosen) for chosen in inside} == {min(wanted, lengths)}
        assert set().union(*inside) == set(batch.real[row].nonzero().flatten().tolist())


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


WEIGHTS = WeightsConfig(reconstruction=0, contrastive=1, commitment=0)


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


def test_documents_without_a_token_are_no_reason_to_lose_the_number() -> None:
    """A batch may hold nothing but empty texts."""
    network = network_of(weights=WeightsConfig(contrastive=0))
    loss = network(batch_of([EMPTY, EMPTY]), ALL_HINTS)["loss"]
    loss.backward()
    assert loss.item() == 0


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize(
    ("query", "no_code"), [("quantized", False), ("continuous", False), ("quantized", True), ("continuous", True)]
)
@torch.no_grad()
def test_the_reconstructor_is_asked_with_the_code_or_with_h(position: int, query: Any, no_code: bool) -> None:
    """With layers that add nothing z is the query: h without codes, and behind the first position if continuous."""
    network, rows = network_of(query=query), [0, 1, 2]
    for name in ("o", "wo"):
        nn.init.zeros_(getattr(network.reconstructor.blocks[0], name).weight)
    batch = batch_of(rows, prefix_of(position)[rows])
    h = network.hidden(batch)[:, -1]
    code = (h.double() @ network.codebooks[position].double().T).argmax(dim=1)
    with_h = no_code or (query == "continuous" and position == 1)
    asked = [h if with_h else network.codebooks[position][code]]
    if position:
        asked.append(network.codebooks[0][batch.prefix[:, 0]])
    z = sum(x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt() for x in asked)
    stage = Stage(mask_ratio=0.5, no_code=no_code)
    logits, _ = network.reconstruct(h, batch, stage, torch.zeros(3, 1, dtype=torch.long))
    torch.testing.assert_close(logits[:, 0], z @ network.table().T, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_continuous_query_reads_the_code_beside_the_hints() -> None:
    """The released code asks with h; among the keys and values stands the code's vector, normalised."""
    network, batch = network_of(query="continuous"), batch_of([0, 1, 2], prefix_of(1)[:3])
    seen: list[Tensor] = []
    block: Any = network.reconstructor.blocks[0]
    block.k.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    h = network.hidden(batch)[:, -1]
    network.reconstruct(h, batch, ALL_HINTS, torch.zeros(3, 1, dtype=torch.long))
    code = network.codebooks[1][(h.double() @ network.codebooks[1].double().T).argmax(dim=1)]
    for slot, vector in enumerate((network.codebooks[0][batch.prefix[:, 0]], code)):
        expected = vector / (vector.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        torch.testing.assert_close(seen[0][:, 0, slot], expected, atol=1e-5, rtol=1e-5)


# The study


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
    counts = np.bincount(codes) / len(codes)
    groups = [[c for c, other in zip(codes, prefix, strict=True) if torch.equal(other, own)] for own in prefix]
    f1 = []
    for token in {*truth, *predicted}:
        both = sum(t == p == token for t, p in zip(truth, predicted, strict=True))
        f1.append(2 * both / (truth.count(token) + predicted.count(token)))
    return {
        "macro_f1": float(np.mean(f1)),
        "micro_f1": float(np.mean(np.array(truth) == np.array(predicted))),
        "perplexity": float(np.exp(-sum(p * np.log(p) for p in counts if p))),
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


def test_the_perplexity_is_that_of_the_items_without_their_negatives() -> None:
    """One item has one code, whatever codes its negatives have."""
    network, prefix = network_of(study_items=1), torch.zeros(len(TEXTS), 1, dtype=torch.long)
    groups = PrefixGroups(prefix.numpy().astype(np.int32), seed=0)
    found = [study.measure(network, DOCUMENTS, prefix, groups, ALL_HINTS, network.config, seed) for seed in range(6)]
    assert {values["perplexity"] for values in found} == {1.0}
    assert max(values["diff_ratio"] for values in found) > 1 / 3


def test_without_codes_the_study_measures_reconstruction_alone() -> None:
    network, prefix = network_of(study_items=4), torch.zeros(len(TEXTS), 0, dtype=torch.long)
    groups, stage = PrefixGroups(prefix.numpy().astype(np.int32), seed=0), Stage(mask_ratio=0.5, no_code=True)
    assert set(study.measure(network, DOCUMENTS, prefix, groups, stage, network.config, 0)) == {"macro_f1", "micro_f1"}


def test_the_study_of_items_without_text_is_no_error() -> None:
    assert study.f1(np.empty(0, np.int64), np.empty(0, np.int64)) == {"macro_f1": 0.0, "micro_f1": 0.0}
