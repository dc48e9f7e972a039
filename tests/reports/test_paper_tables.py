"""The paper's tables: published values as printed, which runs fill which cell, verdicts, holes, further methods."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from result_files import at_preset, hits, put

from benchmark.cli.main import main
from benchmark.reports import paper
from benchmark.reports.renderers import markdown, terminal
from benchmark.reports.tables.layout import cell_text
from benchmark.results.registered_tables import chosen_tables, fill_tables
from benchmark.results.result_files import load_results, newest

AMAZON = ["title", "description", "brand", "price", "category"]
BEAUTY = {"name": "beauty", "title": "Beauty", "fingerprint": "b1", "counts": {"items": 12101, "users": 22363}}
LMINDEXER, RQVAE = at_preset("lmindexer")["method"], at_preset("rqvae")["method"]
BERT = RQVAE["encoder"] | {"name": "google/bert-base-uncased"}
RQVAE["encoder"] = BERT


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def paper_run(runs, label, config, **fields):
    """A result with the paper's own settings on Beauty."""
    fields = {"preset": "paper", "text_fields": AMAZON, "dataset": BEAUTY, "queries": "judged"} | fields
    generative = at_preset("rqvae" if "levels" in config else "lmindexer")["generative"]
    return put(runs, label, config={"method": config, "generative": generative, "protocol": {}}, **fields)


def cells(filled):
    """(row title, column header) -> cell."""
    headers = [column.header for column in filled.columns]
    return {(row.title, h): cell for row in filled.rows for h, cell in zip(headers, row.cells, strict=True)}


@pytest.mark.parametrize(
    ("table", "row", "column", "value"),
    [
        (paper.TABLE1, "rq-VAE indexer (BERT)", "Beauty AMI", 0.2654),
        (paper.TABLE1, "HC indexer (in-domain SimCSE)", "Sports AMI", 0.2622),
        (paper.TABLE1, "LMIndexer", "Toys AMI", 0.3536),
        (paper.TABLE2, "LMIndexer without commitment loss", "Sports perplexity@2", 147.10),
        (paper.TABLE3, "HGN", "Beauty R@5", 0.0325), (paper.TABLE3, "GRU4Rec", "Toys nDCG@5", 0.0059),
        (paper.TABLE3, "LMIndexer", "Sports R@5", 0.0222),
        (paper.TABLE3, "Popularity (S3-Rec's PopRec)", "Beauty nDCG@5", 0.0044),
        (paper.TABLE3, "TIGER (Rajput et al., 2023)", "Beauty R@5", 0.0454),
        (paper.TABLE3, "TIGER (Rajput et al., 2023)", "Toys nDCG@5", 0.0371),
        (paper.TABLE4, "BM25", "Beauty nDCG@5", 0.2490), (paper.TABLE4, "SEAL", "Toys AP@5", 0.0843),
        (paper.TABLE4, "LMIndexer", "Beauty AP@5", 0.2888),
        (paper.TABLE5, "3 reconstructor layers", "Beauty AMI", 0.1679),
        (paper.TABLE5, "2 reconstructor layers", "Beauty nDCG@5 (published)", 0.2528),
        (paper.TABLE6, "Dual encoder", "MACRO 1M RR@10", 0.5561), (paper.TABLE6, "HC indexer", "NQ320k R@1", 0.6439),
        (paper.TABLE6, "LMIndexer", "TREC-DL 1M nDCG@10", 0.4695),
        (paper.TABLE13, "HC indexer", "Accuracy", 0.5375),
        (paper.DATA_SETS, "Sports", "Rec. train pairs", 177_990), (paper.DATA_SETS, "TREC-DL 1M", "Test labels", 1_069),
    ],
)  # fmt: skip
def test_published_values_are_those_printed_on_the_slides(table, row, column, value):
    assert cells(table.fill([])[0])[row, column].published.value == value


def test_without_runs_every_published_cell_is_a_counted_hole():
    for table, holes in ((paper.TABLE1, 15), (paper.TABLE3, 54), (paper.TABLE6, 27)):
        filled = table.fill([])[0]
        found = [cell for cell in cells(filled).values() if cell.published]
        assert len(found) == holes and all(cell.mean is None and cell.gap == "missing" for cell in found)
        assert any(note.startswith(f"Missing: {holes} of {holes} cells") for note in filled.footnotes)
    seal = cells(paper.TABLE6.fill([])[0])["SEAL", "MACRO 1M RR@10"]
    assert seal.published is None and seal.gap == "", "a dash on the slides is no hole"


def test_a_run_in_the_papers_setting_is_ok_within_ten_percent_and_off_beyond(runs):
    paper_run(runs, "lmindexer", LMINDEXER, metrics={"id-quality": {"AMI": 0.3563 * 1.09}})
    paper_run(runs, "rqvae", RQVAE, metrics={"id-quality": {"AMI": 0.2654 * 0.89}})
    filled = paper.TABLE1.fill(load_results(runs))[0]
    lmindexer, rqvae = (cells(filled)[row, "Beauty AMI"] for row in ("LMIndexer", "rq-VAE indexer (BERT)"))
    assert (lmindexer.published.verdict, rqvae.published.verdict) == ("ok", "off")
    assert lmindexer.difference == pytest.approx(0.09) and rqvae.difference == pytest.approx(-0.11)
    assert cell_text(filled.columns[0], lmindexer) == "0.3884 (paper 0.3563, +9.0%, ok)"
    assert any(note.startswith("Missing: 13 of 15 cells") for note in filled.footnotes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"preset": "small"}, "preset small, not paper"),
        ({"text_fields": AMAZON[:-1]}, "text without category"),
        ({"text_fields": [*AMAZON, "reviews"]}, "text with reviews besides"),
        ({"dataset": BEAUTY | {"items_with": {"title": 12101, "description": 0}}}, "text without description"),
        ({"dataset": BEAUTY | {"counts": {"items": 500}}}, "other data: items 500, not 12,101"),
        ({"dataset": BEAUTY | {"counts": {}}}, "other data: items not recorded, not 12,101"),
        ({"config": {"method": LMINDEXER | {"backbone": "encoder"}}}, "backbone encoder, not t5-base"),
        ({"config": {"method": LMINDEXER | {"weights": {"commitment": 0}}}}, "weights.commitment 0, not 1"),
    ],
)  # fmt: skip
def test_what_differs_from_the_paper_is_not_comparable_and_says_why(runs, change, reason):
    config = at_preset("lmindexer") | change.pop("config", {})
    fields = {"preset": "paper", "text_fields": AMAZON, "dataset": BEAUTY, "config": config} | change
    put(runs, "lmindexer", metrics={"id-quality": {"AMI": 0.3563}}, **fields)
    filled = paper.TABLE1.fill(load_results(runs))[0]
    cell = cells(filled)["LMIndexer", "Beauty AMI"]
    assert cell.published.verdict == "not comparable" and reason in cell.published.reasons
    letter = dict(zip(cell.published.reasons, cell.published.marks.split(","), strict=True))[reason]
    assert any(f"({letter}) {reason}" in note for note in filled.footnotes)


def test_simulated_queries_and_another_reading_of_ndcg_are_not_the_papers(runs):
    for queries, folder in (("judged", "x"), ("simulated", "y")):
        metrics = {"search": {"nDCG@5": 0.31, "nDCG@5 (published)": 0.32, "AP@5": 0.2, "AP@5 (published)": 0.29}}
        all_shops = BEAUTY | {"name": "beauty-locale-all"}
        paper_run(runs, "lmindexer", LMINDEXER, metrics=metrics, queries=queries, folder=folder, dataset=all_shops)
    verdicts = {
        (filled.table.title, "simulated" in filled.caption): cells(filled)["LMIndexer", "Beauty nDCG@5"]
        for filled in paper.TABLE4.fill(load_results(runs))
    }
    as_code, as_trec = sorted({title for title, _ in verdicts})
    assert verdicts[as_code, False].mean == 0.32 and verdicts[as_code, False].published.verdict == "ok"
    assert verdicts[as_trec, False].mean == 0.31
    assert verdicts[as_trec, False].published.reasons == ("the paper's row was read as published does (inferred)",)
    assert "simulated known-item queries, not the paper's" in verdicts[as_code, True].published.reasons


def test_searches_of_the_us_shop_alone_are_not_the_papers(runs):
    metrics = {"search": {"nDCG@5": 0.3187, "nDCG@5 (published)": 0.3187}}
    paper_run(runs, "lmindexer", LMINDEXER, metrics=metrics, queries="judged")
    found = cells(paper.TABLE4.fill(load_results(runs))[0])["LMIndexer", "Beauty nDCG@5"].published
    assert found.verdict == "not comparable" and [*found.reasons] == [
        "searches of the US shop alone, not of all shops as in the released code (beauty:locale=all)"
    ]


def test_settings_choose_the_row(runs):
    simcse = RQVAE | {"encoder": BERT | {"simcse_epochs": 3}}
    paper_run(runs, "rqvae", RQVAE, metrics={"id-quality": {"AMI": 0.1}})
    paper_run(runs, "tuned", simcse, method="rqvae", metrics={"id-quality": {"AMI": 0.2}})
    for layers in (1, 2):
        config = LMINDEXER | {"reconstructor": {"layers": layers}}
        paper_run(runs, "lmindexer", config, key=f"k{layers}", metrics={"id-quality": {"AMI": 0.3 + layers}})
    found = cells(paper.TABLE1.fill(load_results(runs))[0])
    assert found["rq-VAE indexer (BERT)", "Beauty AMI"].mean == 0.1
    assert found["rq-VAE indexer (in-domain SimCSE): tuned", "Beauty AMI"].mean == 0.2
    layers = cells(paper.TABLE5.fill(load_results(runs))[0])
    means = {title: cell.mean for (title, column), cell in layers.items() if cell.mean and "AMI" in column}
    assert [mean for title, mean in means.items() if "layer" in title] == [1.3, 2.3]
    assert layers["3 reconstructor layers", "Beauty AMI"].gap == "missing"


def test_another_encoder_is_named_in_the_row(runs):
    paper_run(runs, "rqvae", RQVAE | {"encoder": BERT | {"name": "default"}}, metrics={"id-quality": {"AMI": 0.4}})
    cell = cells(paper.TABLE1.fill(load_results(runs))[0])["rq-VAE indexer (BERT) [encoder=default]", "Beauty AMI"]
    assert cell.published.reasons[0] == "encoder.name default, not bert-base-uncased"


def test_a_scratch_backbone_is_named_beside_the_papers_pretrained_one(runs):
    metrics = {"search": {"nDCG@5": 0.1, "AP@5": 0.1}}
    config = at_preset("seal", backbone="scratch")
    fields = {"preset": "paper", "text_fields": AMAZON, "dataset": BEAUTY, "queries": "judged"}
    put(runs, "seal", config=config, metrics=metrics, kind="retriever", **fields)
    filled = paper.TABLE4.fill(load_results(runs))[-1]
    cell = cells(filled)["SEAL (scratch)", "Beauty nDCG@5"]
    assert cell.published.verdict == "not comparable" and "backbone scratch, not bart-large" in cell.published.reasons


def test_the_classical_rows_are_compared_at_the_preset_published_beside_the_papers(runs):
    paper_run(runs, "lmindexer", LMINDEXER, values=hits(0.04, n=500))
    config = at_preset("hgn", preset="published")
    put(runs, "hgn", preset="published", text_fields=AMAZON, dataset=BEAUTY, values=hits(0.0325, n=500), config=config)
    (filled,) = paper.TABLE3.fill(load_results(runs))
    hgn = cells(filled)["HGN", "Beauty R@5"]
    (reason,) = hgn.published.reasons
    assert reason.startswith("uncertain: the S3-Rec repository") and hgn.interval == "bounded"
    assert cells(filled)["LMIndexer", "Beauty R@5"].mean is not None


def test_popularity_stands_beside_its_published_row_which_counts_the_test_events(runs):
    """Ours is 7% below, within the 10%, and yet the verdict is n/c with the reason, not `ok`."""
    fields = {"method": "popularity", "control": True, "preset": "published", "dataset": BEAUTY}
    config = at_preset("popularity", preset="published")
    put(runs, "popularity", metrics={"recommendation": {"R@5": 0.0074, "nDCG@5": 0.0041}}, config=config, **fields)
    (filled,) = paper.TABLE3.fill(load_results(runs))
    cell = cells(filled)["Popularity (S3-Rec's PopRec) (control)", "Beauty R@5"]
    (reason,) = cell.published.reasons
    assert cell.mean == 0.0074 and cell.published.verdict == "not comparable" and "include the test events" in reason
    assert any("from the training events alone" in note for note in filled.footnotes)


def test_every_other_method_is_a_further_row_without_published_values(runs):
    paper_run(runs, "lmindexer", LMINDEXER, values=hits(0.5))
    paper_run(runs, "first-letter", {}, values=hits(0.1, 1))
    paper_run(runs, "random", {}, values=hits(0.1, 2))
    (filled,) = paper.TABLE3.fill(load_results(runs))
    assert [row.title for row in filled.rows][-2:] == ["first-letter", "random (control)"]
    assert all(cell.published is None for row in filled.rows[-2:] for cell in row.cells)
    assert cells(filled)["LMIndexer", "Beauty R@5"].bold, "a paired test against every other row"


def test_two_configurations_of_one_row_stand_apart_and_a_hole_is_counted_once(runs):
    paper_run(runs, "lmindexer", LMINDEXER, metrics={"id-quality": {"AMI": 0.3}})
    wide = LMINDEXER | {"codebook_size": 1024}
    paper_run(runs, "wide", wide, method="lmindexer", metrics={"id-quality": {"AMI": 0.4}})
    other = LMINDEXER | {"max_length": 77}
    paper_run(runs, "lmindexer", other, key="k2", metrics={"id-quality": {"AMI": 0.5}})
    filled = paper.TABLE1.fill(load_results(runs))[0]
    found = {row.title: row.cells[0].mean for row in filled.rows if row.cells[0].mean}
    assert found == {
        "LMIndexer: lmindexer [max_length=512]": 0.3, "LMIndexer: lmindexer [max_length=77]": 0.5,
        "LMIndexer: wide": 0.4,
    }  # fmt: skip
    assert any(note.startswith("Missing: 14 of 15 cells") for note in filled.footnotes)


def test_protocols_and_versions_of_the_data_are_never_mixed(runs):
    paper_run(runs, "lmindexer", LMINDEXER, metrics={"id-quality": {"AMI": 0.3}})
    paper_run(runs, "hc", {"encoder": BERT}, metrics={"id-quality": {"AMI": 0.3}}, preset="small")
    paper_run(runs, "rqvae", RQVAE, metrics={"id-quality": {"AMI": 0.3}}, text_fields=["title"])
    other = BEAUTY | {"fingerprint": "b2", "counts": {"items": 9}, "title": "Cut"}
    paper_run(runs, "rqkmeans", {}, metrics={"id-quality": {"AMI": 0.3}}, dataset=other)
    tables = paper.TABLE1.fill(load_results(runs))
    with_runs = [[row.label for row in filled.rows if row.results] for filled in tables]
    of_all_fields = ["HC indexer (BERT) [preset=small]", "LMIndexer"]
    assert sorted(with_runs) == [of_all_fields, ["rq-VAE indexer (BERT)"], ["rqkmeans"]]
    assert "on Cut" in tables[-1].table.title


def test_presets_share_a_table_whose_rows_name_them_and_are_not_tested_against_each_other(runs):
    for name, preset in (("lmindexer", "small"), ("rqvae", "small"), ("hgn", "tuned")):
        config = at_preset(name, preset=preset)
        put(runs, name, preset=preset, text_fields=AMAZON, dataset=BEAUTY, values=hits(0.2), config=config)
    paper_run(runs, "lmindexer", LMINDEXER, key="k2", values=hits(0.9))
    (filled,) = paper.TABLE3.fill(load_results(runs))
    assert "preset small (others are named in the rows)" in filled.caption
    found = {row.label: row for row in filled.rows if row.results}
    assert list(found) == [
        "HGN [preset=tuned]", "rq-VAE indexer [encoder=default]", "LMIndexer: lmindexer [preset=paper]",
        "LMIndexer: lmindexer [preset=small]",
    ]  # fmt: skip
    (note,) = [note for note in filled.footnotes if "not tested against each other" in note]
    groups = dict(part.split("): ") for part in note.rpartition("its group: ")[2].rstrip(".").split("; "))
    assert {conditions.partition(" (")[2].partition(",")[0]: rows for conditions, rows in groups.items()} == {
        "preset tuned": "HGN [preset=tuned]", "preset paper": "LMIndexer: lmindexer [preset=paper]",
        "preset small": "rq-VAE indexer [encoder=default], LMIndexer: lmindexer [preset=small]",
    }  # fmt: skip


def test_two_versions_with_the_papers_counts_both_stand_beside_the_published_values(runs):
    """A full reproduction on one version of the searches, and small first runs on another."""
    all_shops = BEAUTY | {"name": "beauty-locale-all", "title": "All shops", "fingerprint": "b2"}
    fields = {"task": "search", "queries": "judged", "text_fields": AMAZON}
    found = {"nDCG@5 (published)": hits(1.0) * 0.31, "AP@5 (published)": hits(1.0) * 0.29}
    put(runs, "lmindexer", preset="paper", dataset=all_shops, values=found, config=at_preset("lmindexer"), **fields)
    for label in ("rqvae", "hc"):
        config = at_preset(label, preset="small")
        put(runs, label, preset="small", dataset=BEAUTY, values=found, config=config, **fields)
    tables = [filled for filled in paper.TABLE4.fill(load_results(runs)) if "LMIndexer's code" in filled.table.title]
    whole = next(filled for filled in tables if "All shops" in filled.caption)
    assert cells(whole)["LMIndexer", "Beauty nDCG@5"].published.verdict == "ok"
    assert len(tables) == 2 and not any("Not a data set" in note for filled in tables for note in filled.footnotes)


def test_labels_of_several_presets_keep_what_was_changed_in_each(runs):
    for key, preset, levels in (("k1", "small", 3), ("k2", "small", 2), ("k3", "paper", 3)):
        config = at_preset("rqvae", preset=preset, levels=levels)
        put(runs, "rqvae", key=key, preset=preset, text_fields=AMAZON, dataset=BEAUTY, values=hits(0.2), config=config,
            changed={"levels": 2} if levels == 2 else {})  # fmt: skip
    (filled,) = paper.TABLE3.fill(load_results(runs))
    labels = sorted(row.label.partition(": ")[2].partition(" [encoder")[0] for row in filled.rows if row.results)
    assert labels == ["rqvae [preset=paper]", "rqvae [preset=small, levels=2]", "rqvae [preset=small, levels=3]"]
    assert "rqvae [preset=small].levels=2" in filled.caption


def test_tasks_of_two_versions_of_the_code_fill_one_row(runs):
    """Search was computed again by newer code: the newer result holds it alone, the older one the other two tasks."""
    published = "nDCG@5 (published)"
    old = {"id-quality": {"AMI": 0.3}, "recommendation": {"R@5": 0.04}, "search": {published: 0.2}}
    dates = dict.fromkeys(old, "2026-01-01T00:00:00+00:00")
    for seed in (0, 1):
        paper_run(runs, "lmindexer", LMINDEXER, seed=seed, key="old", metrics=old, cost={"written": dates})
    paper_run(runs, "lmindexer", LMINDEXER, key="new", metrics={"search": {published: 0.4}},
              cost={"written": {"search": "2026-02-01T00:00:00+00:00"}})  # fmt: skip
    filled, *_ = paper.TABLE5.fill(newest(load_results(runs)))
    (row,) = (row for row in filled.rows if row.results)
    assert [(cell.mean, cell.n) for cell in row.cells] == [(pytest.approx(mean), 2) for mean in (0.3, 0.04, 0.3)]
    (note,) = (note for note in fill_tables(newest(load_results(runs)), ["table5"])[0].footnotes if "versions" in note)
    assert note.endswith(f": {row.label} (id-quality, recommendation apart from search).")


def test_data_sets_of_one_row_have_keys_of_their_own_and_are_no_versions_of_the_code(runs):
    sports = BEAUTY | {"name": "sports", "title": "Sports", "fingerprint": "s1"}
    for key, dataset in (("k1", BEAUTY), ("k2", sports)):
        metrics = {"id-quality": {"AMI": 0.3}}
        paper_run(runs, "lmindexer", LMINDEXER, key=key, dataset=dataset, metrics=metrics, code="c1")
    filled, *_ = fill_tables(load_results(runs), ["table1"])
    assert [len(row.results) for row in filled.rows if row.results] == [2]
    assert not any("version" in note for note in filled.footnotes)


def test_an_ablation_shows_its_own_rows_alone_and_other_data_sets_only_with_two_of_them(runs):
    two = at_preset("lmindexer", **{"reconstructor.layers": 2})
    ami = {"metrics": {"id-quality": {"AMI": 0.3}}}
    paper_run(runs, "rqvae", RQVAE, **ami)
    put(runs, "lmindexer", config=at_preset("lmindexer"), **ami)
    (empty,) = paper.TABLE5.fill(load_results(runs))
    assert not any(row.results for row in empty.rows), "rqvae is no ablation of LMIndexer, one row is none either"
    put(runs, "lmindexer-2-layers", method="lmindexer", config=two, **ami)
    paper_run(runs, "lmindexer", LMINDEXER, **ami)
    of_paper, other = paper.TABLE5.fill(load_results(runs))
    assert [row.label for row in of_paper.rows if row.results] == ["LMIndexer (1 reconstructor layer)"]
    assert [row.label for row in other.rows] == ["lmindexer", "lmindexer-2-layers"]


def test_a_data_set_that_is_not_of_the_paper_has_a_table_of_its_own(runs):
    put(runs, "first-letter", metrics={"id-quality": {"AMI": 0.3}, "search": {"nDCG@5": 0.1, "R@10": 0.1}})
    empty, other = paper.TABLE1.fill(load_results(runs))
    assert all(cell.mean is None for cell in cells(empty).values())
    assert other.table.title == "Table 1: ID quality (AMI) on Demo shop"
    assert cells(other) and all(cell.published is None for cell in cells(other).values())
    assert ["on Demo shop" in filled.table.title for filled in paper.TABLE6.fill(load_results(runs))] == [False, True]
    assert not any("on Demo shop" in filled.table.title for filled in paper.TABLE4.fill(load_results(runs)))


def test_what_is_said_of_bold_names_its_columns_and_counts_only_seeds_with_the_task(runs):
    for label, share, layers in (("lmindexer", 0.6, 1), ("other=lmindexer", 0.2, 2)):
        config = at_preset("lmindexer", **{"reconstructor.layers": layers})
        fields = {"method": "lmindexer", "config": config}
        both = {"id-quality": {"AMI": 0.3}}
        put(runs, label, values=hits(share), metrics=both, **fields)
        put(runs, label, seed=1, metrics=both, **fields)
    _, filled = paper.TABLE5.fill(load_results(runs))
    bold = [note for note in filled.footnotes if "bold" in note.lower() or "No significance" in note]
    assert [note.split(":")[0] for note in bold] == ["AMI", "R@5"] and "No significance test" in bold[0]
    of_hits = [cell for (_, header), cell in cells(filled).items() if header == "R@5"]
    assert [cell.n for cell in of_hits] == [1, 1] and [cell.interval for cell in of_hits] == ["exact"] * 2


def test_deleting_a_result_marks_the_hole(runs):
    path = paper_run(runs, "lmindexer", LMINDEXER, metrics={"id-quality": {"AMI": 0.3}})
    assert cells(paper.TABLE1.fill(load_results(runs))[0])["LMIndexer", "Beauty AMI"].mean == 0.3
    (path / "result.json").unlink()
    cell = cells(paper.TABLE1.fill(load_results(runs))[0])["LMIndexer", "Beauty AMI"]
    assert cell.mean is None and cell.gap == "missing" and cell.published.verdict == ""


def test_the_data_sets_show_recorded_counts_and_exact_verdicts(runs):
    facts = {"stages": {}, "facts": {"recommendation": {"training_pairs": 111815}}}
    config = {"method": {}, "generative": {"pairs": "sampled"}, "protocol": {}}
    cut = BEAUTY | {"counts": {"items": 12101, "users": 22000, "users with a validation item": 22363}}
    put(runs, "hc", dataset=cut, values=hits(0.2, n=300), cost=facts, config=config)
    other = config | {"protocol": {"split": "time:0.9"}}
    put(runs, "before-hc", dataset=cut, values=hits(0.2, n=200), cost=facts, config=other)
    put(runs, "hc", metrics={"id-quality": {"AMI": 0.1}})
    (filled,) = paper.DATA_SETS.fill(load_results(runs))
    found = {c: cell for (row, c), cell in cells(filled).items() if row.startswith("Beauty")}
    verdicts = {column: (cell.mean, cell.published.verdict) for column, cell in found.items() if cell.published}
    assert verdicts == {
        "Items": (12101, "ok"), "Users": (22000, "off"), "Rec. train pairs": (111815, "ok"),
        "Rec. dev users": (22363, "ok"), "Rec. test users": (300, "off"),
    }  # fmt: skip
    assert "Demo shop (fingerprint f1)" in [row.label for row in filled.rows]


def test_table_13_is_not_judged_until_somebody_has(runs):
    put(runs, "rqvae", metrics={"id-quality": {"AMI": 0.1}})
    (filled,) = paper.TABLE13.fill(load_results(runs))
    assert cell_text(filled.columns[0], filled.rows[0].cells[0]) == "not judged (paper 0.7375)"
    entry = {"accuracy": 0.8, "low": 0.7, "high": 0.9, "groups": 40}
    (runs / "human-evaluation.json").write_text(json.dumps({"rows": {"rqvae": entry, "mine": entry}, "alpha": 0.61}))
    (filled,) = paper.TABLE13.fill(load_results(runs))
    found = {row.label: row.cells[0] for row in filled.rows}
    assert list(found) == ["rq-VAE indexer", "HC indexer", "LMIndexer", "mine"]
    assert (found["rq-VAE indexer"].mean, found["rq-VAE indexer"].low) == (0.8, 0.7)
    assert found["rq-VAE indexer"].published.verdict == "not comparable" and found["mine"].published is None
    assert any("alpha of the judges: 0.610" in note for note in filled.footnotes)
    (runs / "human-evaluation.json").write_text('{"rows": {"rqvae": {}}}')
    (filled,) = paper.TABLE13.fill(load_results(runs))
    assert any("cannot be read" in note for note in filled.footnotes) and filled.rows[0].cells[0].gap == "not judged"


def test_markdown_and_terminal_show_the_published_value_in_every_cell(runs):
    paper_run(runs, "lmindexer", LMINDEXER, metrics={"id-quality": {"AMI": 0.3563}})
    tables = paper.TABLE1.fill(load_results(runs))
    assert "| LMIndexer | 0.3563<br>paper 0.3563, +0.0%, ok | missing<br>paper 0.4163 |" in markdown.render(tables)
    assert "0.3563 (paper 0.3563, +0.0%, ok)" in terminal.render(tables)


def test_paper_names_all_its_tables_in_order_and_the_default_report_has_none(runs, tmp_path, capsys):
    names = ["data-sets", "table1", "table2", "table3", "table4", "table5", "table6", "table13"]
    assert [table.name for table in chosen_tables(["paper"])] == names
    own = [table.name for table in chosen_tables()]
    assert not set(own) & set(names) and own[0] == "id-quality" and own[-1] == "cost"
    put(runs, "hc", values=hits(0.2))
    out = tmp_path / "out"
    words = ["report", "--tables", "paper", "--runs", str(runs), "--format", "md,latex,json", "--out", str(out)]
    assert main(words) == 0
    assert {path.name for path in out.iterdir()} == {"tables.md", "tables.tex", "tables.json", "SHA256SUMS"}
    assert {table["name"] for table in json.loads((out / "tables.json").read_text())} == set(names)
    assert main(["report", "--tables", "papper", "--runs", str(runs)]) == 2
    assert "Did you mean 'paper'?" in capsys.readouterr().err


def test_report_and_compare_import_neither_torch_nor_scipy(runs):
    for label in ("a", "b"):
        put(runs, label, values=hits(0.3), dataset=BEAUTY)
    report = ["report", "--tables", "paper", "--format", "md,latex,json", "--out", str(runs / "out")]
    for words in (report, ["compare", "a", "b"]):
        code = (
            f"import sys; from benchmark.cli.main import main; code = main({[*words, '--runs', str(runs)]!r})\n"
            "sys.exit(code or ' '.join({'torch', 'scipy', 'sklearn', 'matplotlib'} & sys.modules.keys()) or None)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
