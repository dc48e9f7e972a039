"""Whatever happens to a cache or a result's file, the rerun says so once and ends with the bytes of the first run."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import FAST

from benchmark import sealing
from benchmark.cli.main import main
from benchmark.files import file_digest, partial_prefix, remove
from benchmark.results.digests import write_with_digest

pytestmark = pytest.mark.usefixtures("small_encoder")

SETTINGS = ["--set", "rqkmeans.codebook_size=8", "--set", "rqkmeans.levels=2", *FAST]
STAGES = ("encode", "ids", "train.recommendation", "rank.recommendation")


def run(shop: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sealing, "_noted", set())
    words = ["run", "--dataset", str(shop), "--methods", "rqkmeans", "--runs", str(runs), "--device", "cpu"]
    return main([*words, "--seeds", "0,1", "--tasks", "id-quality,recommendation", *SETTINGS])


@pytest.fixture(scope="module")
def first(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run, and below the same folder the parsed data of another data set."""
    runs = tmp_path_factory.mktemp("first") / "runs"
    with pytest.MonkeyPatch.context() as patch:
        assert run(shop, runs, patch) == 0
        other = tmp_path_factory.mktemp("other") / "shop2"
        shutil.copytree(shop, other)
        (other / "dataset.toml").unlink()
        (other / "sequences.txt").write_text((other / "sequences.txt").read_text().replace("u1 ", "v1 "))
        (other / "items.jsonl").write_text((other / "items.jsonl").read_text().replace("desk", "DESK"))
        words = ["run", "--dataset", str(other), "--methods", "popularity", "--runs", str(runs)]
        ranked = set((runs / ".cache" / "rank.recommendation").iterdir())
        assert main([*words, "--tasks", "recommendation", "--device", "cpu"]) == 0
        for stage in set((runs / ".cache" / "rank.recommendation").iterdir()) - ranked:
            remove(stage)
    return runs


def kept(runs: Path) -> dict[str, bytes]:
    """Everything that a run leaves behind but its measured costs."""
    files = (path for path in runs.glob("shop/**/*") if path.is_file() and path.name != "cost.json")
    return {str(path.relative_to(runs)): path.read_bytes() for path in files}


def foreign(path: Path, first: Path) -> bytes:
    """Return the bytes of a whole file of the same kind: of the other seed, the other data set, or another array."""
    others = sorted(first.rglob(f"*{path.suffix}"), key=lambda other: other.stem[:5] != path.stem[:5])
    return next(content for other in others if (content := other.read_bytes()) != path.read_bytes())


DAMAGES: dict[str, Callable[[Path, Path], bytes | None]] = {
    "truncated": lambda path, first: path.read_bytes()[:-3],
    "empty": lambda path, first: b"",
    "garbage": lambda path, first: bytes(255 - byte for byte in path.read_bytes()),
    "foreign": foreign,
    "gone": lambda path, first: None,
}


def damage_file(path: Path, first: Path, damage: str) -> None:
    content = DAMAGES[damage](path, first)
    path.unlink()
    if content is not None:
        path.write_bytes(content)


@pytest.fixture
def runs(first: Path, tmp_path: Path) -> Path:
    shutil.copytree(first, tmp_path / "runs")
    return tmp_path / "runs"


def rerun(
    shop: Path, runs: Path, first: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> list[str]:
    """Run again; return what was said of damages."""
    caplog.clear()
    with caplog.at_level("WARNING", "benchmark"):
        assert run(shop, runs, monkeypatch) == 0
    found, expected = kept(runs), kept(first)
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []
    assert not list(runs.rglob(".partial-*")) and not list(runs.rglob("*.work")) and not list(runs.glob("errors/*"))
    return [message for message in caplog.messages if message.startswith("damaged: ")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_stages_are_made_again(
    shop: Path, first: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    shutil.rmtree(runs / "shop")
    files = []
    for stage in STAGES:
        folder = min(path for path in (runs / ".cache" / stage).iterdir() if path.is_dir())
        files += [path for path in folder.iterdir() if path.suffix in (".npy", ".npz", ".safetensors")][:1]
        damage_file(files[-1], first, damage)
    told = rerun(shop, runs, first, monkeypatch, caplog)
    assert len(files) == len(told) == len(STAGES)
    assert all(any(str(path.parent) in message and path.name in message for message in told) for path in files)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_parsed_data_are_parsed_again(
    shop: Path, first: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    shutil.rmtree(runs / "shop")
    folders = sorted(path for path in runs.glob(".cache/data/*") if path.is_dir() and path.name != "facts")
    assert len(folders) == 4  # items and histories of two data sets
    for folder in folders:
        path = next(folder / name for name in ("items.arrow", "users.arrow") if (folder / name).exists())
        damage_file(path, first, damage)
    told = rerun(shop, runs, first, monkeypatch, caplog)
    assert len(told) == 2 and sum(folder.name in message for message in told for folder in folders) == 2


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_of_a_result_are_written_again(
    shop: Path, first: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    names = ("ids.tsv", "ids.unique.tsv", "log.jsonl", *(f"{name}.recommendation.*" for name in ("run", "scores")))
    paths = [next(runs.glob(f"shop/*/*/seed-0/{name}")) for name in (*names, "qrels.recommendation.txt")]
    paths += [next(runs.glob(f"shop/{name}")) for name in ("items-*.jsonl", "histories-*.txt")]
    for path in paths:
        damage_file(path, first, damage)
    told = rerun(shop, runs, first, monkeypatch, caplog)
    changed = {str(path.resolve()) for path in paths}
    assert len(told) == len(changed) and all(any(f" {path}: " in message for message in told) for path in changed)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["result.json", "cost.json"])
def test_a_damaged_result_is_written_again(
    shop: Path, first: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str,
    damage: str,
) -> None:  # fmt: skip
    path = next(runs.glob(f"shop/*/*/seed-0/{name}"))
    damage_file(path, first, damage)
    told = rerun(shop, runs, first, monkeypatch, caplog)
    named = damage != "gone" or name == "cost.json"  # without a result.json there is no result that could be damaged
    assert len(told) == named and all(str(path) in message for message in told)
    written = json.loads(path.with_name("cost.json").read_text())["written"]
    assert written.keys() == {"id-quality", "recommendation"}


def test_locks_with_any_content_are_free(
    shop: Path, first: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(runs / "shop")
    for number, path in enumerate(sorted(runs.rglob("*.lock"))):
        path.write_bytes([b"", b"{", b"\xff\x00", b'{"process": 1, "host": "x", "command": "y"}'][number % 4])
    assert rerun(shop, runs, first, monkeypatch, caplog) == []


def test_what_a_killed_run_left_half_written_is_removed(
    shop: Path, first: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left = partial_prefix().replace(f"-{os.getpid()}-", "-999999999-")
    folders = [runs / ".cache" / "ids", runs / ".cache" / "data", runs / "shop", next(runs.glob("shop/*/*/seed-0"))]
    for folder in folders:
        (folder / f"{left}abc").mkdir()
        (folder / f"{left}abc" / "part").write_text("half")
    assert rerun(shop, runs, first, monkeypatch, caplog) == []


def test_tasks_of_ids_that_come_out_differently_are_computed_again(
    first: Path, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An archive of another machine, and no cache: what it says of its IDs must not stand beside ours."""
    runs = tmp_path / "runs"
    shutil.copytree(first, runs)
    (path,) = runs.glob("shop/rqkmeans/*/seed-0/result.json")
    ids, content = path.parent / "ids.tsv", json.loads(path.read_text())
    lines = [line.split("\t") for line in ids.read_text().splitlines()]
    lines[0][1], lines[-1][1] = lines[-1][1], lines[0][1]
    ids.write_text("".join("\t".join(line) + "\n" for line in lines))
    content["files"]["ids.tsv"] = file_digest(ids)
    content["metrics"]["recommendation"]["R@10"] = 0.123
    write_with_digest(path, content)
    words = ["run", "--dataset", str(shop), "--methods", "rqkmeans", "--runs", str(runs), "--device", "cpu", *SETTINGS]
    monkeypatch.setattr(sealing, "_noted", set())
    assert main([*words, "--tasks", "id-quality,recommendation,search"]) == 1
    assert "its other tasks are of IDs that came out differently" in caplog.text
    assert list(json.loads(path.read_text())["metrics"]) == ["search"]
    assert main([*words, "--tasks", "id-quality,recommendation,search"]) == 0
    again = json.loads(path.read_text())["metrics"]
    due = json.loads((first / path.relative_to(runs)).read_text())["metrics"]
    assert {task: again[task] for task in due} == due and main(["verify", str(runs)]) == 0
