"""The shell completes commands, options and names; it asks the program as argcomplete's own function does."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli.completion import column_names
from benchmark.cli.main import COMMANDS
from benchmark.metrics.lookup import find_metric
from benchmark.registry import registered


def completed(line: str, folder: Path, code: str = "") -> list[str]:
    """Return what is offered at the end of a line."""
    out = folder / "offered"
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(out)}
    asked |= {
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
        "_ARGCOMPLETE_COMP_WORDBREAKS": "\"'><=;|&(:",
    }
    program = f"import atexit, os, sys; from benchmark.cli.main import main\n{code}\nmain(['no', 'such', 'words'])"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | asked, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return sorted("".join(shlex.split(word)) for word in out.read_text().split("\n") if word.strip())


def test_commands_are_completed(tmp_path: Path) -> None:
    assert completed("benchmark re", tmp_path) == ["report", "reproduce"]
    assert set(completed("benchmark ", tmp_path)) >= set(COMMANDS)


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("benchmark run --meth", ["--methods"]),
        ("benchmark run --methods rq", ["rqkmeans", "rqvae"]),
        ("benchmark run --methods bm25,rq", ["bm25,rqkmeans", "bm25,rqvae"]),
        ("benchmark run --dataset mov", ["movielens-100k", "movielens-1m"]),
        ("benchmark report --tables cold", ["cold-start"]),
        ("benchmark report --columns nDCG@1", ["nDCG@10"]),
        ("benchmark show item-", ["item-knn"]),
        ("benchmark show AM", ["AMI", "AMI@depth2", "AMI@depth3", "AMI@level2"]),
        ("benchmark list me", ["methods", "metrics"]),
        ("benchmark import tab", ["table"]),
        ("benchmark compare rqk", ["rqkmeans"]),
    ],
)  # fmt: skip
def test_options_and_names_are_completed(line: str, offered: list[str], tmp_path: Path) -> None:
    assert completed(line, tmp_path) == offered


def test_a_folder_is_a_data_set_too(tmp_path: Path) -> None:
    (tmp_path / "demo-of-mine").mkdir()
    assert completed("benchmark run --dataset demo", tmp_path) == ["demo", "demo-of-mine/"]


def test_nothing_heavy_is_imported_and_what_is_offered_exists(tmp_path: Path) -> None:
    heavy = "{'torch', 'transformers', 'sklearn', 'scipy', 'faiss'} & set(sys.modules)"
    code = f"exits = os._exit; os._exit = lambda status: exits(9 if {heavy} else status)"
    names = completed("benchmark show ", tmp_path, code)
    options = [name for name in names if name.startswith("-")]
    known = {*registered("method"), *registered("data set"), *registered("table"), *column_names()}
    assert set(names) - set(options) == {name for name in known if name}
    assert find_metric("nDCG@10", "search") and "nDCG@10" in names


def test_without_argcomplete_the_shell_gets_no_answer_and_no_error(tmp_path: Path) -> None:
    program = "import sys; sys.modules['argcomplete'] = None; from benchmark.cli.main import main; main([])"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"_ARGCOMPLETE": "1"}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_help_says_how_to_switch_it_on() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmark", "--help"], capture_output=True, text=True)
    assert 'eval "$(register-python-argcomplete benchmark)"' in done.stdout
