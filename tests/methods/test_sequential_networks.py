"""The networks against slow twins: torch's own transformer, formulas in NumPy; no leakage; padding never matters."""

import numpy as np
import pytest
import torch
from sequential_parts import ATTENTION, CAUSAL, FEATURES, MASK, METHODS, N_ITEMS, N_USERS, PAD, network
from torch import Tensor, nn
from torch.nn import functional

from benchmark.methods.sequential.config import SASRecConfig
from benchmark.methods.sequential.networks import Transformer

ITEMS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, PAD, PAD], [5, PAD, PAD, PAD, PAD]])
USERS = torch.tensor([2, 0, N_USERS])
REAL = ITEMS != PAD


def reference(ours: Transformer) -> nn.TransformerEncoder:
    """Return torch's encoder with the same weights."""
    layer = nn.TransformerEncoderLayer(8, 2, 12, activation="gelu", layer_norm_eps=1e-12, batch_first=True)
    theirs = nn.TransformerEncoder(layer, len(ours.layers), enable_nested_tensor=False).eval()
    names = {
        "self_attn.in_proj_": "query_key_value.", "self_attn.out_proj.": "output.", "linear1.": "inner.",
        "linear2.": "outer.", "norm1.": "norms.0.", "norm2.": "norms.1.",
    }  # fmt: skip
    for copy, original in zip(theirs.layers, ours.layers, strict=True):
        state = original.state_dict()
        copy.load_state_dict({t + end: state[o + end] for t, o in names.items() for end in ("weight", "bias")})
    return theirs


def causal_mask(length: int) -> Tensor:
    return torch.triu(torch.ones(length, length, dtype=torch.bool), 1)


@torch.no_grad()
def test_the_transformer_is_torchs_own() -> None:
    torch.manual_seed(0)
    ours = Transformer(SASRecConfig(**ATTENTION)).eval()
    for parameter in ours.parameters():
        parameter.add_(torch.randn_like(parameter) * 0.5)
    x = torch.randn(3, 5, 8)
    torch.testing.assert_close(ours(x), reference(ours)(x, mask=causal_mask(5), is_causal=True))
    torch.testing.assert_close(ours(x, REAL)[REAL], reference(ours)(x, src_key_padding_mask=~REAL)[REAL])


@pytest.mark.parametrize("place", ["from-end", "from-start"])
@torch.no_grad()
def test_sasrec_is_the_left_padded_model_of_its_sources(place: str) -> None:
    """Pad to max_length on the left (the sources) or on the right, and give positions 0 .. max_length - 1 to all."""
    ours = network("sasrec", positions=place)
    states = ours.states(ITEMS, USERS)
    for row, real in zip(range(3), REAL, strict=True):
        sequence = ITEMS[row][real]
        empty = torch.full((6 - len(sequence),), PAD)
        left = place == "from-end"
        whole = torch.cat([empty, sequence] if left else [sequence, empty])[None]
        x = ours.norm(ours.items(whole) + ours.positions.weight)
        padding = whole == PAD
        mask = causal_mask(6) | (padding & ~torch.eye(6, dtype=torch.bool))  # a padded position sees itself alone
        expected = reference(ours.transformer)(x, mask=mask)[0]
        expected = expected[-len(sequence) :] if left else expected[: len(sequence)]
        torch.testing.assert_close(states[row][real], expected)


@torch.no_grad()
def test_gru4rec_follows_the_formulas_of_the_gated_recurrent_unit() -> None:
    ours = network("gru4rec")
    weights = {name: value.numpy().astype(np.float64) for name, value in ours.state_dict().items()}
    states = ours.states(ITEMS, USERS)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    for row in range(3):
        h = np.zeros(10)
        for t, item in enumerate(ITEMS[row][REAL[row]].tolist()):
            from_x = np.split(weights["gru.weight_ih_l0"] @ weights["items.weight"][item], 3)
            from_h = np.split(weights["gru.weight_hh_l0"] @ h, 3)
            reset, update = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
            h = (1 - update) * np.tanh(from_x[2] + reset * from_h[2]) + update * h
            expected = weights["output.weight"] @ h + weights["output.bias"]
            np.testing.assert_allclose(states[row, t], expected, atol=1e-4)


@torch.no_grad()
def test_hgn_follows_its_gates_prefix_by_prefix() -> None:
    """Each prefix alone, as the paper has it: gates, their weighted mean, and the sum, from loops."""
    ours = network("hgn")
    w = {name: value.numpy().astype(np.float64) for name, value in ours.state_dict().items()}
    states = ours.states(ITEMS, USERS)

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    for row in range(3):
        u = w["users.weight"][USERS[row]]
        for length in range(1, int(REAL[row].sum()) + 1):
            pooled, total, plain = np.zeros(8), 0.0, np.zeros(8)
            for place, item in enumerate(ITEMS[row, :length].tolist()):
                s = w["items.weight"][item]
                gate = sigmoid(w["feature_item.weight"] @ s + w["feature_user.weight"] @ u + w["feature_item.bias"])
                weight = sigmoid(w["instance_item.weight"][0] @ (s * gate) + w["instance_user.weight"][place] @ u)
                pooled, total, plain = pooled + weight * s * gate, total + weight, plain + s
            np.testing.assert_allclose(states[row, length - 1], u + pooled / total + plain, atol=1e-4)
    assert torch.equal(ours.table()[0], ours.output.weight)


@torch.no_grad()
def test_bert4rec_reads_off_a_mask_behind_the_history() -> None:
    """A history of max_length items loses its oldest one, which makes room."""
    ours = network("bert4rec")
    full = torch.tensor([[3, 1, 4, 1, 5, 9]])
    for items, seen in ((ITEMS[:1], [3, 1, 4, 1, 5, MASK]), (full, [1, 4, 1, 5, 9, MASK]), (ITEMS[2:], [5, MASK])):
        x = ours.norm(ours.items(torch.tensor([seen])) + ours.positions.weight[-len(seen) :])
        expected = ours.head(reference(ours.transformer)(x))[:, -1]
        torch.testing.assert_close(ours.last_states(items, USERS[:1]), expected)
    together = ours.last_states(functional.pad(ITEMS, (0, 1), value=PAD), USERS)
    alone = [ours.last_states(ITEMS[row : row + 1][:, REAL[row]], USERS[:1]) for row in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


def test_bert4rec_hides_some_items_of_every_history_or_the_last_ones() -> None:
    ours = network("bert4rec", last_ratio=0.0, mask_ratio=0.2)
    torch.manual_seed(0)
    many = torch.randint(N_ITEMS, (4000, 6))
    many[:2000, 3:] = PAD
    hidden = ours.hidden(many)
    assert not (hidden & (many == PAD)).any() and hidden.any(1).all()
    assert hidden[2000:].float().mean().item() == pytest.approx(0.2 + 0.8**6 / 6, abs=0.01)
    assert hidden[2000:].float().mean(0).std() < 0.02  # no place is preferred
    last = network("bert4rec", last_ratio=1.0).hidden(ITEMS)
    assert last.tolist() == [[0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0]]
    halves = [bool((network_hidden(ours, seed) == last).all()) for seed in range(200)]
    assert 0.4 < np.mean(halves) < 0.65


def network_hidden(ours: nn.Module, seed: int) -> Tensor:
    torch.manual_seed(seed)
    ours.config = ours.config.model_copy(update={"last_ratio": 0.5})
    return ours.hidden(ITEMS)


@torch.no_grad()
def test_bert4rec_does_not_see_what_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = network("bert4rec")
    hidden = torch.tensor([[0, 1, 0, 0, 1], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    monkeypatch.setattr(ours, "hidden", lambda items: hidden)
    states, targets = ours.learned(ITEMS, USERS)
    assert targets.tolist() == [1, 5, 6, 5]
    others, other_targets = ours.learned(torch.where(hidden, 8, ITEMS), USERS)
    assert torch.equal(states, others) and other_targets.tolist() == [8] * 4


@torch.no_grad()
def test_fdsa_is_two_transformers_side_by_side() -> None:
    ours = network("fdsa")
    row = [3, 1, 4, 8]
    places = ours.positions.weight[-4:]
    features = torch.stack([ours.feature_table.weight[[f for f in FEATURES[item] if f != 5]].mean(0) for item in row])
    streams = [(ours.item_transformer, ours.items.weight[row]), (ours.feature_transformer, features)]
    outputs = [reference(t)(ours.norm(x + places)[None], mask=causal_mask(4), is_causal=True) for t, x in streams]
    expected = ours.output_norm(torch.cat(outputs, -1) @ ours.output.weight.T + ours.output.bias)
    torch.testing.assert_close(ours.states(torch.tensor([row]), USERS[:1]), expected)


@pytest.mark.parametrize("name", CAUSAL)
@torch.no_grad()
def test_the_future_changes_no_earlier_state(name: str) -> None:
    ours, random = network(name), torch.Generator().manual_seed(0)
    items = torch.randint(N_ITEMS, (4, 6), generator=random)
    users = torch.arange(4)
    states = ours.states(items, users)
    for length in range(1, 6):
        for future in (items[:, length:].flip(1), (items[:, length:] + 1) % N_ITEMS):
            changed = ours.states(torch.cat([items[:, :length], future], 1), users)
            assert torch.equal(states[:, :length], changed[:, :length])
        assert (states[:, length:] - changed[:, length:]).abs().amax(2).min() > 1e-3  # which do see it


@pytest.mark.parametrize("name", sorted(METHODS))
@torch.no_grad()
def test_padding_and_the_other_users_of_a_batch_never_matter(name: str) -> None:
    ours = network(name)
    wider = ours.states(functional.pad(ITEMS, (0, 1), value=PAD), USERS)[:, :-1]
    torch.testing.assert_close(wider[REAL], ours.states(ITEMS, USERS)[REAL])
    together = ours.last_states(ITEMS, USERS)
    for row in range(3):
        alone = ITEMS[row : row + 1][:, REAL[row]]
        torch.testing.assert_close(ours.last_states(alone, USERS[row : row + 1])[0], together[row])


@pytest.mark.parametrize("name", CAUSAL)
def test_a_window_teaches_each_item_from_those_before(name: str) -> None:
    ours = network(name)
    states, targets = ours.learned(ITEMS, USERS)
    assert targets.tolist() == [1, 4, 1, 5, 2, 6]
    expected = [ours.states(ITEMS[row : row + 1, :end], USERS[row : row + 1])[0] for row, end in ((0, 4), (1, 2))]
    torch.testing.assert_close(states, torch.cat(expected))


@pytest.mark.parametrize("name", CAUSAL)
def test_the_newest_item_is_learned_from_as_it_is_recommended_from(name: str) -> None:
    """Whatever else is in the batch: the state behind a window's last input is that of its history alone."""
    ours = network(name)
    states, _ = ours.learned(ITEMS, USERS)
    newest = [ours.last_states(ITEMS[row : row + 1, :end], USERS[row : row + 1])[0] for row, end in ((0, 4), (1, 2))]
    torch.testing.assert_close(states[[3, 5]], torch.stack(newest))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_padding_learns_nothing(name: str) -> None:
    """The row of the padding stays 0, however it is used."""
    torch.manual_seed(0)
    ours = network(name).train()
    states, _ = ours.learned(ITEMS, USERS)
    states.square().sum().backward()
    assert not ours.items.weight.grad[PAD].any() and ours.items.weight.grad.any()
