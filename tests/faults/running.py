"""Runs the cases: each in a folder and a process of its own, forked from one that has imported the suite."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from faults import case as cases
from faults.case import Case, Done, check, shell_code

TESTS = Path(__file__).resolve().parents[1]
LIMIT = 300  # seconds of a case
COMMAND = [sys.executable, "-m", "benchmark"]


@contextlib.contextmanager
def templates() -> Iterator[Path]:
    """Make what the cases copy: the shop, and finished results of `random` and `popularity` on it."""
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        root = Path(name).resolve()
        cases.TEMPLATES = root / "templates"
        write_shop(cases.TEMPLATES / "shop")
        words = ["run", "--methods", "random,popularity", "--dataset", "shop", "--set", "random.codebook_size=8"]
        words += ["--tasks", "id-quality,recommendation", "--set", "generative.recommendation.steps=2"]
        words += ["--set", "generative.recommendation.epochs=0", "--device", "cpu"]
        done = forked(words, cases.TEMPLATES, environment({}))
        if done.code:
            raise RuntimeError(f"the finished results could not be made: {done.err}")
        yield root


def write_shop(folder: Path) -> None:
    """Write a data set of 40 items, 20 users and 6 judged queries."""
    folder.mkdir(parents=True)
    rows = range(40)
    kinds = [("lamp", "desk"), ("lamp", "floor"), ("soap", "hand"), ("soap", "dish")]
    items = [
        f'{{"id": "i{row:02}", "title": "{kinds[row % 4][1]} {kinds[row % 4][0]} number {row}", "brand": "b{row % 3}", '
        f'"categories": ["home", "{kinds[row % 4][0]}", "{kinds[row % 4][1]}"]}}\n'
        for row in rows
    ]
    users = [f"u{user} " + " ".join(f"i{(7 * user + 3 * step) % 40:02}" for step in range(5)) for user in range(20)]
    (folder / "items.jsonl").write_text("".join(items))
    (folder / "sequences.txt").write_text("\n".join(users) + "\n")
    (folder / "queries.tsv").write_text("".join(f"q{query}\tlamp number {6 * query}\n" for query in range(6)))
    (folder / "qrels.txt").write_text("".join(f"q{query} 0 i{6 * query:02} 1\n" for query in range(6)))
    (folder / "dataset.toml").write_text('name = "shop"\ntitle = "A small shop"\n[expect]\nitems = 40\nusers = 20\n')


def try_case(case: Case, folder: Path) -> tuple[Done, list[str]]:
    """Run a case in an empty folder; return what the command left, and what is wrong with it."""
    folder.mkdir(parents=True)
    case.prepare(folder)
    variables = environment(case.environment)
    if case.start is not None:
        done = case.start([*COMMAND, *case.words], folder, variables)
    elif case.fresh:
        done = started([*COMMAND, *case.words], folder, variables)
    else:
        done = forked(list(case.words), folder, variables)
    return done, check(case, done, folder)


def environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """Return the variables of a case: as here, offline, changed (None: unset)."""
    usual = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(TESTS.parent)}
    merged = {**os.environ, **usual, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def started(command: list[str], folder: Path, variables: dict[str, str]) -> Done:
    """Run a command in an interpreter of its own."""
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT
    )
    return Done(shell_code(done.returncode), _text(done.stdout), _text(done.stderr))


def forked(words: list[str], folder: Path, variables: dict[str, str]) -> Done:
    """Run the command's `main` in a fork of this process, as the console script does."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os._exit(_command(words, folder, variables, out.fileno(), err.fileno()))
        end = time.monotonic() + LIMIT
        while (state := os.waitpid(child, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                os.kill(child, signal.SIGKILL)
            time.sleep(0.01)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(_text(file.read()))
    return Done(shell_code(os.waitstatus_to_exitcode(state[1])), *texts)


def _command(words: list[str], folder: Path, variables: dict[str, str], out: int, err: int) -> int:
    """In the child: become the command; return its exit code."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[:0] = [path for path in variables["PYTHONPATH"].split(os.pathsep) if path not in sys.path]
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdin = open(os.devnull)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = ["benchmark", *words]
    code: object = 1
    try:
        from benchmark.cli.main import main

        code = main()
    except SystemExit as error:
        code = error.code
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
