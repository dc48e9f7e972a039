"""A site in a real browser: filters, links and keys lead where they say, on a desk and on a telephone."""

from types import SimpleNamespace

import pytest
from browser import MISSING
from site_runs import shop

from benchmark.reports.html.site import render
from benchmark.results.registered_tables import fill_tables, tables_shown
from benchmark.results.result_files import load_results

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)
CUT = {"method": {}, "generative": None, "protocol": {"split": "time"}}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of two data sets; one of them has a second protocol."""
    runs, folder = tmp_path_factory.mktemp("runs"), tmp_path_factory.mktemp("site")
    shop(runs, "demo", {"low": 0.1, "random": 0.7, "high": 0.9})
    shop(runs, "demo", {"low": 0.1}, key="k2", config=CUT, search=False)
    shop(runs, "other", {"low": 0.4, "high": 0.3})
    for name, text in render(fill_tables(load_results(runs), tables_shown(["site"], None))).items():
        (folder / name).write_text(text)
    return SimpleNamespace(index=folder / "index.html")


@pytest.fixture
def page(browser, site):
    browser.open(site.index)
    browser.errors()
    yield browser
    assert browser.errors() == []


def shown(browser):
    script = "return [...document.querySelectorAll('section.table:not([hidden]) h3')].map((title) => title.innerText)"
    return browser.run(script)


def test_filters_by_data_set_task_and_protocol_leave_the_tables_that_have_them(page):
    assert len(shown(page)) == 8
    page.choose("#filter-set", "other")
    assert [title.rpartition(" on ")[2] for title in shown(page)] == ["The other"] * 3
    page.choose("#filter-set", "")
    page.choose("#filter-task", "recommendation")
    assert len(shown(page)) == 3
    page.choose("#filter-split", "time")
    assert shown(page) == ["Next-item recommendation on The demo"]
    assert page.text("#filtered") == "1 of 8 tables shown."
    page.choose("#filter-method", "high")
    assert shown(page) == []


def test_control_rows_can_be_left_out(page):
    rows = (
        "return [...document.querySelectorAll('#table-0 tbody tr:not([hidden])')].map((row) => row.cells[0].innerText)"
    )
    assert page.run(rows) == ["high", "random (control)", "low"]
    page.click("#filter-controls")
    assert page.run(rows) == ["high", "low"]


def test_the_first_column_shows_that_the_rows_are_in_its_order(page):
    states = "return [...document.querySelectorAll('#table-0 thead th')].map((one) => one.getAttribute('aria-sort'))"
    assert page.run(states) == [None, "descending", None, None, None]


def test_a_row_leads_by_mouse_to_its_own_ids_in_the_explorer(page):
    place = "document.querySelector('#table-0 tbody tr:nth-child(3) a')"
    assert page.run(f"return {place}.getAttribute('aria-label')") == "IDs of low"
    page.click("#table-0 tbody tr:nth-child(3) a")
    assert page.run("return location.pathname").endswith("/demo.html")
    assert page.run("return document.querySelector('#explorer-left').selectedOptions[0].text") == "low"
    assert page.run("return document.activeElement.id") == "explorer-title"
    page.click("a[href='index.html']")
    assert page.text("h2") == "Leaderboard"


def test_a_row_leads_by_keys_to_its_provenance_and_to_its_ids(page):
    page.run("document.querySelector('#table-0 [tabindex=\"0\"]').focus()")
    page.press("Down", "Right", "Enter")
    panel = page.text("#provenance")
    assert page.text("#provenance-title") == "high, AMI: 0.9000"
    assert "adjusted mutual information" in panel and "demo/row-2/k1/seed-0" in panel
    page.press("Escape", "End", "Enter")
    assert page.run("return document.querySelector('#explorer-left').selectedOptions[0].text") == "high"


def test_an_address_of_ids_that_the_page_does_not_have_says_so(browser, site):
    browser.open(site.index.with_name("demo.html"))
    browser.run("location.hash = '#ids=demo/gone/k9'")
    assert browser.text("#explorer-status") == "This page has no IDs of gone, key k9."
    assert browser.errors() == []


@pytest.mark.parametrize("name", ["index.html", "demo.html"])
def test_no_page_is_wider_than_a_telephone(browser, site, name):
    browser.size(390, 800)
    try:
        browser.open(site.index.with_name(name))
        assert browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    finally:
        browser.size(1300, 900)
