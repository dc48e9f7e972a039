"""`benchmark sweep`: a grid of settings becomes ordinary rows of `benchmark run`."""

import json
import re
import shlex

import pytest
from conftest import FAST
from hypothesis import given
from hypothesis.strategies import lists, text

from benchmark.cli import sweep
from benchmark.cli.main import main
from benchmark.cli.parsing import parse_settings
from benchmark.cli.sweep import make_points
from benchmark.errors import UsageError
from benchmark.results.result_files import load_results
from benchmark.running.plan import make_variants

pytestmark = pytest.mark.usefixtures("small_encoder")


def test_a_grid_has_every_combination_once():
    points = make_points(["rqvae"], ["levels=2,3", "codebook_size=8,16,8"], [])
    assert [point.settings for point in points] == [
        (f"rqvae-levels-{a}-codebook_size-{b}.levels={a}", f"rqvae-levels-{a}-codebook_size-{b}.codebook_size={b}")
        for a in (2, 3)
        for b in (8, 16)
    ]


def test_a_key_goes_to_every_method_and_a_methods_key_to_that_one():
    over = ["codebook_size=8", "rqvae.levels=1,2", "wide.levels=4"]
    points = make_points(["rqvae", "wide=rqkmeans"], over, ["wide.encoder=x", "generative.beams=3"])
    assert [(point.label, point.method) for point in points] == [
        ("rqvae-codebook_size-8-levels-1", "rqvae"), ("rqvae-codebook_size-8-levels-2", "rqvae"),
        ("wide-codebook_size-8-levels-4", "rqkmeans"),
    ]  # fmt: skip
    assert "wide-codebook_size-8-levels-4.encoder=x" in points[2].settings
    assert not any("encoder" in setting for point in points[:2] for setting in point.settings)


def test_nested_keys_and_json_values_reach_the_configuration():
    over = ["training.learning_rate=0.1,1e-3", 'encoder={"name": "a", "pooling": "cls"},b']
    points = make_points(["rqvae"], over, [])
    names = [f"{point.label}={point.method}" for point in points]
    settings = parse_settings([setting for point in points for setting in point.settings])
    configs = [variant.config.model_dump() for variant in make_variants(names, "small", settings)]
    assert [config["training"]["learning_rate"] for config in configs] == [0.1, 0.1, 0.001, 0.001]
    assert [config["encoder"]["name"] for config in configs] == ["a", "b"] * 2


VALUES = text("ab._/\\ -:é1", min_size=1, max_size=90).filter(str.strip)


@given(lists(VALUES, min_size=1, max_size=8, unique_by=str.strip))
def test_labels_are_distinct_valid_and_do_not_depend_on_the_rest_of_the_grid(values):
    values = [value.strip() for value in values]
    labels = [point.label for point in make_points(["rqvae"], [f"encoder={','.join(values)}"], [])]
    assert len(set(labels)) == len(values)
    assert all(re.fullmatch(r"[\w-]{1,90}", label) for label in labels)
    assert labels == [make_points(["rqvae"], [f"encoder={value}"], [])[0].label for value in values]


@pytest.mark.parametrize(
    ("over", "settings", "message"),
    [
        (["levels"], [], "write KEY=V1,V2"),
        (["levels=,"], [], "write KEY=V1,V2"),
        (["=1"], [], "write KEY=V1,V2"),
        (["hc.children=2,3"], [], "nothing is swept of 'rqvae'"),
        (["levels=1"], ["rqvea.levels=2"], "Did you mean 'rqvae'?"),
    ],
)
def test_misuse_is_refused_with_what_to_write(over, settings, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        make_points(["rqvae", "hc"], over, settings)


def test_a_wrong_key_is_refused_before_a_command_is_printed(shop, capsys):
    words = ["sweep", "--methods", "rqkmeans", "--over", "codebok_size=8,16", "--dataset", str(shop)]
    assert main([*words, "--print-commands"]) == 2
    said = capsys.readouterr()
    assert "codebook_size" in said.err and not said.out


def test_rows_of_files_have_a_printed_command_too(shop, capsys):
    words = ["sweep", "--methods", "rqkmeans", "--over", "levels=2,3", "--dataset", str(shop), "--seeds", "0,1",
             "--ids", "theirs=t.tsv", "--run-file", "a.trec", "--ids-order", "items", "--print-commands"]  # fmt: skip
    assert main(words) == 0
    commands = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert len(commands) == 6  # two points and the files, two seeds each
    for command, seed in zip(commands[4:], ("0", "1"), strict=True):
        assert command[2:5] == ["--ids=theirs=t.tsv", "--run-file=a.trec", "--ids-order=items"]
        assert "--methods" not in command and command[command.index("--seeds") + 1] == seed


def test_the_printed_commands_are_the_sweep_and_figures_read_it(shop, tmp_path, capsys):
    """Half the points are computed by the sweep, the other half by its printed commands; then nothing is left to do."""
    words = ["sweep", "--methods", "rqkmeans,random", "--over", "codebook_size=4,8", "--dataset", str(shop),
             "--set", "rqkmeans.levels=2", "--tasks", "id-quality,recommendation", "--seeds", "0,1", "--device", "cpu",
             "--runs", str(tmp_path / "runs"), *FAST]  # fmt: skip
    assert main([*words, "--print-commands"]) == 0
    commands = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert len(commands) == 8 and all(command[:2] == ["benchmark", "run"] for command in commands)
    for command in commands[::2]:
        assert main(command[1:]) == 0
    capsys.readouterr()
    assert main([*words, "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "8 of 16 cells to compute"
    assert main(words) == 0
    assert "rqkmeans-codebook_size-8" in capsys.readouterr().out
    for command in commands:
        assert main([*command[1:], "--dry-run", "--json"]) == 0
        assert all(cell["done"] for cell in json.loads(capsys.readouterr().out))
    results = load_results(tmp_path / "runs")
    sizes = [(result.method, result.config["method"]["codebook_size"], result.seed) for result in results]
    assert sorted(sizes) == [(m, s, seed) for m in ("random", "rqkmeans") for s in (4, 8) for seed in (0, 1)]
    assert {result.config["method"]["levels"] for result in results if result.method == "rqkmeans"} == {2}
    out = str(tmp_path / "out")
    assert main(["figures", "--runs", str(tmp_path / "runs"), "--figures", "codebook-size", "--out", out]) == 0


@pytest.mark.parametrize("line", re.findall(r"^  (benchmark sweep .*)$", sweep.__doc__ or "", re.M))
def test_every_documented_command_is_planned(line, tmp_path, capsys):
    assert main([*shlex.split(line)[1:], "--runs", str(tmp_path / "runs"), "--dry-run"]) == 0
    assert capsys.readouterr().out.strip()
