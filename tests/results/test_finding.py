"""A result is found by its row's folder where that holds one result; else the folders are listed."""

from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.errors import UsageError
from benchmark.hf import read_ids
from benchmark.ids.id_set import open_ids
from benchmark.results.finding import SHOWN, result_folder
from tests.result_files import put


def cell(runs: Path, *, key: str = "k1", seed: int = 0, code: int = 3, **fields: object) -> Path:
    """Write one result of an indexer with the IDs of two items."""
    found = put(runs, "km", key=key, seed=seed, metrics={"id-quality": {"AMI": 0.5}}, **fields)
    (found / "ids.tsv").write_text(f"a\t{code}-7\nb\t{code}-7\n")
    (found / "ids.unique.tsv").write_text(f"a\t{code}-7-0\nb\t{code}-7-1\n")
    return found


def test_a_rows_folder_stands_for_its_only_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = cell(tmp_path)
    row, key = tmp_path / "demo" / "km", tmp_path / "demo" / "km" / "k1"
    assert [result_folder(path) for path in (row, key, found)] == [found] * 3
    ids = open_ids(str(row))
    assert (ids.name, ids.items, ids.counters.tolist()) == ("km", ("a", "b"), [0, 1])
    assert list(read_ids(row).items) == ["a", "b"] and read_ids(row).codes.values.shape == (2, 3)  # with the counter
    assert main(["export", str(row), "--format", "ids"]) == 0
    assert capsys.readouterr().out == "a\t3-7\nb\t3-7\n"


def test_several_results_are_listed_with_what_was_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = cell(tmp_path), cell(tmp_path, key="k2", changed={"codebook_size": 64}, text_fields=["title"])
    (tmp_path / "new.csv").write_text("id,title\nc,lamp\n")
    row = str(tmp_path / "demo" / "km")
    for command in (["ids", "inspect", row], ["ids", "assign", row, str(tmp_path / "new.csv")], ["ask", row, "lamp"],
                    ["export", row]):  # fmt: skip
        assert main(command) == 2
        said = capsys.readouterr().err
        assert "2 results lie there; name one of them" in said
        assert f"{first}: km" in said and f"{second}: km" in said and "codebook_size=64; text title" in said
    assert result_folder(tmp_path / "demo" / "km" / "k2") == second


def test_of_many_results_the_first_are_listed(tmp_path: Path) -> None:
    for seed in range(SHOWN + 2):
        cell(tmp_path, seed=seed)
    with pytest.raises(UsageError, match="12 results lie there") as caught:
        result_folder(tmp_path / "demo" / "km")
    assert str(caught.value).endswith("and 2 more") and len(str(caught.value).splitlines()) == SHOWN + 2


def test_other_folders_stay_as_they_are(tmp_path: Path) -> None:
    cell(tmp_path)
    (tmp_path / "demo" / "km" / "ids.tsv").write_text("a\t1\n")  # IDs of its own: the results below do not count
    for path in (tmp_path / "demo" / "km", tmp_path / "none", tmp_path / "demo" / "km" / "ids.tsv", tmp_path):
        assert result_folder(path) == path
