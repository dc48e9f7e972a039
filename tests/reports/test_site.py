"""A site: its front page ranks all data sets, every row leads to where its numbers and IDs are, and all is verified."""

import json
import re
import subprocess
import sys
from urllib.parse import unquote

import pytest
from html_page import Page
from hypothesis import example, given
from hypothesis.strategies import lists, text
from result_files import hits, put
from site_runs import shop

from benchmark.cli.main import main
from benchmark.reports.html.facets import choices, facets, shared
from benchmark.reports.html.site import page_names, render
from benchmark.results.registered_tables import fill_tables, report_files, tables_shown
from benchmark.results.result_files import load_results

HOSTILE = "</a><script>alert(1)</script> & \"quoted\" 'label'"
NAMES = ["leaderboard", "id-quality", "recommendation", "search", "cost"]


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    shop(folder, "demo", {"low": 0.1, "random": 0.7, "high": 0.9})
    shop(folder, "other shop:2", {"low": 0.4, "high": 0.3}, search=False)
    return folder


def site(runs, names=None):
    return report_files(fill_tables(load_results(runs), tables_shown(["site"], names)), "site")


def rows_of(page, table):
    """Return (label, values) of the rows of a table, as a program reads them in the page."""
    (found,) = [one for number, one in enumerate(page.json("data")["tables"]) if number == table]
    return [row["label"] for row in found["rows"]]


def test_the_rows_of_a_leaderboard_stand_best_first_with_the_controls_among_them(runs):
    index = Page(site(runs)["index.html"])
    titles = [index.texts[f"table-{number}-title"] for number in range(5)]
    assert titles == [
        "ID quality on The demo", "Next-item recommendation on The demo", "Search on The demo",
        "ID quality on The other shop:2", "Next-item recommendation on The other shop:2",
    ]  # fmt: skip
    assert rows_of(index, 0) == ["high", "random (control)", "low"]
    assert rows_of(index, 1) == ["high", "random (control)", "low"]
    assert rows_of(index, 3) == ["low", "high"]
    headers = [[column["header"] for column in table["columns"]] for table in index.json("data")["tables"]]
    assert headers[:3] == [["AMI", "Unique"], ["R@10", "nDCG@10"], ["nDCG@10", "R@10"]]


def test_a_metric_of_which_less_is_better_ranks_upwards_and_rows_without_it_come_last(tmp_path):
    from benchmark.reports.tables.columns import columns
    from benchmark.reports.tables.leaderboard import Leaderboard

    board = Leaderboard("collisions", "Collisions", "id-quality", columns("id-quality", "collision_rate", "AMI"))
    for label, metrics in (("a", {"collision_rate": 0.5}), ("b", {"AMI": 0.1}), ("c", {"collision_rate": 0.25})):
        put(tmp_path, label, metrics={"id-quality": metrics})
    (filled,) = board.fill(load_results(tmp_path))
    assert [row.label for row in filled.rows] == ["c", "a", "b"]


def test_a_star_stands_in_the_page_where_a_row_is_significantly_best_and_nowhere_else(tmp_path):
    results = [put(tmp_path, label, values={"R@10": hits(share, seed=1)}) for label, share in (("a", 0.9), ("b", 0.2))]
    assert len(results) == 2
    source = site(tmp_path)["index.html"]
    assert source.count('<span class="star">') == 1
    assert "A star, and bold: better than every other row" in source
    put(tmp_path, "c", values={"R@10": hits(0.9, seed=2)})
    assert '<span class="star">' not in site(tmp_path)["index.html"]


def test_each_data_set_has_a_page_and_every_indexer_of_the_front_page_a_link_to_its_ids(runs):
    files = site(runs)
    assert set(files) == {"index.html", "demo.html", "other-shop-2.html", "tables.json"}
    index = Page(files["index.html"])
    hrefs = [unquote(attributes["href"]) for tag, attributes in index.tags if tag == "a"]
    pages = {href.partition("#")[0] for href in hrefs} - {""}
    assert pages == set(files) - {"index.html"}
    linked = {tuple(href.split("#ids=")) for href in hrefs if "#ids=" in href}
    found = set()
    for name in ("demo.html", "other-shop-2.html"):
        page = Page(files[name])
        for catalogue in page.json("catalogues"):
            for method in catalogue["methods"]:
                folder = page.json("data")["runs"][method["run"]]["folder"]
                found.add((name, folder.rpartition("/")[0]))
    assert linked == found and len(found) == 5


def test_the_page_of_a_data_set_shows_the_tables_and_runs_of_no_other(runs):
    files = site(runs)
    for name, own in (("demo.html", "demo"), ("other-shop-2.html", "other shop:2")):
        page = Page(files[name])
        assert {run["folder"].split("/")[0] for run in page.json("data")["runs"]} == {own}
        sets = {
            value
            for _, attributes in page.tags
            for value in json.loads(attributes.get("data-facets") or "{}").get("set", [])
        }
        assert sets == {own}


def test_no_page_loads_anything_and_no_text_of_a_label_becomes_markup(tmp_path):
    plain, hostile = tmp_path / "plain", tmp_path / "hostile"
    shop(plain, "demo", {"a": 0.1, "b": 0.2})
    shop(hostile, "demo", {HOSTILE: 0.1, "b": 0.2}, title=HOSTILE)
    for name, source in site(hostile).items():
        if name.endswith(".html"):
            page = Page(source)
            ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
            assert len(ids) == len(set(ids))
            assert page.plain == Page(site(plain)[name]).plain
            assert not any("src" in attributes for _, attributes in page.tags)
            assert not re.search(
                r"https?://(?!www\.w3\.org/)", re.sub(r"<metadata>.*?</metadata>", "", source, flags=re.S)
            )


@example(["index", "tables", "TABLES", "..", "a b", "a:b"])
@given(lists(text(min_size=1), unique=True))
def test_names_of_pages_differ_whatever_the_data_sets_are_called_and_any_server_takes_them(sets):
    names = list(page_names(sets).values())
    assert len(set(names)) == len(names) == len(sets)
    assert {"index.html", "tables.html"}.isdisjoint(names)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]*\.html", name) for name in names)


def test_tables_are_filtered_by_each_part_of_the_protocol_in_which_they_differ(tmp_path):
    cut = {"method": {}, "generative": None, "protocol": {"split": "time", "ties": "shuffled"}}
    shop(tmp_path, "demo", {"a": 0.1})
    shop(tmp_path, "demo", {"a": 0.1}, key="k2", config=cut, search=False)
    shop(tmp_path, "demo", {"a": 0.2}, key="k3", preset="tiny", search=False)
    filled = fill_tables(load_results(tmp_path), ["leaderboard"])
    found = {name: values for name, _, values in choices(filled)}
    assert found == {
        "task": ["ID quality", "recommendation", "search"], "preset": ["small", "tiny"],
        "split": ["leave-one-out", "time"], "ties": ["order of the file", "shuffled"],
    }  # fmt: skip
    assert dict(shared(filled)) == {
        "text fields": "title, brand", "queries": "simulated known-item queries", "scored": "all users and queries",
    }  # fmt: skip
    queries = {tuple(facets(one)["queries"]) for one in filled if one.table.task != "search"}
    assert queries == {()}  # a query set decides nothing there


def test_the_glossary_and_the_tooltips_say_what_benchmark_show_says(runs, capsys):
    filled = fill_tables(load_results(runs), NAMES)
    source = render(filled)["index.html"]
    entries = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", source)
    assert {header for header, _ in entries} == {column.header for one in filled for column in one.columns}
    for header, meaning in entries:
        assert main(["show", header]) == 0
        description, _, direction = meaning.replace("&#39;", "'").rpartition("; ")
        shown = capsys.readouterr().out
        assert re.sub(r" \([^()]*\)$", "", description) in shown
        assert direction in shown
        assert f'title="{meaning}">{header}' in source or header not in rows_of_headers(source)


def rows_of_headers(source):
    return {column["header"] for table in Page(source).json("data")["tables"] for column in table["columns"]}


def test_the_site_is_written_without_torch_and_twice_the_same(runs, tmp_path):
    arguments = ["report", "--runs", str(runs), "--format", "site", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(before) == {"index.html", "demo.html", "other-shop-2.html", "tables.json", "SHA256SUMS"}
    script = f"import sys; from benchmark.cli.main import main; main({arguments!r}); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "out", check=True, capture_output=True
    )


def test_a_site_needs_a_folder_and_says_so_before_it_reads_a_result(capsys, tmp_path):
    for arguments in (
        ["report", "--runs", str(tmp_path / "none")],
        ["reproduce", "table1", "--runs", str(tmp_path / "none")],
    ):
        assert main([*arguments, "--format", "site"]) == 2
        assert "--format site writes a folder: benchmark report --format site --out FOLDER" in capsys.readouterr().err
