"""A split at one moment for all users: nothing that is learned or read comes from after it.

    train        events before the validation cut
    validation   a user's first event from the validation cut on that is before the test cut
    test         a user's first event from the test cut on; its input is all that the user took before the test cut

The test cut is a share of all events in time order, 0.9 unless said, or a date; at least as many events lie between
the cuts as after the test cut. Events with the time stamp of a cut come after it. Leave-one-out lets methods learn from
events of other users that come after a test event; this split does not.

With ties in the order of the file the test item is the first of its tie, and the item before it the last of another:
where ids stand in order, the order of ids tells against the test item, as by leave-one-out it tells for it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.data.splits import Split, shortened, targets_at
from benchmark.data.time_units import day_of, number_of, unit_of
from benchmark.errors import UsageError
from benchmark.types.data import Histories

DEFAULT_SHARE = 0.9


def parse_cut(text: str) -> float | date:
    """Return the share of events before the test cut, or its date; '' is the default. Raises UsageError."""
    try:
        cut: float | date = date.fromisoformat(text) if "-" in text else float(text or DEFAULT_SHARE)
    except ValueError:
        cut = 0.0
    if isinstance(cut, float) and not 0 < cut < 1:
        raise UsageError(
            f"--split time:{text[:60]}: write the share of events before the cut, as in time:0.9, or a date, as in "
            "time:2014-01-31"
        )
    return cut


def split_by_time(histories: Histories, times: NDArray[Any], cut: float | date) -> tuple[Split, str]:
    """Return the split and the day of the test cut; `times` [n_interactions] never decrease within a user.

    Raises UsageError where a cut leaves nothing to learn from or nobody to test.
    """
    validation_cut, test_cut, day = find_cuts(times, cut)
    user = histories.event_users
    learned, known = (
        np.bincount(user[times < at], minlength=len(histories)).astype(np.int64) for at in (validation_cut, test_cut)
    )
    validated, tested = (learned > 0) & (known > learned), (known > 0) & (histories.lengths > known)
    if not learned.any() or not tested.any():
        raise UsageError("--split time: no user has events on both sides of the cut; choose another cut")
    split = Split(
        train=shortened(histories, histories.lengths - learned),
        validation=targets_at(histories, histories.offsets[:-1] + learned, validated),
        test_inputs=shortened(histories, histories.lengths - known),
        test_targets=targets_at(histories, histories.offsets[:-1] + known, tested),
        skipped={
            "no event before the test cut": int((known == 0).sum()),
            "no event from the test cut on": int(((known > 0) & (histories.lengths == known)).sum()),
        },
    )
    return split, day


def find_cuts(times: NDArray[Any], cut: float | date) -> tuple[Any, Any, str]:
    """Return the time stamps of the validation and the test cut, and the day of the latter.

    Raises UsageError where nothing is left to learn from, or nobody to test.
    """
    ordered = np.sort(times)
    unit = unit_of(float(ordered[-1])) if len(ordered) else ""
    test_cut = _test_cut(ordered, cut, unit)
    later = len(ordered) - int(np.searchsorted(ordered, test_cut))
    if not 0 < 2 * later < len(ordered):
        raise UsageError(
            f"--split time: {later:,} of {len(ordered):,} events come after the cut, and as many before it are for "
            "validation: nothing to learn from or nobody to test is left; choose another cut"
        )
    return ordered[len(ordered) - 2 * later], test_cut, day_of(test_cut, unit)


def _test_cut(ordered: NDArray[Any], cut: float | date, unit: str) -> Any:
    if isinstance(cut, float):
        return ordered[int(cut * len(ordered))]
    number = number_of(cut, unit)
    if number is None:
        raise UsageError(
            f"--split time:{cut}: the time stamps of this data set are no dates (its last one is {ordered[-1]}); "
            "write the share of events before the cut, as in time:0.9"
        )
    return number
