"""`benchmark verify` on a site: it follows from its runs, and every change of a page is named."""

import json

import pytest
from result_files import put

from benchmark.cli.main import main


@pytest.fixture
def written(tmp_path):
    """A folder of two results of different data sets, and the site made of them."""
    for name in ("demo", "more"):
        dataset = {"name": name, "title": f"The {name}"}
        put(tmp_path / "runs", "mine", dataset=dataset, metrics={"id-quality": {"AMI": 0.25, "unique": 0.5}})
    site = tmp_path / "site"
    assert main(["report", "--runs", str(tmp_path / "runs"), "--format", "site,md", "--out", str(site)]) == 0
    return site


def found(capsys, site):
    """Return (kind, where) of what was found in the report itself; the results here have no rankings to check."""
    capsys.readouterr()
    main(["verify", str(site), "--runs", str(site.with_name("runs")), "--json"])
    files = {path.name for path in site.iterdir()} | {"demo.html", "more.html", "index.html"}
    findings = json.loads(capsys.readouterr().out)["findings"]
    return {(one["kind"], one["where"]) for one in findings if one["where"] in files}


def test_a_site_follows_from_its_runs(capsys, written):
    assert found(capsys, written) == set()


@pytest.mark.parametrize("name", ["index.html", "demo.html", "more.html", "tables.md"])
def test_a_number_changed_in_a_page_is_named(capsys, written, name):
    path = written / name
    assert "0.2500" in path.read_text()
    path.write_text(path.read_text().replace("0.2500", "0.9500", 1))
    assert found(capsys, written) == {("changed", name), ("wrong", name)}


def test_a_page_that_is_missing_or_of_another_report_is_named(capsys, written):
    (written / "more.html").unlink()
    (written / "third.html").write_text("<p>0.99</p>")
    assert found(capsys, written) == {("missing", "more.html"), ("not checked", "third.html")}


def test_a_number_changed_in_the_tables_alone_is_named(capsys, written):
    path = written / "tables.json"
    path.write_text(path.read_text().replace('"mean": 0.25', '"mean": 0.95', 1))
    assert ("wrong", "tables.json") in found(capsys, written)
