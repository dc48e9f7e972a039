"""Search spaces: what a TOML section means, what is refused and how, and the suite's own ones."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchmark.api.tune_search import all_settings
from benchmark.config import SIZES, load_presets, load_search_space
from benchmark.errors import ConfigError, UsageError
from benchmark.registry import find, registered, source_file
from benchmark.running.plan import make_variants
from benchmark.tuning.space import Choices, Range, at_most, checked, parse_space, read_spaces

SPACES = {name: load_search_space(source_file(find("method", name)), name) for name in registered("method")}


def parsed(text: str) -> Any:
    return parse_space(tomllib.loads(text), "here")


def settings_with(key: str, value: object) -> dict[str, Any]:
    return all_settings(make_variants(["rqkmeans"], "tiny", {f"rqkmeans.{key}": value})[0])


def test_ranges_choices_and_nested_keys() -> None:
    space = parsed(
        "levels = { low = 2, high = 4 }\ncodebook_size = [16, 32]\n"
        "[generative.recommendation]\nlearning_rate = { low = 1e-4, high = 1e-2, log = true }\n"
    )
    assert space == {
        "levels": Range(2, 4), "codebook_size": Choices((16, 32)),
        "generative.recommendation.learning_rate": Range(1e-4, 1e-2, log=True),
    }  # fmt: skip
    assert parsed('"a.b" = { low = 1, high = 9, step = 4 }') == {"a.b": Range(1, 9, step=4)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("levels = 3", "here: levels: expected [choice, choice, ..] or { low = .., high = .. }, got 3; --set fixes"),
        ("levels = {}", "here: levels: expected [choice, choice, ..]"),
        ("levels = []", "here: levels: an empty list of choices"),
        ("levels = [1, 1]", "here: levels: expected a list of different choices"),
        ("levels = [[1], [2]]", "here: levels: [1]: a choice is a number, a text or true or false"),
        ("levels = { low = 1 }", "here: levels: high is missing"),
        ("levels = { lwo = 1, high = 2 }", "here: levels: unknown word 'lwo' in a range. Did you mean 'low'?"),
        ("levels = { low = 3, high = 2 }", "here: levels: low = 3 is not below high = 2"),
        ("levels = { low = true, high = 2 }", "here: levels: low = True: a number is needed"),
        ("levels = { low = 1, high = inf }", "here: levels: high = inf: a number is needed"),
        (f"levels = {{ low = 1, high = 1{'0' * 400} }}", "a number is needed"),
        ("levels = { low = 0, high = 2, log = true }", "low = 0: a range on a logarithmic scale begins above 0"),
        ("levels = { low = 1, high = 2, log = 1 }", "here: levels: log = 1: true or false"),
        ("levels = { low = 1, high = 2, log = true, step = 1 }", "log and step do not go together"),
        ("levels = { low = 1, high = 2, step = 0 }", "step = 0 is not above 0"),
    ],
)
def test_what_is_not_a_space_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        parsed(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("codebok_size = [16]", "rqkmeans.codebok_size: unknown key. Did you mean 'codebook_size'?"),
        ("generative.recommendation.learning_rat = [0.1]", "unknown key. Did you mean 'learning_rate'?"),
        ("levels = { low = 0, high = 4 }", "rqkmeans.levels: Input should be greater than or equal to 1"),
        ("init = ['k-means++', 'best']", "rqkmeans.init: Input should be 'k-means++' or 'random'"),
        ("levels = { low = 1.5, high = 4 }", "rqkmeans.levels: Input should be a valid integer"),
        ("encoder.normalize = { low = 0, high = 1 }", "encoder.normalize: the setting is not a number; write a list"),
        ("levels = { low = 1, high = 4, step = 1.5 }", "levels: step 1.5: the setting is a whole number"),
    ],
)
def test_every_end_of_a_space_is_held_against_the_configuration(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        checked(parsed(text), settings_with, "here")


def test_a_range_is_of_whole_numbers_where_the_setting_is() -> None:
    space = checked(parsed("levels = { low = 2.0, high = 4 }\nmax_iter = { low = 1, high = 9 }"), settings_with, "here")
    assert all(type(end) is int for tried in space.values() for end in tried.ends)


def test_a_range_of_other_numbers_may_have_whole_ends() -> None:
    text = "[generative.recommendation]\nweight_decay = { low = 0, high = 1 }"
    (tried,) = checked(parsed(text), settings_with, "here").values()
    assert all(type(end) is float for end in tried.ends)


def test_a_space_holds_what_a_trial_may_draw() -> None:
    assert Range(0.1, 0.5, step=0.1).holds(0.3) and not Range(0.1, 0.5, step=0.1).holds(0.35)
    assert Range(1, 3).holds(3) and not Range(1, 3).holds(4) and not Range(1, 3).holds(True)
    assert Choices((1, "a")).holds("a") and not Choices((1, "a")).holds(True)


def test_codebooks_are_no_larger_than_the_catalogue() -> None:
    space = {"codebook_size": Choices((16, 64)), "children": Range(2, 90), "leaf": Range(50, 90), "x": Range(1, 999)}
    found = at_most(space, ("codebook_size", "children", "leaf"), 40)
    assert found == {"codebook_size": Choices((16,)), "children": Range(2, 40), "x": Range(1, 999)}


def test_a_users_file_has_a_section_per_label(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text("[wide]\nlevels = [2, 3]\n")
    assert read_spaces(path, ["wide", "hc"]) == {"wide": {"levels": Choices((2, 3))}}
    for text, message in (
        ("[wid]\nlevels = [2]\n", "no method 'wid' is tuned here. Did you mean 'wide'?"),
        ("wide = 3\n", "wide: expected a section, [wide]"),
        ("[wide\n", "cannot be read: "),
        ("[wide]\nlevels = 3\n", "[wide]: levels: expected"),
        (f"{'a.' * 3000}b = 1\n", "too deeply nested"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=re.escape(message)):
            read_spaces(path, ["wide", "hc"])
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_spaces(tmp_path / "none.toml", ["wide"])


@pytest.mark.parametrize("preset", SIZES)
@pytest.mark.parametrize("name", [name for name, space in SPACES.items() if space])
def test_the_suites_own_spaces_hold_the_presets(name: str, preset: str) -> None:
    """So that the first trial is the preset, and every end is a value that the method takes."""
    settings = all_settings(make_variants([name], preset, {})[0])

    def changed(key: str, value: object) -> dict[str, Any]:
        return all_settings(make_variants([name], preset, {f"{name}.{key}": value})[0])

    space = checked(parse_space(SPACES[name], name), changed, name)
    assert [key for key, tried in space.items() if not tried.holds(settings[key])] == []


def test_controls_alone_have_no_space() -> None:
    without = {name for name, space in SPACES.items() if not space}
    assert without == {"alphabet", "category", "ids-file", "popularity", "random", "run-file", "shuffled"}


def test_a_space_is_not_a_preset(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[tiny]\nlevels = 2\n[tune]\nlevels = [2, 3]\n")
    source = tmp_path / "mine.py"
    assert load_presets(source) == {"tiny": {"levels": 2}} and load_search_space(source) == {"levels": [2, 3]}
    assert load_search_space(tmp_path / "other" / "mine.py") == {}
