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


def test_columns_with_a_known_name_are_kept_beside_mapped_ones_and_the_rest_is_named(tmp_path: Path) -> None:
    items = csv_file(
        tmp_path / "items.csv", ["sku", "name", "description", "brand", "category", "stock", "title", "material"],
        ["s1", "Mug", "For tea", "Acme", "Home > Mugs", 3, "internal 17", "clay"],
    )  # fmt: skip
    columns = [word for pair in ("id=sku", "title=name", "material=material") for word in ("--column", pair)]
    dataset = imported(tmp_path, "table", items, *columns)
    assert rows(dataset, "id", "title", "description", "brand", "categories", "material") == [
        ("s1", "Mug", "For tea", "Acme", ["Home", "Mugs"], "clay"),
    ]  # fmt: skip
    assert "items.csv: 2 fields left out: stock, title" in notes(dataset)


def test_a_target_that_nothing_reads_is_refused_with_the_nearest_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = csv_file(tmp_path / "items.csv", ["id", "name"], [1, "Mug"])
    assert main(["import", "table", str(items), str(tmp_path / "set"), "--column", "titel=name"]) == 2
    error = capsys.readouterr().err
    assert "items have no 'titel'. Did you mean 'title'?" in error and "--column name=name" in error


def test_a_mapped_category_wins_over_a_column_of_that_name(tmp_path: Path) -> None:
    items = csv_file(tmp_path / "items.csv", ["id", "title", "categories", "path"], [1, "Mug", "Sale", "Home > Mugs"])
    dataset = imported(tmp_path, "table", items, "--column", "category=path")
    assert rows(dataset, "categories") == [(["Home", "Mugs"],)]
    assert "items.csv: 1 fields left out: categories" in notes(dataset)


@pytest.mark.parametrize(
    ("texts", "paths", "note"),
    [
        (["Home > Mugs", "Home"], [["Home", "Mugs"], ["Home"]], "separated by '>'"),
        (["Home|Mugs", "Home"], [["Home", "Mugs"], ["Home"]], "separated by '|'"),
        (["Home; Mugs", "Home"], [["Home", "Mugs"], ["Home"]], "separated by ';'"),
        (["Home, Mugs", "Home"], [["Home, Mugs"], ["Home"]], "1 categories hold ',', which is taken as part"),
        (["A > B", "C > D", "E|F"], [["A", "B"], ["C", "D"], ["E|F"]], "1 categories hold '|', which is taken as part"),
    ],
)
def test_a_category_text_is_split_at_the_sign_that_the_table_uses(
    tmp_path: Path, texts: list[str], paths: list[list[str]], note: str
) -> None:
    lines = ([number, "x", text] for number, text in enumerate(texts))
    dataset = imported(tmp_path, "table", csv_file(tmp_path / "items.csv", ["id", "title", "categories"], *lines))
    assert [path for (path,) in rows(dataset, "categories")] == paths
    assert note in notes(dataset)


def test_a_query_that_comes_again_with_its_text_is_written_once(tmp_path: Path) -> None:
    """Exports with one line for each judged pair name the query on every one."""
    items = csv_file(tmp_path / "items.csv", ["id", "title"], ["a", "Mug"], ["b", "Lamp"])
    pairs = csv_file(
        tmp_path / "pairs.csv", ["query_id", "query", "item", "grade", "locale"],
        ["q1", "red cup", "a", 1, "us"], ["q1", "red  cup ", "b", 0, "us"], ["q2", "light", "b", 2, "us"],
    )  # fmt: skip
    columns = ("queries.id=query_id", "queries.text=query", "judgments.query=query_id")
    options = [word for column in columns for word in ("--column", column)]
    dataset = imported(tmp_path, "table", items, "--queries", pairs, "--judgments", pairs, *options)
    judged = dataset.queries("judged", "test")
    assert judged and (judged.texts, judged.grades.tolist()) == (("red cup", "light"), [1, 0, 2])
    assert "1 lines repeat a query (test); written once" in notes(dataset)
    assert "pairs.csv: 1 fields left out: locale" in notes(dataset)


def test_a_query_with_two_texts_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = csv_file(tmp_path / "items.csv", ["id", "title"], ["a", "Mug"])
    queries = csv_file(tmp_path / "q.csv", ["id", "text"], ["q1", "cup"], ["q1", "mug"])
    judgments = csv_file(tmp_path / "j.csv", ["query", "item"], ["q1", "a"])
    words = [items, tmp_path / "set", "--queries", queries, "--judgments", judgments]
    assert main(["import", "table", *map(str, words)]) == 2
    assert "q.csv:3: the query id 'q1' was already used, for 'cup'" in capsys.readouterr().err


def test_html_entities_separate_no_categories(tmp_path: Path) -> None:
    paths = ["Toys &amp; Games > Dolls", "Home &amp; Kitchen &gt; Mugs", "Books"]
    lines = "".join(f"{row}\tthing {row}\t{path}\n" for row, path in enumerate(paths))
    dataset = imported(tmp_path, "table", write(tmp_path / "items.tsv", "id\ttitle\tcategories\n" + lines))
    assert rows(dataset, "categories") == [(["Toys & Games", "Dolls"],), (["Home & Kitchen", "Mugs"],), (["Books"],)]


def test_a_quote_at_the_start_of_a_tab_field_takes_no_further_lines(tmp_path: Path) -> None:
    lines = '1\t"Alpha\tA\n2\tBeta"\tB\n3\t"Ga ""mma"""\tC\n'
    dataset = imported(tmp_path, "table", write(tmp_path / "items.tsv", "id\ttitle\tbrand\n" + lines))
    assert rows(dataset, "id", "title", "brand") == [
        ("1", '"Alpha', "A"), ("2", 'Beta"', "B"), ("3", 'Ga "mma"', "C"),
    ]  # fmt: skip


def test_lost_leading_zeros_are_named_where_they_make_items_unknown(tmp_path: Path) -> None:
    """A spreadsheet reads 009991 as the number 9991."""
    skus = [f"{number:06}" for number in range(9990, 10000)]
    items = csv_file(tmp_path / "items.csv", ["id", "title"], *([sku, f"mug {sku}"] for sku in skus), [7, "lamp"])
    bought = [[f"u{row}", item] for row, item in enumerate([*map(int, skus), "009990", "gone", "0007"])]
    events = csv_file(tmp_path / "events.csv", ["user", "item"], *bought)
    queries = csv_file(tmp_path / "q.csv", ["id", "text"], ["q1", "mug"])
    judgments = csv_file(tmp_path / "j.csv", ["query", "item"], ["q1", "009991"], ["q1", 9992])
    tables = ["--events", events, "--queries", queries, "--judgments", judgments]
    said = notes(imported(tmp_path, "table", items, *tables)).splitlines()
    assert (
        "12 events of events.csv name an unknown item; left out, e.g. '9990'; 10 of them would be known with leading "
        "zeros, which spreadsheets drop; 1 of them would be known without leading zeros, which spreadsheets drop"
    ) in said
    assert (
        "1 judgments (test) of items not in the data set; they count as missed, e.g. '9992'; 1 of them would be known "
        "with leading zeros, which spreadsheets drop"
    ) in said


@pytest.mark.parametrize("table", ["events", "judgments"])
def test_the_error_of_a_table_without_a_known_item_names_lost_zeros(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str
) -> None:
    items = csv_file(tmp_path / "items.csv", ["id", "title"], ["009991", "mug"], ["009992", "lamp"])
    queries = csv_file(tmp_path / "q.csv", ["id", "text"], ["q1", "mug"])
    first = {"events": "user", "judgments": "query"}[table]
    rows = csv_file(tmp_path / "rows.csv", [first, "item"], ["q1", 9991], ["q1", 9992], ["q1", "gone"])
    more = ["--queries", queries] if table == "judgments" else []
    assert main(["import", "table", *map(str, [items, tmp_path / "set", f"--{table}", rows, *more])]) == 2
    said = "3 name an unknown item, e.g. '9991'; 2 of them would be known with leading zeros, which spreadsheets drop"
    assert said in capsys.readouterr().err
