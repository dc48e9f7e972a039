"""Settings from defaults, presets and overrides; names with near-miss hints; fast, import-free listing."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.config import (
    EncoderConfig,
    MethodConfig,
    TrainingConfig,
    build_config,
    flatten,
    load_exceptions,
    load_presets,
    load_trials,
    nested,
)
from benchmark.errors import ConfigError, UsageError
from benchmark.registry import describe, find, registered, source_file
from benchmark.running.plan import make_variants


class Example(MethodConfig):
    levels: int = 3
    encoder: EncoderConfig = EncoderConfig()
    training: TrainingConfig = TrainingConfig(steps=10, batch_size=4)


def test_overrides_beat_presets_beat_defaults() -> None:
    config = build_config(Example, preset={"levels": 4, "training": {"steps": 20}}, overrides={"levels": "5"})
    assert (config.levels, config.training.steps, config.training.batch_size) == (5, 20, 4)


def test_a_preset_may_state_its_tuning_budget_which_is_no_setting(tmp_path: Path) -> None:
    (tmp_path / "presets.toml").write_text("[a.published]\ntrials = 3\nlevels = 4\n[a.small]\n[b.small]\ntrials = 0\n")
    source = tmp_path / "example.py"
    assert load_presets(source, "a") == {"small": {}, "published": {"levels": 4}}
    assert (load_trials(source, "a"), load_trials(source, "b")) == ({"published": 3}, {"small": 0})


def test_a_preset_may_differ_on_some_data_sets(tmp_path: Path) -> None:
    """What it says there goes over the rest, section by section; other presets and data sets keep theirs."""
    (tmp_path / "example.toml").write_text(
        "[paper]\ntrials = 1\nlevels = 4\ntraining = { steps = 20, batch_size = 8 }\n[small]\nlevels = 2\n"
        "[[paper.on]]\ndatasets = ['nq', 'web']\ntraining = { steps = 90 }\n"
        "[[paper.on]]\ndatasets = ['web']\nlevels = 5\n"
    )
    source = tmp_path / "example.py"
    plain = {"levels": 4, "training": {"steps": 20, "batch_size": 8}}
    for name in ("", "beauty"):
        assert load_presets(source, dataset=name) == {"paper": plain, "small": {"levels": 2}}
    longer = plain | {"training": {"steps": 90, "batch_size": 8}}
    assert load_presets(source, dataset="nq")["paper"] == longer
    assert load_presets(source, dataset="web") == {"paper": longer | {"levels": 5}, "small": {"levels": 2}}
    of_paper = [(("nq", "web"), {"training": {"steps": 90}}), (("web",), {"levels": 5})]
    assert load_exceptions(source) == {"paper": of_paper} and load_trials(source) == {"paper": 1}


def test_show_names_what_a_preset_says_otherwise_on_a_data_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "hc"]) == 0
    assert "preset paper on nq320k, over these: leaf_factor=1280\n" in capsys.readouterr().out


def test_a_row_has_the_tuning_budget_of_its_preset_only_as_long_as_no_setting_differs() -> None:
    assert load_trials(Path(source_file(find("method", "rqvae"))), "rqvae")["small"] > 0
    for settings, known in (({}, True), ({"generative.beams": "3"}, False), ({"rqvae.levels": "2"}, False)):
        (variant,) = make_variants(["rqvae"], "small", settings)
        assert (variant.trials is not None) is known


def test_an_encoder_may_be_named_by_a_bare_string() -> None:
    config = build_config(Example, overrides={"encoder": "bert-base-uncased", "encoder.pooling": "cls"})
    assert config.encoder == EncoderConfig(name="bert-base-uncased", pooling="cls")
    assert build_config(Example, overrides={"encoder.pooling": "cls", "encoder": "x"}).encoder.name == "x"


def test_dotted_keys_and_json_values() -> None:
    assert nested({"a.b": "1", "a.c": "[1, 2]"}) == {"a": {"b": "1", "c": [1, 2]}}
    with pytest.raises(ConfigError, match="not valid JSON"):
        nested({"a": "[1,"})


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"level": "2"}, r"mine\.level: unknown key. Did you mean 'levels'"),
        ({"encoder.poling": "cls"}, r"mine\.encoder\.poling: unknown key. Did you mean 'pooling'"),
        ({"levels": "many"}, r"mine\.levels: .*integer.*'many'"),
        ({"training.steps": "0"}, r"mine\.training\.steps: .*greater than or equal to 1"),
        ({"training.epochs": "-1"}, r"mine\.training\.epochs: .*greater than or equal to 0"),
    ],
)
def test_wrong_settings_name_the_key_and_the_nearest_one(overrides: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_config(Example, overrides=overrides, owner="mine")


@pytest.mark.parametrize(
    ("epochs", "n_examples", "steps"), [("3", 50, 38), ("0.5", 50, 7), ("1", 48, 12), ("0.01", 50, 1), ("0", 50, 10)]
)
def test_epochs_stand_for_as_many_steps_as_they_need(epochs: str, n_examples: int, steps: int) -> None:
    """In batches of 4, and at least one; without epochs the steps hold. Counted once, they stay counted."""
    training = build_config(Example, overrides={"training.epochs": epochs, "training.learning_rate": "0.5"}).training
    counted = training.with_steps(n_examples)
    assert (counted.steps, counted.batch_size, counted.learning_rate) == (steps, 4, 0.5)
    assert counted.with_steps(7 * n_examples) == counted


def test_unknown_names_get_a_hint() -> None:
    with pytest.raises(UsageError, match=r"unknown method 'rqvea'\. Did you mean 'rqvae'"):
        find("method", "rqvea")


@pytest.mark.parametrize("what", ["method", "data set"])
def test_every_registered_name_is_described_without_importing_it(what: str) -> None:
    """The summary read from the source is the first line of the imported object's own docstring."""
    for entry in registered(what).values():
        kind, summary = describe(entry)
        loaded = entry.load()
        assert summary == (loaded.__doc__ or "").strip().split("\n")[0] and summary
        if what == "method":
            assert kind in {base.__name__.lower() for base in loaded.__mro__}


@pytest.mark.parametrize(
    "command", [["--help"], ["list", "methods"], ["list", "datasets"], ["report", "--help"], ["tune", "--help"]]
)
def test_light_commands_import_no_heavy_package(command: list[str]) -> None:
    code = (
        f"import sys; from benchmark.cli.main import main\ntry: main({command})\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'scipy', 'pyarrow', 'faiss', 'optuna', 'sqlalchemy'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["report", "figures"])
def test_commands_that_read_results_start_without_pydantic(command: str, tmp_path: Path) -> None:
    code = (
        "import sys; from benchmark.cli.main import main\n"
        f"assert main(['{command}', '--runs', sys.argv[1], '--out', 'out']) == 2\n"
        "sys.exit('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0 and "no results below" in done.stderr


def test_a_table_is_listed_by_its_title() -> None:
    for entry in registered("table").values():
        assert describe(entry)[1] == entry.load().title


def test_flat_settings_are_what_nested_ones_came_from() -> None:
    flat = {"encoder.name": "default", "encoder.deep.er": "x", "levels": "3"}
    assert flatten(nested(flat)) == flat
    assert flatten({"a": {}, "b": {"c": [1, {"d": 2}]}}) == {"b.c": [1, {"d": 2}]}
