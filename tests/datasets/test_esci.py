"""ESCI: which searches a data set gets, and how they are split."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upstream import examples_file

from benchmark.datasets import esci
from benchmark.errors import DataError

ROWS = [
    (1, "red  lipstick\t", "a", "us", "E", "test"),
    (1, "red  lipstick\t", "b", "us", "S", "test"),  # a substitute is not relevant
    (1, "red  lipstick\t", "c", "us", "E", "test"),
    (1, "red  lipstick\t", "a", "us", "E", "test"),  # said twice
    (2, "pintalabios", "a", "es", "E", "test"),
    (3, "drill", "z", "us", "E", "test"),  # not an item
    (4, "comb", "b", "us", "E", "train"),
]


def build(folder: Path, rows: list, locale: str = "us") -> list[str]:
    path = examples_file(folder / "examples.parquet", rows)
    return esci.write_queries(path, {"a", "b", "c"}, folder, locale=locale)


def test_searches_are_those_with_an_exact_product_among_the_items(tmp_path):
    notes = build(tmp_path, ROWS)
    assert (tmp_path / "queries.tsv").read_text() == "1\tred lipstick\n"
    assert (tmp_path / "qrels.txt").read_text() == "1 0 a 1\n1 0 c 1\n"
    assert (tmp_path / "qrels.train.txt").read_text() == "4 0 b 1\n"
    assert notes == ["ESCI has no dev query for these items"] and not (tmp_path / "queries.dev.tsv").exists()


def test_the_other_shops_searches_come_with_all_locales(tmp_path):
    build(tmp_path, ROWS, "all")
    assert (tmp_path / "queries.tsv").read_text() == "1\tred lipstick\n2\tpintalabios\n"


@given(st.sets(st.integers(0, 10**6), max_size=200))
def test_an_eighth_of_the_train_queries_validates_and_no_query_is_lost(numbers):
    queries = {str(number): (f"q{number}", {"a": None}) for number in numbers}
    train, dev = esci.split_train(queries)
    assert len(dev) == len(numbers) // 8 and train.keys() | dev.keys() == queries.keys()
    assert esci.split_train(dict(reversed(queries.items()))) == (train, dev)


def test_the_split_is_a_shuffle(tmp_path):
    train, dev = esci.split_train({str(n): ("q", {}) for n in range(800)})
    places = sorted(int(query) for query in dev)
    assert len(train) == 700 and places[0] < 80 and places[-1] > 720


def test_a_file_that_is_no_parquet_or_lacks_a_column_is_refused(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 version https://git-lfs.github.com/spec/v1")
    with pytest.raises(DataError, match="not a readable parquet file"):
        esci.write_queries(tmp_path / "x.parquet", {"a"}, tmp_path, locale="us")
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"query": ["x"], "split": ["test"]}), tmp_path / "y.parquet")
    with pytest.raises(DataError, match="has no column query_id, product_id"):
        esci.write_queries(tmp_path / "y.parquet", {"a"}, tmp_path, locale="us")
