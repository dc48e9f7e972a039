"""`--runs`: a folder without results is named and nothing is written; one that cannot be written names the flag."""

from pathlib import Path

import pytest

import benchmark
from benchmark.cli.main import main

READERS = {
    "report": ["report", "--runs", "{runs}", "--format", "md,html", "--out", "{out}"],
    "report to the terminal": ["report", "--runs", "{runs}", "--tables", "paper"],
    "figures": ["figures", "--runs", "{runs}", "--out", "{out}"],
    "compare": ["compare", "hc", "random", "--runs", "{runs}"],
    "verify": ["verify", "{runs}"],
    "export": ["export", "{runs}"],
    "annotate": ["annotate", "make", "--dataset", "d", "--methods", "hc", "--runs", "{runs}", "--out", "{out}"],
}


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.parametrize("command", READERS)
def test_a_folder_without_results_is_named_and_nothing_is_written(
    command: str, there: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs, out = tmp_path / "runs", tmp_path / "out"
    if there:
        runs.mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert main([word.format(runs=runs, out=out) for word in READERS[command]]) == 2
    printed = capsys.readouterr()
    assert f"no results below {runs}" in printed.err
    assert printed.out == ""
    assert sorted(tmp_path.rglob("*")) == before


def test_python_says_the_same(tmp_path: Path) -> None:
    for call in (lambda: benchmark.load_results(tmp_path), lambda: benchmark.compare("a", "b", runs=tmp_path)):
        with pytest.raises(ValueError, match=f"no results below {tmp_path}"):
            call()


def test_a_report_whose_results_are_gone_names_the_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tables.json").write_text("[]")
    runs = tmp_path / "runs"
    runs.mkdir()
    assert main(["verify", str(tmp_path), "--runs", str(runs)]) == 2
    assert f"--runs {runs}: no results below {runs}" in capsys.readouterr().err


@pytest.mark.parametrize("below", ["", "deeper"])
@pytest.mark.parametrize(
    "words",
    [
        ["run", "--methods", "popularity", "--dataset", "{shop}", "--tasks", "recommendation"],
        ["run", "--methods", "popularity", "--dataset", "planted:items=100", "--tasks", "recommendation", "--dry-run"],
        ["run", "--methods", "popularity", "--dataset", "{shop}", "--text-fields", "title"],
        ["sweep", "--methods", "item-knn", "--over", "neighbours=5,6", "--dataset", "{shop}"],
        ["reproduce", "table2", "--preset", "tiny", "--dataset", "{shop}"],
        ["data", "check", "{shop}"],
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_a_folder_that_cannot_be_written_names_the_flag(
    words: list[str], below: str, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is a file, or lies below one: that is refused to everybody, the superuser too."""
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    runs = file / below
    assert main([word.format(shop=shop) for word in words] + ["--runs", str(runs)]) == 2
    err = capsys.readouterr().err.splitlines()
    assert err[-1].startswith(f"benchmark: --runs {runs}: cannot be written: ")
    assert file.read_text() == "mine"


def test_finished_results_are_read_from_a_folder_that_cannot_be_written(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is missing, so nothing is tried: no temporary file is made."""
    words = ["run", "--methods", "popularity", "--dataset", str(shop), "--runs", str(tmp_path / "runs")]
    assert main(words) == 0

    def refused(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "runs"))

    monkeypatch.setattr("tempfile.TemporaryFile", refused)
    assert main(words) == 0
    assert main([*words, "--seeds", "0,1"]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["report", "--runs", ""], ["run", "--methods", "random", "--dataset", "demo", "--runs", " "], ["verify", ""],
        ["annotate", "make", "--dataset", "demo", "--methods", "a,b", "--out", ""], ["import", "beir", "", "folder"],
    ],
)  # fmt: skip
def test_an_empty_word_is_no_path(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A shell's variable that is not set would else be the current folder."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and "an empty path" in capsys.readouterr().err
