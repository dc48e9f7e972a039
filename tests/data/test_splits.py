"""Leave-one-out and training pairs against a twin that slices plain lists."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.splits import all_prefixes, leave_one_out, sampled_pairs
from benchmark.types.data import Histories

lists_of_items = st.lists(st.lists(st.integers(0, 50), max_size=12), max_size=12)


def histories(lists: list[list[int]]) -> Histories:
    offsets = np.r_[0, np.cumsum([len(items) for items in lists])].astype(np.int64)
    flat = [item for items in lists for item in items]
    return Histories([f"u{user}" for user in range(len(lists))], offsets, np.array(flat, np.int32))


def plain(parts: Histories) -> list[list[int]]:
    return [parts[user].tolist() for user in range(len(parts))]


@given(lists_of_items)
def test_leave_one_out_is_what_slicing_lists_gives(lists):
    split = leave_one_out(histories(lists))
    assert plain(split.train) == [
        items[:-2] if len(items) >= 3 else items[:-1] if len(items) == 2 else items for items in lists
    ]
    assert split.validation.tolist() == [items[-2] if len(items) >= 3 else -1 for items in lists]
    assert plain(split.test_inputs) == [items[:-1] for items in lists]
    assert split.test_targets.tolist() == [items[-1] if len(items) >= 2 else -1 for items in lists]
    assert list(split.skipped.values()) == [sum(len(items) < least for items in lists) for least in (2, 3)]


@given(lists_of_items)
def test_no_target_of_validation_or_test_is_among_the_training_positions(lists):
    numbered = histories([[100 * user + place for place in range(len(items))] for user, items in enumerate(lists)])
    split = leave_one_out(numbered)
    train = set(split.train.items.tolist())
    held_out = {item for item in (*split.validation.tolist(), *split.test_targets.tolist()) if item >= 0}
    assert not train & held_out
    assert train | held_out == set(numbered.items.tolist())


@given(lists_of_items)
def test_all_prefixes_are_every_history_and_its_next_item(lists):
    pairs = all_prefixes(train := histories(lists))
    found = [
        (user, train.items[start:end].tolist(), target)
        for user, start, end, target in zip(*(column.tolist() for column in pairs), strict=True)
    ]
    assert found == [(u, items[:end], items[end]) for u, items in enumerate(lists) for end in range(1, len(items))]


def possible(n: int) -> set[tuple[int, int, int]]:
    """The paper's (start, end, target), numbered from 1, for a user with n items of whom two are held out."""
    return {
        (start, target - 1, target)
        for target in range(max(3, n - 4), n - 2 + 1)
        for start in range(1, min(4, target - 1) - 1 + 1)
    }


def test_sampled_pairs_draw_exactly_the_papers_possibilities():
    lengths = list(range(5, 12))
    full = histories([[*range(1, n + 1)] for n in lengths])
    pairs = sampled_pairs(leave_one_out(full).train, seed=3, per_user=400)
    starts = leave_one_out(full).train.offsets[pairs.user]
    for user, n in enumerate(lengths):
        mine = pairs.user == user
        places = (pairs.start - starts + 1)[mine], (pairs.end - starts)[mine], pairs.target[mine]
        assert set(zip(*(column.tolist() for column in places), strict=True)) == possible(n)
    assert possible(5) == {(1, 2, 3)}


def test_sampled_targets_and_starts_are_uniform():
    pairs = sampled_pairs(histories([[*range(1, 9)]]), seed=0, per_user=30_000)
    for values, expected in ((pairs.target, (6, 7, 8)), (pairs.start + 1, (1, 2, 3))):
        shares = [np.mean(values == value) for value in expected]
        assert np.allclose(shares, 1 / 3, atol=0.02)


@given(lists_of_items, st.integers(0, 5))
def test_sampled_pairs_stay_inside_the_training_history_and_repeat_with_the_seed(lists, seed):
    train = histories(lists)
    pairs, again = sampled_pairs(train, seed), sampled_pairs(train, seed)
    assert all((a == b).all() for a, b in zip(pairs, again, strict=True))
    assert len(pairs.user) == 5 * sum(len(items) >= 2 for items in lists)
    assert (pairs.start >= train.offsets[pairs.user]).all() and (pairs.start < pairs.end).all()
    assert (pairs.end < train.offsets[pairs.user + 1]).all()
    assert (train.items[pairs.end] == pairs.target).all()
