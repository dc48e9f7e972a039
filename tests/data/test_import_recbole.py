"""RecBole's atomic files come in, item by item and event by event."""

from pathlib import Path

import pytest
from foreign import histories, imported, notes, rows, write
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli.main import main
from benchmark.data.writing import FolderWriter
from benchmark.datasets.item_lists import ItemLists, Window
from benchmark.errors import DataError


@pytest.fixture
def recbole(tmp_path: Path) -> Path:
    folder = tmp_path / "ml"
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    write(folder / "ml.inter", header + "1\tb\t5\t20\n1\ta\t3\t10.5\n2\ta\t1\t7\n1\tc\t4\t20\n2\tz\t5\t9\n")
    items = ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tvector:float_seq"]
    items += ["a\tToy Story\t1995\tAnimation Comedy\t0.1 0.2", "b\tHeat\t\tCrime\t1", 'c\t"Heat" again\t1996\t\t']
    write(folder / "ml.item", "\n".join(items) + "\n")
    return folder


def test_recboles_files_bring_items_and_events_in_time_order(tmp_path: Path, recbole: Path) -> None:
    dataset = imported(tmp_path, "recbole", recbole, check=False)
    assert rows(dataset, "id", "title", "release_year", "categories") == [
        ("a", "Toy Story", "1995", ["Animation", "Comedy"]), ("b", "Heat", None, ["Crime"]),
        ("c", '"Heat" again', "1996", None), ("z", None, None, None),
    ]  # fmt: skip
    assert histories(dataset) == {"1": ["a", "b", "c"], "2": ["a", "z"]}  # b and c are tied: as in the file
    assert "movie_title is taken for title" in notes(dataset)
    assert "ml.item: 1 fields left out: vector" in notes(dataset)
    assert "1 items have events but no line in ml.item" in notes(dataset)
    assert dataset.about["facts"] == {"tied_events": 0.4, "tied_targets": 0.5}


def test_a_column_option_says_which_recbole_field_is_which(tmp_path: Path, recbole: Path) -> None:
    dataset = imported(tmp_path, "recbole", recbole / "ml.inter", "--column", "title=release_year", check=False)
    assert rows(dataset, "id", "title", "movie_title")[0] == ("a", "1995", "Toy Story")


def test_recbole_without_an_item_file_is_a_set_for_recommendation(tmp_path: Path, recbole: Path) -> None:
    (recbole / "ml.item").unlink()
    dataset = imported(tmp_path, "recbole", recbole)
    assert dataset.default_tasks == ("recommendation",)
    assert histories(dataset) == {"1": ["a", "b", "c"], "2": ["a", "z"]}


def cut(history: list[str], most: int) -> list[tuple[str, str]]:
    """Return (list, target) of every event but the first, oldest first, lists cut to their last `most` items."""
    return [(" ".join(history[max(0, end - most) : end]), history[end]) for end in range(1, len(history))]


def list_files(folder: Path, users: dict[str, list[str]], *, most: int = 50, step: int = -1, parts: str = "") -> Path:
    """Write the files as LC-Rec's script does (step -1) or in order: the last event is the test's, the one before .."""
    for part in parts.split() or ("train", "valid", "test"):
        lines = ["user_id:token\titem_id_list:token_seq\titem_id:token"]
        for user, history in users.items():
            windows = cut(history, most)
            of_part = {"train": windows[:-2], "valid": windows[-2:-1], "test": windows[-1:]}[part]
            lines += [f"{user}\t{before}\t{target}" for before, target in of_part[::step]]
        write(folder / f"Shop.{part}.inter", "\n".join(lines) + "\n")
    return folder


USERS = {"7": list("pqrst"), "8": list("xxxyx"), "9": list("abcdefghij"), "3": list("qp")}


@pytest.mark.parametrize("step", [-1, 1])
@pytest.mark.parametrize("most", [50, 3])
@pytest.mark.parametrize("source", ["", "Shop.train.inter", "Shop.test.inter"])
def test_item_lists_are_put_together_to_the_histories_that_they_were_cut_from(
    tmp_path: Path, source: str, most: int, step: int
) -> None:
    folder = list_files(tmp_path / "data", USERS, most=most, step=step)
    dataset = imported(tmp_path, "recbole", folder / source)
    assert histories(dataset) == USERS
    assert "read together: Shop.train.inter, Shop.valid.inter, Shop.test.inter" in notes(dataset)
    assert "may be cut" not in notes(dataset) and "left out" not in notes(dataset)


@given(
    history=st.lists(st.sampled_from("ab"), min_size=4, max_size=9),
    most=st.integers(1, 5),
    step=st.sampled_from([-1, 1]),
)
def test_no_item_list_is_put_together_wrongly(history: list[str], most: int, step: int) -> None:
    """A history of few items looks like itself from many ends: it comes back as it was, or is refused."""
    windows = [Window(before.split(), target, "here") for before, target in cut(history, most)]
    lists = ItemLists({"u": [windows[:-1][::step], windows[-1:]]}, min(most, len(history) - 1))
    try:
        assert lists.histories(FolderWriter(Path())) == {"u": history}
    except DataError as error:
        assert most == 1 and "cannot be told" in str(error)


def test_item_lists_of_the_test_alone_are_read_and_said_to_be_cut(tmp_path: Path) -> None:
    dataset = imported(tmp_path, "recbole", list_files(tmp_path / "data", USERS, most=4, parts="test"))
    assert histories(dataset) == {"7": list("pqrst"), "8": list("xxxyx"), "9": list("fghij"), "3": list("qp")}
    assert "3 users' lists all hold 4 items, the most of all: their histories may be cut" in notes(dataset)
    assert "there is no Shop.train.inter: its events are not part of the histories" in notes(dataset)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1\ta b\tc", "1\tx y\tz"], "the item lists of user '1' do not continue each other"),
        (["1\ta,b\tc", "1\ta\tb"], ":2: an item list must be separated by spaces, not 'a,b'"),
        (["1\ta b"], ":2: expected 3 columns as in the header, got 2"),
    ],
)
def test_item_lists_that_make_no_history_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lines: list[str], message: str
) -> None:
    text = "\n".join(["user_id:token\titem_id_list:token_seq\titem_id:token", *lines])
    path = write(tmp_path / "x.inter", text + "\n")
    assert main(["import", "recbole", str(path), str(tmp_path / "set")]) == 2
    error = capsys.readouterr().err
    assert message in error and str(path) in error and error.count("\n") == 1


@pytest.mark.parametrize(("separator", "word"), [(",", "commas"), (" ", "spaces"), (";", "semicolons")])
def test_other_separators_than_tabs_are_read_from_the_header(
    tmp_path: Path, recbole: Path, separator: str, word: str
) -> None:
    path = recbole / "ml.inter"
    path.write_text(path.read_text().replace("\t", separator))
    dataset = imported(tmp_path, "recbole", recbole, check=False)
    assert histories(dataset) == {"1": ["a", "b", "c"], "2": ["a", "z"]}
    assert f"ml.inter: columns are separated by {word}" in notes(dataset)


def categories(tmp_path: Path, kind: str, texts: list[str], *options: str) -> tuple[list[list[str] | None], str]:
    """Import items with these category texts; return their paths and the notes."""
    lines = [f"{number}\titem\t{text}" for number, text in enumerate(texts)]
    write(tmp_path / "c.item", "\n".join([f"item_id:token\ttitle:token\tcategories:{kind}", *lines]) + "\n")
    events = "".join(f"u\t{number}\n" for number in range(len(texts)))
    inter = write(tmp_path / "c.inter", "user_id:token\titem_id:token\n" + events)
    dataset = imported(tmp_path, "recbole", inter, *options)
    return [path for (path,) in rows(dataset, "categories")], notes(dataset)


@pytest.mark.parametrize(
    ("kind", "texts", "paths"),
    [
        ("token_seq", ["Action Comedy", "Drama"], [["Action", "Comedy"], ["Drama"]]),
        ("token_seq", ["Drama, School Life", "Drama"], [["Drama", "School Life"], ["Drama"]]),
        ("token_seq", ["Sci-Fi|Film Noir", "Drama"], [["Sci-Fi", "Film Noir"], ["Drama"]]),
        ("token_seq", ["Home > Dog Beds", "Home > Mugs, red"], [["Home", "Dog Beds"], ["Home", "Mugs, red"]]),
        ("token", ["Video Games", "Home"], [["Video Games"], ["Home"]]),
        ("token", ["Video Games|Racing", "Home"], [["Video Games", "Racing"], ["Home"]]),
    ],
)
def test_categories_are_split_at_the_sign_that_the_file_uses(
    tmp_path: Path, kind: str, texts: list[str], paths: list[list[str]]
) -> None:
    assert categories(tmp_path, kind, texts)[0] == paths


def test_a_given_category_separator_counts_as_it_is(tmp_path: Path) -> None:
    found, said = categories(tmp_path, "token_seq", ["a/b c", "d"], "--category-separator", "/")
    assert found == [["a", "b c"], ["d"]]
    found, said = categories(tmp_path / "2", "token_seq", ["a/b", "d"], "--category-separator", "~")
    assert found == [["a/b"], ["d"]] and "no category holds the separator '~'" in said
    assert "1 categories hold '/', which is taken as part of a name" in said


def test_an_item_file_of_another_data_set_is_refused(
    tmp_path: Path, recbole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(recbole / "ml.item", "item_id:token\ttitle:token\n90\tHeat\n")
    assert main(["import", "recbole", str(recbole), str(tmp_path / "set")]) == 2
    error = capsys.readouterr().err
    assert f"{recbole / 'ml.item'}: describes not one of the 4 items" in error and "its own are e.g. '90'" in error


def test_quotes_as_pandas_writes_them_and_sets_of_names_are_read(tmp_path: Path) -> None:
    """RecBole's Amazon files are written by pandas with a Python set's text for the categories."""
    folder = tmp_path / "amazon"
    write(folder / "amazon.inter", "user_id:token\titem_id:token\n1\ta\n1\tb\n1\tc\n")
    items = ["item_id:token\tcategories:token_seq\ttitle:token", "a\t'Clothing', 'Shirts'\tPlain shirt"]
    items += ['b\t"\'Clothing\', ""Men\'s Shirts, Tops"""\t"The ""Best"" shirt"', "c\t'Books'\t\"Heat\" again"]
    write(folder / "amazon.item", "\n".join(items) + "\n")
    dataset = imported(tmp_path, "recbole", folder, check=False)
    assert rows(dataset, "id", "title", "categories") == [
        ("a", "Plain shirt", ["Clothing", "Shirts"]), ("b", 'The "Best" shirt', ["Clothing", "Men's Shirts, Tops"]),
        ("c", '"Heat" again', ["Books"]),
    ]  # fmt: skip
    assert "3 categories are lists in Python's quotes" in notes(dataset)
