"""A result is found by its row's folder where that holds one result; else the folders are listed."""

from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.errors import UsageError
from benchmark.hf import read_ids
from benchmark.ids.id_set import open_ids
from benchmark.results.row_folder import SHOWN, result_folder
from tests.result_files import put

SETTINGS: dict[str, object] = {"method": {"codebook_size": 256}}


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


def test_several_results_are_listed_with_what_tells_them_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = cell(tmp_path, config=SETTINGS | {"protocol": {"split": "leave-one-out"}})
    second = cell(tmp_path, key="k2", changed={"codebook_size": 64}, text_fields=["title"],
                  config={"method": {"codebook_size": 64}, "protocol": {"split": "cold-start:0.1"}})  # fmt: skip
    (tmp_path / "new.csv").write_text("id,title\nc,lamp\n")
    row = str(tmp_path / "demo" / "km")
    for command in (["ids", "inspect", row], ["ids", "assign", row, str(tmp_path / "new.csv")], ["ask", row, "lamp"],
                    ["export", row]):  # fmt: skip
        assert main(command) == 2
        said = capsys.readouterr().err
        assert "2 results lie there; name one of them" in said
        assert f"{first}: text title, brand; split leave-one-out" in said
        assert f"{second}: codebook_size=64; text title; split cold-start:0.1\n" in said
    assert result_folder(tmp_path / "demo" / "km" / "k2") == second


def test_an_older_result_of_the_same_row_does_not_count(tmp_path: Path) -> None:
    """Until it has a task that the newer one lacks: then both are named, with their tasks."""
    old = cell(tmp_path, cost={"written": {"id-quality": "2026-01-01T10:00:00+00:00"}})
    new = cell(tmp_path, key="k2", cost={"written": {"id-quality": "2026-01-02T10:00:00+00:00"}})
    assert result_folder(tmp_path / "demo" / "km") == new != old
    put(tmp_path, "km", key="k3", metrics={"search": {"R@10": 0.5}}, cost={"written": {"search": "2026-01-01T10:00"}})
    with pytest.raises(UsageError, match=r"id-quality; of 2026-01-02 10:00:00\n.*search; of 2026-01-01 10:00"):
        result_folder(tmp_path / "demo" / "km")


def test_of_many_results_the_first_are_listed(tmp_path: Path) -> None:
    for seed in range(SHOWN + 2):
        cell(tmp_path, seed=seed)
    with pytest.raises(UsageError, match="12 results lie there") as caught:
        result_folder(tmp_path / "demo" / "km")
    assert str(caught.value).endswith("and 2 more") and len(str(caught.value).splitlines()) == SHOWN + 2


def test_other_folders_stay_as_they_are(tmp_path: Path) -> None:
    found = cell(tmp_path)
    (tmp_path / "demo" / "km" / "notes.txt").write_text("mine")
    assert result_folder(tmp_path / "demo" / "km") == found
    (tmp_path / "demo" / "km" / "ids.tsv").write_text("a\t1\n")  # IDs of its own: the results below do not count
    for path in (tmp_path / "demo" / "km", tmp_path / "none", tmp_path / "demo" / "km" / "ids.tsv", tmp_path):
        assert result_folder(path) == path


def test_what_holds_no_ids_is_said_in_the_words_that_were_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for name, reason in [("none", "no such file or folder"), ("empty", "holds no IDs and no finished cell")]:
        assert main(["ids", "inspect", str(tmp_path / name)]) == 2
        assert capsys.readouterr().err == f"benchmark: {tmp_path / name}: {reason}\n"
    assert main(["ids", "inspect", ""]) == 2 and "an empty name" in capsys.readouterr().err
    assert main(["export", str(cell(tmp_path)), "--format", "ids", "--out", str(tmp_path)]) == 2
    assert f"--out {tmp_path}: is a folder; name a file in it" in capsys.readouterr().err
