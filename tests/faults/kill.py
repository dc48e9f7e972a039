"""Kill a run of rqvae, rqkmeans, sasrec and lmindexer again and again, and compare what it leaves with a whole run.

    python tests/faults/kill.py --kills 100 --seed 0

Each process is killed (SIGKILL) at a moment drawn from the seed: every other one after a time, the rest right before
one of its flushes to the disk, where a file or folder is about to get its name. The same command follows until
`--kills-per-run` kills have hit one runs folder, once more to its end, and once more with nothing left to compute; then
every byte but cost.json must be that of the undisturbed run, with nothing half-written left, and no process may have
called a file damaged: a kill damages none. Then the next folder begins.

Processes are forks of one that has imported everything, so that the time goes into work and not into imports. All
of them use one thread: with more, sums are rounded otherwise.
Exit code 0: all bytes were the same.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported, in the first run already
METHODS = "rqvae,rqkmeans,sasrec,lmindexer"
DATA = "planted:items=120,users=60,queries=5,train_queries=20,departments=2,categories=2,leaves=2"
SETTINGS = (
    "rqvae.codebook_size=8", "rqvae.training.steps=60", "rqvae.training.batch_size=64", "rqkmeans.codebook_size=8",
    "sasrec.training.epochs=4", "sasrec.embedding_size=16", "sasrec.inner_size=16",
    "lmindexer.backbone=scratch", "lmindexer.codebook_size=8", "lmindexer.length=2", "lmindexer.max_length=16",
    "lmindexer.scratch.d_model=32", "lmindexer.scratch.layers=1", "lmindexer.scratch.heads=2",
    "lmindexer.scratch.d_ff=32", "lmindexer.scratch.vocabulary_size=400", "lmindexer.warmup.epochs=0",
    "lmindexer.warmup.steps=8", "lmindexer.first.no_code.epochs=0", "lmindexer.first.no_code.steps=8",
    "lmindexer.first.full.epochs=0", "lmindexer.first.full.steps=8", "lmindexer.later.no_code.epochs=0",
    "lmindexer.later.no_code.steps=8", "lmindexer.later.full.epochs=0", "lmindexer.later.full.steps=8",
    "generative.recommendation.epochs=0", "generative.recommendation.steps=30", "generative.decoder.width=32",
    "rqvae.training.checkpoint_seconds=0.2", "sasrec.training.checkpoint_seconds=0.2",
    "lmindexer.warmup.checkpoint_seconds=0", "lmindexer.first.full.checkpoint_seconds=0",
    "lmindexer.later.full.checkpoint_seconds=0", "generative.recommendation.checkpoint_seconds=0.2",
)  # fmt: skip


def command(runs: Path, methods: str) -> list[str]:
    """Return the words of the run."""
    words = ["run", "--methods", methods, "--dataset", DATA, "--preset", "tiny", "--runs", str(runs)]
    words += ["--tasks", "id-quality,recommendation", "--device", "cpu"]
    owners = {*methods.split(","), "generative"}
    chosen = [setting for setting in SETTINGS if setting.partition(".")[0] in owners]
    return [*words, *(word for setting in chosen for word in ("--set", setting))]


def start(runs: Path, methods: str, *, flushes: int | None = None, imported: Path | None = None) -> int:
    """Fork a process that runs the command, and kills itself right before the given flush; return its number.

    The names of the modules that it needed go into the file `imported`.
    """
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        log = os.open(runs.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if flushes is not None:
            _kill_before(flushes)
        from benchmark.cli.main import main

        code = main(command(runs, methods))
        if imported:
            imported.write_text("\n".join(sorted(sys.modules)))
    finally:
        os._exit(code)


def _kill_before(flushes: int) -> None:
    flush, done = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal done
        if done == flushes:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        flush(handle)

    os.fsync = fsync


def finish(runs: Path, methods: str, imported: Path | None = None) -> None:
    """Run to the end. Raises SystemExit where the exit code is not 0."""
    _, status = os.waitpid(start(runs, methods, imported=imported), 0)
    if status:
        sys.exit(f"the run ended with {os.waitstatus_to_exitcode(status)}: see {runs.with_suffix('.log')}")


def kill_once(runs: Path, methods: str, moments: random.Random, whole_seconds: float) -> bool:
    """Start the run and kill it; return False where it ended before."""
    if moments.random() < 0.5:
        process = start(runs, methods, flushes=int(2 ** moments.uniform(0, 8)))
        _, status = os.waitpid(process, 0)
    else:
        process, until = start(runs, methods), time.monotonic() + moments.uniform(0, whole_seconds / 3)
        ended, status = 0, 0
        while not ended and time.monotonic() < until:
            time.sleep(0.002)
            ended, status = os.waitpid(process, os.WNOHANG)
        if not ended:
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def said_damaged(runs: Path) -> list[str]:
    """Return what the processes of a runs folder said of damaged files."""
    return [line for line in runs.with_suffix(".log").read_text("utf-8", "replace").split("\n") if "damaged: " in line]


def left_by(runs: Path) -> dict[str, bytes]:
    """Return every file of the results but the measured costs, and the names of what is half-written anywhere."""
    files = [path for path in runs.glob("*/**/*") if path.is_file() and path.relative_to(runs).parts[0] != ".cache"]
    kept = {str(path.relative_to(runs)): path.read_bytes() for path in files if path.name != "cost.json"}
    half = [*runs.rglob(".partial-*"), *runs.rglob("*.work"), *runs.glob("errors/*")]
    return kept | {str(path.relative_to(runs)): b"left over" for path in half}


def _import(modules: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def main() -> int:
    """Kill, rerun, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--kills-per-run", type=int, default=10, help="kills of one runs folder before it may end")
    parser.add_argument("--methods", default=METHODS, help=f"some of {METHODS}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None, help="where to work (default: a temporary folder)")
    arguments = parser.parse_args()
    methods = arguments.methods
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="benchmark-kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(Path(__file__).parents[1]))
    _import(["warm"])  # what takes long, before the first fork
    finish(folder / "whole", methods, imported=folder / "modules.txt")
    _import((folder / "modules.txt").read_text().split("\n"))
    started = time.monotonic()
    finish(folder / "again", methods)
    seconds, expected = time.monotonic() - started, left_by(folder / "whole")
    finish(folder / "again", methods)
    same = left_by(folder / "again") == expected and not said_damaged(folder / "again")
    print(f"undisturbed: {seconds:.0f} s, {len(expected)} files, the same twice: {same}, in {folder}", flush=True)
    moments, kills, runs, different = random.Random(arguments.seed), 0, 0, int(not same)
    while kills < arguments.kills:
        place = folder / f"killed-{runs}"
        runs += 1
        hits = 0
        while hits < arguments.kills_per_run and kills + hits < arguments.kills:
            if not kill_once(place, methods, moments, seconds):
                break
            hits += 1
        finish(place, methods)
        finish(place, methods)
        kills += hits
        found = left_by(place) | dict.fromkeys(said_damaged(place), b"said")
        names = sorted(name for name in expected.keys() | found.keys() if found.get(name) != expected.get(name))
        different += bool(names)
        verdict = f"{len(names)} differences: {', '.join(names[:5])}" if names else "every byte is the same"
        print(f"run {runs}: {hits} kills, {kills} in all, {time.monotonic() - started:.0f} s: {verdict}", flush=True)
    print(f"{kills} kills over {runs} runs: {different} runs with another result")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
