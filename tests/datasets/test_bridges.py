"""`benchmark import` whatever the format: its help, and what is refused with one line."""

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from foreign import imported, jsonl, notes, rows, write

from benchmark.cli.main import main
from benchmark.data.importing import Argument, Importer
from benchmark.data.writing import FolderWriter
from benchmark.registry import load, registered


def test_the_help_lists_every_format_with_an_example_that_its_parser_takes(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    import_module("benchmark.cli.import").add_arguments(parser)
    with pytest.raises(SystemExit):
        main(["import", "--help"])
    text = capsys.readouterr().out
    for name in registered("importer"):
        importer = load("importer", name)
        assert f"benchmark import {importer.example}" in text
        parsed = parser.parse_args(importer.example.split())
        assert parsed.format == name and parsed.folder.parts[0] == "data"
        assert all(hasattr(parsed, argument.key) for argument in importer.arguments)


class Words(Importer):
    """A plugin's format."""

    title = "words"
    example = "words list data/words"
    arguments = (
        Argument("source", "a file", type=Path),
        Argument("--least-size", "a number", type=int, default=3, metavar="N"),
        Argument("--word", "a word", repeatable=True),
    )
    seen: SimpleNamespace

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        type(self).seen = arguments
        writer.items([("here", {"id": "a", "title": "lamp"})])
        return "nowhere"


@pytest.mark.parametrize(
    ("options", "values"),
    [([], (3, [])), (["--least-size", "7", "--word", "a", "--word", "b"], (7, ["a", "b"]))],
)
def test_a_plugins_importer_gets_what_it_declares(
    options: list[str], values: tuple[int, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = import_module("benchmark.cli.import")
    monkeypatch.setattr(command, "registered", lambda kind: ["words"])
    monkeypatch.setattr(command, "load", lambda kind, name: Words)
    assert main(["import", "words", "list", str(tmp_path / "shop"), *options]) == 0
    assert vars(Words.seen) == {"source": Path("list"), "least_size": values[0], "word": values[1]}
    assert (tmp_path / "shop" / "items.jsonl").read_text().count("lamp") == 1


def test_a_word_that_a_format_cannot_read_is_refused_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["import", "amazon-2018", "reviews", "metadata", "shop", "--core", "0"])
    assert "argument --core: a whole number above 0" in capsys.readouterr().err


def mini(tmp_path: Path, form: str) -> Callable[[str], tuple[list[str | Path], Path]]:
    """Return a function that puts text into the main file of a format's miniature: (command, that file)."""

    def make(text: str) -> tuple[list[str | Path], Path]:
        folder = tmp_path / "raw"
        meta = jsonl(folder / "meta.jsonl", {"asin": "a", "parent_asin": "a", "title": "t"})
        match form:
            case "beir":
                path = write(folder / "corpus.jsonl", text)
                command: list[str | Path] = [folder]
            case "recbole":
                path = write(folder / "raw.inter", text)
                command = [folder]
            case "s3rec":
                path = write(folder / "Toy.txt", text)
                command = [path]
            case "table":
                path = write(folder / "items.csv", text)
                command = [path]
            case _:
                path = write(folder / "reviews.jsonl", text)
                command = [path, meta]
        return [form, *command], path

    return make


INTER = "user_id:token\titem_id:token\ttimestamp:float\n"
WRONG = [
    ("beir", '{"_id": "a", "text": "x"}\n{"_id": "a", "text": "y"}\n', ":2: the item id 'a' was already used"),
    ("beir", '{"_id": "a b", "text": "x"}\n', ":1: an item id must be one word"),
    ("beir", '{"text": "x"}\n', ":1: an item id must be a word"),
    ("beir", '{"_id": "a", "text": "x"}\r\n{"_id": "b",\r\n', ":2: broken JSON"),
    ("beir", "[1]\n", ":1: expected a JSON object, not list"),
    ("beir", "", "not one item"),
    ("recbole", "user_id\titem_id\n", "holds a header at most"),
    ("recbole", "user_id\titem_id\n1\t2\n", ":1: 'user_id' is not a field of an atomic file"),
    ("recbole", "uid:token\titem_id:token\n1\t2\n", "--column events.user=FIELD"),
    ("recbole", "user_id:token\titem_id:token_seq\n1\t2 3\n", "the field 'item_id' is a token_seq"),
    ("recbole", INTER + "1\t2\n", ":2: expected 3 columns as in the header, got 2"),
    ("recbole", INTER + "1\t2\tyesterday\n", ":2: a time must be a number or an ISO date"),
    ("recbole", INTER + "1\t2\tnan\n", ":2: a time must be a finite number"),
    ("s3rec", "", "empty: not one user"),
    ("s3rec", "1 2 3\n2 1\n1 5 6\n", ":3: user '1' was already listed"),
    ("s3rec", "1 2\n2\n", ":2: user '2' has no items"),
    ("s3rec", "1 2\0 3\n", ":1: holds a NUL byte"),
    ("amazon-2018", '{"reviewerID": "u", "asin": "a"}\n', ":1: a review without 'unixReviewTime'"),
    ("amazon-2018", '{"reviewerID": null, "asin": "a", "unixReviewTime": 1}\n', ":1: a user id must be a word"),
    ("amazon-2018", "\n", "holds not one review"),
    ("amazon-2023", '{"user_id": "u", "parent_asin": "a", "timestamp": "x"}\n', ":1: a time must be a number"),
    ("table", "", "empty: not even a header"),
    ("table", "id,title\n", "not one item"),
    ("table", "id,title,title\n1,a,b\n", ":1: two columns are called 'title'"),
    ("table", "id,title\n1,a\n1,b\n", ":3: the item id '1' was already used"),
    ("table", "id,title\n1,a,b\n", ":2: expected 2 columns as in the header, got 3"),
    ("table", 'id,title\n1,"a\n2,b\n', "not a table separated by ','"),
    ("table", "id,title\n1,a\n\u0661 2,b\n", ":3: an item id must be one word"),
    ("table", "kind,title\nx,a b\nx,b c\n", "no column has a different word in every row, as the id must"),
    ("table", "id;title\n1;a\n", "Its one column looks like several: --separator ';'?"),
    ("table", "id;title\n1;a, b\n", "got 2. Its one column looks like several: --separator ';'?"),
]


@pytest.mark.parametrize(("form", "text", "message"), WRONG)
def test_a_wrong_file_gets_one_error_with_its_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, text: str, message: str
) -> None:
    command, _ = mini(tmp_path, form)(text)
    assert main(["import", *map(str, command), str(tmp_path / "out" / "set")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("form", ["beir", "recbole", "s3rec", "amazon-2018", "table"])
def test_huge_lines_and_wrong_encodings_are_refused_in_every_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    command, path = mini(tmp_path, form)("x")
    for content, message in ((b"x" * (10 << 20), "longer than"), ("1 Café\n".encode("latin-1"), "not utf-8")):
        path.write_bytes(content)
        assert main(["import", *map(str, command), str(tmp_path / "set")]) == 2
        assert f"{path}:1: " in (error := capsys.readouterr().err) and message in error
        assert not (tmp_path / "set").exists()


def test_carriage_returns_byte_order_marks_and_nul_in_texts_are_handled(tmp_path: Path) -> None:
    path = tmp_path / "raw" / "corpus.jsonl"
    write(path, '\ufeff{"_id": "a", "text": "x\\u0000y"}\r\n\r\n{"_id": "b", "text": "\\ud83d"}\r\n')
    dataset = imported(tmp_path, "beir", path.parent)
    assert rows(dataset, "id", "description") == [("a", "x y"), ("b", "\ufffd")]
    assert "1 items hold NUL characters; made spaces" in notes(dataset)
    assert "1 items hold half of a surrogate pair; repaired" in notes(dataset)
