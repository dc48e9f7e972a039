"""How histories are read and split, in the words of a run: `--split` and `--ties`.

    leave-one-out, file     each user's last item, in the order of the file: the protocol of the papers
    time[:SHARE|DATE]       one cut for all users (`benchmark.data.time_split`)
    cold-start[:SHARE]      a share of the items is withheld from all learning (`benchmark.data.cold_start`)
    shuffled[:SEED]         ties in random order (`benchmark.data.ties`)

A cut in time and an order of ties change what a history is, not what an item or a query is: they concern
recommendation alone. New items concern every task.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmark.data import cold_start
from benchmark.data.cold_start import COLD_START, parse_share, split_cold_start, withheld_items
from benchmark.data.dataset import WITHOUT_TEST, Dataset
from benchmark.data.splits import Split, leave_one_out
from benchmark.data.ties import FILE, parse_ties, same_time, shuffled
from benchmark.data.time_split import DEFAULT_SHARE, find_cuts, parse_cut, split_by_time
from benchmark.errors import UsageError, did_you_mean
from benchmark.types.data import Histories

LEAVE_ONE_OUT, TIME = "leave-one-out", "time"
KINDS = (LEAVE_ONE_OUT, TIME, COLD_START)


def parse_split(text: str) -> str:
    """Return a split with its cut spelled out: 'time' becomes 'time:0.9'. Raises UsageError."""
    kind, colon, cut = text.strip().partition(":")
    if kind == TIME:
        return f"{TIME}:{parse_cut(cut)}"
    if kind == COLD_START:
        return f"{COLD_START}:{parse_share(cut)}"
    if kind != LEAVE_ONE_OUT or colon:
        hint = did_you_mean(kind, KINDS)
        raise UsageError(
            f"--split: '{text[:60]}' is none of leave-one-out, time[:{DEFAULT_SHARE} or a date] and "
            f"{COLD_START}[:{cold_start.DEFAULT_SHARE}].{hint}"
        )
    return LEAVE_ONE_OUT


def withholds_items(split: str) -> bool:
    """Return whether a split withholds items, so that it concerns every task."""
    return split.partition(":")[0] == COLD_START


def withheld_by(split: str, n_items: int) -> NDArray[np.bool_] | None:
    """Return which items a split withholds from learning [n_items]; None where it withholds none."""
    if not withholds_items(split):
        return None
    return withheld_items(n_items, parse_share(split.partition(":")[2]))


def check_histories(dataset: Dataset, split: str, ties: str) -> None:
    """Raise UsageError where the data set lacks what a split or an order of ties needs, or a cut splits nothing."""
    _ = withheld_by(split, dataset.n_items)
    own_split = split != LEAVE_ONE_OUT and not withholds_items(split)
    if not own_split and ties == FILE:
        return
    option = f"--split {split}" if own_split else f"--ties {ties}"
    if dataset.about.get(WITHOUT_TEST):
        raise UsageError(
            f"{option}: the data set '{dataset.name}' is a copy without the last event of each user, which holds test "
            "events of other splits and orders; settings are chosen on it with leave-one-out and the order of the file"
        )
    if "recommendation" not in dataset.tasks:
        raise UsageError(f"{option}: the data set '{dataset.name}' has no sequences.txt, so no recommendation")
    if dataset.times_file is None:
        raise UsageError(
            f"{option}: the data set '{dataset.name}' has no times.txt, so when its events were is unknown (one line a "
            "user: user time time ...; `benchmark data get` and `import` write it where the raw files have times)"
        )
    kind, _, cut = split.partition(":")
    if kind == TIME:
        find_cuts(dataset.times(), parse_cut(cut))
    if ties != FILE and not same_time(dataset.histories().event_users, dataset.times()).any():
        dataset.warnings.append(
            "No user has two events at one time stamp: ties shuffled or not, histories are the same."
        )


def read_histories(dataset: Dataset, ties: str) -> Histories:
    """Return the users' histories, with the items of each tie in the order that is asked for."""
    ties = parse_ties(ties)
    histories = dataset.histories()
    return histories if ties == FILE else shuffled(histories, dataset.times(), int(ties.partition(":")[2] or 0))


def split_histories(dataset: Dataset, split: str, ties: str) -> tuple[Split, str]:
    """Return the split of the histories, and the day of its cut; '' where there is none."""
    histories, (kind, _, cut) = read_histories(dataset, ties), parse_split(split).partition(":")
    if (withheld := withheld_by(split, dataset.n_items)) is not None:
        return split_cold_start(histories, withheld), ""
    return split_by_time(histories, dataset.times(), parse_cut(cut)) if kind == TIME else (leave_one_out(histories), "")
