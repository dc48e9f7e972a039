"""Windows, batches and losses of the sequential recommenders against loops, torch's own loss and enumeration."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sequential_parts import histories_of
from torch.nn import functional

from benchmark.learning.windows import by_length, padded, prefixes, recent_windows, training_windows
from benchmark.methods.sequential import losses
from benchmark.methods.sequential.losses import full_softmax, sampled_softmax

SEQUENCES = st.lists(st.lists(st.integers(0, 9), max_size=12), min_size=1, max_size=6)


@given(SEQUENCES, st.integers(2, 5))
def test_with_all_events_every_item_but_the_first_is_a_target_once(sequences: list[list[int]], length: int) -> None:
    histories = histories_of(sequences)
    windows = training_windows(histories, length + 1, 1, "all")
    targets = [
        position for start, end in zip(windows.start, windows.end, strict=True) for position in range(start + 1, end)
    ]
    firsts = {int(offset) for offset in histories.offsets[:-1]}
    assert sorted(targets) == [position for position in range(len(histories.items)) if position not in firsts]
    assert all(2 <= end - start <= length + 1 for start, end in zip(windows.start, windows.end, strict=True))
    assert (histories.offsets[windows.user] <= windows.start).all()
    assert (windows.end <= histories.offsets[windows.user + 1]).all()


@given(SEQUENCES, st.integers(2, 5))
def test_without_overlap_windows_share_no_item(sequences: list[list[int]], length: int) -> None:
    """Every item is in one window, but those that would stand alone at the beginning of a history."""
    windows = training_windows(histories_of(sequences), length, 0, "all")
    positions = [p for start, end in zip(windows.start, windows.end, strict=True) for p in range(start, end)]
    assert len(positions) == len(set(positions)) == sum(len(s) - (len(s) % length == 1) for s in sequences)


@given(SEQUENCES, st.integers(2, 5))
def test_prefixes_are_all_those_of_two_items_and_more(sequences: list[list[int]], length: int) -> None:
    windows = training_windows(histories_of(sequences), length, 0, "all")
    expected = [
        (user, start, stop)
        for user, start, end in zip(*windows, strict=True)
        for stop in range(start + 2, end + 1)
    ]  # fmt: skip
    assert list(zip(*prefixes(windows), strict=True)) == expected


@given(SEQUENCES, st.integers(2, 5))
def test_recent_windows_are_the_ends_of_the_histories(sequences: list[list[int]], length: int) -> None:
    histories = histories_of(sequences)
    windows = training_windows(histories, length, 1, "recent")
    kept = [user for user, sequence in enumerate(sequences) if len(sequence) >= 2]
    assert windows.user.tolist() == kept
    items = [histories.items[start:end].tolist() for start, end in zip(windows.start, windows.end, strict=True)]
    assert items == [sequences[user][-length:] for user in kept]


@given(SEQUENCES, st.integers(1, 5))
def test_batches_hold_the_most_recent_items_and_padding_behind(sequences: list[list[int]], length: int) -> None:
    histories = histories_of(sequences)
    batch = padded(histories, recent_windows(histories, length), 99)
    longest = max(len(sequence[-length:]) for sequence in sequences)
    assert batch.tolist() == [s[-length:] + [99] * (longest - len(s[-length:])) for s in sequences]


@given(st.lists(st.integers(1, 200), min_size=1, max_size=40))
def test_batches_of_like_length_hold_every_window_and_little_padding(lengths: list[int]) -> None:
    windows = recent_windows(histories_of([[1] * length for length in lengths]), 1000)
    parts = by_length(windows)
    assert sorted(user for part in parts for user in part.user.tolist()) == list(range(len(lengths)))
    for part in parts:
        inside = part.end - part.start
        assert inside.max() <= 8 or inside.max() < 2 * inside.min()


@pytest.mark.parametrize("cells", [1, 2**21])
def test_full_softmax_and_its_gradients_are_torchs_cross_entropy(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(losses.CELLS, "cpu", cells)
    monkeypatch.setattr(losses, "ROWS", 3)
    random = torch.Generator().manual_seed(0)
    shapes = [(10, 4), (7, 4), (7,)]
    inputs = [torch.randn(*shape, generator=random, dtype=torch.float64) * 3 for shape in shapes]
    targets = torch.randint(7, (10,), generator=random)
    ours = [part.clone().requires_grad_() for part in inputs]
    theirs = [part.clone().requires_grad_() for part in inputs]
    loss = full_softmax(*ours, targets)
    expected = functional.cross_entropy(theirs[0] @ theirs[1].T + theirs[2], targets)
    torch.testing.assert_close(loss, expected)
    (3 * loss).backward()
    (3 * expected).backward()
    for left, right in zip(ours, theirs, strict=True):
        torch.testing.assert_close(left.grad, right.grad)


def test_full_softmax_in_bfloat16_is_that_of_rounded_factors() -> None:
    random = torch.Generator().manual_seed(0)
    states, table = torch.randn(20, 8, generator=random), torch.randn(30, 8, generator=random).requires_grad_()
    targets = torch.randint(30, (20,), generator=random)
    with torch.autocast("cpu", torch.bfloat16):
        loss = full_softmax(states, table, torch.zeros(30), targets)
    expected = functional.cross_entropy(states.bfloat16().float() @ table.bfloat16().float().T, targets)
    assert loss.dtype == torch.float32 and loss.item() == pytest.approx(expected.item(), rel=2e-3)
    loss.backward()
    (gradient,) = torch.autograd.grad(functional.cross_entropy(states @ table.T, targets), table)
    assert table.grad is not None and table.grad.dtype == torch.float32
    torch.testing.assert_close(table.grad, gradient, atol=2e-3, rtol=0.05)


def test_with_every_item_drawn_once_the_sampled_softmax_is_the_full_one() -> None:
    """Each item is then expected once, so that log K q = 0, and the target among the negatives does not count twice."""
    random = torch.Generator().manual_seed(1)
    states, table = torch.randn(9, 4, generator=random), torch.randn(6, 4, generator=random)
    bias, targets = torch.randn(6, generator=random), torch.randint(6, (9,), generator=random)
    sampled = sampled_softmax(states, table, bias, targets, torch.randperm(6, generator=random), torch.ones(6))
    torch.testing.assert_close(sampled, functional.cross_entropy(states @ table.T + bias, targets))


def test_with_the_correction_the_sampled_sum_is_right_on_average_over_all_draws() -> None:
    """Enumerate every draw of two from four items with unequal chances: E[exp(s_p + loss)] is the full sum."""
    random = torch.Generator().manual_seed(2)
    state, table = torch.randn(1, 3, generator=random), torch.randn(4, 3, generator=random)
    bias, chances, target = torch.randn(4, generator=random), torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor([1])
    score = (state @ table.T + bias)[0]
    mean = 0.0
    for draw in product(range(4), repeat=2):
        negatives = torch.tensor(draw)
        loss = sampled_softmax(state, table, bias, target, negatives, 2 * chances[negatives])
        mean += float(chances[negatives].prod() * (score[1] + loss).exp())
    assert mean == pytest.approx(float(score.exp().sum()), rel=1e-5)
