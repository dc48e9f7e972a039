"""Changed IDs against counting by hand, and renaming against every permutation of the codes."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.metrics.id_growth import id_changes

CODES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=12)


def ids_of(rows: list[tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    return {f"i{row}": codes for row, codes in enumerate(rows)}


def test_shares_by_hand() -> None:
    old = ids_of([(0, 1), (0, 1), (1, 1), (2,)])
    new = ids_of([(0, 1), (0, 2), (3, 1), (2, 0)]) | {"new": (0, 0)}
    found = id_changes(old, new)
    assert found["changed"] == 3 / 4 and found["first_changed"] == 1 / 4
    assert found["first_changed.renamed"] == 0  # 3 is the new name of 1
    assert found["changed.renamed"] == 2 / 4  # the second code of i1 differs, and i3 has one more code


@given(rows=CODES, names=st.permutations(range(4)))
def test_a_renaming_alone_changes_nothing(rows: list[tuple[int, int]], names: list[int]) -> None:
    found = id_changes(ids_of(rows), ids_of([(names[a], b) for a, b in rows]))
    assert found["changed.renamed"] == found["first_changed.renamed"] == 0
    assert found["first_changed"] == pytest.approx(np.mean([names[a] != a for a, _ in rows]))


@given(left=CODES, right=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=12, max_size=12))
def test_renaming_first_codes_is_as_good_as_the_best_permutation(
    left: list[tuple[int, int]], right: list[tuple[int, int]]
) -> None:
    right = right[: len(left)]
    firsts = [(a[0], b[0]) for a, b in zip(left, right, strict=True)]
    best = min(np.mean([name[b] != a for a, b in firsts]) for name in permutations(range(4)))
    assert id_changes(ids_of(left), ids_of(right))["first_changed.renamed"] == pytest.approx(best)


def test_an_item_without_a_new_id_is_an_error() -> None:
    with pytest.raises(KeyError):
        id_changes({"a": (1,)}, {"b": (1,)})
