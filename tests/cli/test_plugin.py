"""The example plugin, installed as a distribution of its own, is a row of every table; and every method conforms."""

from pathlib import Path

import pytest
from conftest import FAST
from installed import Installed
from pages import commands, typed

from benchmark.conformance import check_method
from benchmark.registry import registered

PLUGIN = Path(__file__).parents[1] / "example_plugin"
PAGE = (PLUGIN.parents[1] / "docs" / "own-method.md").read_text()
SMALLER: dict[str, dict[str, object]] = {  # for a catalogue of 60 items
    "dual-encoder": {"training": {"steps": 2, "batch_size": 8}},
    "hc": {"children": 4, "leaf_factor": 10},
    "lmindexer": {
        "backbone": "scratch",
        "scratch": {"d_model": 16, "layers": 1, "heads": 2, "d_ff": 32, "vocabulary_size": 300},
        "codebook_size": 8,
        "length": 2,
        "max_length": 16,
        "study_items": 8,
        "contrastive_batch": 8,
        "warmup": {"steps": 2, "batch_size": 8},
        "first": {"no_code": {"steps": 2, "batch_size": 8}, "full": {"steps": 2, "batch_size": 8}},
        "later": {"no_code": {"steps": 2, "batch_size": 4}, "full": {"steps": 2, "batch_size": 4}},
    },
    "pefa-xs": {"encoder": {"max_length": 16}},
    "random": {"codebook_size": 8},
    "rqkmeans": {"codebook_size": 8, "levels": 2},
    "rqvae": {"codebook_size": 8, "levels": 2, "training": {"steps": 20, "batch_size": 32}},
    "seal": {
        "scratch": {"d_model": 16, "layers": 1, "heads": 2, "d_ff": 32, "vocabulary_size": 300},
        "max_source": 32,
        "training": {"steps": 2, "batch_size": 8},
        "decoding": {"beams": 4, "body_length": 4, "title_length": 6, "unigrams": 100},
    },
    "shuffled": {"codebook_size": 8, "levels": 2},
    "tiger": {"codebook_size": 8, "levels": 2, "training": {"steps": 20, "batch_size": 32}},
    **{
        name: {"training": {"epochs": 2, "batch_size": 16}} for name in ("bert4rec", "fdsa", "gru4rec", "hgn", "sasrec")
    },
}


@pytest.mark.usefixtures("small_encoder")
@pytest.mark.parametrize("name", [name for name in registered("method") if not name.endswith("-file")])  # they need one
def test_every_method_keeps_the_contract(name: str, small_bert: Path) -> None:
    small_encoder = {"encoder": {"name": str(small_bert), "max_length": 16}} if name == "dual-encoder" else {}
    check_method(name, **SMALLER.get(name, {}), **small_encoder)


def test_the_example_has_at_most_20_lines_of_code_and_one_entry_point() -> None:
    lines = (PLUGIN / "first_letter.py").read_text().splitlines()
    code = [line for line in lines if line.strip() and not line.lstrip().startswith(("#", '"""'))]
    assert len(code) <= 20
    section = (PLUGIN / "pyproject.toml").read_text().split('entry-points."benchmark.methods"]')[1].split("\n\n")[0]
    assert len(section.strip().splitlines()) == 1


def test_the_page_shows_the_whole_example() -> None:
    shown = "\n".join(line.removeprefix("    ") for line in PAGE.splitlines())
    code = (PLUGIN / "first_letter.py").read_text().splitlines()[2:]
    assert "\n".join(code) in shown
    assert (PLUGIN / "pyproject.toml").read_text().rstrip() in shown


def test_an_installed_plugin_shows_in_every_table(shop: Path, tmp_path: Path) -> None:
    """Installed with pip into a folder of its own, it is listed, runs, conforms and stands in all tables."""
    plugin = Installed.of(tmp_path, PLUGIN)
    listing, check, run = map(typed, commands(PAGE))
    assert "first-letter  indexer" in plugin.fresh(*listing)
    assert plugin.fresh(*check) == "first-letter keeps the contract of an indexer\n"
    words = [str(shop) if word == "demo" else word for word in run]
    printed = plugin.benchmark(*words, "--device", "cpu", "--set", "random.codebook_size=16", *FAST, "--wide")
    tables = printed.split("\n\n")
    for title in ("ID quality", "Next-item recommendation", "Search", "Cost"):
        at = next(i for i, block in enumerate(tables) if block.startswith(title))
        assert "first-letter" in "\n".join(tables[at : at + 2]), f"no row in the table {title}"
