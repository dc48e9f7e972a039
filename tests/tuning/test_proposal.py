"""The file that proposes settings: read as it was written, refused with what is wrong."""

import re
from pathlib import Path

import pytest

from benchmark.errors import UsageError
from benchmark.tuning.proposal import is_proposal, read_proposal, write_proposal

SETTINGS = {"dropout": 0.3, "training.learning_rate": 1e-05, "init": 'a "b"', "stem": True, "levels": 3}


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    method = {"method": "sasrec", "trials": 20, "score": 0.12345678901234567, "settings": SETTINGS}
    facts = {"preset": "tiny", "dataset": "a 'b'", "text_fields": ["title"], "revision": None}
    write_proposal(path, facts, {"breit-ü": method, "sasrec": {**method, "settings": {}}})
    found = read_proposal(path)
    assert found.preset == "tiny" and list(found.methods) == ["breit-ü", "sasrec"]
    wide = found.methods["breit-ü"]
    assert (wide.settings, wide.trials, wide.model_extra) == (SETTINGS, 20, {"score": 0.12345678901234567})


def test_a_row_has_the_section_of_its_label_or_of_its_method(tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    methods = {
        "wide": {"method": "rqvae", "settings": {"levels": 3}}, "rqvae": {"method": "rqvae", "settings": {"levels": 2}}
    }  # fmt: skip
    write_proposal(path, {"preset": "small"}, methods)
    found = read_proposal(path)
    chosen = [found.section(*row) for row in (("wide", "rqvae"), ("other", "rqvae"), ("wide", "hc"))]
    assert [section and section.settings for section in chosen] == [{"levels": 3}, {"levels": 2}, None]


def test_settings_may_be_nested_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("preset = 'tiny'\n[methods.sasrec]\nmethod = 'sasrec'\nsettings.training.learning_rate = 0.1\n")
    section = read_proposal(path).methods["sasrec"]
    assert section.settings == {"training.learning_rate": 0.1} and section.trials is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("preset = ", "not a preset file: "),
        ("preset = 'tiny'\n", "methods: Field required"),
        ("preset = 'tiny'\nmethods = 3\n", "not a preset file: "),
        ("preset = 'tiny'\n[methods]\nsasrec = 3\n", "not a preset file: "),
        ("preset = 'tiny'\n[methods.sasrec]\nsettings = {}\n", "methods.sasrec.method: Field required"),
        ("preset = 'tiny'\n[methods.sasrec]\nmethod = 'sasrec'\nsettings = 3\n", "not a preset file: "),
        ("preset = 'tiny'\n[methods.sasrec]\nmethod = 'sasrec'\ntrials = -1\n", "methods.sasrec.trials: "),
        ("preset = 'tinny'\n[methods]\n", "unknown preset 'tinny'. Did you mean 'tiny'?"),
    ],
)
def test_what_is_not_such_a_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=re.escape(f"--preset {path}: {message}")):
        read_proposal(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read: No such file"):
        read_proposal(tmp_path / "none.toml")
    assert is_proposal("x/tuned.toml") and not is_proposal("tuned") and not is_proposal(None)
