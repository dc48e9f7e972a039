"""The HTML page in a real browser: every control does what it says, by mouse and by keyboard, without an error."""

import json
import math
import re
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from browser import MISSING
from result_files import put

from benchmark.reports.html import catalogue
from benchmark.reports.html.render import render
from benchmark.results.registered_tables import fill_tables
from benchmark.results.result_files import load_results

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

FINGERPRINT = "fedcba9876543210"
KINDS = ["blue lamp", "red brush", "green soap", "old book"]
HOSTILE = "</script><script>document.title = 'broken'</script> & \"quoted\" 😀 نص"
N_ITEMS = 240


def write(runs, ids, titles, *, seeds=(0, 1), name="demo"):
    """Write results of indexers (label -> codes of each item) with metrics and costs of their own; return the page."""
    dataset = {"name": name, "title": f"The {name}", "fingerprint": FINGERPRINT, "counts": {"items": len(titles)}}
    for place, (label, codes) in enumerate(ids.items()):
        for seed in seeds:
            metrics = {"id-quality": {"AMI": 0.1 + (place * 0.37) % 0.8, "unique": 0.5}}
            cost = {"device": "cpu", "stages": {"ids": {"seconds": 10.0 * 3**place, "peak_memory": {"cpu": 5e8}}}}
            folder = put(runs, label, seed=seed, dataset=dataset, metrics=metrics, cost=cost)
            lines = (f"i{item}\t{'-'.join(map(str, code))}\n" for item, code in enumerate(codes))
            (folder / "ids.tsv").write_text("".join(lines))
    rows = ({"id": f"i{i}", "title": t, "categories": ["all", KINDS[i % 4]]} for i, t in enumerate(titles))
    path = runs / name / f"items-{FINGERPRINT[:12]}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    page = runs / "page.html"
    page.write_text(render(fill_tables(load_results(runs), ["id-quality", "cost"])))
    return page


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A page of three indexers: `topic` has the kind of thing as its first code, `noise` is random, and a control."""
    random = np.random.default_rng(0)
    extra = [f"size{n}" for n in range(12)]
    titles = [f"{KINDS[i % 4]} {extra[random.integers(12)]} number{i}" for i in range(N_ITEMS)]
    titles[7] = HOSTILE
    topic = [[i % 4, *random.integers(0, (8, 300)).tolist()] for i in range(N_ITEMS)]
    ids = {
        "topic": [code[:2] if i % 9 == 0 else code for i, code in enumerate(topic)],
        "noise": random.integers(0, 6, (N_ITEMS, 2)).tolist(),
        "random": random.integers(0, 6, (N_ITEMS, 2)).tolist(),
    }  # fmt: skip
    page = write(tmp_path_factory.mktemp("runs"), ids, titles)
    return SimpleNamespace(page=page, titles=titles, ids={k: [tuple(code) for code in v] for k, v in ids.items()})


@pytest.fixture
def page(browser, shop):
    browser.open(shop.page)
    browser.errors()
    yield browser
    assert browser.errors() == []
    assert browser.run("return document.title") == "Semantic indexers, benchmarked"


def column(browser, table, index):
    script = """return [...document.querySelectorAll(`#table-${arguments[0]} tbody tr:not([hidden])`)]
        .map((row) => row.cells[arguments[1]].innerText.trim())"""
    return browser.run(script, table, index)


def codes_shown(browser, pane=0):
    """Return (code, items) of the codes listed in a pane."""
    script = """return [...document.querySelectorAll('.pane')[arguments[0]].querySelectorAll('button.code')]
        .map((code) => [code.dataset.code, code.querySelector('.size').textContent])"""
    return [(int(code), int(text.split()[0])) for code, text in browser.run(script, pane)]


def sections_shown(browser, pane=0):
    """Return heading -> texts of its list, in a pane."""
    script = """return [...document.querySelectorAll('.pane')[arguments[0]].querySelectorAll('section')].map(
        (part) => [part.querySelector('h4').innerText, [...part.querySelectorAll('li')].map((one) => one.innerText)])"""
    return dict(browser.run(script, pane))


def test_a_header_sorts_best_first_then_worst_first_then_as_before(page):
    before = column(page, 0, 1)
    numbers = [float(text.split()[0]) for text in before]
    orders = []
    for _ in range(3):
        page.click("#table-0 thead th:nth-child(2) button")
        state = page.run("return document.querySelector('#table-0 thead th:nth-child(2)').getAttribute('aria-sort')")
        orders.append((state, [float(text.split()[0]) for text in column(page, 0, 1)]))
    best_first = sorted(numbers) if page.text("#table-0 thead th:nth-child(2)") == "Total s" else sorted(numbers)[::-1]
    assert orders[0][1] == best_first
    assert orders[1][1] == best_first[::-1]
    assert orders[2] == (None, numbers)
    assert {orders[0][0], orders[1][0]} == {"ascending", "descending"}


def test_filters_hide_rows_and_tables_and_say_how_many_are_left(page):
    assert column(page, 0, 0) == ["noise", "topic", "random (control)"]
    page.click("#filter-controls")
    assert column(page, 0, 0) == ["noise", "topic"]
    page.choose("#filter-method", "topic")
    assert column(page, 0, 0) == column(page, 1, 0) == ["topic"]
    page.choose("#filter-method", "random")
    assert "0 of 2 tables shown" in page.text("#filtered")
    page.choose("#filter-method", "")
    assert page.text("#filtered") == ""


def test_the_keyboard_leads_from_a_cell_to_its_provenance_and_back(page):
    page.run("document.querySelector('#table-0 thead button').focus()")
    page.press("Down", "Down", "Right", "Enter")
    assert page.run("return document.querySelector('#provenance').open")
    panel = page.text("#provenance")
    assert "topic" in page.text("#provenance-title")
    command = ("benchmark run \\", "--methods topic", "--seeds 0,1")
    for piece in (*command, "demo/topic/k1/seed-1", "ids.tsv", FINGERPRINT[:12]):
        assert piece in panel
    page.press("Escape")
    assert not page.run("return document.querySelector('#provenance').open")
    cell = "document.activeElement.closest('td, th')"
    assert page.run(f"return [{cell}.cellIndex, {cell}.parentElement.rowIndex]") == [1, 2]
    assert page.run("return document.querySelectorAll('#table-0 button[tabindex=\"0\"]').length") == 1
    page.press("End", "Home", "Up", "Up")
    assert page.run(f"return [{cell}.cellIndex, {cell}.parentElement.rowIndex]") == [0, 0]


def test_the_scatter_has_a_mark_for_every_configuration_with_its_cost(page):
    script = "return [...document.querySelectorAll('.mark')].map((mark) => mark.getAttribute('aria-label'))"
    assert {mark.split(":")[0] for mark in page.run(script)} == {"topic", "noise"}
    page.click("#scatter-controls")
    marks = page.run(script)
    seconds = {"topic": 10, "noise": 30, "random": 90}
    assert {mark.split(":")[0]: float(mark.split()[-1]) for mark in marks} == seconds
    labels = page.run("return [...document.querySelectorAll('#scatter .label')].map((label) => label.textContent)")
    assert set(labels) == set(seconds)
    page.choose("#scatter-cost", "peak_memory")
    assert "Peak memory (MB) 500" in page.run("return document.querySelector('.mark').getAttribute('aria-label')")
    page.click("#scatter-log")
    page.run("document.querySelector('.mark').focus()")
    page.press("Enter")
    assert "Peak memory (MB)" in page.text("#provenance")


def test_the_explorer_walks_the_codes_with_the_arrow_keys_and_counts_as_the_files_do(page, shop):
    ids = shop.ids["topic"]
    page.choose("#explorer-left", method(page, "topic"))
    by_count = sorted(Counter(code[0] for code in ids).items(), key=lambda pair: (-pair[1], pair[0]))
    assert codes_shown(page) == by_count
    page.run("document.querySelector('button.code').focus()")
    page.press("Down", "Right")
    first = by_count[1][0]
    below = Counter(code[1] for code in ids if code[0] == first)
    expected = sorted(below.items(), key=lambda pair: (-pair[1], pair[0]))
    assert codes_shown(page) == expected
    page.press("Right")
    second = expected[0][0]
    items = [item for item, code in enumerate(ids) if code[:2] == (first, second)]
    last = Counter(ids[item][2] for item in items if len(ids[item]) > 2)
    assert dict(codes_shown(page)) == last
    ended = len(items) - sum(last.values())
    assert f"{len(items)} item" in page.text(".pane p.size")
    assert (f"{ended} item" in page.text(".pane")) or not ended
    page.press("Left", "Left")
    assert codes_shown(page) == by_count
    assert page.run("return document.activeElement.dataset.code") == str(first)


def method(browser, label):
    """Return the value of the option that stands for a method."""
    script = """return [...document.querySelectorAll('#explorer-left option')]
        .find((option) => option.text.startsWith(arguments[0])).value"""
    return browser.run(script, label)


def test_distinctive_words_are_those_of_the_log_odds_with_a_dirichlet_prior(page, shop):
    """Against equations 15 to 22 of Monroe et al. (2008), written down again in Python."""
    page.choose("#explorer-left", method(page, "topic"))
    page.click("button.code[data-code='2']")
    shown = next(words for heading, words in sections_shown(page).items() if heading.startswith("Words"))
    texts = [set(re.findall(r"[^\W_]{2,}", title.lower())) for title in shop.titles]
    here = [words for words, code in zip(texts, shop.ids["topic"], strict=True) if code[0] == 2]
    y, whole = Counter(w for words in here for w in words), Counter(w for words in texts for w in words)
    n, total = sum(y.values()), sum(whole.values())
    prior = {word: min(500, total) * count / total for word, count in whole.items()}
    strength = sum(prior.values())
    scores = {}
    for word, count in y.items():
        a, other = prior[word], whole[word] - count
        delta = math.log((count + a) / (n + strength - count - a)) - math.log(
            (other + a) / (total - n + strength - other - a)
        )
        scores[word] = delta / math.sqrt(1 / (count + a) + 1 / (other + a))
    best = sorted((-z, word) for word, z in scores.items() if z > 1.96 and y[word] > 1)
    assert {word for _, word in best[:2]} == {"green", "soap"}
    assert [" ".join(text.split()) for text in shown] == [f"{word}{y[word]}" for _, word in best[:14]]


def test_an_item_is_found_by_its_title_and_its_neighbours_share_its_prefix(page, shop):
    item, ids = 42, shop.ids["topic"]
    page.choose("#explorer-left", method(page, "topic"))
    page.click("#explorer-find")
    page.press(*"NUMBER42", "Down", "Enter")
    assert page.text(".pane .chosen") == shop.titles[item]
    parts = sections_shown(page)
    same_first = [i for i, code in enumerate(ids) if code[0] == ids[item][0] and i != item]
    same_two = [i for i in same_first if ids[i][:2] == ids[item][:2]]
    for depth, among in ((1, [i for i in same_first if i not in same_two]), (2, same_two)):
        words = "the first code" if depth == 1 else "the first 2 codes"
        heading = f"Shares {words} {'-'.join(map(str, ids[item][:depth]))}: {len(among)} items"
        assert len(parts[heading]) == min(12, len(among))
        assert set(parts[heading]) <= {shop.titles[i] for i in among}
    page.click("#explorer-find")
    page.run("document.activeElement.value = ''")
    page.press(*"i7", "Enter")
    assert page.text(".pane .chosen") == HOSTILE


def test_two_methods_are_compared_by_the_neighbours_of_an_item_and_by_where_a_prefix_goes(page, shop):
    left, right, item = shop.ids["topic"], shop.ids["noise"], 42
    page.choose("#explorer-left", method(page, "topic"))
    page.choose("#explorer-right", method(page, "noise"))
    page.click(".pane button.code[data-code='1']")
    there = Counter(right[i][0] for i in range(N_ITEMS) if left[i][0] == 1)
    rows = page.run("return [...document.querySelectorAll('#comparison li')].map((one) => one.innerText)")
    spread = {int(row.split()[1]): int(row.split()[2]) for row in rows}
    assert spread == dict(there.most_common(8))
    page.click("#explorer-find")
    page.press(*"number42", "Enter")
    rows = page.run("return [...document.querySelectorAll('#comparison tbody tr')].map((row) => row.innerText)")
    expected = []
    for depth in (1, 2):
        sets = [
            {i for i, code in enumerate(ids) if code[:depth] == ids[item][:depth]} - {item} for ids in (left, right)
        ]
        both, either = len(sets[0] & sets[1]), len(sets[0] | sets[1])
        expected.append([len(sets[0]), len(sets[1]), both, both / either])
    for row, (one, two, both, share) in zip(rows, expected, strict=True):
        numbers = row.split()[2:]
        assert [int(number) for number in numbers[:3]] == [one, two, both]
        assert float(numbers[3].rstrip("%")) == pytest.approx(100 * share, abs=0.51)


def test_light_and_dark_are_the_systems_until_one_is_chosen(page):
    paper = "return getComputedStyle(document.body).backgroundColor"
    colours = {}
    for theme in ("light", "dark"):
        page.choose("#theme", theme)
        colours[theme] = sum(map(int, re.findall(r"\d+", page.run(paper))[:3]))
    page.choose("#theme", "")
    assert colours["light"] > 600 > 200 > colours["dark"]


def test_every_header_shows_that_it_sorts_and_which_column_is_sorted(page):
    sign = "return getComputedStyle(document.querySelectorAll('#table-0 .sort')[arguments[0]], '::before').content[1]"
    count = page.run("return document.querySelectorAll('#table-0 .sort').length")
    assert {page.run(sign, place) for place in range(count)} == {"↕"}
    page.click("#table-0 thead th:nth-child(1) button")
    assert [page.run(sign, place) for place in range(count)] == ["▲", *["↕"] * (count - 1)]


def test_the_panel_says_what_the_column_means(page):
    page.click("#table-0 tbody td button")
    meaning = page.run("return document.querySelector('#table-0 thead th:nth-child(2) button').title")
    assert meaning and meaning in page.text("#provenance")
    glossary = page.run("return document.querySelector('.glossary').innerText")
    assert meaning in glossary


def test_no_number_of_the_panel_has_noise_of_floating_point(browser, tmp_path):
    titles, codes = ["lamp"] * 3, [[0], [1], [2]]
    page = write(tmp_path, {"a": codes}, titles, seeds=(0, 1, 2))
    for seed, value in enumerate((0.44400001, 0.1 + 0.2, 1 / 3)):
        path = tmp_path / "demo" / "a" / "k1" / f"seed-{seed}" / "result.json"
        content = json.loads(path.read_text())
        content["metrics"]["id-quality"]["AMI"] = value
        path.write_text(json.dumps(content))
    page.write_text(render(fill_tables(load_results(tmp_path), ["id-quality"])))
    browser.open(page)
    browser.click("#table-0 tbody td button")
    assert "seed 0: 0.444, seed 1: 0.3, seed 2: 0.333333" in browser.text("#provenance")
    assert not re.search(r"\d\.\d{7}", browser.text("#provenance dl"))


def test_a_table_that_goes_on_to_the_right_says_so_until_its_end_is_reached(page):
    page.size(390, 800)
    try:
        assert page.run("const s = document.querySelector('#table-1 .scroll'); return s.scrollWidth > s.clientWidth")
        assert until_sign(page, lambda sign: "→" in sign)
        page.run("document.querySelector('#table-1 .scroll').scrollLeft = 10000")
        assert until_sign(page, lambda sign: sign == "none")
    finally:
        page.size(1300, 900)
    page.run("document.querySelector('#table-1 .scroll').scrollLeft = 0")
    assert until_sign(page, lambda sign: sign == "none")


def until_sign(browser, holds):
    """Say whether the sign at the right edge of a table becomes so within two seconds."""
    sign = "return getComputedStyle(document.querySelector('#table-1 .wide'), '::after').content"
    for _ in range(40):
        if holds(browser.run(sign)):
            return True
        time.sleep(0.05)
    return False


def test_the_page_is_no_wider_than_a_phone(page):
    page.size(390, 800)
    try:
        page.choose("#explorer-right", method(page, "noise"))
        page.click(".pane button.code")
        assert page.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    finally:
        page.size(1300, 900)


def test_twelve_thousand_items_of_four_methods_open_in_less_than_two_seconds(browser, tmp_path):
    random = np.random.default_rng(0)
    words = [f"word{n:04}" for n in range(3000)]
    titles = [" ".join(words[n] for n in random.integers(0, 3000, 8)) for _ in range(12_000)]
    ids = {label: random.integers(0, 256, (12_000, 4)).tolist() for label in ("a", "b", "c", "d")}
    page = write(tmp_path, ids, titles, seeds=(0,))
    browser.open(page)
    spent = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    before = time.perf_counter()
    browser.click("button.code")
    assert spent < 2000
    assert time.perf_counter() - before < 2
    assert browser.errors() == []


def test_a_sampled_catalogue_says_so_and_shows_exact_sizes(browser, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    codes = random.integers(0, (4, 60, 60), (5000, 3)).tolist()
    monkeypatch.setattr(catalogue, "BUDGET", 100_000)
    monkeypatch.setattr(catalogue, "COUNTED", 100)
    browser.open(write(tmp_path, {"a": codes}, ["lamp"] * 5000, seeds=(0,)))
    assert "of the 5,000 items" in browser.text("#explorer-remark")
    shown = browser.run("return [...document.querySelectorAll('button.code .size')].map((size) => size.textContent)")
    assert shown == [f"{n:,} items" for _, n in Counter(code[0] for code in codes).most_common()]
    browser.click("button.code")
    assert browser.text("button.code .size").startswith("about ")
    assert browser.errors() == []
