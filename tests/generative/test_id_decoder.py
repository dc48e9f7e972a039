"""The ID decoder against a twin that knows no trie: a softmax over the codes behind every prefix, written by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.generative.beam import beam_search
from benchmark.generative.config import DecoderConfig
from benchmark.generative.exact import exact_scores
from benchmark.generative.id_decoder import EOS, IdDecoder
from benchmark.generative.scoring import on_device
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.codes import Codes

SIZES = (5, 4, 3)


def codes_of(kind: str, n: int = 40) -> Codes:
    """IDs with their counter: of one length, or with padding before the counter and items that share an ID."""
    values = np.random.default_rng(3).integers(0, SIZES, (n, 3)).astype(np.int32)
    if kind == "variable":
        lengths = np.random.default_rng(4).integers(1, 4, n)
        values[np.arange(3) >= lengths[:, None]] = -1
    return Codes(values, SIZES).with_counter()


class Case:
    """A decoder with large random weights, states, and its items' IDs as lists of tokens, the end among them."""

    def __init__(self, kind: str, queries: int = 3) -> None:
        codes = codes_of(kind)
        self.vocabulary = CodeVocabulary(codes.sizes, first=EOS + 1)
        offsets = 1 + np.concatenate([[0], np.cumsum(codes.sizes)[:-1]])
        self.ids = [
            [int(code + offset) for code, offset in zip(row, offsets, strict=True) if code >= 0] + [EOS]
            for row in codes.values.tolist()
        ]
        self.trie = Trie.build(self.vocabulary.encode(codes), eos=EOS)
        self.tensors = on_device(self.trie, torch.device("cpu"))
        torch.manual_seed(0)
        depth = max(map(len, self.ids))
        self.decoder = IdDecoder(1 + sum(codes.sizes), depth, DecoderConfig(width=16, dropout=0.0, inner=2)).eval()
        with torch.no_grad():
            for parameter in self.decoder.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.4)
        self.states = torch.randn(queries, 16)

    def steps(self, state: Tensor, path: list[int]) -> list[tuple[Tensor, int]]:
        """Return (log-probabilities of the codes behind the prefix, the place of the next one) for every token."""
        found = []
        for length, token in enumerate(path):
            prefix = path[:length]
            following = sorted(
                {other[length] for other in self.ids if other[:length] == prefix and len(other) > length}
            )
            read = sum((self.decoder.tokens.weight[read] for read in prefix), torch.zeros(16))
            z = state + read + self.decoder.positions[length]
            for block in self.decoder.blocks:
                z = z + block.outer(torch.nn.functional.gelu(block.inner(block.norm(z))))
            logits = self.decoder.output.weight[following] @ self.decoder.norm(z)
            found.append((logits.log_softmax(0), following.index(token)))
        return found

    def log_probability(self, state: Tensor, item: int) -> Tensor:
        return torch.stack([steps[place] for steps, place in self.steps(state, self.ids[item])]).sum()

    def all_log_probabilities(self) -> Tensor:
        return torch.stack(
            [torch.stack([self.log_probability(state, item) for item in range(len(self.ids))]) for state in self.states]
        )


@pytest.fixture(scope="module", params=["fixed", "variable"])
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


@torch.no_grad()
def test_the_loss_is_minus_the_log_probability_of_the_item(case: Case) -> None:
    expected = case.all_log_probabilities()
    for item in range(len(case.ids)):
        items = torch.full((3,), item)
        loss = case.decoder.loss(case.states, items, case.tensors)
        torch.testing.assert_close(loss, -expected[:, item].mean(), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_loss_of_many_targets_is_the_mean_of_the_losses_of_each(case: Case) -> None:
    items = torch.randint(len(case.ids), (50,))
    states = torch.randn(50, 16)
    each = [case.decoder.loss(states[i : i + 1], items[i : i + 1], case.tensors) for i in range(50)]
    torch.testing.assert_close(case.decoder.loss(states, items, case.tensors), torch.stack(each).mean())


@torch.no_grad()
def test_the_probabilities_of_all_items_sum_to_one(case: Case) -> None:
    n = len(case.ids)
    losses = [case.decoder.loss(case.states[:1], torch.tensor([item]), case.tensors) for item in range(n)]
    assert float(torch.stack(losses).neg().exp().sum()) == pytest.approx(1, abs=1e-5)


def test_gradients_are_those_of_the_twin(case: Case) -> None:
    items = torch.tensor([0, 7, 20])
    parameters = list(case.decoder.parameters())
    twin = -torch.stack([case.log_probability(s, i) for s, i in zip(case.states, items.tolist(), strict=True)]).mean()
    expected = torch.autograd.grad(twin, parameters, allow_unused=True)
    found = torch.autograd.grad(case.decoder.loss(case.states, items, case.tensors), parameters, allow_unused=True)
    for ours, theirs, parameter in zip(found, expected, parameters, strict=True):
        zero = torch.zeros_like(parameter)
        torch.testing.assert_close(
            zero if ours is None else ours, zero if theirs is None else theirs, atol=1e-5, rtol=1e-4
        )


@torch.no_grad()
def test_a_beam_as_wide_as_the_catalogue_ranks_by_the_probabilities(case: Case) -> None:
    """Beam search and exact scoring go through `step`, which adds one token at a time."""
    expected, n = case.all_log_probabilities().numpy(), len(case.ids)
    mask = torch.ones(3, 1, dtype=torch.bool)
    given = {"scorer": "codes", "length_penalty": 0.0, "encoded": case.states[:, None]}
    exact = exact_scores(case.decoder, None, mask, case.trie, case.vocabulary, **given)
    np.testing.assert_allclose(exact, expected, atol=1e-4)
    found = beam_search(case.decoder, None, mask, case.trie, case.vocabulary, beams=n, k=n, **given)
    assert (np.sort(found.items, 1) == np.arange(n)).all()
    np.testing.assert_allclose(found.scores, np.take_along_axis(expected, found.items, 1), atol=1e-4)
    assert (np.diff(found.scores) <= 0).all()


@torch.no_grad()
def test_length_penalty_divides_by_all_tokens_of_the_id(case: Case) -> None:
    mask = torch.ones(3, 1, dtype=torch.bool)
    scores = exact_scores(case.decoder, None, mask, case.trie, case.vocabulary, "codes", encoded=case.states[:, None])
    lengths = np.array([len(path) for path in case.ids])
    np.testing.assert_allclose(scores, case.all_log_probabilities().numpy() / lengths, atol=1e-4)


@torch.no_grad()
def test_weights_of_codes_that_may_not_follow_change_nothing() -> None:
    """A code's row of the head counts where its prefix allows it and nowhere else."""
    case = Case("fixed")
    path = case.ids[0]
    allowed = {other[t] for t in range(len(path)) for other in case.ids if other[:t] == path[:t]}
    others = sorted(set(range(len(case.decoder.head))) - allowed)
    assert others
    before = case.decoder.loss(case.states, torch.zeros(3, dtype=torch.long), case.tensors)
    case.decoder.head[others] = 1e6
    case.decoder.tokens.weight[[row for row in range(len(case.decoder.head)) if row not in path[:-1]]] = 1e6
    after = case.decoder.loss(case.states, torch.zeros(3, dtype=torch.long), case.tensors)
    assert after == before


@torch.no_grad()
@pytest.mark.parametrize("smoothing", [0.1, 0.7])
def test_label_smoothing_spreads_its_share_over_the_codes_that_may_follow(case: Case, smoothing: float) -> None:
    items = torch.tensor([2, 11, 30])
    expected = 0.0
    for state, item in zip(case.states, items.tolist(), strict=True):
        for log_probs, place in case.steps(state, case.ids[item]):
            target = torch.full_like(log_probs, smoothing / len(log_probs))
            target[place] += 1 - smoothing
            expected -= float(target @ log_probs) / 3
    assert float(case.decoder.loss(case.states, items, case.tensors, smoothing)) == pytest.approx(expected, rel=1e-5)


def test_an_item_alone_in_its_catalogue_is_certain() -> None:
    codes = Codes(np.array([[1, 2, 0]], np.int32), SIZES).with_counter()
    trie = Trie.build(CodeVocabulary(codes.sizes, first=1).encode(codes), eos=EOS)
    decoder = IdDecoder(1 + sum(codes.sizes), trie.depth, DecoderConfig(width=8))
    states = torch.randn(2, 8)
    loss = decoder.loss(states, torch.zeros(2, dtype=torch.long), on_device(trie, states.device))
    assert float(loss) == 0
