"""axe-core finds nothing in a report page or a site, light or dark, on a desk or on a telephone (WCAG 2.1 A and AA)."""

import importlib.util
from pathlib import Path

import pytest
from browser import MISSING
from site_runs import shop

from benchmark.reports.html.render import render as render_page
from benchmark.reports.html.site import render as render_site
from benchmark.results.registered_tables import fill_tables, tables_shown
from benchmark.results.result_files import load_results

AXE = importlib.util.find_spec("axe_core_python")
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
    pytest.mark.skipif(AXE is None, reason="axe-core-python is not installed here"),
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
FOUND = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: arguments[0]}).then(
  (found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`))),
  (error) => done([String(error)]));
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages of a site of two data sets, and one report page."""
    runs, folder = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("site")
    shop(runs, "demo", {"low": 0.1, "random": 0.7, "high": 0.9})
    shop(runs, "other", {"low": 0.4, "high": 0.3})
    results = load_results(runs)
    texts = render_site(fill_tables(results, tables_shown(["site"], None)))
    texts["report.html"] = render_page(fill_tables(results, None))
    for name, text in texts.items():
        (folder / name).write_text(text)
    return sorted(folder / name for name in texts if name.endswith(".html"))


def violations(browser, page, scheme):
    assert AXE and AXE.origin
    browser.open(page)
    assert browser.run("return matchMedia(`(prefers-color-scheme: ${arguments[0]})`).matches", scheme)
    browser.run((Path(AXE.origin).parent / "axe.min.js").read_text("utf-8"))
    return browser.run_and_wait(FOUND, RULES)


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_violation(browser, pages, scheme, width):
    browser.prefer(scheme)
    browser.size(width, 900)
    assert {"index.html", "report.html"} < {page.name for page in pages}
    assert {page.name: found for page in pages if (found := violations(browser, page, scheme))} == {}


def test_a_violation_is_found(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text("<!doctype html><html lang='en'><title>t</title><main><h1>t</h1><img src='data:,'></main></html>")
    browser.prefer("light")
    (found,) = violations(browser, page, "light")
    assert found.startswith("image-alt: ")
