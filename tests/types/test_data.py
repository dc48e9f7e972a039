"""Data in memory: one field's values of a corpus, and that nothing can be changed by a method that reads it."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.conformance import small_corpus
from benchmark.data.splits import leave_one_out
from benchmark.errors import UsageError
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.rankings import Rankings

VALUES = st.sampled_from([None, "", " ", "mug", "a: b", "title: x, y"])
PATHS = st.sampled_from([None, [], ["home"], ["home", "mugs"]])
Rows = list[tuple[str | None, list[str] | None]]


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, PATHS), min_size=1, max_size=8))
def test_a_field_is_its_column_without_nulls_and_a_list_is_joined(rows: Rows) -> None:
    titles, paths = zip(*rows, strict=True)
    ids = pa.array(map(str, range(len(rows))))
    columns = [ids, pa.array(titles, pa.string()), pa.array(paths, pa.list_(pa.string()))]
    table = pa.concat_tables([pa.table(columns, ["id", "title", "categories"])] * 2)  # in two batches
    corpus = Corpus(table)
    assert corpus.field("title") == [title or "" for title in titles] * 2
    assert corpus.field("category") == corpus.field("categories") == [", ".join(path or ()) for path in paths] * 2
    with_title = [f"title: {title}" for title in corpus.field("title") if title]
    assert [text for text in corpus.texts(("title",)) if text] == with_title


@pytest.mark.parametrize(
    ("columns", "fields", "texts"),
    [
        ({"description": ["Rivers flow.", None]}, ("title", "description"), ["Rivers flow.", ""]),
        ({"body": ["Rivers flow.", "So do lakes."]}, ("title",), ["Rivers flow.", "So do lakes."]),
        ({"title": ["Lamp", "Cup"], "brand": [None, "Acme"]}, ("title",), ["title: Lamp", "title: Cup"]),
        ({"title": ["Lamp", "Cup"], "categories": [["Home"], None]}, ("title",), ["title: Lamp", "title: Cup"]),
    ],
    ids=["passages", "a field of another name", "two fields", "products"],
)
def test_the_only_field_of_a_data_set_is_not_named(
    columns: dict[str, list[Any]], fields: tuple[str, ...], texts: list[str]
) -> None:
    assert Corpus(pa.table({"id": ["a", "b"], **columns}), fields).texts() == texts


def test_an_unknown_field_is_refused_with_the_nearest_name_and_a_field_of_the_paper_may_be_absent() -> None:
    corpus = Corpus(pa.table({"id": ["a", "b"], "title": ["x", "y"], "colour": ["red", None]}))
    with pytest.raises(UsageError, match=r"'color': no item has it.* Did you mean 'colour'"):
        corpus.field("color")
    assert corpus.field("brand") == ["", ""] and corpus.field("colour") == ["red", ""]


def test_a_negative_grade_is_0_and_the_callers_array_stays_as_it_is() -> None:
    rows, grades = np.arange(3, dtype=np.int32), np.array([2, -1, -2], np.int32)
    queries = QuerySet("made-up", ("a", "b", "c"), ("x", "y", "z"), rows, rows, grades)
    assert queries.grades.tolist() == [2, 0, 0] and grades.tolist() == [2, -1, -2]


def test_ids_rows_and_paths_cannot_be_changed() -> None:
    corpus = small_corpus(3)
    with pytest.raises(AttributeError):
        corpus.ids.reverse()  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        corpus.row_of["new"] = 3  # type: ignore[index]
    with pytest.raises(TypeError):
        corpus.paths[0] = ()  # type: ignore[index]
    corpus.texts().reverse()  # a list of the caller's own
    assert corpus.texts()[0].startswith("title: red lamp")
    assert list(corpus.row_of.items()) == [("item0", 0), ("item1", 1), ("item2", 2)]


def mapped(array: np.ndarray, folder: Path) -> np.ndarray:
    np.save(folder / "array.npy", array)
    return np.load(folder / "array.npy", mmap_mode="r+")


@pytest.mark.parametrize("on_disk", [False, True], ids=["in memory", "memory-mapped"])
def test_arrays_are_views_that_cannot_be_written_and_the_callers_own_can(on_disk: bool, tmp_path: Path) -> None:
    names, offsets = ["a", "b"], np.array([0, 1, 2])
    own = mapped(np.array([1, 0], np.int32), tmp_path) if on_disk else np.array([1, 0], np.int32)
    column = own.reshape(2, 1)
    histories, codes = Histories(names, offsets, own), Codes(column, (2,))  # type: ignore[arg-type]
    queries, rankings = QuerySet("q", names, names, own, own, own), Rankings(column, column)  # type: ignore[arg-type]
    locked = [
        histories.items, histories.offsets, histories[0], histories.select(np.array([1])).items, codes.values,
        codes.with_counter().values, queries.query_rows, queries.item_rows, queries.grades, rankings.items,
        rankings.scores,
    ]  # fmt: skip
    for array in locked:
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0
    assert histories.users == queries.ids == queries.texts == ("a", "b")
    assert isinstance(histories.items, np.memmap) == on_disk and np.shares_memory(histories.items, own)
    own[0], offsets[0] = 0, 0
    assert codes.values.tolist() == [[0], [0]]


def test_a_splits_targets_cannot_be_written() -> None:
    split = leave_one_out(Histories(("a",), np.array([0, 3]), np.array([0, 1, 2], np.int32)))
    for array in (split.validation, split.test_targets, split.train.items, split.test_inputs.items):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
