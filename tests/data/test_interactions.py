"""User events: order, k-core, shares of ties and notes are those of plain loops."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.interactions import Interactions


def brute_core(events: list[tuple[int, int, int]], k: int) -> list[tuple[int, int, int]]:
    """The k-core after the earliest event of each pair, in the simplest words."""
    kept: list[tuple[int, int, int]] = []
    for place, event in sorted(enumerate(events), key=lambda pair: (pair[1][2], pair[0])):
        if not any(events[other][:2] == event[:2] for other in kept_places(kept)):
            kept.append((place, *event[:2]))
    left = sorted(place for place, *_ in kept)
    while True:
        counts_user = {u: sum(events[p][0] == u for p in left) for u, _, _ in events}
        counts_item = {i: sum(events[p][1] == i for p in left) for _, i, _ in events}
        fewer = [p for p in left if counts_user[events[p][0]] >= k and counts_item[events[p][1]] >= k]
        if fewer == left:
            return [events[p] for p in left]
        left = fewer


def kept_places(kept: list[tuple[int, int, int]]) -> list[int]:
    return [place for place, *_ in kept]


EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40)


@given(events=EVENTS, k=st.integers(1, 3))
def test_the_core_is_that_of_the_definition(tmp_path_factory: pytest.TempPathFactory, events: Any, k: int) -> None:
    interactions, expected = Interactions(), Interactions()
    for user, item, time in events:
        interactions.add(f"u{user}", f"i{item}", time)
    interactions.keep_core(k)
    kept = brute_core(events, k)
    assert len(interactions) == len(kept)
    for user, item, time in kept:
        expected.add(f"u{user}", f"i{item}", time)
    if kept:
        written = []
        for some in (interactions, expected):
            some.write(folder := tmp_path_factory.mktemp("core"))
            written.append(
                [sorted((folder / f"{name}.txt").read_text().splitlines()) for name in ("sequences", "times")]
            )
        assert written[0] == written[1]
        assert set(interactions.items) == {f"i{item}" for _, item, _ in kept}


@dataclass
class PlainInteractions:
    """The same in dictionaries and loops: what `Interactions` is checked against."""

    of_user: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # user -> (time, item) as they came
    items: dict[str, None] = field(default_factory=dict)  # a set that keeps the order

    def add(self, user: str, item: str, time: int) -> None:
        """Add one event; `time` in any unit that sorts."""
        self.of_user.setdefault(user, []).append((time, item))
        self.items[item] = None

    def lines(self) -> tuple[str, str]:
        """Return one line per user, oldest first: of items, and of times."""
        ordered = {user: sorted(events, key=_time) for user, events in self.of_user.items()}
        items = (" ".join([user, *(item for _, item in events)]) + "\n" for user, events in ordered.items())
        times = (" ".join([user, *(str(time) for time, _ in events)]) + "\n" for user, events in ordered.items())
        return "".join(items), "".join(times)

    def facts(self) -> dict[str, float]:
        """Return what the sequences no longer tell.

        tied_events: share of events with the time stamp of another event of the same user.
        tied_targets: share of users (of two events and more) whose last two events are tied, so that the order of
        the file decides which of the two is the test target.
        """
        events = tied = users = targets = 0
        for own in self.of_user.values():
            counts = Counter(time for time, _ in own)
            events += len(own)
            tied += sum(count for count in counts.values() if count > 1)
            users += len(own) > 1
            targets += len(own) > 1 and counts[max(counts)] > 1
        return {
            "tied_events": round(tied / max(events, 1), 6),
            "tied_targets": round(targets / max(users, 1), 6),
        }

    def notes(self) -> list[str]:
        """Return what is worth knowing about the raw events, with counts."""
        unsorted = sum(any(a > b for (a, _), (b, _) in pairwise(own)) for own in self.of_user.values())
        repeated = sum(len(own) - len({item for _, item in own}) for own in self.of_user.values())
        return [
            f"{count:,} {what}"
            for count, what in (
                (unsorted, "users' events are not in time order in the raw file; sorted"),
                (repeated, "events repeat an earlier item of the same user; kept"),
            )
            if count
        ]


def _time(event: tuple[int, str]) -> int:
    return event[0]


@given(events=EVENTS)
def test_events_facts_and_notes_are_those_of_plain_loops(tmp_path_factory: pytest.TempPathFactory, events: Any) -> None:
    folder = tmp_path_factory.mktemp("events")
    ours, theirs = Interactions(), PlainInteractions()
    for user, item, time in events:
        ours.add(f"u{user}", f"i{item}", time)
        theirs.add(f"u{user}", f"i{item}", time)
    ours.write(folder)
    assert ((folder / "sequences.txt").read_text(), (folder / "times.txt").read_text()) == theirs.lines()
    assert ours.facts() == theirs.facts()
    assert ours.notes() == theirs.notes()


def test_times_keep_every_digit_that_sorts(tmp_path: Path) -> None:
    events = Interactions()
    for time, fraction in ((1_600_000_000_123_456_789, 0.0), (1_600_000_000_123_456_788, 0.25), (5, 0.999999999999)):
        events.add("u", f"i{time}", time, fraction)
    events.write(tmp_path)
    words = "5.999999999 1600000000123456788.250000000 1600000000123456789.000000000"
    assert (tmp_path / "times.txt").read_text() == f"u {words}\n"


@given(events=EVENTS, fractions=st.booleans())
def test_of_events_with_one_user_item_and_time_the_first_is_kept(
    tmp_path_factory: pytest.TempPathFactory, events: Any, fractions: bool
) -> None:
    folder, found = tmp_path_factory.mktemp("events"), Interactions()
    for user, item, time in events:
        found.add(f"u{user}", f"i{item}", time, 0.5 * (time % 2) if fractions else 0.0)
    found.drop_repeats()
    found.write(folder)
    expected: dict[str, list[str]] = {}
    for user, item, _ in sorted(dict.fromkeys(events), key=lambda event: event[2]):
        expected.setdefault(f"u{user}", [f"u{user}"]).append(f"i{item}")
    lines = [line.split() for line in (folder / "sequences.txt").read_text().splitlines()]
    assert {line[0]: line for line in lines} == expected
