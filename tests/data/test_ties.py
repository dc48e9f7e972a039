"""Ties and the split by time against twins in plain loops."""

from datetime import date
from itertools import groupby, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.protocols import parse_split
from benchmark.data.ties import count_greater_ids, parse_ties, shuffled, tie_facts
from benchmark.data.time_split import split_by_time
from benchmark.data.time_units import CALENDAR, UNITS, day_of, number_of, unit_of
from benchmark.errors import UsageError
from benchmark.types.data import Histories
from benchmark.types.ties import places_of_ids

IDS = ("b10", "b2", "a", "c", "d")  # as strings: a, b10, b2, c, d
EVENTS = st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=9), min_size=1, max_size=9)


def histories(users: list[list[tuple[int, int]]]) -> tuple[Histories, Any, list[list[tuple[int, int]]]]:
    """(item, time) of each user -> histories, times [n_interactions] and the events in time order."""
    users = [sorted(events, key=lambda event: event[1]) for events in users]
    offsets = np.r_[0, np.cumsum([len(events) for events in users])].astype(np.int64)
    flat = [event for events in users for event in events]
    made = Histories(tuple(f"u{row}" for row in range(len(users))), offsets, np.array([i for i, _ in flat], np.int32))
    return made, np.array([time for _, time in flat], np.int64), users


@given(EVENTS, st.integers(0, 99))
def test_shuffling_moves_items_inside_their_ties_alone(users: Any, seed: int) -> None:
    before, times, events = histories(users)
    after = shuffled(before, times, seed)
    assert after.users == before.users and (after.offsets == before.offsets).all()
    for row, own in enumerate(events):
        found = iter(after[row].tolist())
        for _, tie in groupby(own, key=lambda event: event[1]):
            wanted = [item for item, _ in tie]
            assert sorted(wanted) == sorted(next(found) for _ in wanted)
    assert (shuffled(before, times, seed).items == after.items).all()
    apart = np.arange(len(times))  # no ties: nothing moves
    assert (shuffled(before, apart, seed).items == before.items).all()


def test_every_order_of_a_tie_is_as_likely_as_any_other() -> None:
    made, times, _ = histories([[(0, 1), (1, 1), (2, 1)]])
    orders = [tuple(shuffled(made, times, seed).items.tolist()) for seed in range(600)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6 and min(counts) > 60


@given(EVENTS)
def test_shares_are_those_counted_by_hand(users: Any) -> None:
    made, times, events = histories(users)
    names = sorted(IDS)
    place = {item: names.index(name) for item, name in enumerate(IDS)}
    pairs = [(place[a[0]], place[b[0]], a[1] == b[1], at + 2 == len(own)) for own in events
             for at, (a, b) in enumerate(pairwise(own))]  # fmt: skip
    twins = [sum(other[1] == event[1] for other in own) > 1 for own in events for event in own]

    def share(values: list[bool]) -> float:
        return round(sum(values) / len(values), 6) if values else 0.0

    expected = {
        "tied events": share(twins),
        "tied targets": share([tied for *_, tied, last in pairs if last]),
        "tied neighbours whose later item id is greater": share([b > a for a, b, tied, _ in pairs if tied and a != b]),
        "other neighbours whose later item id is greater": share(
            [b > a for a, b, tied, _ in pairs if not tied and a != b]
        ),
        "neighbours whose later item id is greater": share([b > a for a, b, *_ in pairs if a != b]),
        "targets whose item id is greater": share([b > a for a, b, _, last in pairs if last and a != b]),
    }
    over_nothing = {
        name for name, values in (
            ("tied events", twins), ("tied targets", [p for p in pairs if p[3]]),
            ("tied neighbours whose later item id is greater", [p for p in pairs if p[2] and p[0] != p[1]]),
            ("other neighbours whose later item id is greater", [p for p in pairs if not p[2] and p[0] != p[1]]),
            ("neighbours whose later item id is greater", [p for p in pairs if p[0] != p[1]]),
            ("targets whose item id is greater", [p for p in pairs if p[3] and p[0] != p[1]]),
        ) if not values
    }  # fmt: skip
    expected = {name: value for name, value in expected.items() if name not in over_nothing}
    assert tie_facts(made, times, IDS) == expected
    without = {name: value for name, value in expected.items() if not name.startswith(("tied", "other"))}
    assert tie_facts(made, None, IDS) == without
    lengths = made.lengths
    tested = np.flatnonzero(lengths >= 2)
    inputs = Histories(
        tuple(made.users[row] for row in tested), np.r_[0, np.cumsum(lengths[tested] - 1)],
        np.concatenate([made[row][:-1] for row in tested] or [np.zeros(0, np.int32)]),
    )  # fmt: skip
    targets = np.array([made[row][-1] for row in tested], np.int32)
    last_pairs = [(a, b) for a, b, _, last in pairs if last and a != b]
    counted = {"targets_compared": len(last_pairs), "targets_with_greater_id": sum(b > a for a, b in last_pairs)}
    assert count_greater_ids(inputs, targets, IDS) == counted


def test_ids_that_are_numbers_are_compared_as_numbers() -> None:
    assert places_of_ids(("10", "9", "100")).tolist() == [1, 0, 2]
    assert places_of_ids(("10", "9", "x")).tolist() == [0, 1, 2]


@given(EVENTS, st.floats(0.05, 0.95))
def test_one_cut_for_all_is_what_loops_over_the_events_give(users: Any, share: float) -> None:
    made, times, events = histories(users)
    ordered = sorted(time for own in events for _, time in own)
    cut = ordered[int(share * len(ordered))] if ordered else 0
    later = sum(time >= cut for time in ordered)
    earlier = ordered[len(ordered) - 2 * later] if 0 < 2 * later < len(ordered) else None
    parts = [
        ([i for i, t in own if t < earlier], [i for i, t in own if t < cut], [i for i, t in own if t >= cut])
        for own in events
    ] if earlier is not None else []  # fmt: skip
    if not any(train for train, *_ in parts) or not any(known and rest for _, known, rest in parts):
        if len(ordered):
            with pytest.raises(UsageError):
                split_by_time(made, times, share)
        return
    split, _ = split_by_time(made, times, share)
    assert [split.train[row].tolist() for row in range(len(made))] == [train for train, *_ in parts]
    assert [split.test_inputs[row].tolist() for row in range(len(made))] == [known for _, known, _ in parts]
    assert split.test_targets.tolist() == [rest[0] if known and rest else -1 for _, known, rest in parts]
    between = [known[len(train) :] for train, known, _ in parts]
    assert split.validation.tolist() == [
        new[0] if train and new else -1 for (train, *_), new in zip(parts, between, strict=True)
    ]  # fmt: skip
    assert list(split.skipped.values()) == [
        sum(not known for _, known, _ in parts),
        sum(bool(known) and not rest for _, known, rest in parts),
    ]


@pytest.mark.parametrize("unit", [*UNITS, *CALENDAR])
def test_a_date_is_a_cut_in_every_unit(unit: str) -> None:
    number = number_of(date(2014, 3, 5), unit)
    assert number is not None and unit_of(number) == unit and day_of(number, unit) == "2014-03-05"
    stamps = [number_of(date(2014, 1, day), unit) or 0 for day in range(1, 31)]
    users = [[(0, stamp) for stamp in stamps]]
    made, times, _ = histories(users)
    split, day = split_by_time(made, times, date(2014, 1, 25))
    assert day == "2014-01-25" and len(split.test_inputs[0]) == 24 and len(split.train[0]) == 18


@pytest.mark.parametrize(
    ("number", "unit"),
    [(20140131103000, "a time as YYYYMMDDhhmmss"), (201401311030, "a time as YYYYMMDDhhmm"),
     (20141331103000, "in milliseconds"), (20140131253000, "in milliseconds"), (201401311075, "in milliseconds"),
     (1390000000, "in seconds"), (1390000000000, "in milliseconds"), (20140131, "a date as YYYYMMDD"), (12, "")],
)  # fmt: skip
def test_a_number_that_reads_as_a_time_is_one(number: int, unit: str) -> None:
    assert unit_of(number) == unit
    if unit in CALENDAR:
        assert day_of(number, unit) == "2014-01-31"


def test_times_that_are_no_dates_have_no_date() -> None:
    made, times, _ = histories([[(0, time) for time in range(30)]])
    with pytest.raises(UsageError, match="time stamps of this data set are no dates"):
        split_by_time(made, times, date(2014, 1, 25))


@pytest.mark.parametrize(
    "text", ["tiem", "time:2", "time:0", "time:1", "time:x", "time:2014-13-01", "leave-one-out:3", ""]
)
def test_an_unknown_split_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--split"):
        parse_split(text)


@pytest.mark.parametrize("text", ["sorted", "shuffled:", "shuffled:x", "shuffled:-1", "file:1", ""])
def test_an_unknown_order_of_ties_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--ties"):
        parse_ties(text)


def test_words_of_a_protocol_have_one_form() -> None:
    assert [parse_split(text) for text in ("time", "time:0.90", "time:2014-01-02")] == ["time:0.9"] * 2 + [
        "time:2014-01-02"
    ]
    assert [parse_ties(text) for text in ("file", "shuffled", "shuffled:0", "shuffled:07")] == [
        "file", "shuffled", "shuffled", "shuffled:7",
    ]  # fmt: skip
