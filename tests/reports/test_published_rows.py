"""Published rows of others beside ours: the quoted files, their values, and what can be compared."""

from collections import Counter
from pathlib import Path

import pytest
from result_files import at_preset, put

from benchmark.cli.main import main
from benchmark.errors import BenchmarkError
from benchmark.metrics.lookup import find_metric
from benchmark.reports import paper, published
from benchmark.reports.published import beside
from benchmark.reports.published.sources import HERE, QuotedRow, Source, read_source, sources
from benchmark.reports.renderers import markdown
from benchmark.results.registered_tables import chosen_tables
from benchmark.results.result_files import load_results

BEAUTY = {"name": "beauty", "title": "Beauty", "fingerprint": "b1", "counts": {"items": 12101, "users": 22363}}
TABLES = (published.BEAUTY, published.SPORTS, published.TOYS, published.NQ320K)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def printed(source: str, row: str, dataset: str) -> dict[str, float]:
    (found,) = [(one, quoted) for one in sources() if one.name == source for quoted in one.rows if quoted.name == row]
    return found[0].values(found[1], dataset)


def quoted_cell(table, runs, title, header):
    (filled,) = table.fill(load_results(runs))
    (row,) = [row for row in filled.rows if row.title == title]
    return row.cells[[column.header for column in filled.columns].index(header)], filled


@pytest.mark.parametrize(
    ("source", "row", "dataset", "values"),
    [
        ("S3-Rec", "PopRec", "beauty", {"R@5": 0.0080, "nDCG@5": 0.0044, "R@10": 0.0152, "nDCG@10": 0.0068}),
        ("S3-Rec", "S3-Rec", "toys", {"R@20": 0.1065, "nDCG@20": 0.0468}),
        ("TIGER", "TIGER", "beauty", {"R@10": 0.0648}), ("LETTER", "TIGER", "beauty", {"R@10": 0.0610}),
        ("HG-Rec", "TIGER", "beauty", {"R@10": 0.0775}),
        ("TIGER, IDs", "TIGER with random IDs", "beauty", {"R@5": 0.0296, "nDCG@5": 0.0205}),
        ("LETTER", "LETTER-TIGER", "beauty", {"R@10": 0.0672, "nDCG@10": 0.0364}),
        ("phonism/genrec", "LC-Rec", "beauty", {"R@10": 0.0791, "nDCG@10": 0.0438}),
        ("ActionPiece", "ActionPiece", "beauty", {"R@10": 0.0775, "nDCG@10": 0.0424}),
        ("RPG", "RPG", "beauty", {"R@10": 0.0809, "nDCG@10": 0.0464}),
        ("eSASRec", "SASRec with sampled softmax", "beauty", {"R@10": 0.0921, "nDCG@10": 0.0531}),
        ("eSASRec", "eSASRec", "beauty", {"R@10": 0.0928, "nDCG@10": 0.0523}),
        ("NQ320k of GenRet", "BM25", "nq320k", {"R@1": 0.297, "R@10": 0.603}),
        ("NQ320k of GenRet", "DSI-QG", "nq320k", {"R@1": 0.631, "R@10": 0.807}),
        ("NQ320k of GenRet", "NOVO", "nq320k", {"R@1": 0.693, "R@10": 0.897}),
        ("NQ320k of GenRet", "TOME", "nq320k", {"R@1": 0.666}),
    ],
)  # fmt: skip
def test_values_are_those_that_are_printed(source, row, dataset, values):
    found = printed(source, row, dataset)
    assert {metric: found[metric] for metric in values} == values and ("R@10" in found or row == "TOME")


def test_every_file_names_its_document_table_and_check_and_no_row_stands_twice():
    assert {path.stem for path in HERE.glob("*.toml")} >= {"s3-rec", "tiger", "letter", "rpg", "nq320k"}
    rows: Counter[tuple[str, ...]] = Counter()
    for source in sources():
        assert all((source.name, source.document, source.table, source.read, source.evaluation)), source
        assert isinstance(source.checked, bool) and source.rows
        for row in source.rows:
            rows.update((source.document, source.table, row.name, dataset) for dataset in row.values)
    assert rows.total() > 60 and set(rows.values()) == {1}
    assert len({source.name for source in sources()}) == len(sources()), "a row's title says whose table it stands in"
    assert {source.name for source in sources() if not source.checked} == {"ActionPiece", "LETTER", "RPG"}


def test_values_are_declared_metrics_that_grow_with_the_cutoff_and_ndcg_is_below_recall():
    """True of every ranking with one relevant item; a slip of the pen between two columns or lines breaks it."""
    for source in sources():
        assert all(find_metric(metric, source.task) is not None for metric in source.metrics)
        for row in source.rows:
            for dataset in row.values:
                found = source.values(row, dataset)
                for name in ("R", "nDCG"):
                    values = [found[f"{name}@{k}"] for k in (1, 5, 10, 20) if f"{name}@{k}" in found]
                    assert values == sorted(values) and all(0 < value < 1 for value in values), (source.name, row.name)
                cutoffs = [k for k in (5, 10, 20) if f"nDCG@{k}" in found]
                assert all(found[f"nDCG@{k}"] < found[f"R@{k}"] for k in cutoffs), (source.name, row.name)


def test_the_papers_tables_reprint_these_rows():
    """LMIndexer's Table 3 and 6 were typed from other documents: HGN and others from S3-Rec's, TIGER, BM25, SEAL."""
    rows = {row.method: row.published for row in paper.TABLE3.spec.rows}
    names = {"hgn": "HGN", "gru4rec": "GRU4Rec", "bert4rec": "BERT4Rec", "fdsa": "FDSA", "popularity": "PopRec"}
    for method, source, name in [*((m, "S3-Rec", n) for m, n in names.items()), ("tiger", "TIGER", "TIGER")]:
        own = [printed(source, name, dataset)[k] for dataset in ("beauty", "sports", "toys") for k in ("R@5", "nDCG@5")]
        assert tuple(own) == rows[method], name
    retrieval = {row.method: row.published[:2] for row in paper.TABLE6.spec.rows}
    for method, name in (("bm25", "BM25"), ("seal", "SEAL")):
        assert tuple(printed("NQ320k of GenRet", name, "nq320k").values()) == retrieval[method]


def test_without_runs_every_published_row_is_there_and_its_source_named():
    for table in TABLES:
        (filled,) = table.fill([])
        text = markdown.render([filled])
        assert text.count(": ") and all(any(cell.published for cell in row.cells) for row in filled.rows)
        named = {row.title.removesuffix(" (not checked)").rpartition(": ")[2] for row in filled.rows}
        assert all(any(note.startswith(f"{source}: ") for note in filled.footnotes) for source in named)
    (beauty,) = published.BEAUTY.fill([])
    assert "RPG: RPG (not checked)" in [row.title for row in beauty.rows]


def test_ours_stands_first_and_again_above_the_published_value_of_the_same_method(runs):
    metrics = {"recommendation": {"R@5": 0.0074, "R@10": 0.0115}}
    config = at_preset("popularity", preset="published")
    fields = {"method": "popularity", "control": True, "preset": "published", "dataset": BEAUTY, "config": config}
    put(runs, "popularity", metrics=metrics, **fields)
    put(runs, "popularity", metrics=metrics, **fields | {"dataset": BEAUTY | {"name": "toys"}})
    cell, filled = quoted_cell(published.BEAUTY, runs, "PopRec: S3-Rec", "R@5")
    assert filled.rows[0].title == "popularity (control)" and filled.rows[0].cells[0].published is None
    assert cell.mean == 0.0074 and cell.difference == pytest.approx(-0.075) and not cell.bold
    (reason,) = cell.published.reasons
    assert "the published counts include the test events" in reason
    assert any(f"({cell.published.marks}) {reason}" in note for note in filled.footnotes)
    beyond, _ = quoted_cell(published.BEAUTY, runs, "PopRec: S3-Rec", "R@20")
    assert beyond.mean is None and beyond.published.value == 0.0217


@pytest.mark.parametrize(
    ("differs", "preset", "ours", "verdict", "reasons"),
    [
        ((), "published", 0.101, "ok", ()),
        ((), "published", 0.2, "off", ()),
        ((), "small", 0.101, "not comparable", ("preset small, not published",)),
        (("another loss",), "published", 0.101, "not comparable", ("another loss",)),
    ],
)
def test_a_row_of_our_protocol_has_a_verdict_and_any_other_a_reason(
    runs, monkeypatch, differs, preset, ours, verdict, reasons
):
    row = QuotedRow("SASRec", {"beauty": [0.1]}, "sasrec", differs=differs)
    made_up = Source("Us", "a paper", "Table 1", "it", True, "recommendation", "like ours", ("R@5",), (row,))
    monkeypatch.setattr(beside, "sources", lambda: (made_up,))
    config = at_preset("sasrec", preset="published")
    put(runs, "sasrec", metrics={"recommendation": {"R@5": ours}}, preset=preset, dataset=BEAUTY, config=config)
    cell, _ = quoted_cell(beside.PublishedTable.of("beauty", "Beauty", "recommendation"), runs, "SASRec: Us", "R@5")
    assert (cell.mean, cell.published.verdict, cell.published.reasons) == (ours, verdict, reasons)


@pytest.fixture
def of_ours(monkeypatch):
    """Declare one published SASRec of our protocol, and one of another."""

    def declare(method: str = "sasrec", differs: tuple[str, ...] = (), **fields) -> beside.PublishedTable:
        row = QuotedRow(method, {"beauty": [0.1]}, method, **fields)
        made_up = Source("Us", "a paper", "T", "it", True, "recommendation", "like ours", ("R@5",), (row,), differs)
        monkeypatch.setattr(beside, "sources", lambda: (made_up,))
        return beside.PublishedTable.of("beauty", "Beauty", "recommendation")

    return declare


def test_of_several_rows_of_ours_the_one_with_the_fewest_reasons_is_compared(runs, of_ours):
    for label, settings in (
        ("a-wide", {"embedding_size": 128, "layers": 1}),
        ("sasrec", {}),
        ("z-wide", {"embedding_size": 128}),
    ):
        put(
            runs, label, method="sasrec", preset="published", dataset=BEAUTY, key=label,
            metrics={"recommendation": {"R@5": 0.2 if settings else 0.101}},
            config=at_preset("sasrec", preset="published", **settings),
        )  # fmt: skip
    cell, filled = quoted_cell(of_ours(), runs, "sasrec: Us", "R@5")
    assert len(filled.rows) == 4
    assert (cell.mean, cell.published.verdict) == (0.101, "ok")


def test_without_a_row_of_ours_there_is_no_verdict(runs, of_ours):
    cell, filled = quoted_cell(of_ours(differs=("other users",)), runs, "sasrec: Us", "R@5")
    assert (cell.mean, cell.published.value, cell.published.verdict, cell.published.reasons) == (None, 0.1, "", ())
    assert "n/c" not in markdown.render([filled]).partition("Us: a paper")[0].partition("n/c: not comparable")[0]


@pytest.mark.parametrize(
    ("read", "reasons"),
    [
        (["title", "price", "brand", "category"], ()),
        (["title", "brand"], ("text without price, category",)),
        (["title", "price", "brand", "category", "description"], ("text with description besides",)),
    ],
)
def test_text_fields_are_compared_where_the_source_states_them(runs, of_ours, read, reasons):
    (stated,) = [row.text_fields for s in sources() if s.name == "TIGER" for row in s.rows if row.method == "tiger"]
    config = at_preset("tiger", preset="published")
    fields = {"preset": "published", "dataset": BEAUTY, "config": config, "text_fields": read}
    put(runs, "tiger", metrics={"recommendation": {"R@5": 0.101}}, **fields)
    cell, _ = quoted_cell(of_ours("tiger", text_fields=stated), runs, "tiger: Us", "R@5")
    assert cell.published.reasons == reasons
    assert quoted_cell(of_ours("tiger"), runs, "tiger: Us", "R@5")[0].published.verdict == "ok"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("colour = 'red'\n", "colour"), ("task = [\n", "not a published table"),
        ("[[rows]]\nname = 'X'\nvalues = {beauty = [0.1, 0.2]}\n", "'X' on beauty has 2 values for 4 metrics"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_published_table_is_named(tmp_path, change, message):
    lines = (HERE / "rpg.toml").read_text("utf-8")
    path = tmp_path / "broken.toml"
    path.write_text(lines + change if change.startswith("[") else change + lines)
    with pytest.raises(BenchmarkError, match=r"broken\.toml: .*") as error:
        read_source(path)
    assert message in str(error.value)


def test_the_group_and_each_of_its_tables_can_be_asked_for(runs, tmp_path):
    names = ["published-beauty", "published-nq320k", "published-sports", "published-toys"]
    assert [table.name for table in chosen_tables(["published"])] == names
    assert not set(names) & {table.name for table in chosen_tables()}
    put(runs, "popularity", metrics={"recommendation": {"R@5": 0.01}}, dataset=BEAUTY)
    out = tmp_path / "out"
    words = ["report", "--tables", "published-beauty", "--runs", str(runs), "--format", "md,latex,html,json"]
    assert main([*words, "--out", str(out)]) == 0
    assert all("TIGER: HG-Rec" in (out / f"tables.{suffix}").read_text("utf-8") for suffix in ("md", "tex", "json"))
