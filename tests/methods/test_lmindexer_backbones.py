"""LMIndexer's backbones against transformers' own outputs, NumPy in float64 and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lmindexer_parts import DOCUMENTS, EMPTY, LONG, SHORT, TEXTS, TOKENIZER, WIDTH, batch_of, encoder_backbone, t5
from torch import Tensor, nn

from benchmark.methods.lmindexer.backbones import T5Backbone, pool


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
