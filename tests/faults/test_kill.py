"""A few of the kills of `kill.py`, which by hand makes a hundred of all methods."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_killed_runs_end_with_the_bytes_of_an_undisturbed_one(tmp_path: Path) -> None:
    script = str(Path(__file__).with_name("kill.py"))
    words = ["--kills", "4", "--kills-per-run", "4", "--methods", "rqvae,sasrec", "--folder", str(tmp_path / "kills")]
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kills over 1 runs: 0 runs with another result" in done.stdout and "the same twice: True" in done.stdout
