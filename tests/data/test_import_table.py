"""Tables of items, events and searches come in: CSV, TSV, Parquet."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from foreign import histories, imported, notes, rows, write

from benchmark.cli.main import main


def csv_file(path: Path, header: list[str], *lines: list[object]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([header, *lines])
    return path


def test_a_csv_with_mapped_columns_events_and_searches(tmp_path: Path) -> None:
    items = csv_file(
        tmp_path / "items.csv", ["sku", "name", "text", "cat", "stock"],
        [1, 'Mug, "red"', "For tea.\nDishwasher safe.", "Home > Mugs", 4], [2, "Lamp", "", "Home", 0],
    )  # fmt: skip
    events = csv_file(
        tmp_path / "orders.tsv", ["customer", "item", "time"],
        ["u", 2, "2024-02-01T10:00:00"], ["u", 1, "2024-01-31"], ["u", 7, "2024-01-01"],
    )  # fmt: skip
    queries = csv_file(tmp_path / "q.csv", ["id", "q"], ["q1", "red cup"])
    judgments = csv_file(tmp_path / "j.csv", ["query", "item"], ["q1", 1])
    columns = ["id=sku", "title=name", "description=text", "categories=cat", "events.user=customer", "queries.text=q"]
    options = [word for column in columns for word in ("--column", column)]
    tables = ["--events", events, "--queries", queries, "--judgments", judgments]
    dataset = imported(tmp_path, "table", items, *tables, *options)
    assert rows(dataset, "id", "title", "description", "categories") == [
        ("1", 'Mug, "red"', "For tea.\nDishwasher safe.", ["Home", "Mugs"]), ("2", "Lamp", None, ["Home"]),
    ]  # fmt: skip
    assert "stock" not in dataset.corpus().table.column_names
    assert histories(dataset) == {"u": ["1", "2"]}
    judged = dataset.queries("judged", "test")
    assert judged and (judged.texts, judged.grades.tolist()) == (("red cup",), [1])
    assert "1 events of orders.tsv name an unknown item" in notes(dataset)


def test_parquet_without_a_mapping_keeps_every_column(tmp_path: Path) -> None:
    columns = {"id": [10.0, 11.0], "title": [b"ab", "ö".encode()], "price": [1.5, None], "categories": [["X", "Y"], []]}
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "items.parquet")
    dataset = imported(tmp_path, "table", tmp_path / "items.parquet")
    assert rows(dataset, "id", "title", "price", "categories") == [
        ("10", "ab", "1.5", ["X", "Y"]), ("11", "ö", None, None),
    ]  # fmt: skip


def test_parquet_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "items.parquet", "id,title\n1,a\n")
    assert main(["import", "table", str(path), str(tmp_path / "set")]) == 2
    assert "row 1: not readable as Parquet" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("items.xlsx", "no .csv, .tsv or .parquet"),
        ("parts.parquet", "is a folder"),
        ("nowhere.csv", "there is no such file"),
    ],
)
def test_what_is_no_table_is_refused_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    (tmp_path / "items.xlsx").write_text("id\n1\n")
    (tmp_path / "parts.parquet").mkdir()
    assert main(["import", "table", str(tmp_path / name), str(tmp_path / "set")]) == 2
    assert f"{tmp_path / name}: {reason}" in capsys.readouterr().err


def test_any_text_table_is_read_with_a_separator(tmp_path: Path) -> None:
    dataset = imported(tmp_path, "table", write(tmp_path / "items.psv", "id|title\n1|Mug\n"), "--separator", "|")
    assert rows(dataset, "id", "title") == [("1", "Mug")]
