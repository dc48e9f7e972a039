"""LMIndexer's network: which tokens it is asked for, and with which query."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lmindexer_parts import (
    ALL_HINTS,
    EMPTY,
    LONG,
    SHORT,
    TEXTS,
    TOKENIZER,
    batch_of,
    encoder_backbone,
    network_of,
    prefix_of,
)
from torch import Tensor, nn

from benchmark.methods.lmindexer.config import ReconstructorConfig, WeightsConfig
from benchmark.methods.lmindexer.network import Stage


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
