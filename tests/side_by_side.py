"""Helpers: an indexer that does as it is told, run by the command line in a process of its own; folders compared."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmark.running.executors.job import Outcome

ROOT = Path(__file__).parents[1]
ACTOR = '''
import os, signal, time
from pathlib import Path

from benchmark.running.executors.job import Outcome
import numpy as np
from benchmark.config import MethodConfig
from benchmark.types.codes import Codes
from benchmark.types.method import Indexer

class Config(MethodConfig):
    action: str = ""
    mark: str = ""  # how the paths of its files begin

class Actor(Indexer[Config]):
    """IDs by row number, after an action."""

    def fit(self, corpus, context):
        match self.config.action:
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(3)
            case "interrupt":
                raise KeyboardInterrupt("nobody pressed it")
            case "device":
                Path(self.config.mark + "-device").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
            case "wait":
                Path(f"{self.config.mark}-process-{os.getpid()}").touch()
                while not Path(self.config.mark + "-go").exists():
                    time.sleep(0.05)
        rows = np.arange(len(corpus), dtype=np.int32)
        return Codes(np.stack([rows // 8, rows % 8], axis=1), (8, 8))
'''


def install_actor(site: Path) -> dict[str, str]:
    """Install the indexer `actor` into a folder; return the environment of a process that finds it."""
    about = site / "actor-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: actor\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[benchmark.methods]\nactor = actor_plugin:Actor\n")
    (site / "actor_plugin.py").write_text(ACTOR)
    return {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{ROOT}"}


def words(shop: Path, runs: Path, methods: str, *more: str) -> list[str]:
    """Return the command of a run of ID quality alone, which takes seconds."""
    command = ["run", "--dataset", str(shop), "--methods", methods, "--runs", str(runs), "--device", "cpu"]
    return [sys.executable, "-m", "benchmark", *command, "--tasks", "id-quality", *more]


def settings(*chosen: str) -> list[str]:
    """Return the words that change settings."""
    return [word for setting in chosen for word in ("--set", setting)]


def run(command: list[str], environment: dict[str, str], code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command, which must end with this exit code."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == code, done.stderr
    return done


def alive(process: int) -> bool:
    """Return whether a process runs; one that has ended and was not waited for does not."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def processes(folder: Path) -> list[int]:
    """Return the numbers of the processes in which actors wait, or have waited."""
    return [int(path.name.rpartition("-")[2]) for path in folder.glob("*-process-*")]


def until(condition: Callable[[], bool], seconds: float = 300) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def results(runs: Path) -> dict[str, bytes]:
    """Return the bytes of every file of the results by name; costs, which are measured, are left out."""
    files = [path for path in runs.rglob("*") if path.is_file() and ".cache" not in path.parts]
    kept = [path for path in files if path.name != "cost.json"]
    return {str(path.relative_to(runs)): path.read_bytes() for path in kept}


def left_half_written(runs: Path) -> list[Path]:
    """Return what a killed process has left under a temporary name."""
    return [*runs.rglob(".partial-*"), *runs.rglob("*.work")]


def begin_nothing(*_: object) -> None:
    """Stand in for a worker's beginning."""


def say_process(cell: int) -> Outcome:
    """Stand in for computing a cell: the outcome says which process it was."""
    return Outcome(None, (str(os.getpid()),))
