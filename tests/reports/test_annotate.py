"""The human evaluation kit: what is drawn, what the page gives away, and what answers add up to."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from html import unescape
from html.parser import HTMLParser
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.strategies import integers, lists, permutations, sampled_from

from benchmark.cli.main import main
from benchmark.reports.annotation.agreement import krippendorff_alpha, wilson
from benchmark.reports.annotation.page import html
from benchmark.reports.annotation.sample import draw

Codes = dict[str, tuple[int, ...]]
N_ITEMS = 40
ITEMS = [f"B{row:03}" for row in range(N_ITEMS)]


def codes(seed: int, shape: tuple[int, ...] = (4, 3)) -> Codes:
    drawn = np.random.default_rng(seed).integers(0, shape, (N_ITEMS, len(shape)))
    return {item: tuple(row) for item, row in zip(ITEMS, drawn.tolist(), strict=True)}


def write_runs(folder: Path, methods: Mapping[str, Codes]) -> Path:
    """Write results of these labels as `benchmark run` leaves them behind."""
    for label, ids in methods.items():
        place = folder / "shop" / label / "0123456789abcdef" / "seed-0"
        place.mkdir(parents=True)
        content = {
            "format": 1, "dataset": {"name": "shop", "title": "A shop", "fingerprint": "f" * 16, "counts": {}},
            "method": label, "label": label, "kind": "indexer", "preset": "small", "text_fields": ["title"], "seed": 0,
            "key": "0123456789abcdef", "config": {"method": {}, "generative": None, "protocol": {"depth": 20}},
            "metrics": {}, "counts": {}, "queries": None, "notes": [], "versions": {}, "revision": None,
        }  # fmt: skip
        (place / "result.json").write_text(json.dumps(content))
        rows = ["-".join(map(str, row)) for row in ids.values()]
        (place / "ids.tsv").write_text("".join(f"{i}\t{row}\n" for i, row in zip(ids, rows, strict=True)))
        unique = "".join(
            f"{i}\t{row}-{rows[:at].count(row)}\n" for at, (i, row) in enumerate(zip(ids, rows, strict=True))
        )
        (place / "ids.unique.tsv").write_text(unique)
    items = [json.dumps({"id": item, "title": f"Thing no. {i}", "categories": []}) for i, item in enumerate(ITEMS)]
    (folder / "shop" / f"items-{'f' * 12}.jsonl").write_text("".join(f"{line}\n" for line in items))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return write_runs(tmp_path / "runs", {"zebra": codes(1), "yak": codes(2)})


@pytest.fixture
def page(runs: Path, tmp_path: Path) -> Path:
    path = tmp_path / "page.html"
    assert make(runs, path) == 0
    return path


def make(runs: Path, path: Path, *words: str, methods: str = "zebra,yak") -> int:
    fixed = ["annotate", "make", "--runs", str(runs), "--dataset", "shop", "--methods", methods, "--out", str(path)]
    return main([*fixed, "--groups", "10", *words])


def key_of(page: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(page.with_name("page.key.json").read_text())
    return content


def answers(page: Path, name: str, given: Iterable[tuple[int, str]]) -> Path:
    """Write a judge's file as the page does."""
    path = page.with_name(f"answers-{name}.json")
    entries = [{"question": question, "answer": answer} for question, answer in given]
    path.write_text(json.dumps({"format": 1, "page": key_of(page)["page"], "annotator": name, "answers": entries}))
    return path


def score(runs: Path, page: Path, *files: Path) -> int:
    key = page.with_name("page.key.json")
    return main(["annotate", "score", "--key", str(key), *map(str, files), "--runs", str(runs)])


def test_a_first_look_beside_a_whole_run_is_not_what_judges_see(runs: Path, tmp_path: Path) -> None:
    whole = runs / "shop" / "zebra" / "0123456789abcdef" / "seed-0"
    look = runs / "shop" / "zebra" / "fedcba9876543210" / "seed-0"
    shutil.copytree(whole, look)
    content = json.loads((look / "result.json").read_text())
    content["config"]["protocol"]["first_look"] = 3
    content["dataset"] |= {"title": "A shop, first look", "fingerprint": "e" * 16}
    (look / "result.json").write_text(json.dumps(content | {"key": "fedcba9876543210"}))
    assert make(runs, tmp_path / "page.html") == 0
    assert key_of(tmp_path / "page.html")["results"]["zebra"].split("/")[2] == "0123456789abcdef"


# The sample


@settings(max_examples=40, deadline=None)
@given(integers(0, 999), integers(2, 3), integers(1, 2))
def test_every_group_shares_its_prefix_in_the_ids_that_it_counts_for(seed: int, size: int, prefix: int) -> None:
    methods = {"zebra": codes(seed, (3, 2)), "yak": codes(seed + 1, (3, 2))}
    questions = draw(methods, ITEMS, groups=6, size=size, prefix=prefix, seed=seed)
    assert Counter(label for question in questions for label in question.labels) == {"zebra": 6, "yak": 6}
    assert len({frozenset(question.items) for question in questions}) == len(questions)
    for question in questions:
        assert len(set(question.items)) == size
        for label in question.labels:
            assert len({methods[label][item][:prefix] for item in question.items}) == 1


def test_a_group_that_two_methods_drew_is_asked_once_and_counts_for_both() -> None:
    same = {item: (row // 2,) for row, item in enumerate(ITEMS)}
    questions = draw({"zebra": same, "yak": same}, ITEMS, groups=20, size=2, prefix=1, seed=0)
    assert [set(question.labels) for question in questions] == [{"zebra", "yak"}] * 20


def test_large_groups_are_drawn_as_often_as_they_have_items() -> None:
    """30 of 40 items share a code: about three quarters of the groups are theirs (binomial, four deviations)."""
    ids = {item: (int(row >= 30) + int(row >= 35),) for row, item in enumerate(ITEMS)}
    drawn = [draw({"m": ids}, ITEMS, groups=1, size=2, prefix=1, seed=seed)[0] for seed in range(400)]
    large = sum(ids[question.items[0]] == (0,) for question in drawn)
    assert abs(large - 300) < 4 * np.sqrt(400 * 0.75 * 0.25)


def test_the_same_seed_draws_the_same_page_and_another_seed_another(runs: Path, tmp_path: Path) -> None:
    texts = []
    for seed in ("0", "0", "1"):
        make(runs, tmp_path / "page.html", "--seed", seed)
        texts.append((tmp_path / "page.html").read_bytes())
    assert texts[0] == texts[1] != texts[2]


# Blinding


@settings(max_examples=20, deadline=None)
@given(permutations(range(7)))
def test_the_page_does_not_depend_on_the_values_of_codes_or_the_names_of_methods(other: list[int]) -> None:
    """So nothing of either can be read from it, in its text or in its order."""
    methods = {"zebra": codes(1), "yak": codes(2)}
    renamed = {
        f"x{label}": {i: tuple(other[c] for c in row) for i, row in ids.items()} for label, ids in methods.items()
    }
    drawn = [draw(named, ITEMS, groups=8, size=2, prefix=1, seed=3) for named in (methods, renamed)]
    pages = [html("A shop", [question.items for question in questions]) for questions in drawn]
    assert pages[0] == pages[1]


def test_the_page_names_no_method_item_or_seed(page: Path, runs: Path) -> None:
    text = page.read_text()
    assert not [word for word in ("zebra", "yak", "0123456789abcdef", *ITEMS) if word in text]
    assert {label for question in key_of(page)["questions"] for label in question["labels"]} == {"zebra", "yak"}
    assert set(data_of(text)) == {"page", "groups"}


def test_methods_are_mixed_over_the_page(page: Path) -> None:
    labels = [question["labels"] for question in key_of(page)["questions"]]
    changes = sum(a != b for a, b in pairwise(labels))
    assert changes >= 4  # in two blocks there would be one; P(fewer than 4) is below 0.1% for shuffled tens


# The page


def data_of(text: str) -> dict[str, Any]:
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    content: dict[str, Any] = json.loads(data)
    return content


class Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_shows_the_titles_of_the_groups_in_its_order(page: Path) -> None:
    title = {item: f"Thing no. {row}" for row, item in enumerate(ITEMS)}
    expected = [[title[item] for item in question["items"]] for question in key_of(page)["questions"]]
    assert data_of(page.read_text())["groups"] == expected


def test_the_page_loads_nothing_and_its_labels_and_ids_fit(page: Path) -> None:
    parser = Elements()
    parser.feed(page.read_text())
    attributes = [attributes for _, attributes in parser.found]
    ids = [found["id"] for found in attributes if "id" in found]
    referred = [
        found[name] for found in attributes for name in ("for", "aria-labelledby", "aria-describedby") if name in found
    ]
    assert not [name for found in attributes for name in ("src", "href") if name in found]
    assert "http" not in re.sub(r"http-equiv", "", page.read_text())
    assert len(set(ids)) == len(ids) and set(referred) <= set(ids)
    used = set(re.findall(r'find\("([a-z-]+)"\)', page.read_text()))
    assert used and used <= set(ids)


@pytest.mark.parametrize(
    "title",
    ["</script><b>bold", "<!-- x", "a & b \u2028 'c' \"d\"", "{{title}} {{data}}", "{% raw %}{{ 7 * 7 }}"],
)
def test_titles_cannot_break_the_page(title: str) -> None:
    text = html(title, [[title, "other"]])
    assert data_of(text)["groups"] == [[title, "other"]]
    (shown,) = re.findall(r'<p class="quiet">([^<]*)</p>', text)
    assert unescape(shown) == title and text.count('"groups"') == 1
    assert "<b>" not in text and "\u2028" not in text.split('id="data"')[1]


# Scores


def test_accuracy_is_the_mean_share_of_yes_over_the_groups_of_a_method(
    runs: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = key_of(page)["questions"]
    zebra = [n for n, question in enumerate(questions, 1) if "zebra" in question["labels"]]
    yak = [n for n, question in enumerate(questions, 1) if question["labels"] == ["yak"]]
    one = answers(page, "one", [*((n, "yes") for n in zebra[:8]), (zebra[8], "unsure"), *((n, "no") for n in yak)])
    two = answers(page, "two", [*((n, "yes") for n in zebra[:4]), *((n, "no") for n in zebra[4:])])
    assert score(runs, page, one, two) == 0
    judged = json.loads((runs / "human-evaluation.json").read_text())
    row = judged["rows"]["zebra"]
    # groups 1-4: both yes; 5-8: one of two; 9: one no, the other unsure; 10: one no
    assert row["accuracy"] == pytest.approx((4 * 1 + 4 * 0.5 + 0 + 0) / 10)
    assert (row["groups"], row["judgments"]) == (10, 18)
    assert (row["low"], row["high"]) == wilson(0.6, 10)
    # eight groups have two answers: 12 yes, 4 no; four of the pairs disagree
    assert judged["alpha"] == pytest.approx(1 - 15 * (4 * 2) / (2 * 12 * 4))
    assert "one" not in json.dumps(judged["questions"])
    assert main(["verify", str(runs)]) == 0
    judged["rows"]["zebra"]["accuracy"] = 0.61
    (runs / "human-evaluation.json").write_text(json.dumps(judged))
    capsys.readouterr()
    assert main(["verify", str(runs)]) == 1
    assert "human-evaluation.json: zebra, accuracy" in capsys.readouterr().out


def test_table_13_shows_the_scores(runs: Path, page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    n_questions = len(key_of(page)["questions"])
    score(runs, page, answers(page, "one", [(n, "yes" if n % 2 else "no") for n in range(1, n_questions + 1)]))
    accuracy = json.loads((runs / "human-evaluation.json").read_text())["rows"]["yak"]["accuracy"]
    capsys.readouterr()
    assert main(["report", "--runs", str(runs), "--tables", "table13", "--format", "md"]) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| yak")]
    assert f"{accuracy:.4f}" in row


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"page": "0" * 16}, "answers to another page"),
        (
            {"answers": [{"question": 1, "answer": "yes"}, {"question": 1, "answer": "no"}]},
            "question 1 is answered twice",
        ),
        ({"answers": [{"question": 99, "answer": "yes"}]}, "no question 99"),
        ({"answers": [{"question": 1, "answer": "maybe"}]}, "known: yes, no, unsure"),
        ({"answers": []}, "no judge has said yes or no"),
        ({"format": 7}, "its format is 7"),
        ({"answers": 3}, "not a file that the judges' page saved"),
    ],
)
def test_answers_that_cannot_be_are_refused(
    change: dict[str, Any], says: str, runs: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = answers(page, "one", [(1, "yes")])
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert score(runs, page, path) == 2
    assert says in capsys.readouterr().err
    assert not (runs / "human-evaluation.json").exists()


def test_a_judge_counts_once_and_a_key_is_no_file_of_answers(
    runs: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = answers(page, "one", [(1, "yes")])
    again = one.with_name("copy.json")
    again.write_text(one.read_text().replace('"one"', '" One"'))
    assert score(runs, page, one, again) == 2
    assert "each judge counts once" in capsys.readouterr().err
    assert score(runs, page, page.with_name("page.key.json")) == 2
    assert main(["annotate", "score", "--key", str(one), str(one), "--runs", str(runs)]) == 2
    assert score(runs, page, page.with_name("nowhere.json")) == 2


def test_labels_that_the_runs_lack_are_refused(
    runs: Path, page: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_runs(tmp_path / "other", {"zebras": codes(1), "yak": codes(2)})
    assert score(other, page, answers(page, "one", [(1, "yes")])) == 2
    assert "no results of 'zebra'. Did you mean 'zebras'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "methods", "says"),
    [
        (("--items", "30"), "zebra", "has only 0 groups of 30 items"),
        (("--prefix", "3"), "zebra", "the IDs of 'zebra' have fewer codes"),
        (("--items", "1"), "zebra", "at least 2"),
        ((), "zebra,zebar", "Did you mean 'zebra'?"),
        ((), "zebra,zebra", "are not different"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_refused(
    words: tuple[str, ...], methods: str, says: str, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(runs, tmp_path / "page.html", *words, methods=methods) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "page.html").exists()


def test_without_the_items_titles_there_is_no_page(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    next(runs.glob("*/items-*")).unlink()
    assert make(runs, tmp_path / "page.html") == 2
    assert "nothing could be shown to judges" in capsys.readouterr().err


# Krippendorff's alpha: the examples of 'Computing Krippendorff's alpha-reliability' (2011), sections A to C


def units(*observers: str) -> list[list[str]]:
    """One column per unit; '.' is missing."""
    return [[value for value in column if value != "."] for column in zip(*observers, strict=True)]


def test_alpha_is_the_textbook_value_for_two_observers_and_two_values() -> None:
    assert krippendorff_alpha(units("0100000010", "1110010000")) == pytest.approx(0.095, abs=5e-4)


def test_alpha_is_the_textbook_value_for_two_observers_and_five_values() -> None:
    assert krippendorff_alpha(units("aabbdcccedda", "babbbccceddd")) == pytest.approx(0.692, abs=5e-4)


def test_alpha_is_the_textbook_value_for_four_observers_with_missing_values() -> None:
    four = units("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    assert krippendorff_alpha(four) == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_undefined_without_pairs_or_without_difference() -> None:
    assert krippendorff_alpha([["yes"], ["no"], []]) is None
    assert krippendorff_alpha([["yes", "yes"], ["yes", "yes"]]) is None


@given(lists(lists(sampled_from(["yes", "no"]), max_size=4), min_size=1, max_size=8))
def test_alpha_is_one_minus_observed_over_expected_disagreement(values: list[list[str]]) -> None:
    """Brute force over all pairs: within units, each unit by its number of values; across everything, evenly."""
    paired = [unit for unit in values if len(unit) > 1]
    everything = [value for unit in paired for value in unit]
    alpha = krippendorff_alpha(values)
    if len(set(everything)) < 2:
        assert alpha is None
        return
    observed = sum(len(unit) * np.mean([a != b for a, b in combinations(unit, 2)]) for unit in paired) / len(everything)
    expected = np.mean([a != b for a, b in combinations(everything, 2)])
    assert alpha == pytest.approx(1 - observed / expected)


def test_wilson_is_the_textbook_interval() -> None:
    """Newcombe, Statistics in Medicine 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for (hits, n), expected in {
        (81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0, 0.1611), (1, 29): (0.0061, 0.1718),
    }.items():  # fmt: skip
        assert wilson(hits / n, n) == pytest.approx(expected, abs=5e-5)
