"""A plugin's metrics and table, installed as distributions of their own, appear wherever the suite's own do."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FAST
from installed import Installed
from pages import commands, typed

from benchmark.metrics.ranking import read_scores
from benchmark.results.result_files import read_id_lines
from benchmark.types.trec import read_qrels, read_run

TESTS = Path(__file__).parents[1]
METRICS, TABLE = TESTS / "example_metric", TESTS / "example_table"
PAGES = {folder: (TESTS.parent / "docs" / page).read_text()
         for folder, page in ((METRICS, "own-metric.md"), (TABLE, "own-table.md"))}  # fmt: skip
SHOWN = ["First rank", "Imbalance", "IDs at a glance"]


@pytest.fixture(scope="module")
def plugin(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Both plugins, with results of two methods."""
    plugin = Installed.of(tmp_path_factory.mktemp("plugins"), METRICS, TABLE)
    (run,) = [words for words in map(typed, commands(PAGES[METRICS])) if words[0] == "run"]
    words = [str(shop) if word == "demo" else word for word in run]
    printed = plugin.benchmark(*words, "--set", "random.codebook_size=8", *FAST, "--device", "cpu")
    assert all(text in printed for text in SHOWN)
    return plugin


def result(plugin: Installed, label: str) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a method's only result, and the content of result.json."""
    (path,) = plugin.work.glob(f"runs/shop/{label}/*/seed-0/result.json")
    return path.parent, json.loads(path.read_text())


@pytest.mark.parametrize("task", ["recommendation", "search"])
def test_a_metric_of_rankings_is_in_the_result_and_in_the_values_per_query(plugin: Installed, task: str) -> None:
    folder, content = result(plugin, "random")
    run, ranks = read_run(folder / f"run.{task}.trec"), {}
    for query, item, _ in read_qrels(folder / f"qrels.{task}.txt"):
        ranks[query] = [*run.get(query, {}), item].index(item) + 1 if item in run.get(query, {}) else 21
    scores = read_scores(folder / f"scores.{task}.tsv")
    assert dict(zip(scores.query_ids, scores.per_query["first_rank"].tolist(), strict=True)) == ranks
    assert content["metrics"][task]["first_rank"] == pytest.approx(np.mean(list(ranks.values())))


def test_a_metric_of_ids_is_in_the_result(plugin: Installed) -> None:
    folder, content = result(plugin, "random")
    first = [codes[0] for codes in read_id_lines(folder / "ids.tsv").values()]
    expected = max(map(first.count, first)) * len(set(first)) / len(first)
    assert content["metrics"]["id-quality"]["imbalance"] == pytest.approx(expected)
    assert "imbalance" not in content["metrics"]["search"]


def test_the_distribution_of_a_plugin_is_among_the_versions_of_each_task(plugin: Installed) -> None:
    versions = result(plugin, "random")[1]["versions"]
    assert set(versions) == {"id-quality", "recommendation", "search"}
    assert {of["example-metrics"] for of in versions.values()} == {"0.3.0"}


def test_every_format_shows_metric_and_table(plugin: Installed) -> None:
    plugin.benchmark("report", "--format", "md,latex,html,json,terminal", "--out", "out")
    for suffix in ("md", "tex", "html", "json", "txt"):
        (file,) = plugin.work.glob(f"out/tables.{suffix}")
        missing = [text for text in SHOWN if text not in file.read_text()]
        assert not missing, f"{file.name} lacks {missing}"
    page = (plugin.work / "out" / "tables.html").read_text()
    assert 'title="rank of the first relevant item, 21 where it was not found; lower is better"' in page
    assert "First rank: rank of the first relevant item" in (plugin.work / "out" / "tables.md").read_text()
    tables = json.loads((plugin.work / "out" / "tables.json").read_text())
    cells = {
        table["name"]: row["cells"][i] for table in tables for i, column in enumerate(table["columns"])
        for row in table["rows"] if column["measure"] == "first_rank"
    }  # fmt: skip
    # few of these rows find anything: their ranks lie at the metric's own bound, 21, where a bootstrap is too short
    assert {name: cell["interval"] for name, cell in cells.items()} == dict.fromkeys(
        ("recommendation", "search"), "bounded"
    )
    assert "0 do not follow" in plugin.benchmark("verify", "out")


def test_verify_names_the_metrics_that_only_the_plugin_can_recompute(plugin: Installed) -> None:
    printed = plugin.benchmark("verify", "runs")
    assert "search, first_rank: only its plugin can recompute it (first_rank:FIRST_RANK)" in printed
    assert "id-quality, imbalance: only its plugin can recompute it (imbalance:IMBALANCE)" in printed
    assert "0 do not follow, 0 missing, 0 not checked" in printed


def test_list_and_show_explain_the_metric_and_compare_tests_it(plugin: Installed) -> None:
    listed = plugin.fresh("list", "metrics")
    assert re.search(r"^first_rank +recommendation, search +rank of the first", listed, re.M)
    shown = plugin.benchmark("show", "first_rank")
    assert re.search(r"direction +lower is better\n", shown) and re.search(r"range +1 to 21\n", shown)
    assert "id-overview" in plugin.benchmark("list", "tables")
    compared = plugin.benchmark("compare", "random", "popularity", "--dataset", "shop", "--json")
    (task,) = json.loads(compared)
    (metric,) = [metric for metric in task["metrics"] if metric["measure"] == "first_rank"]
    assert metric["p_holm"] is not None and metric["higher_is_better"] is False


def test_results_without_the_metric_count_as_not_done(plugin: Installed, shop: Path) -> None:
    """A cell is done with the plugin as it is; with other code, or without it, it is another cell."""
    words = ["run", "--methods", "popularity", "--dataset", str(shop), "--dry-run", "--json"]

    def done(before: str = "") -> bool:
        (cell,) = json.loads(plugin.python(f"{before}\nmain({words!r})"))
        assert all(state == "cached" for state in cell["stages"].values())
        return bool(cell["done"])

    assert done()
    assert not done(f"sys.path.remove({str(plugin.site)!r})")
    module = plugin.site / "first_rank.py"
    source = module.read_text()
    module.write_text(source.replace("an example", "one example"))
    assert done(), "a docstring does not count"
    module.write_text(source.replace(">= 1), 21)", ">= 2), 21)"))
    assert not done()
    module.write_text(source)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"first_rank"', '"R@7"'), "has the name of a built-in metric, 'R@7'"),
        (("rank of the first relevant item, 21 where it was not found", ""), "its description must be one line"),
        (("compute=rank_of_first,", ""), "first_rank:FIRST_RANK\\) cannot be imported: TypeError: .*'compute'"),
        (("FIRST_RANK = ", "FIRST_RANK = rank_of_first; rest = "), "must be an IdMetric or a QueryMetric"),
        (("range=(1, 21)", "tasks=('serch',), range=(1, 21)"), "its tasks must be of"),
        (("range=(1, 21)", "range=(1, 2)"), r"gave 21; expected a number 1 to 2"),
        (("for rank, item", "for rank"), "the metric 'first_rank' \\(first_rank:FIRST_RANK\\) failed"),
    ],
)
def test_a_wrong_metric_is_refused_by_name(change: tuple[str, str], message: str, tmp_path: Path, shop: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    source = (METRICS / "first_rank.py").read_text()
    assert change[0] in source
    (broken / "first_rank.py").write_text(source.replace(*change))
    info = broken / "broken-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[benchmark.metrics]\nfirst-rank = first_rank:FIRST_RANK\n")
    words = ["run", "--methods", "popularity", "--dataset", str(shop), "--device", "cpu"]
    code = f"import io, contextlib\nwith contextlib.redirect_stderr(io.StringIO()) as said: code = main({words!r})"
    printed = Installed(broken, tmp_path).python(f"{code}\nprint(code, said.getvalue())")
    assert printed[0] in "12" and re.search(message, printed), printed


@pytest.mark.parametrize("file", [METRICS / "first_rank.py", METRICS / "imbalance.py", TABLE / "overview.py"])
def test_the_page_shows_the_code_of_the_example_and_its_pyproject(file: Path) -> None:
    for shown in (file, file.parent / "pyproject.toml"):
        indented = "\n".join(f"    {line}".rstrip() for line in shown.read_text().rstrip("\n").split("\n"))
        assert indented in PAGES[file.parent]


def test_the_other_commands_of_both_pages_work(plugin: Installed) -> None:
    others = [words for page in PAGES.values() for words in map(typed, commands(page)) if words[0] != "run"]
    assert len(others) == 3
    for words in others:
        assert plugin.benchmark(*words).strip()


def test_the_versions_are_those_of_this_environment(plugin: Installed) -> None:
    versions = result(plugin, "popularity")[1]["versions"]["recommendation"]
    for name in ("numpy", "torch", "faiss-cpu", "pyarrow"):
        assert versions[name] == version(name)
