"""The hostile inputs that cost no training: one line and the right exit code each. All: `python tests/faults`."""

import subprocess
import sys
from pathlib import Path


def test_every_fast_case_ends_as_it_says() -> None:
    command = [sys.executable, str(Path(__file__).parent), "--fast"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert done.returncode == 0, "\n".join([*wrong, done.stdout[-500:], done.stderr[-2000:]])
