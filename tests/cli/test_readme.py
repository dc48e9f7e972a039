"""Every command of the README runs as written (in a temporary folder, with a small demo and few training steps)."""

import json
import re
import shlex
from pathlib import Path

import pytest
from conftest import FAST

from benchmark.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
LINES = [line.partition("  ")[0].strip() for line in re.findall(r"^    (benchmark .*)$", README, re.M)]
STAGES = ["warmup", "first.no_code", "first.full", "later.no_code", "later.full"]
LMINDEXER = [word for stage in STAGES for word in ("--set", f"lmindexer.{stage}.epochs=0.01")]
LMINDEXER += ["--set", "lmindexer.study_items=0"]
MADE = [line for line in LINES if not line.startswith(("benchmark bench", "benchmark data get"))]


pytestmark = pytest.mark.usefixtures("small_demo")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all commands are typed, one after the other."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "items.csv").write_text("sku,name\n1,Red lamp\n2,Blue lamp\n")
    beauty = folder / "LETTER" / "data" / "Beauty"
    beauty.mkdir(parents=True)
    users = {str(user): [(user + step) % 7 for step in range(5)] for user in range(9)}
    (beauty / "Beauty.inter.json").write_text(json.dumps(users))
    (beauty / "Beauty.index.json").write_text(json.dumps({str(n): [f"<a_{n % 3}>", f"<b_{n}>"] for n in range(7)}))
    return folder


@pytest.mark.parametrize("line", MADE)
def test_the_command_works(
    line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(line)[1:]
    if words[0] == "run":
        generative = "popularity" not in line and "tuned.toml" not in line  # else no row has a generative part
        words += [*(FAST if generative else ()), "--device", "cpu"]
        words += ["--set", "rqvae.training.steps=20"] if "rqvae" in line else []
        words += LMINDEXER if "lmindexer" in line else []
    monkeypatch.chdir(folder)
    assert main(words) == 0
    assert capsys.readouterr().out.strip()


def test_the_readme_names_every_make_target_and_no_other() -> None:
    named = set(re.findall(r"(?:^    |`)make (\w+)", README, re.M))
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"demo", "test"} <= named <= targets


def test_every_file_that_a_run_leaves_behind_is_in_the_readme(folder: Path) -> None:
    files = {path.name for path in folder.glob("runs/*/*/*/seed-*/*")} - {".lock"}
    named = {name: re.sub(r"\.(recommendation|search)\.", ".<task>.", name) for name in files}
    assert files and [name for name in files if name not in README and named[name] not in README] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    assert f"benchmark {name}" in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert COMMANDS[name] in capsys.readouterr().out
