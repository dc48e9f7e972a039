"""The one table of metrics: it declares what results hold, and lists, tables and marks follow it."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from conftest import FAST
from result_files import put

from benchmark.cli.main import main
from benchmark.errors import BenchmarkError
from benchmark.metrics.declared import BUILT_IN
from benchmark.metrics.lookup import find_metric
from benchmark.metrics.metric import Metric
from benchmark.registry import load, registered
from benchmark.reports.tables.filling import build
from benchmark.reports.tables.layout import Column
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import load_results

pytestmark = pytest.mark.usefixtures("small_encoder")


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of an indexer on every task, of a recommender and of a retriever."""
    folder = tmp_path_factory.mktemp("declared") / "runs"
    words = ["run", "--methods", "rqkmeans,popularity,bm25", "--dataset", str(shop), "--runs", str(folder)]
    settings = ["--set", "rqkmeans.codebook_size=4", "--set", "rqkmeans.levels=2", "--device", "cpu"]
    assert main([*words, *settings, *FAST]) == 0
    return folder


def test_every_metric_of_a_result_is_declared_and_lies_in_its_range(runs: Path) -> None:
    seen = Counter()
    for result in load_results(runs):
        for task, values in result.metrics.items():
            for name, value in values.items():
                metric = find_metric(name, task)
                assert metric is not None and metric.description, f"{task}, {name}"
                assert metric.range[0] - 1e-9 <= value <= metric.range[1] + 1e-9, f"{task}, {name}: {value}"
                seen[task] += 1
    assert set(seen) == {"id-quality", "recommendation", "search"} and seen.total() > 60


def test_every_fact_that_the_cost_table_shows_is_declared(runs: Path) -> None:
    facts = {name for path in runs.glob("*/*/*/*/cost.json") for of in json.loads(path.read_text())["facts"].values()
             for name in of}  # fmt: skip
    shown = {metric.name.partition(".")[0] for metric in BUILT_IN if metric.source == "cost"}
    assert {"queries_per_second", "latency_p50", "index_bytes", "parameters", "beam_missing"} <= facts & shown


def test_a_name_has_one_declaration() -> None:
    for metric in BUILT_IN:
        example = metric.name
        for place in ("<d>", "<k>", "<l>", "<t>"):
            example = example.replace(place, "7")
        assert [one.name for one in BUILT_IN if one.named(example)] == [metric.name]


@pytest.mark.parametrize("name", ["R@0", "R@", "R@010", "R@10 (lenient)", "R@10\n", "AMI@level-1", "r@5", ""])
def test_a_name_that_nothing_computes_is_unknown(name: str) -> None:
    assert find_metric(name) is None


def test_a_family_puts_the_number_into_its_words() -> None:
    lift = find_metric("co_purchase_lift@2", "id-quality")
    assert lift is not None and (lift.title, lift.digits) == ("Lift@2", 2)
    assert "first 2 codes" in lift.description
    other = find_metric("co_purchase_lift@1")
    assert other is not None and other.note == lift.note and "first d codes" in lift.note
    assert find_metric("co_purchase_lift@2", "search") is None


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"name": "a\tb"}, {"description": " "}, {"description": "a\nb"}, {"range": (1, 1)}]
)
def test_a_declaration_without_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BenchmarkError):
        Metric(**{"name": "x", "description": "y", **fields})  # type: ignore[arg-type]


def test_the_columns_of_all_tables_say_what_the_declarations_say() -> None:
    tables = [load("table", name) for name in registered("table")]
    columns = [(table, column) for table in tables for column in table.columns]
    assert len(columns) > 40
    for table, column in columns:
        metric = find_metric(column.measure, table.task)
        if metric is not None:
            declared = (metric.title, metric.digits, metric.higher_is_better, metric.scale, metric.source)
            assert declared == (column.header, column.digits, column.higher_is_better, column.scale, column.source)


def test_agreement_of_longer_prefixes_has_no_better_direction() -> None:
    """Unique prefixes must score 0 whatever they mean, so a low value is no fault and a high one no merit."""
    first, deeper = find_metric("AMI", "id-quality"), find_metric("AMI@depth3", "id-quality")
    assert first is not None and first.higher_is_better is True
    assert deeper is not None and deeper.higher_is_better is None and "neither" in deeper.note


def test_list_and_show_read_the_declarations(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "metrics", "--json"]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(listed) == {metric.name for metric in BUILT_IN}
    assert listed["collision_rate"]["direction"] == "lower is better"
    assert (listed["largest_group"]["range"], listed["largest_group"]["digits"]) == ([1, None], 0)
    for name, text in (("AMI", "higher is better"), ("R@3", "among the first 3"), ("stability@<d>", "-1 to 1")):
        assert main(["show", name]) == 0
        assert text in capsys.readouterr().out
    assert main(["show", "AMJ"]) == 2
    assert "Did you mean 'AMI'?" in capsys.readouterr().err


@pytest.mark.parametrize(("higher", "best"), [(True, "high"), (False, "low"), (None, "")])
def test_the_best_row_is_the_lowest_where_lower_is_better(tmp_path: Path, higher: bool | None, best: str) -> None:
    noise = np.random.default_rng(0).random(200) / 10
    for label, level in (("high", 3.0), ("low", 1.0), ("middle", 2.0)):
        put(tmp_path, label, values={"R@5": level + noise})
    table = Table("one", "One", "recommendation", (Column("R@5", "R@5", higher_is_better=higher),))
    (filled,) = build(table, load_results(tmp_path))
    assert [row.label for row in filled.rows if row.cells[0].bold] == ([best] if best else [])


def test_a_header_of_a_table_is_explained_as_its_metric(capsys):
    assert main(["show", "Lift@2"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("co_purchase_lift@2: ") and "first 2 codes" in text and "id-quality" in text
    assert main(["show", "Beam misses"]) == 0
    text = capsys.readouterr().out
    assert "beam_missing.recommendation: " in text and "beam_missing.search: " in text


def test_every_column_of_every_table_is_explained(capsys):
    for name in registered("table"):
        assert main(["show", name]) == 0
        assert capsys.readouterr().out.endswith(f"benchmark report --tables {name}\n")
        for column in getattr(load("table", name), "columns", ()):
            assert main(["show", column.header]) == 0, column.header
    capsys.readouterr()


def test_what_is_nowhere_is_refused_with_where_to_look(capsys):
    assert main(["show", "qqqqqq"]) == 2
    assert "benchmark list methods, datasets, tables or metrics" in capsys.readouterr().err


def test_the_list_of_metrics_names_the_tables(capsys):
    assert main(["list", "metrics", "--json"]) == 0
    rows = {row["name"]: row["tables"] for row in json.loads(capsys.readouterr().out)}
    assert "table1" in rows["AMI"] and rows["beam_missing.search"] == ["cost"]
