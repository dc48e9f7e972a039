"""The corpus: one field's values."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import UsageError
from benchmark.types.data import Corpus

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


def test_an_unknown_field_is_refused_with_the_nearest_name_and_a_field_of_the_paper_may_be_absent() -> None:
    corpus = Corpus(pa.table({"id": ["a", "b"], "title": ["x", "y"], "colour": ["red", None]}))
    with pytest.raises(UsageError, match=r"'color': no item has it.* Did you mean 'colour'"):
        corpus.field("color")
    assert corpus.field("brand") == ["", ""] and corpus.field("colour") == ["red", ""]
