"""A finished cell answers as its stored runs do, says the way to each item, and is served to this machine alone."""

import json
import math
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from browser import MISSING, Browser
from conftest import FAST

from benchmark.cli.main import main
from benchmark.errors import UsageError
from benchmark.ids.asking import Answerer
from benchmark.ids.serving import Server
from benchmark.types.trec import read_run

pytestmark = pytest.mark.usefixtures("small_encoder")


@pytest.fixture(scope="module")
def cell(shop, tmp_path_factory):
    runs = tmp_path_factory.mktemp("ask") / "runs"
    words = ["run", "--methods", "rqkmeans", "--dataset", str(shop), "--runs", str(runs), "--device", "cpu"]
    settings = ["--set", "rqkmeans.codebook_size=4", "--set", "rqkmeans.levels=2"]
    assert main([*words, *settings, *FAST, "--set", "generative.length_penalty=0.5"]) == 0
    return next(runs.glob("shop/rqkmeans/*/seed-0"))


@pytest.fixture(scope="module")
def answerer(cell):
    return Answerer.open(cell)


def test_a_query_is_answered_as_in_the_stored_run(answerer, cell, shop):
    stored = read_run(cell / "run.search.trec")
    for line in (shop / "queries.tsv").read_text().splitlines()[:5]:
        name, text = line.split("\t")
        task, found = answerer.answer(text, task="search")
        assert task == "search" and [item.item for item in found] == list(stored[name])[:10]


def test_a_history_is_answered_as_in_the_stored_run(answerer, cell, shop):
    stored = read_run(cell / "run.recommendation.trec")
    for line in (shop / "sequences.txt").read_text().splitlines()[:5]:
        user, *items = line.split()
        task, found = answerer.answer(" ".join(items[:-1]))  # the last one is the test item
        assert task == "recommendation" and [item.item for item in found] == list(stored[user])[:10]


@pytest.mark.parametrize("question", ["desk lamp", "i00 i12"])
def test_the_way_to_an_item_multiplies_up_to_its_score(answerer, question):
    """Score = sum of log-probabilities / (codes, counter and end of sequence) ** length penalty."""
    _, found = answerer.answer(question)
    assert found and [item.rank for item in found] == list(range(1, len(found) + 1))
    for item in found:
        total = math.log(math.prod(step.probability for step in item.way))
        assert item.score == pytest.approx(total / (len(item.way) + 1) ** 0.5, rel=1e-4)
        sizes = [step.items for step in item.way]
        assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 1
        below = answerer.ids.below([step.code for step in item.way[:1]])
        assert sizes[0] == len(below) and answerer.ids.row_of[item.item] in below


def test_what_cannot_be_asked_is_refused(answerer, cell, shop, tmp_path):
    with pytest.raises(UsageError, match="empty question"):
        answerer.answer("  ")
    with pytest.raises(UsageError, match=r"'i0' is not an item of rqkmeans. Did you mean 'i\d\d'"):
        answerer.answer("i0", task="recommendation")
    known = answerer.ids.items[0]
    with pytest.raises(UsageError, match="'i0' is not an item of rqkmeans"):
        answerer.answer(f"{known} i0")  # half are items: a history with a slip, no query
    with pytest.raises(UsageError, match="not been trained for search"):
        runs = ["--runs", str(tmp_path), "--device", "cpu", "--tasks", "id-quality"]
        assert main(["run", "--methods", "category", "--dataset", str(shop), *runs]) == 0
        Answerer.open(next(tmp_path.glob("shop/category/*/seed-0")), task="search")


def test_the_command_prints_items_and_json(cell, capsys):
    assert main(["ask", str(cell), "desk lamp", "i00 i12", "--most", "3", "--device", "cpu"]) == 0
    text = capsys.readouterr().out
    assert "search: desk lamp" in text and "recommendation: i00 i12" in text
    assert main(["ask", str(cell), "desk lamp", "--json", "--device", "cpu"]) == 0
    (answered,) = json.loads(capsys.readouterr().out)
    assert answered["task"] == "search" and len(answered["items"]) == 10


@pytest.mark.parametrize(
    "settings",
    [("rqkmeans", "--split", "cold-start"), ("random", "--set", "random.codebook_size=500")],
    ids=["withheld items", "unused codes"],
)
def test_codebooks_are_as_large_as_in_training(shop, tmp_path, settings):
    """Withheld items enlarge the counter's codebook, and the largest codes of a codebook may be unused."""
    method, *words = settings
    if method == "rqkmeans":
        words += ["--set", "rqkmeans.codebook_size=4", "--set", "rqkmeans.levels=2"]
    run = ["run", "--methods", method, "--dataset", str(shop), "--runs", str(tmp_path), "--device", "cpu", *words]
    assert main([*run, *FAST]) == 0
    cell = next(tmp_path.glob(f"shop/{method}/*/seed-0"))
    stored, answerer = read_run(cell / "run.search.trec"), Answerer.open(cell)
    for line in (shop / "queries.tsv").read_text().splitlines()[:3]:
        name, text = line.split("\t")
        assert [item.item for item in answerer.answer(text, task="search")[1]] == list(stored[name])[:10]


@pytest.fixture(scope="module")
def served(answerer):
    with Server(answerer, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def fetched(server, path, host=""):
    request = urllib.request.Request(server.address + path, headers={"Host": host} if host else {})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
            return response.status, response.read().decode(), dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def test_the_api_answers_as_the_command_does(served, answerer):
    status, text, _ = fetched(served, "api/ask?" + urllib.parse.urlencode({"question": "desk lamp", "most": 3}))
    answered = json.loads(text)
    _, due = answerer.answer("desk lamp", most=3)
    assert status == 200 and answered["items"] == [item.as_json() for item in due]
    status, text, _ = fetched(served, "api/inspect?what=" + str(due[0].way[0].code))
    assert status == 200 and json.loads(text)["items"] == due[0].way[0].items


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("api/ask?question=", 400, "empty question"),
        ("api/ask?question=" + "a" * 2_001, 400, "at most 2,000"),
        ("api/ask?question=lamp&most=0", 400, "from 1 to 100"),
        ("api/ask?question=lamp&task=dance", 400, "search or recommendation"),
        ("api/inspect?what=nowhere", 400, "nowhere"),
        ("api/inspect?what=" + "9" * 5_000, 400, "is not an item"),
        ("api/ask?question=lamp&most=" + "9" * 5_000, 400, "from 1 to 100"),
        ("api/else", 404, "not found"),
        ("..%2f..%2fetc/passwd", 404, "not found"),
    ],
)
def test_a_wrong_request_gets_a_reason(served, path, status, word):
    found, text, _ = fetched(served, path)
    assert found == status and word in json.loads(text)["error"]


def test_only_requests_to_this_host_are_served_and_the_page_loads_nothing_from_elsewhere(served):
    for host in ("rebound.example:80", "["):
        status, text, _ = fetched(served, "api/cell", host=host)
        assert status == 403 and "rqkmeans" not in text
    status, text, headers = fetched(served, "")
    assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
    assert "http" not in text.replace("https://", "").replace("<html", "")


def test_an_address_that_is_taken_is_named(served, answerer):
    with pytest.raises(UsageError, match="cannot be served"):
        Server(answerer, "127.0.0.1", served.server_address[1])


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_answers_and_walks_through_the_ids(served, tmp_path, width):
    browser = Browser(tmp_path / "profile")
    try:
        browser.size(width, 800)
        browser.do("POST", "/url", {"url": served.address})
        assert waited(browser, "return document.querySelectorAll('#answers > li').length") == 10
        browser.click("#answers > li .way button")
        assert waited(browser, "return document.getElementById('explorer').textContent.includes('with the prefix')")
        browser.run("document.getElementById('question').value = 'i00 i12'")
        browser.click("#ask button")
        assert waited(browser, "return document.getElementById('answers-title').textContent === 'Next items'")
        assert browser.run("return document.documentElement.scrollWidth") <= width
        browser.run("document.getElementById('question').value = ','")
        browser.click("#ask button")
        assert "empty question" in waited(browser, "return document.getElementById('status').textContent")
        assert [error for error in browser.errors() if "400" not in error] == []
    finally:
        browser.close()


def waited(browser, script, seconds=20.0):
    """Return what a script gives as soon as it is true."""
    import time

    end = time.monotonic() + seconds
    while not (value := browser.run(script)) and time.monotonic() < end:
        time.sleep(0.1)
    return value
