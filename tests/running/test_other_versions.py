"""`--any-version`: results of other code count as done where data, settings and files are the same, and else not."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import FAST

from benchmark.api.archive import write_archive
from benchmark.cli.main import main
from benchmark.results.digests import write_with_digest
from benchmark.running import plan

RUN = ["--methods", "rqkmeans,popularity", "--tasks", "id-quality,recommendation", "--preset", "tiny"]
RUN += ["--set", "rqkmeans.codebook_size=6", *FAST, "--device", "cpu"]


@pytest.fixture(scope="module")
def made(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("versions") / "runs"
    assert main(["run", "--dataset", str(shop), *RUN, "--runs", str(folder)]) == 0
    write_archive(folder, folder.parent / "shop.tar.xz")
    return folder


@pytest.fixture
def runs(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The results as an archive leaves them, for a suite whose code has changed since."""
    subprocess.run(["tar", "xf", str(made.parent / "shop.tar.xz"), "-C", str(tmp_path)], check=True)
    known = plan.code_version
    monkeypatch.setattr(plan, "code_version", lambda root: "newer" if root is plan.runner else known(root))
    return tmp_path


def to_compute(capsys: pytest.CaptureFixture[str], shop: Path, runs: Path, *words: str) -> list[str]:
    capsys.readouterr()
    assert main(["run", "--dataset", str(shop), *RUN, "--runs", str(runs), "--dry-run", "--json", *words]) == 0
    return [row["cell"] for row in json.loads(capsys.readouterr().out) if not row["done"]]


def edit(runs: Path, label: str, change: Any) -> None:
    """Change a result.json as the suite would have written it."""
    path = next(runs.glob(f"*/{label}/*/seed-0/result.json"))
    content = json.loads(path.read_text())
    change(content)
    write_with_digest(path, content)


ALL = ["rqkmeans, id-quality, seed 0", "popularity, recommendation, seed 0", "rqkmeans, recommendation, seed 0"]


def test_without_the_option_a_change_of_the_code_computes_all_anew(
    shop: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sorted(to_compute(capsys, shop, runs)) == sorted(ALL)


def test_with_it_nothing_is_computed_and_the_tables_show_what_is_there(
    shop: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert to_compute(capsys, shop, runs, "--any-version") == []
    before = {path: path.read_bytes() for path in runs.glob("*/*/*/*/*") if path.is_file()}
    assert main(["run", "--dataset", str(shop), *RUN, "--runs", str(runs), "--any-version"]) == 0
    assert "rqkmeans" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in runs.glob("*/*/*/*/*") if path.is_file()} == before


@pytest.mark.parametrize("words", [["--seeds", "1"], ["--set", "rqkmeans.levels=2"], ["--text-fields", "title"]])
def test_other_seeds_settings_and_texts_are_computed(
    words: list[str], shop: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert any(cell.startswith("rqkmeans") for cell in to_compute(capsys, shop, runs, "--any-version", *words))


def test_results_of_other_data_are_computed(shop: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(runs, "popularity", lambda content: content["dataset"].update(fingerprint="0" * 16))
    assert to_compute(capsys, shop, runs, "--any-version") == ["popularity, recommendation, seed 0"]


def test_a_result_with_a_changed_file_is_computed(shop: Path, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(runs.glob("*/rqkmeans/*/seed-0/ids.tsv"))
    path.write_text(path.read_text().replace("0", "1"))
    assert sorted(to_compute(capsys, shop, runs, "--any-version")) == [
        "rqkmeans, id-quality, seed 0", "rqkmeans, recommendation, seed 0",
    ]  # fmt: skip


def test_a_file_that_is_neither_there_nor_left_out_is_computed(
    shop: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    next(runs.glob("*/popularity/*/seed-0/scores.recommendation.tsv")).unlink()
    assert to_compute(capsys, shop, runs, "--any-version") == ["popularity, recommendation, seed 0"]
