"""`benchmark archive`: what it holds and leaves out, and that reports and checks read it as they read a folder."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from conftest import FAST

import benchmark
from benchmark.api.archive import opened_runs, write_archive
from benchmark.cli.main import main
from benchmark.errors import BenchmarkError

RUN = ["--methods", "rqkmeans,popularity", "--tasks", "id-quality,recommendation", "--preset", "tiny", "--seeds", "0,1"]
RUN += ["--set", "rqkmeans.codebook_size=6", *FAST, "--device", "cpu"]


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archived") / "runs"
    assert main(["run", "--dataset", str(shop), *RUN, "--runs", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def archive(runs: Path) -> Path:
    path = runs.parent / "shop.tar.xz"
    write_archive(runs, path)
    return path


def test_nothing_of_the_data_set_and_no_ranking_is_in_it(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        names = {Path(member.name).name for member in tar if not Path(member.name).name.startswith("scores.")}
    assert names == {"result.json", "cost.json", "ids.tsv", "log.jsonl", "left-out.txt"}


def test_what_is_left_out_is_listed_and_what_is_not_is_the_same_bytes(archive: Path, runs: Path) -> None:
    with tarfile.open(archive) as tar:
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            path = runs / member.name
            if path.name != "left-out.txt":
                assert content.read() == path.read_bytes()
                continue
            listed = json.loads((path.parent / "result.json").read_text())["files"]
            there = {
                Path(other.name).name
                for other in tar.getmembers()
                if Path(other.name).parent == path.parent.relative_to(runs)
            }
            assert {Path(name).name for name in listed} - there == set(content.read().decode().split())


def test_peoples_judgments_are_in_it(runs: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(runs, tmp_path / "runs")
    (copy / "human-evaluation.json").write_text('{"rows": []}')
    write_archive(copy, tmp_path / "judged.tar.xz")
    assert (opened_runs(tmp_path / "judged.tar.xz") / "human-evaluation.json").read_text() == '{"rows": []}'


def test_the_same_results_give_the_same_bytes(archive: Path, runs: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(runs, tmp_path / "elsewhere"))
    write_archive(copy, tmp_path / "again.tar.xz")
    assert (tmp_path / "again.tar.xz").read_bytes() == archive.read_bytes()


def test_tables_of_an_archive_are_those_of_its_folder(
    archive: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = "id-quality,recommendation,cost"
    texts = []
    for source in (runs, archive):
        assert main(["report", "--runs", str(source), "--tables", tables, "--format", "md"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert "rqkmeans" in texts[0]
    assert str(benchmark.load_results(archive).table("recommendation")) == str(
        benchmark.load_results(runs).table("recommendation")
    )


def test_verify_says_what_is_left_out_and_still_finds_a_changed_number(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(archive)]) == 0
    assert "Left out by the archive: " in capsys.readouterr().out
    folder = tmp_path / "unpacked"
    folder.mkdir()
    subprocess.run(["tar", "xf", str(archive), "-C", str(folder)], check=True)
    path = sorted(folder.glob("*/popularity/*/seed-0/scores.recommendation.tsv"))[0]
    header, first, *rest = path.read_text().split("\n")
    path.write_text("\n".join([header, first.replace("\t0.0", "\t1.0", 1), *rest]))
    assert main(["verify", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "does not follow: " in said
    assert "scores.recommendation.tsv: was changed" in said


def test_a_file_that_an_archive_does_not_list_as_left_out_is_missing(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["tar", "xf", str(archive), "-C", str(tmp_path)], check=True)
    sorted(tmp_path.glob("*/rqkmeans/*/seed-0/ids.tsv"))[0].unlink()
    assert main(["verify", str(tmp_path)]) == 1
    assert "missing: " in capsys.readouterr().out


def test_wrong_names_and_broken_archives_are_refused(
    archive: Path, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["archive", "--runs", str(runs), "--out", str(tmp_path / "x.zip")]) == 2
    assert main(["archive", "--runs", str(tmp_path / "none"), "--out", str(tmp_path / "x.tar.xz")]) == 2
    (tmp_path / "cut.tar.xz").write_bytes(archive.read_bytes()[:-200])
    assert main(["report", "--runs", str(tmp_path / "cut.tar.xz")]) == 2
    assert "cut.tar.xz" in capsys.readouterr().err
    (tmp_path / "other.txt").write_text("text")
    with pytest.raises(BenchmarkError, match=r"neither a folder of results nor a \.tar\.xz file"):
        benchmark.load_results(tmp_path / "other.txt")


def test_a_folder_with_an_archive_and_reports_of_it_is_verified_as_a_whole(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every result is checked once, however many reports name it."""

    def verified(*words: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["verify", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    results = verified(str(archive))[1]
    shutil.copy(archive, tmp_path / "results.tar.xz")
    numbers = []
    for folder in ("report", "again"):
        report = ["report", "--runs", str(archive), "--tables", "recommendation", "--format", "json,md"]
        assert main([*report, "--out", str(tmp_path / folder)]) == 0
        code, found = verified(str(tmp_path))
        assert (code, found["results"]) == (0, 4)
        numbers.append(found["checked"] - results["checked"])
    with_results = verified(str(tmp_path / "report"), "--runs", str(archive))[1]["checked"]
    assert numbers == [with_results - results["checked"], 2 * (with_results - results["checked"])]
    text = (tmp_path / "again" / "tables.md").read_text()
    (tmp_path / "again" / "tables.md").write_text(text.replace("0.", "1.", 1))
    assert verified(str(tmp_path))[0] == 1


def test_a_report_of_a_result_that_is_not_in_the_archive_beside_it_is_not_verified(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "--runs", str(runs), "--tables", "recommendation", "--format", "json"]
    assert main([*words, "--out", str(tmp_path / "report")]) == 0
    fewer = Path(shutil.copytree(runs, tmp_path / "runs"))
    shutil.rmtree(next(fewer.glob("*/popularity")))
    write_archive(fewer, tmp_path / "results.tar.xz")
    shutil.rmtree(fewer)
    capsys.readouterr()
    assert main(["verify", str(tmp_path)]) == 1
    assert "/popularity/" in capsys.readouterr().out


def test_results_with_changed_or_missing_files_are_not_packed(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(runs, tmp_path / "runs"))
    path = sorted(copy.glob("*/popularity/*/seed-0/run.recommendation.trec"))[0]
    honest = path.read_text()
    for change, said in ((lambda: path.write_text(honest + "\n"), "was changed"), (path.unlink, "is missing")):
        change()
        assert main(["archive", "--runs", str(copy), "--out", str(tmp_path / "x.tar.xz")]) == 1
        assert f"{path.name} {said}" in capsys.readouterr().err
        assert not (tmp_path / "x.tar.xz").exists()


def test_an_archive_in_a_folder_of_results_does_not_hide_them_from_verify(
    archive: Path, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(runs, tmp_path / "runs"))
    shutil.copy(archive, copy / "results.tar.xz")
    assert main(["verify", str(copy)]) == 0
    sorted(copy.glob("*/popularity/*/seed-0/run.recommendation.trec"))[0].unlink()
    assert main(["verify", str(copy)]) == 1


def test_cells_that_are_computed_again_are_no_longer_left_out(archive: Path, shop: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "xf", str(archive), "-C", str(tmp_path)], check=True)
    assert main(["run", "--dataset", str(shop), *RUN, "--runs", str(tmp_path)]) == 0
    assert {path.read_text() for path in tmp_path.glob("*/*/*/seed-*/left-out.txt")} == {""}


def test_an_archive_that_was_there_is_replaced_and_said_to_be(
    archive: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["archive", "--runs", str(runs), "--out", str(archive)]) == 0
    assert f"{archive} was there before and is replaced" in capsys.readouterr().out
