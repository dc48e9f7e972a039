"""Columns that nobody named: taken by name and content, never between two that are equally good."""

import csv
import shlex
from pathlib import Path

import pytest
from foreign import histories, imported, notes, rows
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli.main import main
from benchmark.datasets.guessing import USUAL, guess_items
from benchmark.datasets.mapping import ITEM_FIELDS, KINDS
from benchmark.errors import UsageError

MUG, LAMP = "A red mug for tea and coffee, safe in the dishwasher", "A lamp for a desk with a switch and a long arm"


def table(path: Path, header: str, *lines: list[object]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(","), *lines])
    return path


def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], *words: object) -> str:
    items, *options = map(str, words)
    assert main(["import", "table", items, str(tmp_path / "set"), *options]) == 2
    assert not (tmp_path / "set").exists()
    return " ".join(capsys.readouterr().err.split())


def test_usual_names_are_taken_and_the_note_says_it_in_words_of_the_command(tmp_path: Path) -> None:
    lines = [[7, "Red mug", MUG, "Acme", "9.50", "Home > Mugs", 4], [8, "Lamp", LAMP, "Lux", "20", "Home", 0]]
    items = table(tmp_path / "shop.csv", "SKU,Product name,Details,Manufacturer,Price,Department,stock", *lines)
    dataset = imported(tmp_path, "table", items)
    expected = [("7", "Red mug", MUG, "Acme", "9.50", ["Home", "Mugs"]), ("8", "Lamp", LAMP, "Lux", "20", ["Home"])]
    fields = ("id", "title", "description", "brand", "price", "categories")
    assert rows(dataset, *fields) == expected and rows(dataset, "stock") == [("4",), ("0",)]
    (note,) = (line for line in notes(dataset).splitlines() if "--column" in line)
    given = shlex.split(note.partition("taken as with ")[2].partition(" (")[0])
    (tmp_path / "again").mkdir()
    assert rows(imported(tmp_path / "again", "table", items, *given), *fields) == expected


def test_an_id_and_texts_are_known_by_what_they_hold(tmp_path: Path) -> None:
    items = table(tmp_path / "t.csv", "what,kind,nr,more", ["Red mug", "x", "a1", MUG], ["Desk lamp", "x", "a2", LAMP])
    assert rows(imported(tmp_path, "table", items), "id", "title", "description") == [
        ("a1", "Red mug", MUG), ("a2", "Desk lamp", LAMP),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "lines", "says"),
    [
        ("sku,asin,title", [[1, "b1", "x"], [2, "b2", "y"]], "'sku' and 'asin' could each be the id"),
        ("nr,place,title", [[1, "b1", "x"], [2, "b2", "y"]], "'nr' and 'place' could each be the id"),
        ("id,name,product_name", [[1, "a", "b"]], "'name' and 'product_name' could each be the title"),
        ("id,one,other", [[1, "a mug", "a cup"]], "'one' and 'other' could each be the title"),
        ("colour,title", [["red", "a mug"], ["red", "a cup"]], "no column has a different word in every row"),
    ],
)
def test_two_that_are_equally_good_are_named_and_none_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: str, lines: list[list[object]], says: str
) -> None:
    said = refused(tmp_path, capsys, table(tmp_path / "t.csv", header, *lines))
    assert says in said and "--column" in said


def test_a_usual_name_whose_values_repeat_is_not_the_id(tmp_path: Path) -> None:
    items = table(tmp_path / "t.csv", "sku,asin,title", ["s", "b1", "x"], ["s", "b2", "y"])
    assert rows(imported(tmp_path, "table", items), "id", "sku") == [("b1", "s"), ("b2", "s")]


def test_wrong_lines_of_an_id_are_named_and_no_other_column_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repeated SKU must not make the stock, which happens to differ in all rows, the id."""
    items = table(tmp_path / "t.csv", "sku,title,stock", ["p1", "Mug", 7], ["p2", "Cup", 8], ["p2", "Jug", 9])
    assert "t.csv:4: the item id 'p2' was already used" in refused(tmp_path, capsys, items)
    items = table(tmp_path / "i.csv", "sku,title", ["p1", "Mug"], ["p2", "Cup"], ["p3", "Jug"])
    events = table(tmp_path / "e.csv", "customer,sku,ts", ["u1", "p1", 1], ["u 2", "p2", 2], ["u3", "p3", 3])
    said = refused(tmp_path, capsys, items, "--events", events)
    assert "e.csv:3: a user id must be one word without white space, not 'u 2'" in said


def test_our_own_names_come_before_usual_ones(tmp_path: Path) -> None:
    items = table(tmp_path / "t.csv", "id,sku,title,name", [1, 10, "Mug", "m"], [2, 20, "Lamp", "l"])
    assert rows(imported(tmp_path, "table", items), "id", "title", "sku", "name") == [
        ("1", "Mug", "10", "m"), ("2", "Lamp", "20", "l"),
    ]  # fmt: skip


def test_events_are_guessed_and_items_known_by_their_ids(tmp_path: Path) -> None:
    items = table(tmp_path / "t.csv", "sku,name", ["m", "Mug"], ["l", "Lamp"])
    orders = [["u1", "l", "2024-02-01", 1], ["u1", "m", "2024-01-31", 2], ["u2", "m", "2024-01-01", 1]]
    events = table(tmp_path / "orders.csv", "Customer ID,article,order_date,count", *orders)
    dataset = imported(tmp_path, "table", items, "--events", events)
    assert histories(dataset) == {"u1": ["m", "l"], "u2": ["m"]}
    assert "--column 'events.user=Customer ID' --column events.item=article --column events.time=order_date" in notes(
        dataset
    )


def test_two_possible_users_are_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = table(tmp_path / "t.csv", "id,title", ["m", "Mug"])
    events = table(tmp_path / "e.csv", "user_id,customer,item", ["u", "c", "m"])
    said = refused(tmp_path, capsys, items, "--events", events)
    assert "'user_id' and 'customer' could each be the user" in said and "--column events.user=user_id" in said


def test_the_id_of_a_query_is_not_its_text(tmp_path: Path) -> None:
    items = table(tmp_path / "t.csv", "id,title", ["a", "Mug"], ["b", "Lamp"])
    pairs = table(
        tmp_path / "p.csv", "query_id,query,sku,relevance", ["q1", "red cup", "a", 1], ["q2", "a light", "b", 2]
    )
    dataset = imported(tmp_path, "table", items, "--queries", pairs, "--judgments", pairs)
    judged = dataset.queries("judged", "test")
    assert judged and (judged.texts, judged.grades.tolist()) == (("red cup", "a light"), [1, 2])


@given(st.permutations(["sku", "name", "details", "maker", "cost", "department", "colour"]))
def test_the_order_of_columns_decides_nothing(tmp_path_factory, names) -> None:
    values = {
        "sku": "s",
        "name": "Mug",
        "details": MUG,
        "maker": "Acme",
        "cost": "3",
        "department": "Home",
        "colour": "red",
    }
    path = tmp_path_factory.mktemp("order") / "t.csv"
    guess = guess_items(table(path, ",".join(names), [values[name] + ("1" if name == "sku" else "") for name in names]))
    taken = {"title": "name", "description": "details", "brand": "maker", "price": "cost", "categories": "department"}
    assert guess.taken == {"id": "sku", **taken}


def test_usual_names_are_of_columns_that_exist() -> None:
    words = {f"items.{name}" for name in ITEM_FIELDS} | {f"{kind}.{name}" for kind in KINDS for name in KINDS[kind]}
    assert USUAL.keys() <= words
    with pytest.raises(UsageError, match="no column has a different word"):
        path = Path(__file__).with_name("nothing.csv")
        try:
            guess_items(table(path, "a,b", ["x", "y"], ["x", "y"]))
        finally:
            path.unlink()


EVENTS = [["u1", "a", "2024-03-01"], ["u1", "b", "2024-01-01"], ["u1", "c", "2024-02-01"]]


def lamps(tmp_path: Path) -> Path:
    return table(tmp_path / "items.csv", "sku,title", ["a", "blue lamp"], ["b", "red lamp"], ["c", "green lamp"])


@pytest.mark.parametrize("name", ["purchased_at", "reviewTime", "when", "Kaufdatum"])
def test_a_time_is_known_by_its_name_or_because_it_holds_dates(tmp_path: Path, name: str) -> None:
    events = table(tmp_path / "events.csv", f"customer,sku,{name}", *EVENTS)
    assert histories(imported(tmp_path, "table", lamps(tmp_path), "--events", events)) == {"u1": ["b", "c", "a"]}


def test_a_number_of_an_unknown_name_is_no_time(tmp_path: Path) -> None:
    """An order's number of ten digits looks like seconds since 1970."""
    lines = [["u1", item, 1_700_000_000 - row] for row, item in enumerate("abc")]
    events = table(tmp_path / "events.csv", "customer,sku,order", *lines)
    dataset = imported(tmp_path, "table", lamps(tmp_path), "--events", events)
    assert histories(dataset) == {"u1": ["a", "b", "c"]} and "events.csv has no time" in notes(dataset)


def test_a_time_of_day_beside_a_date_is_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [[*event, time] for event, time in zip(EVENTS, ("0930", "1200", "1100"), strict=True)]
    events = table(tmp_path / "events.csv", "customer,sku,date,time", *lines)
    said = refused(tmp_path, capsys, lamps(tmp_path), "--events", events)
    assert "'time' holds no dates and 'date' does" in said and "--column events.time=date" in said
    columns = [word for pair in ("user=customer", "item=sku", "time=date") for word in ("--column", f"events.{pair}")]
    dataset = imported(tmp_path, "table", lamps(tmp_path), "--events", events, *columns)
    assert histories(dataset) == {"u1": ["b", "c", "a"]}


@pytest.mark.parametrize("name", ["rating", "Relevance score", "relevant", "judgement"])
def test_a_grade_is_known_by_more_names(tmp_path: Path, name: str) -> None:
    queries = table(tmp_path / "q.csv", "id,text", ["q1", "lamp"])
    judged = table(tmp_path / "j.csv", f"query,item,{name}", ["q1", "a", 0], ["q1", "c", 3])
    dataset = imported(tmp_path, "table", lamps(tmp_path), "--queries", queries, "--judgments", judged)
    found = dataset.queries("judged", "test")
    assert found is not None and found.grades.tolist() == [0, 3]


def test_without_a_grade_other_columns_are_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else a rank or a label of another name would be left out, and every line would count as relevant."""
    queries = table(tmp_path / "q.csv", "id,text", ["q1", "lamp"])
    judged = table(tmp_path / "j.csv", "query,item,annotation", ["q1", "a", 0], ["q1", "c", 3])
    words = ["--queries", queries, "--judgments", judged]
    said = refused(tmp_path, capsys, lamps(tmp_path), *words)
    assert "none of its columns is known to be the grade (left: annotation)" in said
    given = said.rpartition("the others alone: ")[2].split()
    assert given == ["--column", "judgments.query=query", "--column", "judgments.item=item"]
    found = imported(tmp_path, "table", lamps(tmp_path), *words, *given).queries("judged", "test")
    assert found is not None and found.grades.tolist() == [1, 1]
