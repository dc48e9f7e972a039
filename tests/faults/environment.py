"""The world around a command: no home, an old terminal, odd folders, full and read-only disks, signals, pipes."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from faults.case import CHEAP, Case, Done, results, shell_code, shop, template

RUN = ("run", "--methods", "random", "--set", "random.codebook_size=8", "--dataset", "shop", *CHEAP)
MORE = ("run", "--methods", "category,shuffled,random", "--dataset", "shop", "--set", "random.codebook_size=8",
        "--set", "shuffled.codebook_size=8", *CHEAP)  # fmt: skip
LONG_RUN = (
    "run", "--methods", "rqvae", "--dataset", "shop", "--set", "rqvae.training.steps=1000000", "--set",
    "rqvae.codebook_size=8", *CHEAP,
)  # fmt: skip
FULL_HELP = "full|space|large"


def env(title: str, words: tuple[str, ...], says: str, code: int = 0, **variables: str | None) -> Case:
    """A command under other variables, in an interpreter of its own."""
    return Case(title, words, code, says, results({}), environment=variables, fresh=True)


def in_folder(title: str, name: str) -> Case:
    """A run in a folder of this name: data, results and all."""
    words = ("run", "--methods", "random", "--set", "random.codebook_size=8", "--dataset", f"{name}/shop", *CHEAP)

    def prepare(folder: Path) -> None:
        shutil.copytree(template("shop"), folder / name / "shop")

    return Case(title, (*words, "--runs", f"{name}/runs"), 0, "random", prepare)


def mounted(options: str) -> Callable[[list[str], Path, dict[str, str]], Done]:
    """Return a start inside a namespace of its own, with a tmpfs of these options on `small`."""

    def start(command: list[str], folder: Path, variables: dict[str, str]) -> Done:
        (folder / "small").mkdir()
        script = f'mount -t tmpfs -o {options} tmpfs small && exec "$@"'
        return run(["unshare", "--mount", "sh", "-c", script, "sh", *command], folder, variables)

    return start


def cannot_mount() -> str:
    """Return why no file system can be mounted here; '' where it can."""
    if shutil.which("unshare") is None:
        return "unshare is not installed"
    done = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True
    )
    return done.stderr.strip() if done.returncode else ""


def small(title: str, options: str, says: str, words: tuple[str, ...], code: int = 1) -> Case:
    """A command that writes to a small or read-only file system, `small`."""
    return Case(title, words, code, says, results({}), start=mounted(options), slow=True, skip=cannot_mount)


def signalled(number: int) -> Callable[[list[str], Path, dict[str, str]], Done]:
    """Return a start that sends a signal once the run has begun to learn."""

    def start(command: list[str], folder: Path, variables: dict[str, str]) -> Done:
        child = subprocess.Popen(command, cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        end = time.monotonic() + 120
        while child.poll() is None and time.monotonic() < end and not list(folder.glob("runs/.cache/**/*ids*")):
            time.sleep(0.2)
        time.sleep(2)
        child.send_signal(number)
        out, err = child.communicate(timeout=120)
        return Done(shell_code(child.returncode), out.decode(), err.decode())

    return start


def redirected(text: str) -> Callable[[list[str], Path, dict[str, str]], Done]:
    """Return a start by a shell: "$@" is the command."""
    return lambda command, folder, variables: run(["bash", "-c", text, "sh", *command], folder, variables)


def run(command: list[str], folder: Path, variables: dict[str, str]) -> Done:
    """Run a command to its end."""
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, stdin=subprocess.DEVNULL, timeout=300
    )
    return Done(shell_code(done.returncode), done.stdout.decode(), done.stderr.decode())


ASCII = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}

CASES = [
    env("no HOME", ("list", "datasets"), "demo", HOME=None),
    env("no HOME, a data set by path", ("data", "stats", "shop"), "items", HOME=None),
    env("a HOME that is not there", ("data", "stats", "shop"), "items", HOME="/nowhere/at/all"),
    env("LC_ALL=C", ("report",), "random", LC_ALL="C"),
    env("an ASCII terminal, tables", ("report",), r"\+-|random", **ASCII),
    env("an ASCII terminal, metrics", ("list", "metrics"), "AMI", **ASCII),
    env("an ASCII terminal, JSON", ("report", "--format", "json"), "random", **ASCII),
    env("a Latin-1 terminal", ("report",), "random", PYTHONIOENCODING="latin-1"),
    env("a terminal of no columns", ("report",), "random", COLUMNS="0"),
    env("a temporary folder that is not there", RUN, "random", TMPDIR="/nowhere/at/all"),
    env("BENCHMARK_DATA is a file", ("run", "--methods", "random", "--dataset", "mine"), "mine", 2,
        BENCHMARK_DATA="shop/items.jsonl"),
    in_folder("a folder with spaces and umlauts", "für alle Fälle ü"),
    in_folder("a folder with signs of the shell", "a;b $(c) 'd'"),
    in_folder("a folder in Chinese", "数据"),
    small("8 MB, results", "size=8m", "random", (*RUN, "--runs", "small/runs"), 0),
    small("64 kB, results", "size=64k", FULL_HELP, (*MORE, "--runs", "small/runs")),
    small("64 kB, tables", "size=64k", FULL_HELP, ("report", "--format", "html", "--out", "small/out")),
    small("64 kB, a data set", "size=64k", FULL_HELP, ("data", "write", "planted:items=2000", "small/new")),
    small("64 kB, figures", "size=64k", FULL_HELP, ("figures", "--out", "small/out")),
    small("8 MB, a data set", "size=8m", FULL_HELP, ("data", "write", "planted:items=60000,users=60000", "small/new")),
    small("read-only, results", "ro", "--runs|read-only", (*RUN, "--runs", "small/runs"), 2),
    small("read-only, tables", "ro", "read-only", ("report", "--out", "small/out")),
    small("read-only, a data set", "ro", "read-only", ("data", "write", "shop", "small/new")),
    Case("results to /dev/full", ("report",), 1, "space", results({}), start=redirected('"$@" > /dev/full')),
    Case("a list to /dev/full", ("list", "methods"), 1, "space", start=redirected('"$@" > /dev/full')),
    Case("a reader that goes away", ("list", "metrics"), 0, "", start=redirected('"$@" | head -n 1')),
    Case("standard output closed", ("list", "methods"), 0, "", start=redirected('"$@" >&-')),
    Case("standard error closed", ("list", "methods"), 0, "rqvae", start=redirected('"$@" 2>&-')),
    Case("nobody answers", ("data", "get", "movielens-100k", "--data-root", "root"), 2,
         "yes|download", fresh=True),
    Case("SIGTERM", LONG_RUN, 128 + signal.SIGTERM, "", shop({}), start=signalled(signal.SIGTERM), slow=True),
    Case("Ctrl-C", LONG_RUN, 130, "interrupted", shop({}), start=signalled(signal.SIGINT), slow=True),
]  # fmt: skip
