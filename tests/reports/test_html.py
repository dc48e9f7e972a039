"""The HTML page: it is well formed, loads nothing, runs no text of a data set, and holds what the files hold."""

import base64
import json
import math
import re
import shlex
import struct
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from html_page import Page
from hypothesis import given
from hypothesis.extra.numpy import arrays
from hypothesis.strategies import integers, text
from result_files import put

from benchmark.cli.main import main
from benchmark.cli.parsing import parse_settings
from benchmark.reports.html import catalogue
from benchmark.reports.html.command import command
from benchmark.reports.html.embedding import packed, script_json, width
from benchmark.reports.html.provenance import Sources
from benchmark.reports.html.render import page, render
from benchmark.results.registered_tables import fill_tables
from benchmark.results.result_files import load_results
from benchmark.running.plan import make_variants

FINGERPRINT = "0123456789abcdef"
HOSTILE = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", 'quotes " and \' and `', "&amp; &lt;b&gt;",
    "نص من اليمين إلى اليسار", "\u202eoverride", "😀🎉 emoji", "line\u2028separator", "{{data}} {{script}}",
    "]]> <!-- -->", "half \ud83d pair", "",
]  # fmt: skip


def shop(runs, ids, *, titles=None, metrics=None, seeds=(0,), listing=True, **fields):
    """Write results of indexers: `ids` is label -> codes of each item; titles and categories go into the listing."""
    n_items = len(next(iter(ids.values())))
    for label, codes in ids.items():
        for seed in seeds:
            scores = {"id-quality": {"AMI": 0.5, "unique": 0.9}} if metrics is None else metrics
            known = {"name": "demo", "title": "Demo shop", "fingerprint": FINGERPRINT, "counts": {"items": n_items}}
            folder = put(runs, label, seed=seed, dataset=known, metrics=scores, **fields)
            lines = (f"i{item}\t{'-'.join(map(str, code))}\n" for item, code in enumerate(codes))
            (folder / "ids.tsv").write_text("".join(lines))
    if listing:
        titles = titles or [f"item number {item}" for item in range(n_items)]
        rows = ({"id": f"i{i}", "title": t, "categories": ["top", f"part {i % 3}"]} for i, t in enumerate(titles))
        path = runs / "demo" / f"items-{FINGERPRINT[:12]}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_results(runs)


def written(results, names=("id-quality", "cost")):
    source = render(fill_tables(results, names))
    source.encode()
    return source


def unpacked(base64_text, bytes_):
    raw = base64.b64decode(base64_text)
    return list(struct.unpack(f"<{len(raw) // bytes_}{ {1: 'B', 2: 'H', 4: 'I'}[bytes_] }", raw))


def codes_in(method):
    """Return the codes of each item in a page, without the padding."""
    values, none = unpacked(method["codes"], method["bytes"]), 256 ** method["bytes"] - 1
    rows = [values[at : at + method["levels"]] for at in range(0, len(values), method["levels"])]
    return [[code for code in row if code != none] for row in rows]


def test_page_is_well_formed_with_distinct_ids_and_loads_nothing(tmp_path):
    results = shop(tmp_path, {"a": [[0, 1], [0, 2], [1, 0]], "b": [[1], [2], [300]]}, seeds=(0, 1))
    source = written(results, None)
    page = Page(source)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids)) > 20
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
    referred = {attributes["for"] for _, attributes in page.tags if "for" in attributes}
    links = {attributes["href"][1:] for tag, attributes in page.tags if tag == "a"}
    assert referred | links <= set(ids)
    assert not re.search(r"@import|url\((?!['\"]?#)|fetch\(|XMLHttpRequest|WebSocket|import\(", source)


def test_no_text_of_a_data_set_becomes_markup(tmp_path):
    """Titles, labels, notes and settings stand in the page as they are, and not one element is added by them."""
    plain = shop(tmp_path / "plain", {"a": [[i] for i in range(len(HOSTILE))]})
    expected = Page(written(plain)).plain
    config = {"method": {"name": HOSTILE[0], "rate": math.inf}, "generative": None, "protocol": {}}
    results = shop(
        tmp_path / "hostile", {HOSTILE[1]: [[i] for i in range(len(HOSTILE))]}, titles=HOSTILE, folder="a",
        config=config, notes=[HOSTILE[2]],
    )  # fmt: skip
    page = Page(written(results))
    assert page.plain == expected + Counter(li=page.plain["li"] - expected["li"])
    (shown,) = page.json("catalogues")
    assert shown["titles"] == [title.replace("\ud83d", "?") for title in HOSTILE]
    (configuration,) = page.json("data")["configurations"]
    assert configuration["label"] == HOSTILE[1]
    assert configuration["config"]["method"] == {"name": HOSTILE[0], "rate": "inf"}


@pytest.mark.parametrize("hostile", [text for text in HOSTILE if text and text.isprintable() and "\ud83d" not in text])
def test_titles_captions_headers_and_labels_stand_in_the_page_as_they_are(tmp_path, hostile):
    tables = fill_tables(shop(tmp_path, {"a": [[0], [1]]}), ["id-quality"])

    def with_words(words):
        return [
            replace(
                filled, table=replace(filled.table, name=words, title=words, row_header=words), caption=words,
                footnotes=[words], columns=[replace(c, header=words, dataset=words) for c in filled.columns],
                rows=[replace(row, label=words) for row in filled.rows],
            )
            for filled in tables
        ]  # fmt: skip

    def shown(words):
        return Page(page(with_words(words), Sources(tables), [(words, "<svg></svg>")]))

    plain, found = shown("plain"), shown(hostile)
    assert found.plain == plain.plain
    assert found.texts["table-0-title"] == found.texts["table-0-caption"] == hostile
    assert {attributes["data-name"] for _, attributes in found.tags if "data-name" in attributes} == {hostile}
    assert hostile in {attributes.get("data-set") for _, attributes in found.tags}


@given(text())
def test_json_in_a_script_element_is_read_back_whatever_the_text(value):
    inside = script_json({"value": value})
    assert "<" not in inside
    assert json.loads(inside) == {"value": value}


@given(arrays(np.int64, (4, 3), elements=integers(-1, 70_000)))
def test_packed_numbers_are_read_back_and_minus_one_is_the_largest(values):
    bytes_ = width(int(values.max(initial=0)))
    expected = [256**bytes_ - 1 if value < 0 else value for value in values.ravel().tolist()]
    assert unpacked(packed(values, bytes_), bytes_) == expected


def test_codes_in_the_page_are_those_of_the_files(tmp_path):
    random = np.random.default_rng(1)
    ids = {
        "short": [[int(c) for c in random.integers(0, 255, random.integers(1, 4))] for _ in range(50)],
        "wide": random.integers(0, 70_000, (50, 2)).tolist(),
        "full": [[255, 254]] * 50,
    }
    results = shop(tmp_path, ids)
    (shown,) = Page(written(results)).json("catalogues")
    assert shown["ids"] == [f"i{item}" for item in range(50)]
    read = {}
    for label in ids:
        lines = (tmp_path / "demo" / label / "k1" / "seed-0" / "ids.tsv").read_text().splitlines()
        read[label] = [[int(code) for code in line.split("\t")[1].split("-")] for line in lines]
    assert {method["label"]: codes_in(method) for method in shown["methods"]} == read
    paths = [shown["paths"][n] for n in unpacked(shown["categories"]["data"], shown["categories"]["bytes"])]
    assert paths == [["top", f"part {item % 3}"] for item in range(50)]


def test_twelve_thousand_items_of_four_methods_take_less_than_five_megabytes_and_are_made_in_seconds(tmp_path):
    random = np.random.default_rng(0)
    words = [f"word{n:04}" for n in range(3000)]
    titles = [" ".join(words[n] for n in random.integers(0, 3000, 8)) for _ in range(12_000)]
    ids = {label: random.integers(0, 256, (12_000, 4)).tolist() for label in ("a", "b", "c", "d")}
    results = shop(tmp_path, ids, titles=titles)
    before = time.process_time()
    source = written(results, ["id-quality"])
    assert time.process_time() - before < 20
    assert len(source.encode()) < 5_000_000
    (shown,) = Page(source).json("catalogues")
    assert shown["total"] == shown["shown"] == 12_000
    assert codes_in(shown["methods"][3]) == ids["d"]


def test_a_catalogue_without_room_is_sampled_and_keeps_the_exact_counts_of_the_first_levels(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    codes = random.integers(0, (4, 8, 200), (5000, 3)).tolist()
    monkeypatch.setattr(catalogue, "BUDGET", 100_000)
    monkeypatch.setattr(catalogue, "COUNTED", 100)
    results = shop(tmp_path, {"a": codes})
    source = written(results, ["id-quality"])
    (shown,) = Page(source).json("catalogues")
    assert shown["total"] == 5000
    assert 300 < shown["shown"] == len(shown["ids"]) == len(set(shown["ids"])) < 1000
    rows = [int(item[1:]) for item in shown["ids"]]
    assert rows == sorted(rows)
    assert codes_in(shown["methods"][0]) == [codes[row] for row in rows]
    counts = Counter("-".join(map(str, code[:depth])) for code in codes for depth in (1, 2))
    assert shown["methods"][0]["counts"] == counts
    assert written(results, ["id-quality"]) == source


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: next(folder.glob("items-*")).unlink(), "items-0123456789ab.jsonl"),
        (lambda folder: next(folder.glob("items-*")).write_text('{"id": "i0"}\n'), "is not among the items"),
        (lambda folder: next(folder.glob("items-*")).write_text("[1]\n"), "jsonl:1: no item with id and categories"),
        (lambda folder: next(folder.glob("items-*")).write_bytes(b"\xff"), "items-0123456789ab.jsonl"),
        (lambda folder: (folder / "a/k1/seed-0/ids.tsv").write_text("i0\tx\n"), "tsv:1:"),
        (lambda folder: (folder / "a/k1/seed-0/ids.tsv").write_text("i0\t1\n"), "'i1' has no ID"),
        (lambda folder: (folder / "a/k1/seed-0/ids.tsv").unlink(), "no ids.tsv"),
    ],
)
def test_the_explorer_says_what_is_missing_or_damaged(tmp_path, damage, said):
    results = shop(tmp_path, {"a": [[0], [1], [2]]})
    damage(tmp_path / "demo")
    (shown,) = Page(written(results)).json("catalogues")
    assert said in shown["problem"]
    assert str(tmp_path) not in shown["problem"]


def test_configurations_of_a_label_with_the_same_ids_stand_in_the_explorer_once(tmp_path):
    shop(tmp_path, {"a": [[0], [1]]})
    shop(tmp_path, {"a": [[0], [1]]}, key="k2", config={"method": {"x": 1}, "generative": None})
    results = shop(tmp_path, {"a": [[1], [1]]}, key="k3", config={"method": {"x": 2}, "generative": None})
    page = Page(written(results))
    (shown,) = page.json("catalogues")
    runs, configurations = page.json("data")["runs"], page.json("data")["configurations"]
    page_keys = [configurations[runs[method["run"]]["configuration"]]["key"] for method in shown["methods"]]
    found = [(method["also"], codes_in(method)) for method in shown["methods"]]
    assert found == [([found[0][0][0]], [[0], [1]]), ([], [[1], [1]])]
    assert {found[0][0][0], page_keys[0]} == {"k1", "k2"}


def test_every_number_leads_to_the_values_files_and_settings_behind_it(tmp_path):
    settings = {"method": {"levels": 3}, "generative": None, "protocol": {}}
    for seed, value in enumerate((0.25, 0.75, 0.5)):
        put(
            tmp_path, "mine", seed=seed, method="no-such-method", metrics={"id-quality": {"AMI": value}},
            config=settings, notes=["one item has no text"], versions={"id-quality": {"numpy": "2"}},
            revisions={"id-quality": "r"}, cost={"stages": {"ids": {"seconds": 3 + seed}}},
        )  # fmt: skip
    data = Page(written(load_results(tmp_path))).json("data")
    (quality,) = [table for table in data["tables"] if table["columns"][0]["header"] == "AMI"]
    (cell,) = quality["rows"][0]["cells"]
    assert cell["values"] == [0.25, 0.75, 0.5]
    assert cell["interval"] == "t"
    assert cell["low"] < 0.25 < 0.75 < cell["high"]
    runs = [data["runs"][number] for number in cell["runs"]]
    made_with = [{"tasks": ["id-quality"], "revision": "r", "packages": {"numpy": "2"}}]
    assert [(run["seed"], run["folder"], run["files"], run["versions"], run["seconds"]) for run in runs] == [
        (0, "demo/mine/k1/seed-0", ["cost.json", "result.json"], made_with, 3),
        (1, "demo/mine/k1/seed-1", ["cost.json", "result.json"], made_with, 4),
        (2, "demo/mine/k1/seed-2", ["cost.json", "result.json"], made_with, 5),
    ]
    configuration = data["configurations"][runs[0]["configuration"]]
    assert configuration["config"] == settings
    assert configuration["notes"] == ["one item has no text"]
    assert shlex.split(configuration["command"].replace("\\\n", "")) == [
        "benchmark", "run", "--methods", "mine=no-such-method", "--dataset", "demo", "--preset", "small", "--seeds",
        "0,1,2", "--tasks", "id-quality", "--text-fields", "title,brand", "--queries", "simulated", "--set",
        "mine.levels=3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [
        {}, {"wide.codebook_size": "300", "wide.encoder.pooling": "cls"},
        {"generative.beams": "7", "wide.generative.search.steps": "11", "wide.encoder": "some/model name"},
    ],
)  # fmt: skip
def test_the_command_of_a_result_builds_its_configuration_again(given):
    (asked,) = make_variants(["wide=rqvae"], "small", given)
    result = SimpleNamespace(
        method="rqvae", label="wide", preset="small", dataset={"name": "beauty"}, metrics={}, queries=None, seed=0,
        self_retrieval="", of_histories={}, first_look=0,
        text_fields=("title", "description", "brand", "price"),
        config={"method": asked.config.model_dump(mode="json"), "generative": asked.generative.model_dump(mode="json")},
    )  # fmt: skip
    words = shlex.split(command([result]).replace("\\\n", ""))
    settings = [value for option, value in pairwise(words) if option == "--set"]
    (again,) = make_variants([words[words.index("--methods") + 1]], "small", parse_settings(settings))
    assert replace(again, chosen=asked.chosen) == asked  # 'encoder' is set as 'encoder.name'
    assert len(settings) == len(given) or "generative.beams" in given


def test_costs_of_a_point_are_those_of_the_stages_its_task_needs(tmp_path):
    """By hand: encode 10 + ids 20 serve both tasks; search needs 300 + 4 of its own, recommendation 500 + 6."""
    seconds = {
        "encode": 10, "ids": 20, "train.search": 300, "rank.search": 4, "train.recommendation": 500,
        "rank.recommendation": 6,
    }  # fmt: skip
    cost = {
        "stages": {name: {"seconds": s, "peak_memory": {"cpu": s * 1e6}} for name, s in seconds.items()},
        "facts": {"search": {"latency_p50": 5.0}, "recommendation": {"latency_p50": 8.0}},
    }  # fmt: skip
    metrics = {"search": {"nDCG@10": 0.5}, "recommendation": {"R@5": 0.25}}
    put(tmp_path, "a", metrics=metrics, cost=cost)
    points = Page(written(load_results(tmp_path), ["search", "recommendation"])).json("data")["points"]
    found = {point["task"]: (point["cost"], point["quality"]) for point in points}
    assert found["search"][1] == {"nDCG@10": 0.5}
    assert found["recommendation"][1] == {"R@5": 0.25}
    for task, total, train, peak, latency in (("search", 334, 300, 300, 5), ("recommendation", 536, 500, 500, 8)):
        costs = found[task][0]
        assert (costs["seconds"], costs["seconds.train"], costs["peak_memory"]) == (total, train, pytest.approx(peak))
        assert costs["latency_p50"] == latency


def test_published_values_and_holes_of_the_paper_stand_in_the_page(tmp_path):
    dataset, settings = {"name": "beauty", "title": "Beauty"}, {"method": {"encoder": {"simcse_epochs": 0}}}
    put(tmp_path, "rqvae", dataset=dataset, metrics={"id-quality": {"AMI": 0.25}}, config=settings)
    source = written(load_results(tmp_path), ["table1"])
    data = Page(source).json("data")
    published = [cell.get("published") for row in data["tables"][0]["rows"] for cell in row["cells"]]
    assert sum(one is not None for one in published) == 15
    (compared,) = [one for one in published if one and one["verdict"]]
    assert compared["value"] == 0.2654
    assert compared["verdict"] == "not comparable"
    assert compared["reasons"]
    assert "paper 0.2654" in source
    assert source.count(">missing<") == 14


def test_a_figure_that_does_not_fit_is_counted_and_the_others_stay():
    figures = [("one", "<svg>1</svg>"), ("two", f"<svg>{'2' * 2_000_000}</svg>"), ("three & four", "<svg>3</svg>")]
    html = page([], Sources([]), figures)
    shown = re.findall(r"<svg>(.)</svg><figcaption>(.*?)</figcaption>", html)
    assert shown == [("1", "one"), ("3", "three &amp; four")]
    assert "too large: 1" in html


def test_report_writes_the_page_without_torch_and_twice_the_same(tmp_path):
    shop(tmp_path / "runs", {"a": [[0], [1], [0]], "b": [[0], [0], [1]]}, seeds=(0, 1))
    arguments = ["report", "--runs", str(tmp_path / "runs"), "--format", "html", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    page = (tmp_path / "out" / "tables.html").read_bytes()
    script = f"import sys; from benchmark.cli.main import main; main({arguments!r}); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert (tmp_path / "out" / "tables.html").read_bytes() == page


def test_without_results_a_page_of_holes_is_made():
    page = Page(written([], ["table1"]))
    assert page.json("catalogues") == []
    assert page.json("data")["runs"] == []
