"""`benchmark run --config FILE`: what a file describes is what the same words on a command line would be."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import benchmark
from benchmark.api.run_config import RunConfig, read_run_config
from benchmark.cli.main import main
from benchmark.cli.run import add_arguments
from benchmark.cli.run_config import typed
from benchmark.errors import UsageError

SERIES = """
preset = "tiny"
seeds = [0, 1]
[settings]
"rqkmeans.codebook_size" = 6

[[run]]
dataset = "SHOP"
methods = ["rqkmeans", "random"]
tasks = ["id-quality"]
[run.settings]
"rqkmeans.levels" = 2

[[run]]
dataset = "SHOP"
methods = "rqkmeans,hc"
tasks = "id-quality"
"""


def planned(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """Return the cells that a command would compute."""
    capsys.readouterr()
    assert main(["run", *words, "--dry-run", "--json"]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


@pytest.fixture
def series(shop: Path, tmp_path: Path) -> Path:
    path = tmp_path / "series.toml"
    path.write_text(SERIES.replace("SHOP", str(shop)))
    return path


def test_a_series_plans_the_cells_of_the_commands_that_it_stands_for(
    series: Path, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = ["--dataset", str(shop), "--preset", "tiny", "--seeds", "0,1", "--tasks", "id-quality"]
    shared += ["--set", "rqkmeans.codebook_size=6", "--runs", str(tmp_path / "runs")]
    first = planned(capsys, *shared, "--methods", "rqkmeans,random", "--set", "rqkmeans.levels=2")
    second = planned(capsys, *shared, "--methods", "rqkmeans,hc")
    assert planned(capsys, "--config", str(series), "--runs", str(tmp_path / "runs")) == [*first, *second]


def test_options_beside_the_file_take_the_place_of_its_own_also_where_they_are_the_default(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--config", str(series), "--runs", str(tmp_path / "runs"), "--seeds", "0"]  # 0 is the default
    assert {row["cell"].rpartition(" ")[2] for row in planned(capsys, *words)} == {"0"}
    assert {row["cell"].rpartition(" ")[2] for row in planned(capsys, *words[:-2])} == {"0", "1"}


def test_options_that_were_not_typed_change_nothing() -> None:
    assert typed(["--config", "x.toml"], add_arguments) == {}
    given = ["--set", "hc.levels=2", "--seeds", "3,1", "--methods", "a,b", "--no-check", "--any-version"]
    assert typed(given, add_arguments) == {
        "settings": {"hc.levels": "2"}, "seeds": [1, 3], "methods": ["a", "b"], "check": False, "any_version": True,
    }  # fmt: skip


def test_a_printed_file_describes_the_same_cells(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dataset", str(shop), "--methods", "rqkmeans,wide=rqkmeans,bm25", "--seeds", "0,2", "--preset", "tiny"]
    words += ["--set", "wide.codebook_size=9", "--set", "rqkmeans.encoder.pooling=cls", "--text-fields", "title,brand"]
    there = ["--runs", str(tmp_path / "runs")]
    assert main(["run", *words, "--print-config"]) == 0
    (tmp_path / "one.toml").write_text(capsys.readouterr().out)
    due = planned(capsys, *words, *there)
    assert len(due) == 14  # two indexers in three tasks, a retriever in one, two seeds
    assert planned(capsys, "--config", str(tmp_path / "one.toml"), *there) == due


def test_the_printed_file_of_a_series_describes_the_same_cells(
    series: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--config", str(series), "--print-config"]) == 0
    (tmp_path / "again.toml").write_text(capsys.readouterr().out)
    there = ["--runs", str(tmp_path / "runs")]
    assert planned(capsys, "--config", str(tmp_path / "again.toml"), *there) == planned(
        capsys, "--config", str(series), *there
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('method = ["bm25"]', "run 1 of 1: unknown key 'method'. Did you mean 'methods'?"),
        ('[[run]]\nseeds = [0]\n[[run]]\nseeds = "0"', "run 2 of 2: seeds: "),
        ('run = "bm25"', "write each run as a section [[run]]"),
        ("methods = [", "not a TOML file"),
        ('dataset = "shop"\nmethods = ["no-such"]', "no-such"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    assert main(["run", "--config", str(tmp_path / "wrong.toml")]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_not_there_and_a_run_without_a_data_set_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=r"absent\.toml: cannot be read"):
        read_run_config(tmp_path / "absent.toml")
    assert main(["run", "--methods", "bm25"]) == 2
    assert "--dataset is needed" in capsys.readouterr().err


def test_every_argument_of_run_is_a_key_with_the_same_default() -> None:
    arguments = {name: p.default for name, p in inspect.signature(benchmark.run).parameters.items() if name != "quiet"}
    keys = {name: field.default for name, field in RunConfig.model_fields.items()}
    assert arguments.keys() == keys.keys()
    empty = ((), [], {}, None)
    differing = {n for n in keys if str(keys[n]) != str(arguments[n]) and (keys[n] or arguments[n]) not in empty}
    assert differing == {"seeds"}  # a list in TOML, a tuple in Python
    assert list(arguments["seeds"]) == keys["seeds"]


def test_a_series_runs_to_its_end_and_says_what_failed(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = f'dataset = "{shop}"\ntasks = ["id-quality"]\npreset = "tiny"\n'
    (tmp_path / "two.toml").write_text(f'{shared}[[run]]\nmethods = ["random"]\n[[run]]\nmethods = ["category"]\n')
    assert main(["run", "--config", str(tmp_path / "two.toml"), "--runs", str(tmp_path / "runs")]) == 0
    said = capsys.readouterr()
    assert [line for line in said.err.splitlines() if line.startswith("run ") and "rows" in line] == [
        f"run 1 of 2: {shop}, id-quality, 1 rows, seeds 0", f"run 2 of 2: {shop}, id-quality, 1 rows, seeds 0",
    ]  # fmt: skip
    assert "2 runs in" in said.err
    assert "random (control)" in said.out
    assert "category (control)" in said.out


def test_settings_of_the_file_the_run_and_the_command_line_are_taken_together(tmp_path: Path) -> None:
    path = tmp_path / "merged.toml"
    path.write_text("""
        [settings.generative]
        beams = 3
        [[run]]
        dataset = "demo"
        methods = ["wide=rqkmeans"]
        [run.settings]
        "wide.codebook_size" = 512
        [run.settings.generative]
        length_penalty = 0.5
    """)
    (config,) = read_run_config(path, typed(["--set", "wide.levels=2"], add_arguments))
    assert config.settings == {
        "generative.beams": 3, "wide.codebook_size": 512, "generative.length_penalty": 0.5, "wide.levels": "2",
    }  # fmt: skip


def test_one_json_document_is_of_one_run(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--config", str(series), "--json"]) == 2
    assert "--json goes with a file of one run" in capsys.readouterr().err
