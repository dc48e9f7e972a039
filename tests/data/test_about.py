"""dataset.toml: values of the right type are taken, others are refused with file, line and what is expected."""

from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.data.about import read_about
from benchmark.errors import DataError


def test_without_the_file_a_data_set_says_nothing_of_itself(tmp_path: Path) -> None:
    assert read_about(tmp_path) == {}


def test_every_key_is_read(tmp_path: Path) -> None:
    text = 'name = "x"\ntasks = ["search"]\nnotes = ["a"]\nwithout_test = true\n[facts]\ntied_events = 0.5\n'
    (tmp_path / "dataset.toml").write_text(text + '[expect]\nitems = 3\n[raw]\n"a/b.gz" = "sha256:1"\n[mine]\nx = 1\n')
    about = read_about(tmp_path)
    assert about["tasks"] == ["search"] and about["expect"] == {"items": 3} and about["mine"] == {"x": 1}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("name = 5", 1, "'name' must be a text in quotes"),
        ('name = "x"\ntitle = ["a"]', 2, "'title' must be a text in quotes"),
        ('tasks = "search"', 1, "'tasks' must be a list of texts"),
        ("tasks = [1]", 1, "'tasks' must be a list of texts"),
        ('name = "x"\ntasks = [\n"serch"]', 2, "there is no task 'serch'. Did you mean 'search'?"),
        ("notes = {a = 1}", 1, "'notes' must be a list of texts"),
        ('without_test = "yes"', 1, "'without_test' must be true or false"),
        ("facts = 3", 1, "'facts' must be a table of numbers: [facts]"),
        ('name = "x"\n[facts]\ntied_events = "many"', 2, "'facts' must be a table of numbers"),
        ("[facts]\ntied_events = true", 1, "'facts' must be a table of numbers"),
        ("\n\n[expect]\nitems = 2.0", 3, "'expect' must be a table of whole numbers"),
        ("[expect]\nitems = -1", 1, "'expect' must be a table of whole numbers"),
        ("[expect]\nitems = 0x" + "f" * 5000, 1, "'expect' must be a table of whole numbers"),
        ("expect = [1]", 1, "'expect' must be a table of whole numbers"),
        ("[expect]\nitems = 3\nuser = 3", 3, "unknown key 'user'. Did you mean 'users'?"),
        ("[raw]\nx = 1", 1, "'raw' must be a table of texts"),
        ("build = 1", 1, "'build' must be a table of texts"),
        ("name = \n", 1, "Invalid value"),
        ("[expect]\nitems = " + "9" * 5000, 1, "digits"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    path = tmp_path / "dataset.toml"
    path.write_text(text + "\n")
    with pytest.raises(DataError) as error:
        read_about(tmp_path)
    assert str(error.value).startswith(f"{path}:{line}: ") and reason in str(error.value)
    assert len(str(error.value)) < 500 and "\n" not in str(error.value)


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dataset.toml").write_text("name = " + "[" * 20_000 + "]" * 20_000 + "\n")
    with pytest.raises(DataError, match=r"dataset\.toml: lists or tables are nested too deep"):
        read_about(tmp_path)


def test_a_home_that_is_not_there_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "~no-such-user/shop"]) == 2
    assert capsys.readouterr().err == "benchmark: data set '~no-such-user/shop': no such folder\n"
