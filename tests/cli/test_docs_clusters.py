"""Every command of docs/clusters.md is one that the suite has, with options that it knows."""

import re
import shlex
from pathlib import Path

import pytest

from benchmark.cli.main import main

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = [
    line
    for page in [DOCS / "clusters.md"]
    for line in re.findall(r"^(?:    |  entrypoint: |    accelerate .*-m )(benchmark .*)$", page.read_text(), re.M)
]


def test_there_is_a_command_for_each_way_to_run_cells() -> None:
    text = " ".join(COMMANDS)
    assert all(way in text for way in ("--workers 2", "--executor ray", "--executor slurm:")) and len(COMMANDS) == 5


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_plans_its_cells(line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(tmp_path) if word == "/shared/runs" else word for word in shlex.split(line)[1:]]
    assert main([*words, "--dry-run"]) == 0
    assert "to compute" in capsys.readouterr().out
