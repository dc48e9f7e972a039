"""RecBole's atomic files come in, item by item and event by event."""

from pathlib import Path

import pytest
from foreign import histories, imported, notes, rows, write


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
    assert "vector left out" in notes(dataset)
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
