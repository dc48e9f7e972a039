"""The script that recomputes numbers without the suite: it agrees with honest results and finds an edited one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FAST

from benchmark.cli.main import main

SCRIPT = Path(__file__).with_name("recompute.py")


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("independent") / "runs"
    words = ["run", "--dataset", str(shop), "--methods", "rqkmeans,bm25,popularity", "--preset", "tiny"]
    words += ["--set", "rqkmeans.codebook_size=6", *FAST, "--device", "cpu", "--runs", str(folder)]
    assert main(words) == 0
    return folder


def recompute(runs: Path, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(runs), str(data), "--numbers", "60"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_all_numbers_of_an_honest_run_are_found_again(runs: Path, shop: Path) -> None:
    done = recompute(runs, shop.parent)
    assert done.returncode == 0, done.stdout
    for task in ("id-quality", "recommendation", "search"):
        assert f", {task}, " in done.stdout


def test_an_edited_number_is_named(runs: Path, shop: Path) -> None:
    path = next(runs.glob("shop/popularity/*/seed-0/result.json"))
    honest = path.read_text()
    content = json.loads(honest)
    content["metrics"]["recommendation"]["R@10"] += 0.01
    path.write_text(json.dumps(content))
    try:
        done = recompute(runs, shop.parent)
    finally:
        path.write_text(honest)
    assert done.returncode == 1
    assert [
        line.partition("  ")[0] for line in done.stdout.splitlines() if "popularity" in line and "R@10" in line
    ] == ["WRONG"]


def test_without_the_data_there_is_nothing_to_recompute(runs: Path, tmp_path: Path) -> None:
    assert recompute(runs, tmp_path).returncode == 2


def test_the_script_imports_nothing_of_the_suite() -> None:
    assert "import benchmark" not in SCRIPT.read_text()
    assert "from benchmark" not in SCRIPT.read_text()
