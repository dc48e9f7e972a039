"""A catalogue smaller than a codebook: presets shrink, settings are refused, before anything is computed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.config import MethodConfig
from benchmark.errors import ConfigError
from benchmark.results.result_files import load_results
from benchmark.running.catalogue import fitted_to_catalogue, fitting_size
from benchmark.running.cells import Variant
from benchmark.running.plan import make_variants
from benchmark.types.method import Indexer

pytestmark = pytest.mark.usefixtures("small_encoder")

INDEXERS = {
    "rqvae": "codebook_size", "tiger": "codebook_size", "rqkmeans": "codebook_size", "shuffled": "codebook_size",
    "lmindexer": "codebook_size", "hc": "children",
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "corner-shop"
    folder.mkdir()
    lines = [json.dumps({"id": f"s{row}", "title": f"tea {'green' * (row % 3)} tin {row}"}) for row in range(27)]
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def words(shop: Path, *more: str) -> list[str]:
    folders = ["--dataset", str(shop), "--runs", str(shop.parent / "runs")]
    return ["run", *folders, "--tasks", "id-quality", "--device", "cpu", *more]


@pytest.mark.parametrize(("method", "key"), INDEXERS.items())
def test_presets_fit_a_small_catalogue(method: str, key: str) -> None:
    (variant,) = make_variants([method], "small", {})
    fitted = fitted_to_catalogue(variant, 27)
    assert getattr(variant.config, key) > 27 and getattr(fitted.config, key) == 8
    assert fitted.config.model_copy(update={key: getattr(variant.config, key)}) == variant.config
    assert fitted.notes == (
        f"{key} is 8 instead of the preset's {getattr(variant.config, key)}: the data set has only 27 items.",
    )
    assert fitted_to_catalogue(variant, getattr(variant.config, key)) is variant


@pytest.mark.parametrize(("method", "key"), INDEXERS.items())
def test_a_codebook_that_was_set_too_large_is_refused_before_anything_runs(
    method: str, key: str, shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = words(shop, "--methods", f"mine={method}", "--set", f"mine.{key}=28", "--dry-run")
    assert main(asked) == 2
    message = f"mine.{key}: 28 is more than the data set's 27 items; use --set mine.{key}=8"
    assert message in capsys.readouterr().err
    assert main([word.replace("=28", "=8") for word in asked]) == 0


def test_the_note_stands_below_the_tables(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(shop, "--methods", "rqkmeans,hc,random")) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "rqkmeans: codebook_size is 8 instead of the preset's 256: the data set has only 27 items." in shown
    assert "hc: children is 8 instead of the preset's 50" in shown and "random:" not in shown
    sizes = {result.label: result.config["method"] for result in load_results(shop.parent / "runs")}
    assert sizes["rqkmeans"]["codebook_size"] == 8 and sizes["hc"]["children"] == 8


class ShelvesConfig(MethodConfig):
    shelves: int = 40
    rows: int = 90


class Shelves(Indexer[ShelvesConfig]):
    at_most_items = ("shelves",)

    def fit(self, corpus, context):  # type: ignore[no-untyped-def]
        raise AssertionError("not needed here")


def test_a_plugin_declares_its_codebooks() -> None:
    def variant(**chosen: int) -> Variant:
        return Variant(
            "own", "own", Shelves, "indexer", (), ShelvesConfig(**chosen), None, "", frozenset(chosen), trials=3
        )  # fmt: skip

    fitted = fitted_to_catalogue(variant(), 39)
    assert fitted.config == ShelvesConfig(shelves=16) and fitted.trials is None
    assert fitted_to_catalogue(variant(rows=80), 40).trials == 3
    with pytest.raises(ConfigError, match=r"^own\.shelves: 50 is more than the data set's 41 items; use --set own\.s"):
        fitted_to_catalogue(variant(shelves=50), 41)
    with pytest.raises(ConfigError, match=r"^own\.shelves: 40 is more than the data set's 1 item; IDs need at least 2"):
        fitted_to_catalogue(variant(), 1)


def test_withheld_items_do_not_count() -> None:
    own = Variant("own", "own", Shelves, "indexer", (), ShelvesConfig(), None, "")
    fitted = fitted_to_catalogue(own, 45, 6)
    assert fitted.config == ShelvesConfig(shelves=16)
    assert fitted.notes == (
        "shelves is 16 instead of the preset's 40: the data set has only 39 items, without the 6 that are withheld.",
    )
    assert fitted_to_catalogue(own, 45, 5) == own


def test_a_size_that_fits_is_at_most_half_the_items() -> None:
    assert [fitting_size(n) for n in (1, 2, 3, 5, 8, 15, 16, 30, 255)] == [2, 2, 2, 2, 4, 4, 8, 8, 64]
