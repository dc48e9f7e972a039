"""Wrong lines of an imported table are told together, up to the tenth; nothing is written."""

from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.data.problems import SHOWN, Problems
from benchmark.errors import DataError


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> list[str]:
    """Import items.csv, and return the lines of the message."""
    assert main(["import", "table", str(folder / "items.csv"), str(folder / "shop"), *more]) == 2
    assert not (folder / "shop").exists()
    return capsys.readouterr().err.replace(f"{folder}/", "").splitlines()


def test_all_wrong_items_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "items.csv").write_text("id,title\na,cup\n,mug\nb c,jug\na,pot\nd,pan\n")
    assert refused(tmp_path, capsys) == [
        "benchmark: 3 lines are wrong:",
        "  items.csv:3: an item id must be one word without white space, not ''",
        "  items.csv:4: an item id must be one word without white space, not 'b c'",
        "  items.csv:5: the item id 'a' was already used",
    ]


def test_the_error_that_ends_the_reading_comes_last() -> None:
    with pytest.raises(DataError, match="2 lines are wrong:\n  a\n  b") as caught, Problems() as problems:
        problems.add(DataError("a"))
        raise DataError("b")
    assert caught.value.exit_code == 2


def test_many_end_at_the_tenth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "items.csv").write_text("id,title\n" + "a,cup\n" * 50)
    said = refused(tmp_path, capsys)
    assert said[0] == f"benchmark: the first {SHOWN} lines that are wrong:"
    assert len(said) == SHOWN + 1 and said[-1].startswith("  items.csv:12: ")


def test_events_queries_and_judgments_are_told_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "items.csv").write_text("id,title\na,cup\nb,mug\n")
    (tmp_path / "events.csv").write_text("user,item,time\nu,a,1\n,b,2\nu,b,soon\nu,b,3\n")
    places = [line.split(": ")[0] for line in refused(tmp_path, capsys, "--events", str(tmp_path / "events.csv"))]
    assert places[1:] == ["  events.csv:3", "  events.csv:4"]
    (tmp_path / "q.csv").write_text("id,text\nq1,cup\nq1,mug\nq 2,mug\n")
    (tmp_path / "j.csv").write_text("query,item,grade\nq1,a,1\nq1,a,2\nq1,b,x\n")
    both = "--queries", str(tmp_path / "q.csv"), "--judgments", str(tmp_path / "j.csv")
    assert [line.split(": ")[0] for line in refused(tmp_path, capsys, *both)[1:]] == ["  q.csv:3", "  q.csv:4"]
    (tmp_path / "q.csv").write_text("id,text\nq1,cup\n")
    assert [line.split(": ")[0] for line in refused(tmp_path, capsys, *both)[1:]] == ["  j.csv:3", "  j.csv:4"]


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), Problems() as problems:
        problems.add(DataError("a"))
        raise KeyError("b")
    with pytest.raises(DataError, match=r"^a$"), Problems() as problems:
        problems.add(DataError("a"))
