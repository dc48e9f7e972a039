"""The split cold-start against plain lists: what is withheld, what is learned from, what is tested."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.cold_start import KnownItems, parse_share, split_cold_start, withheld_items
from benchmark.data.dataset import Dataset
from benchmark.data.protocols import check_histories, parse_split, split_histories, withheld_by
from benchmark.errors import UsageError
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet

N = 12
USERS = st.lists(st.lists(st.integers(0, N - 1), min_size=1, max_size=9), min_size=1, max_size=6)


def histories_of(users: list[list[int]]) -> Histories:
    offsets = np.concatenate([[0], np.cumsum([len(user) for user in users])]).astype(np.int64)
    names = tuple(f"u{row}" for row in range(len(users)))
    return Histories(names, offsets, np.array([item for user in users for item in user], np.int32))


def as_lists(histories: Histories) -> list[list[int]]:
    return [histories[row].tolist() for row in range(len(histories))]


def test_the_share_is_drawn_once_and_smaller_shares_are_parts_of_larger_ones() -> None:
    drawn = [withheld_items(1000, share) for share in (0.01, 0.05, 0.2)]
    assert [int(mask.sum()) for mask in drawn] == [10, 50, 200]
    assert (drawn[0] <= drawn[1]).all() and (drawn[1] <= drawn[2]).all()
    assert np.array_equal(drawn[2], withheld_items(1000, 0.2))
    rows = np.flatnonzero(drawn[2])
    assert 400 < rows.mean() < 600  # of all items, not of the first or last


@pytest.mark.parametrize("text", ["0", "1", "x", "-0.1", "1.5", "nan"])
def test_a_share_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"cold-start:0\.1"):
        parse_share(text)


def test_splits_are_spelled_out(shop: Path, tmp_path: Path) -> None:
    assert [parse_split(text) for text in ("cold-start", "cold-start:0.10", "cold-start:.2")] == [
        "cold-start:0.1", "cold-start:0.1", "cold-start:0.2",
    ]  # fmt: skip
    assert withheld_by("leave-one-out", 10) is None and withheld_by("time:0.9", 10) is None
    with pytest.raises(UsageError, match="left to learn from"):
        withheld_items(2, 0.9)
    dataset = Dataset(shop, cache=tmp_path)
    check_histories(dataset, "cold-start:0.1", "file")  # needs no times, unlike ties
    with pytest.raises(UsageError, match=r"--ties shuffled: .* no times.txt"):
        check_histories(dataset, "cold-start:0.1", "shuffled")


@given(users=USERS, apart=st.sets(st.integers(0, N - 1), max_size=N - 1))
def test_the_split_is_what_plain_lists_give(users: list[list[int]], apart: set[int]) -> None:
    withheld = np.isin(np.arange(N), list(apart))
    split = split_cold_start(histories_of(users), withheld)
    inputs = as_lists(split.test_inputs)
    for row, user in enumerate(users):
        known = [item for item in user if item not in apart]
        assert as_lists(split.train)[row] == known[: {0: 0, 1: 1, 2: 1}.get(len(known), -2)]
        assert split.validation[row] == (known[-2] if len(known) > 2 else -1)
        before = known if user[-1] in apart else known[:-1]
        assert inputs[row] == before
        assert split.test_targets[row] == (user[-1] if before else -1)
    assert split.skipped["no known item before the test item"] == sum(not before for before in inputs)


@given(users=USERS, apart=st.sets(st.integers(0, N - 1), min_size=2, max_size=N - 1), data=st.data())
def test_nothing_that_is_learned_from_depends_on_events_of_withheld_items(
    users: list[list[int]], apart: set[int], data: st.DataObject
) -> None:
    """Such events are taken out, put in and exchanged, also where a history ends."""
    other = []
    for user in users:
        known = [item for item in user if item not in apart]
        for item in data.draw(st.lists(st.sampled_from(sorted(apart)), max_size=4)):
            known.insert(data.draw(st.integers(0, len(known))), item)
        other.append(known)
    withheld = np.isin(np.arange(N), list(apart))
    left, right = (split_cold_start(histories_of(lists), withheld) for lists in (users, other))
    assert as_lists(left.train) == as_lists(right.train) and np.array_equal(left.validation, right.validation)
    assert not np.isin(left.train.items, list(apart)).any() and not np.isin(left.test_inputs.items, list(apart)).any()


@pytest.fixture
def known(shop: Path, tmp_path: Path) -> KnownItems:
    dataset = Dataset(shop, cache=tmp_path)
    return KnownItems(dataset, dataset.corpus(), withheld_items(dataset.n_items, 0.25))


def test_known_items_are_numbered_anew_and_back(known: KnownItems) -> None:
    every = known.items
    assert len(known.corpus) == 45 and len(known.new) == 15
    assert set(known.corpus.ids) | set(known.new.ids) == set(every.ids)
    assert [every.ids[row] for row in known.rows] == list(known.corpus.ids)
    assert known.corpus.texts() == [every.texts()[row] for row in known.rows]
    split, _ = split_histories(known.dataset, "cold-start:0.25", "file")
    renumbered = known.histories(split.train)
    for row in range(len(renumbered)):
        assert [known.corpus.ids[item] for item in renumbered[row]] == [every.ids[item] for item in split.train[row]]
    targets = known.targets(split.validation)
    assert [known.corpus.ids[to] if to >= 0 else "" for to in targets] == [
        every.ids[of] if of >= 0 else "" for of in split.validation
    ]
    values = np.arange(60, dtype=np.int32)[:, None]
    joined = Codes(values[~known.withheld], (60,)).joined(Codes(values[known.withheld], (60,)), known.withheld)
    assert np.array_equal(joined.values, values)
    assert np.array_equal(known.codes(joined).values[:, 0], known.rows)


def test_judged_queries_lose_withheld_items_and_those_without_another_are_left_out(known: KnownItems) -> None:
    new, old = np.flatnonzero(known.withheld), known.rows
    rows = [
        (0, old[0], 1),
        (0, new[0], 2),
        (1, new[1], 1),
        (2, old[3], 0),
        (3, new[2], 1),
        (3, old[4], 0),
        (4, old[5], 2),
    ]
    query, item, grade = (np.array(part, np.int32) for part in zip(*rows, strict=True))
    given_queries = QuerySet("judged", tuple("abcde"), tuple("ABCDE"), query, item, grade)
    found = known._judged(given_queries)
    assert found.ids == ("a", "c", "e")  # b and d ask for withheld items alone; c has none that is relevant, as before
    triples = zip(found.query_rows, found.item_rows, found.grades, strict=True)
    assert [(found.texts[q], known.corpus.ids[i], g) for q, i, g in triples] == [
        ("A", known.items.ids[old[0]], 1), ("C", known.items.ids[old[3]], 0), ("E", known.items.ids[old[5]], 2),
    ]  # fmt: skip


def test_simulated_queries_are_of_known_items_and_unlike_the_test_queries_of_their_item(known: KnownItems) -> None:
    withheld = set(np.flatnonzero(known.withheld).tolist())
    test = known.test_queries("simulated")
    assert test is not None and len(set(test.ids)) == len(test)
    assert {int(item) for item in test.item_rows} & withheld  # withheld ones are searched for, too
    words = words_by_item(test, known.items)
    for queries in (known.queries("simulated", "train"), known.simulated_training(3)):
        assert queries is not None and queries.item_rows.max() < len(known.corpus)
        own = words_by_item(queries, known.corpus)
        assert len(own) > 40 and not own & words


def words_by_item(queries: QuerySet, corpus: Corpus) -> set[tuple[str, frozenset[str]]]:
    pairs = zip(queries.item_rows, queries.texts, strict=True)
    return {(corpus.ids[item], frozenset(text.split())) for item, text in pairs}
