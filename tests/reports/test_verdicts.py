"""Verdicts on the paper's values: from the whole stored configuration, against the preset that states the source's."""

import tomllib
from pathlib import Path

import pytest
from result_files import at_preset, hits, put

from benchmark.reports import paper
from benchmark.reports.paper.spec import read_spec
from benchmark.reports.published import BEAUTY as BESIDE
from benchmark.reports.published import sources
from benchmark.reports.tables.layout import cell_text
from benchmark.results.result_files import load_results

AMAZON = ["title", "description", "brand", "price", "category"]
BEAUTY = {"name": "beauty", "title": "Beauty", "fingerprint": "b1", "counts": {"items": 12101, "users": 22363}}
NQ = {
    "name": "nq320k", "title": "NQ320k", "fingerprint": "n1",
    "counts": {"items": 109739, "judged train queries": 307373, "judged test queries": 7830},
}  # fmt: skip
S3REC = "uncertain: the S3-Rec repository has no code of this method; its settings are unknown"


def published(table, tmp_path: Path, method, column, value, config, *, task="recommendation", **fields):
    """The published part of the cell that one result of a method fills, and its text."""
    fields = {"preset": "paper", "text_fields": AMAZON, "dataset": BEAUTY, "queries": "judged"} | fields
    metrics = {task: {column.rpartition(" ")[2]: value}}
    put(tmp_path / "runs", method, config=config, metrics=metrics, **fields)
    filled = table.fill(load_results(tmp_path / "runs"))[0]
    place = [header.header for header in filled.columns].index(column)
    (cell,) = [row.cells[place] for row in filled.rows if row.results]
    return cell.published, cell_text(filled.columns[place], cell)


@pytest.mark.parametrize(("value", "verdict"), [(0.0415, "ok"), (0.03, "off")])
def test_a_run_at_the_exact_preset_is_ok_or_off(tmp_path, value, verdict):
    found, text = published(paper.TABLE3, tmp_path, "lmindexer", "Beauty R@5", value, at_preset("lmindexer"))
    assert (found.verdict, found.reasons) == (verdict, ()) and text.endswith(f", {verdict})")


def test_rows_of_table_6_with_the_digits_of_another_nq320k_are_not_compared(tmp_path):
    file = Path(sources.__file__).with_name("nq320k.toml")
    others = {tuple(row["values"]["nq320k"]) for row in tomllib.loads(file.read_text("utf-8"))["rows"]}
    reprinted = {row.method for row in read_spec("table6").rows if row.published[:2] in others}
    assert reprinted == {"bm25", "dual-encoder", "seal"}
    for method in ("bm25", "dual-encoder", "seal", "rqvae"):
        given = published(
            paper.TABLE6, tmp_path / method, method, "NQ320k R@10", 0.8, at_preset(method), task="search", dataset=NQ
        )[0]
        assert any("another NQ320k" in reason for reason in given.reasons) == (method in reprinted)


def test_runs_that_withhold_items_are_no_part_of_the_papers_tables_and_not_comparable_beside_others(tmp_path):
    protocol = {"split": "cold-start:0.1", "withheld": 1210}
    for task, metrics in (("recommendation", {"R@5": 0.0415}), ("id-quality", {"AMI": 0.3563})):
        config = at_preset("lmindexer") | {"protocol": protocol}
        put(tmp_path, task, method="lmindexer", config=config, metrics={task: metrics}, preset="paper", dataset=BEAUTY)
    found = load_results(tmp_path)
    assert len(found) == 2 and all(result.withheld_file for result in found)
    for table in (paper.TABLE1, paper.TABLE3):
        assert [row for filled in table.fill(found) for row in filled.rows if row.results] == []
    config = at_preset("popularity", preset="published") | {"protocol": protocol}
    metrics = {"recommendation": {"R@5": 0.0080}}
    put(tmp_path, "popularity", config=config, metrics=metrics, preset="published", dataset=BEAUTY)
    (filled,) = (
        one for one in BESIDE.fill(load_results(tmp_path)) if any(row.label == "popularity" for row in one.rows)
    )
    (row,) = (row for row in filled.rows if row.title == "PopRec: S3-Rec")
    cell = row.cells[[column.header for column in filled.columns].index("R@5")]
    assert cell.published.verdict == "not comparable"
    assert "split cold-start:0.1, not leave-one-out in the order of the file" in cell.published.reasons


@pytest.mark.parametrize(
    ("method", "settings", "reasons"),
    [
        ("lmindexer", {"generative.recommendation.steps": 3}, ["generative.recommendation.steps 3, not 15000"]),
        ("lmindexer", {"warmup.epochs": 0.001}, ["warmup.epochs 0.001, not 30"]),
        ("hc", {"generative.recommendation.reader": "ids"}, ["generative.recommendation.reader ids, not text"]),
        ("hc", {"generative.beams": 5, "n_init": 1}, ["n_init 1, not 10", "generative.beams 5, not 20"]),
        ("rqvae", {"training.steps": 3, "hidden": "[8]"},
         ["hidden [8], not [512, 256, 128]", "training.steps 3, not 20000"]),
    ],
)  # fmt: skip
def test_other_steps_and_another_input_than_the_papers_are_not_comparable(tmp_path, method, settings, reasons):
    config = at_preset(method, **settings)
    found, _ = published(paper.TABLE3, tmp_path, method, "Beauty R@5", 0.02, config)
    assert found.verdict == "not comparable"
    assert [reason for reason in found.reasons if not reason.startswith("uncertain")] == reasons


@pytest.mark.parametrize(
    ("settings", "reasons"),
    [
        ({"training.epochs": 1, "embedding_size": 8}, ["embedding_size 8, not 64", "training.epochs 1, not 200"]),
        ({"history": "exclude"}, ["history exclude, not zero"]),
        ({}, []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["gru4rec", "hgn", "bert4rec", "fdsa"])
def test_rows_of_unknown_settings_are_uncertain_and_say_what_else_differs(tmp_path, method, settings, reasons):
    config = at_preset(method, preset="published", **settings)
    found, text = published(paper.TABLE3, tmp_path, method, "Beauty R@5", 0.03, config, preset="published")
    assert (found.verdict, list(found.reasons)) == ("not comparable", [*reasons, S3REC]) and "n/c" in text


def test_document_retrieval_has_the_budgets_of_the_authors_on_each_data_set(tmp_path):
    """By the released scripts: NQ 250,000 steps of 8 x 256, MS MARCO 500,000, and rates of each method."""
    searches = {
        (method, name): at_preset(method, dataset=name)["generative"]["search"]
        for method in ("lmindexer", "hc") for name in ("beauty", "nq320k", "macro-1m", "trec-dl-1m")
    }  # fmt: skip
    budgets = {key: (of["steps"], of["batch_size"], of["learning_rate"]) for key, of in searches.items()}
    assert budgets == {
        ("lmindexer", "beauty"): (10_000, 32, 1e-3), ("hc", "beauty"): (10_000, 32, 1e-3),
        ("lmindexer", "nq320k"): (250_000, 2048, 2e-4), ("hc", "nq320k"): (250_000, 2048, 5e-4),
        ("lmindexer", "macro-1m"): (500_000, 2048, 5e-3), ("hc", "macro-1m"): (500_000, 2048, 1e-3),
        ("lmindexer", "trec-dl-1m"): (500_000, 2048, 5e-3), ("hc", "trec-dl-1m"): (500_000, 2048, 1e-3),
    }  # fmt: skip
    small = {"generative.search.steps": 10_000, "generative.search.batch_size": 32}
    for number, (settings, verdict) in enumerate([(small, "not comparable"), ({}, "ok")]):
        config = at_preset("hc", dataset="nq320k", **settings)
        fields = {"task": "search", "dataset": NQ, "text_fields": ["title", "description"]}
        found, _ = published(paper.TABLE6, tmp_path / str(number), "hc", "NQ320k R@10", 0.8, config, **fields)
        assert found.verdict == verdict
        assert ("generative.search.batch_size 32, not 2048" in found.reasons) == bool(settings)
        assert ("generative.search.steps 10000, not 250000" in found.reasons) == bool(settings)


def test_settings_that_the_paper_leaves_open_are_named_and_the_value_is_still_compared(tmp_path):
    config = at_preset("rqvae")
    metrics = {"AMI": 0.2654}
    put(tmp_path, "rqvae", config=config, preset="paper", text_fields=AMAZON, dataset=BEAUTY,
        metrics={"id-quality": metrics})  # fmt: skip
    filled = paper.TABLE1.fill(load_results(tmp_path))[0]
    (cell,) = [row.cells[0] for row in filled.rows if row.results]
    assert cell_text(filled.columns[0], cell) == "0.2654 (paper 0.2654, +0.0%, ok, uncertain a)"
    (note,) = [note for note in filled.footnotes if "(a)" in note]
    assert "(a) uncertain: hidden, latent, init" in note and "its code was not released" in note


def test_settings_of_another_task_or_of_time_alone_do_not_matter(tmp_path):
    settings = {
        "generative.search.steps": 3, "generative.beam_batch": 7, "generative.items.layers": 9,
        "generative.sentence.max_words": 3, "generative.scorer": "full",
    }  # fmt: skip
    found, _ = published(paper.TABLE3, tmp_path, "lmindexer", "Beauty R@5", 0.0415, at_preset("lmindexer", **settings))
    assert (found.verdict, found.reasons) == ("ok", ())


def test_another_preset_names_every_key_that_differs(tmp_path):
    config = at_preset("lmindexer", preset="small")
    found, _ = published(paper.TABLE3, tmp_path, "lmindexer", "Beauty R@5", 0.04, config, preset="small")
    (filled,) = paper.TABLE3.fill(load_results(tmp_path / "runs"))
    preset, keys = found.reasons
    assert preset == "preset small, not paper"
    count, names = keys.split(" settings differ from it: ")
    assert int(count) == len(names.split(", ")) > 20
    assert {"backbone", "codebook_size", "length", "generative.recommendation.reader"} <= set(names.split(", "))
    (note,) = [note for note in filled.footnotes if note.startswith("paper: ")]
    first = ", ".join(names.split(", ")[:8])
    assert f"(b) {count} settings differ from it: {first} and {int(count) - 8} more." in note
    assert any("JSON form" in note for note in filled.footnotes)


def test_a_setting_that_an_older_result_did_not_record_is_a_reason(tmp_path):
    config = at_preset("lmindexer")
    del config["method"]["codebook_init"]
    found, _ = published(paper.TABLE3, tmp_path, "lmindexer", "Beauty R@5", 0.0415, config)
    assert found.reasons == ("codebook_init unset, not k-means",)


def test_tiger_has_half_the_steps_on_toys(tmp_path):
    steps = {
        name: at_preset("tiger", preset="published", dataset=name)["generative"]["recommendation"]["steps"]
        for name in ("beauty", "sports", "toys")
    }
    assert steps == {"beauty": 200_000, "sports": 200_000, "toys": 100_000}


def test_rows_of_one_history_rule_are_not_tested_against_those_of_another(tmp_path):
    """HGN sets a user's own items to zero, LMIndexer keeps them: neither is bold for beating the other."""
    fields = {"text_fields": AMAZON, "dataset": BEAUTY}
    put(tmp_path, "lmindexer", preset="paper", values=hits(0.9), config=at_preset("lmindexer"), **fields)
    put(tmp_path, "hgn", preset="published", values=hits(0.1), config=at_preset("hgn", preset="published"), **fields)
    (filled,) = paper.TABLE3.fill(load_results(tmp_path))
    assert not any(cell.bold for row in filled.rows for cell in row.cells)
    assert any("(history rule zero): HGN" in note for note in filled.footnotes)
