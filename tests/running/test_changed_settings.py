"""What a result file says of the settings that `--set` changed in its preset, and of the code that made it."""

import json
from pathlib import Path

import pytest

from benchmark.cli.main import main


def stored(shop: Path, runs: Path, *words: str, method: str = "random") -> dict[str, object]:
    """Score the IDs of one method; return its result file."""
    fixed = ["--methods", method, "--tasks", "id-quality", "--runs", str(runs), "--device", "cpu"]
    assert main(["run", "--dataset", str(shop), *fixed, *words]) == 0
    (path,) = runs.glob("*/*/*/seed-*/result.json")
    return json.loads(path.read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("settings", "changed"),
    [
        ([], {}),
        (["random.codebook_size=16", "generative.search.epochs=3", "random.generative.beams=7"],
         {"codebook_size": 16, "generative.search.epochs": 3.0, "generative.beams": 7}),
        (["generative.beams=20"], {}),  # what the preset says is no change
    ],
)  # fmt: skip
def test_a_result_says_what_was_changed_in_its_preset(shop, tmp_path, capsys, settings, changed):
    words = [word for setting in settings for word in ("--set", setting)]
    found = stored(shop, tmp_path / "runs", "--preset", "tiny", *words)
    assert found["changed"] == changed and len(found["code"]) == 16
    said = ", changed: random.codebook_size=16;" in capsys.readouterr().out.replace("\n", " ")
    assert said == bool(changed), "of the IDs' quality only the codebook decides"


def test_a_codebook_that_the_catalogue_made_smaller_is_noted_and_was_not_set(shop, tmp_path):
    """60 items and 256 codes by default."""
    found = stored(shop, tmp_path / "runs", "--preset", "base", method="rqkmeans")
    assert found["changed"] == {} and any("instead of the preset's" in note for note in found["notes"])
