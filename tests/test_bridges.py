"""`benchmark import`: a miniature of every foreign format becomes a folder that opens, with the same data in it."""

import csv
import gzip
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli.main import main
from benchmark.data import Dataset, open_dataset
from benchmark.datasets.interactions import Interactions
from benchmark.registry import load, registered
from benchmark.results import read_result


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def jsonl(path: Path, *records: dict[str, Any]) -> Path:
    return write(path, "".join(json.dumps(record) + "\n" for record in records))


def imported(tmp_path: Path, *words: str | Path, check: bool = True) -> Dataset:
    """Import by the command line and read the whole folder back."""
    target = tmp_path / "imported"
    form, *rest = (str(word) for word in words)
    options = next((place for place, word in enumerate(rest) if word.startswith("--")), len(rest))
    assert main(["import", form, *rest[:options], str(target), *rest[options:]]) == 0
    dataset = open_dataset(str(target), cache=tmp_path / "cache", check=check)
    dataset.counts()
    return dataset


def rows(dataset: Dataset, *fields: str) -> list[tuple[Any, ...]]:
    table = dataset.corpus().table
    return list(zip(*(table.column(field).to_pylist() for field in fields), strict=True))


def histories(dataset: Dataset) -> dict[str, list[str]]:
    ids, found = dataset.corpus().ids, dataset.histories()
    return {user: [ids[item] for item in found[row]] for row, user in enumerate(found.users)}


def notes(dataset: Dataset) -> str:
    return "\n".join(dataset.about["notes"])


# BEIR


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "mini"
    jsonl(
        folder / "corpus.jsonl",
        {"_id": "d1", "title": "Wings", "text": "Lift of a wing", "metadata": {"url": "x"}},
        {"_id": "d2", "title": "", "text": "Boundary layers"},
    )
    texts = ["lift of\ta wing", "turbulence", "layers", "wings"]
    jsonl(folder / "queries.jsonl", *({"_id": f"q{n}", "text": text, "metadata": {}} for n, text in enumerate(texts)))
    header = "query-id\tcorpus-id\tscore\n"
    write(folder / "qrels" / "test.tsv", header + "q0\td1\t2\nq1\td2\t0\nq1\tgone\t1\n")
    write(folder / "qrels" / "train.tsv", header + "q2\td2\t1\nq2\td2\t1\n")
    write(folder / "qrels" / "dev.tsv", header + "q3\td1\t1\n")
    return folder


def test_a_beir_folder_brings_documents_queries_and_every_split(tmp_path: Path, beir: Path) -> None:
    dataset = imported(tmp_path, "beir", beir)
    assert rows(dataset, "id", "title", "description") == [
        ("d1", "Wings", "Lift of a wing"), ("d2", None, "Boundary layers"),
    ]  # fmt: skip
    test, train, dev = (dataset.queries("judged", split) for split in ("test", "train", "dev"))
    assert test and train and dev
    assert (test.ids, test.texts) == (["q0", "q1"], ["lift of a wing", "turbulence"])
    assert test.grades.tolist() == [2, 0]
    assert (train.ids, dev.ids) == (["q2"], ["q3"])
    assert "1 repeated judgments (train); left out" in notes(dataset)
    assert "1 judgments (test) of unknown queries or items" in notes(dataset)


def test_an_imported_folder_runs(tmp_path: Path, beir: Path) -> None:
    imported(tmp_path, "beir", beir)
    words = ["--methods", "bm25", "--dataset", str(tmp_path / "imported"), "--tasks", "search", "--queries", "judged"]
    assert main(["run", *words, "--runs", str(tmp_path / "runs"), "--device", "cpu"]) == 0
    (path,) = (tmp_path / "runs").glob("*/*/*/seed-*/result.json")
    assert read_result(path).metrics["search"]["R@10"] == 0.5  # q0 finds d1, q1 has nothing relevant


# ir_datasets


def test_an_ir_datasets_id_brings_documents_queries_and_judgments(tmp_path: Path) -> None:
    ir_datasets = pytest.importorskip("ir_datasets")
    docs = write(tmp_path / "docs.tsv", "d1\tLift of a wing\nd2\tBoundary layers\n")
    queries = write(tmp_path / "queries.tsv", "q1\twhat lifts\n")
    train_queries = write(tmp_path / "train.tsv", "q7\tlayers\n")
    qrels = write(tmp_path / "qrels.txt", "q1 0 d1 1\nq1 0 d2 0\n")
    train = write(tmp_path / "train.txt", "q7 0 d2 3\n")
    for name, (texts, judged) in {"mini": (queries, qrels), "mini/train": (train_queries, train)}.items():
        local = ir_datasets.create_dataset(docs_tsv=str(docs), queries_tsv=str(texts), qrels_trec=str(judged))
        if name not in ir_datasets.registry:
            ir_datasets.registry.register(name, local)
    dataset = imported(tmp_path, "ir-datasets", "mini", "--train", "mini/train")
    assert rows(dataset, "id", "description") == [("d1", "Lift of a wing"), ("d2", "Boundary layers")]
    test, trained = dataset.queries("judged", "test"), dataset.queries("judged", "train")
    assert test and trained
    assert (test.ids, test.texts, test.grades.tolist()) == (["q1"], ["what lifts"], [1, 0])
    assert (trained.ids, trained.grades.tolist()) == (["q7"], [3])


def test_an_unknown_ir_datasets_id_names_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ir_datasets")
    assert main(["import", "ir-datasets", "beir/scifat/test", str(tmp_path / "x")]) == 2
    assert "Did you mean 'beir/scifact/test'" in capsys.readouterr().err


def test_without_the_package_the_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ir_datasets", None)
    assert main(["import", "ir-datasets", "vaswani", str(tmp_path / "x")]) == 1
    assert 'pip install "lmindexer-benchmark[ir-datasets]"' in capsys.readouterr().err


def test_documents_are_read_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than one of 20,000 documents of 10 kB is alive at any time."""
    script = f"""
import sys, types, resource
from typing import NamedTuple
class Doc(NamedTuple):
    doc_id: str
    title: str
    body: str
class Fake:
    has_docs = lambda self: True
    has_queries = has_qrels = lambda self: False
    docs_count = lambda self: 20_000
    def docs_iter(self):
        for n in range(20_000):
            yield Doc(f"d{{n}}", "t", f"{{n}} " * 2_000)
sys.modules["ir_datasets"] = types.SimpleNamespace(load=lambda name: Fake(), registry=[])
import benchmark.cli.main as command
from benchmark.datasets import ir_datasets_bridge
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert command.main(["import", "ir-datasets", "fake", {str(tmp_path / "big")!r}]) == 0
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "big" / "items.jsonl").stat().st_size > 200e6
    assert int(done.stdout.split()[-1]) < 100  # MB


# RecBole


@pytest.fixture
def recbole(tmp_path: Path) -> Path:
    folder = tmp_path / "ml"
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    write(folder / "ml.inter", header + "1\tb\t5\t20\n1\ta\t3\t10.5\n2\ta\t1\t7\n1\tc\t4\t20\n2\tz\t5\t9\n")
    items = ["item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tvector:float_seq"]
    items += ["a\tToy Story\t1995\tAnimation Comedy\t0.1 0.2", "b\tHeat\t\tCrime\t1", 'c\t"Heat" again\t1996\t\t']
    write(folder / "ml.item", "\n".join(items) + "\n")
    return folder


def test_recboles_files_bring_items_and_events_in_time_order(tmp_path: Path, recbole: Path) -> None:
    dataset = imported(tmp_path, "recbole", recbole, check=False)
    assert rows(dataset, "id", "title", "release_year", "categories") == [
        ("a", "Toy Story", "1995", ["Animation", "Comedy"]), ("b", "Heat", None, ["Crime"]),
        ("c", '"Heat" again', "1996", None), ("z", None, None, None),
    ]  # fmt: skip
    assert histories(dataset) == {"1": ["a", "b", "c"], "2": ["a", "z"]}  # b and c are tied: as in the file
    assert "movie_title is taken for title" in notes(dataset)
    assert "vector left out" in notes(dataset)
    assert "1 items have events but no line in ml.item" in notes(dataset)
    assert dataset.about["facts"] == {"tied_events": 0.4, "tied_targets": 0.5}


def test_a_column_option_says_which_recbole_field_is_which(tmp_path: Path, recbole: Path) -> None:
    dataset = imported(tmp_path, "recbole", recbole / "ml.inter", "--column", "title=release_year", check=False)
    assert rows(dataset, "id", "title", "movie_title")[0] == ("a", "1995", "Toy Story")


def test_recbole_without_an_item_file_is_a_set_for_recommendation(tmp_path: Path, recbole: Path) -> None:
    (recbole / "ml.item").unlink()
    dataset = imported(tmp_path, "recbole", recbole)
    assert dataset.default_tasks == ("recommendation",)
    assert histories(dataset) == {"1": ["a", "b", "c"], "2": ["a", "z"]}


# S3-Rec, P5


def s3rec_files(tmp_path: Path, lists: dict[str, list[str]]) -> tuple[Path, Path]:
    """Number users and items in the order in which they come, as S3-Rec's scripts do; return sequences and datamaps."""
    users = {user: str(number) for number, user in enumerate(lists, 1)}
    items: dict[str, str] = {}
    for taken in lists.values():
        for item in taken:
            items.setdefault(item, str(len(items) + 1))
    lines = (" ".join([users[user], *(items[item] for item in taken)]) for user, taken in lists.items())
    maps = {"id2user": {n: u for u, n in users.items()}, "id2item": {n: i for i, n in items.items()}}
    maps["id2attribute"] = {"1": "nail polish", "2": "lamps"}
    return write(tmp_path / "Toy.txt", "\n".join(lines) + "\n"), jsonl(tmp_path / "datamaps.json", maps)


def planted_lists() -> dict[str, list[str]]:
    random = np.random.default_rng(5)
    return {f"A{user:03}": [f"B{i:04}" for i in random.integers(0, 80, 5 + user % 7)] for user in range(40)}


def test_an_s3rec_file_gives_the_same_histories_item_by_item(tmp_path: Path) -> None:
    lists = planted_lists()
    sequences, maps = s3rec_files(tmp_path, lists)
    dataset = imported(tmp_path, "s3rec", sequences, "--datamaps", maps)
    assert histories(dataset) == lists
    assert "the order of the items is trusted" in notes(dataset)
    assert "ascend" not in notes(dataset)


def test_s3rec_items_without_datamaps_stand_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    dataset = imported(tmp_path, "s3rec", write(tmp_path / "Toy.txt", "1 10 2 9\r\n2 2 10\r\n"))
    assert dataset.corpus().ids == ["2", "9", "10"]
    assert histories(dataset) == {"1": ["10", "2", "9"], "2": ["2", "10"]}


def test_s3rec_attributes_become_words(tmp_path: Path) -> None:
    sequences, maps = s3rec_files(tmp_path, {"u": ["x", "y", "z"]})
    attributes = jsonl(tmp_path / "Toy_item2attributes.json", {"1": [1, 2], "3": [2], "2": [1]})
    dataset = imported(tmp_path, "s3rec", sequences, "--datamaps", maps, "--attributes", attributes)
    assert rows(dataset, "id", "attributes") == [("x", "nail polish, lamps"), ("y", "nail polish"), ("z", "lamps")]


def test_amazons_metadata_and_datamaps_give_an_s3rec_file_its_texts(tmp_path: Path) -> None:
    sequences, maps = s3rec_files(tmp_path, {"u": ["x", "y"]})
    why = {"asin": "y", "title": "Why", "categories": [["Home", "Signs"]]}
    lines = [why, {"asin": "no"}, {"asin": "x", "title": "X"}]
    metadata = write(tmp_path / "meta.json.gz", "".join(f"{line}\n" for line in lines))
    dataset = imported(tmp_path, "s3rec", sequences, "--datamaps", maps, "--metadata", metadata)
    assert rows(dataset, "id", "title", "categories") == [("y", "Why", ["Home", "Signs"]), ("x", "X", None)]
    assert histories(dataset) == {"u": ["x", "y"]}


def test_histories_sorted_by_item_are_reported(tmp_path: Path) -> None:
    lines = [f"{user} " + " ".join(map(str, range(user, user + 6))) for user in range(1, 20)]
    dataset = imported(tmp_path, "s3rec", write(tmp_path / "Toy.txt", "\n".join(lines)))
    assert "in 19 of 19 longer histories the items ascend: sorted by item, hardly by time" in notes(dataset)


def test_the_s3rec_bridge_and_the_amazon_builder_agree_on_the_same_events(tmp_path: Path) -> None:
    """Events in the exact 2014 format through the builder, and as S3-Rec's scripts sort them through the bridge."""
    from benchmark.datasets.amazon import read_reviews

    random = np.random.default_rng(2)
    reviews = [
        {"reviewerID": f"A{user}", "asin": f"B{item:02}", "overall": 5.0, "unixReviewTime": int(day) * 86_400}
        for user, item, day in zip(*(random.integers(0, top, 300) for top in (20, 30, 12)), strict=True)
    ]
    jsonl(tmp_path / "reviews_Toy_5.json.gz", *reviews)
    read_reviews(tmp_path / "reviews_Toy_5.json.gz").write(tmp_path / "built.txt")
    by_user: dict[str, list[dict[str, Any]]] = {}
    for review in reviews:
        by_user.setdefault(review["reviewerID"], []).append(review)
    lists = {
        user: [review["asin"] for review in sorted(own, key=lambda review: review["unixReviewTime"])]
        for user, own in by_user.items()
    }
    sequences, maps = s3rec_files(tmp_path, lists)
    imported(tmp_path, "s3rec", sequences, "--datamaps", maps)
    assert (tmp_path / "imported" / "sequences.txt").read_text() == (tmp_path / "built.txt").read_text()


# Amazon 2018 and 2023


def reviews_2018(*events: tuple[str, str, int]) -> list[dict[str, Any]]:
    return [
        {"overall": 5.0, "verified": True, "reviewTime": "09 1, 2016", "reviewerID": user, "asin": item,
         "reviewText": "Fine", "summary": "Good", "unixReviewTime": time}
        for user, item, time in events
    ]  # fmt: skip


def test_amazon_2018_reviews_and_metadata(tmp_path: Path) -> None:
    events = [("u", "B2", 9), ("u", "B1", 5), ("v", "B1", 5), ("v", "B3", 6)]
    reviews = jsonl(tmp_path / "Toy_5.json.gz", *reviews_2018(*events))
    metadata = jsonl(
        tmp_path / "meta_Toy.json.gz",
        {"category": ["Toys", "Puzzles"], "description": ["Many", "pieces."], "title": "Puzzle", "brand": "Acme",
         "price": "$12.99", "asin": "B1", "rank": [">#1"], "main_cat": "Toys"},
        {"category": [], "description": [], "title": "Ball", "brand": "", "price": ".a-box{color: red}", "asin": "B2"},
        {"asin": "B9", "title": "Never reviewed"},
        {"asin": "B1", "title": "Puzzle again"},
    )  # fmt: skip
    dataset = imported(tmp_path, "amazon-2018", reviews, metadata, check=False)
    assert rows(dataset, "id", "title", "description", "brand", "price", "categories") == [
        ("B1", "Puzzle", "Many pieces.", "Acme", "$12.99", ["Toys", "Puzzles"]),
        ("B2", "Ball", None, None, None, None), ("B3", None, None, None, None, None),
    ]  # fmt: skip
    assert histories(dataset) == {"u": ["B1", "B2"], "v": ["B1", "B3"]}
    for expected in (
        "1 repeated metadata lines", "1 items have a price that is none", "1 items have reviews but no line",
        "1 items have no text: too many for a run without --no-check",
        "1 users' events are not in time order",
    ):  # fmt: skip
        assert expected in notes(dataset)


META_2023 = [
    {"main_category": "All Beauty", "title": "Howard wax", "average_rating": 4.8, "features": ["Shines"], "price": None,
     "description": ["A", "wax"], "images": [], "store": "Howard Products", "categories": ["Beauty", "Wax"],
     "details": {"Size": "11 oz"}, "parent_asin": "P1"},
    {"title": "Soap", "price": 3.5, "store": None, "details": {"Brand": "Acme"}, "categories": [], "parent_asin": "P2"},
]  # fmt: skip


def test_amazon_2023_reviews_and_metadata(tmp_path: Path) -> None:
    events = [("u", "P2", 1588687728923), ("u", "P1", 1588687728000)]
    reviews = jsonl(
        tmp_path / "All_Beauty.jsonl.gz",
        *(
            {"rating": 5.0, "asin": "X", "parent_asin": item, "user_id": user, "timestamp": time}
            for user, item, time in events
        ),
    )
    dataset = imported(tmp_path, "amazon-2023", reviews, jsonl(tmp_path / "meta.jsonl.gz", *META_2023))
    assert rows(dataset, "id", "title", "description", "brand", "price", "features", "details", "categories") == [
        ("P1", "Howard wax", "A wax", "Howard Products", None, "Shines", "Size: 11 oz", ["Beauty", "Wax"]),
        ("P2", "Soap", None, "Acme", "3.5", None, "Brand: Acme", None),
    ]
    assert histories(dataset) == {"u": ["P1", "P2"]}


@pytest.mark.parametrize("header", ["", "user_id,parent_asin,rating,timestamp\n"])
def test_amazon_2023s_own_5_core_files_have_a_header_or_not(tmp_path: Path, header: str) -> None:
    ratings = write(tmp_path / "All_Beauty.csv", f"{header}u,P2,5.0,1588687728923\nu,P1,4.0,1588687728000\n")
    dataset = imported(tmp_path, "amazon-2023", ratings, jsonl(tmp_path / "meta.jsonl", *META_2023))
    assert histories(dataset) == {"u": ["P1", "P2"]}


def brute_core(events: list[tuple[int, int, int]], k: int) -> list[tuple[int, int, int]]:
    """The k-core after the earliest event of each pair, in the simplest words."""
    kept: list[tuple[int, int, int]] = []
    for place, event in sorted(enumerate(events), key=lambda pair: (pair[1][2], pair[0])):
        if not any(events[other][:2] == event[:2] for other in kept_places(kept)):
            kept.append((place, *event[:2]))
    left = sorted(place for place, *_ in kept)
    while True:
        counts_user = {u: sum(events[p][0] == u for p in left) for u, _, _ in events}
        counts_item = {i: sum(events[p][1] == i for p in left) for _, i, _ in events}
        fewer = [p for p in left if counts_user[events[p][0]] >= k and counts_item[events[p][1]] >= k]
        if fewer == left:
            return [events[p] for p in left]
        left = fewer


def kept_places(kept: list[tuple[int, int, int]]) -> list[int]:
    return [place for place, *_ in kept]


EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=40)


@given(events=EVENTS, k=st.integers(1, 3))
def test_the_core_is_that_of_the_definition(tmp_path_factory: pytest.TempPathFactory, events: Any, k: int) -> None:
    interactions, expected = Interactions(), Interactions()
    for user, item, time in events:
        interactions.add(f"u{user}", f"i{item}", time)
    interactions.keep_core(k)
    kept = brute_core(events, k)
    assert len(interactions) == len(kept)
    for user, item, time in kept:
        expected.add(f"u{user}", f"i{item}", time)
    if kept:
        folder = tmp_path_factory.mktemp("core")
        for name, some in (("found", interactions), ("expected", expected)):
            some.write(folder / name)
        found, wanted = ((folder / name).read_text().splitlines() for name in ("found", "expected"))
        assert sorted(found) == sorted(wanted)
        assert set(interactions.items) == {f"i{item}" for _, item, _ in kept}


@dataclass
class PlainInteractions:
    """The same in dictionaries and loops: what `Interactions` is checked against."""

    of_user: dict[str, list[tuple[int, str]]] = field(default_factory=dict)  # user -> (time, item) as they came
    items: dict[str, None] = field(default_factory=dict)  # a set that keeps the order

    def add(self, user: str, item: str, time: int) -> None:
        """Add one event; `time` in any unit that sorts."""
        self.of_user.setdefault(user, []).append((time, item))
        self.items[item] = None

    def write(self, path: Path) -> None:
        """Write one line per user, oldest item first."""
        with path.open("w", encoding="utf-8") as file:
            for user, events in self.of_user.items():
                file.write(" ".join([user, *(item for _, item in sorted(events, key=_time))]) + "\n")

    def facts(self) -> dict[str, float]:
        """Return what the sequences no longer tell.

        tied_events: share of events with the time stamp of another event of the same user.
        tied_targets: share of users (of two events and more) whose last two events are tied, so that the order of
        the file decides which of the two is the test target.
        """
        events = tied = users = targets = 0
        for own in self.of_user.values():
            counts = Counter(time for time, _ in own)
            events += len(own)
            tied += sum(count for count in counts.values() if count > 1)
            users += len(own) > 1
            targets += len(own) > 1 and counts[max(counts)] > 1
        return {
            "tied_events": round(tied / max(events, 1), 6),
            "tied_targets": round(targets / max(users, 1), 6),
        }

    def notes(self) -> list[str]:
        """Return what is worth knowing about the raw events, with counts."""
        unsorted = sum(any(a > b for (a, _), (b, _) in pairwise(own)) for own in self.of_user.values())
        repeated = sum(len(own) - len({item for _, item in own}) for own in self.of_user.values())
        return [
            f"{count:,} {what}"
            for count, what in (
                (unsorted, "users' events are not in time order in the raw file; sorted"),
                (repeated, "events repeat an earlier item of the same user; kept"),
            )
            if count
        ]


def _time(event: tuple[int, str]) -> int:
    return event[0]


@given(events=EVENTS)
def test_events_facts_and_notes_are_those_of_plain_loops(tmp_path_factory: pytest.TempPathFactory, events: Any) -> None:
    folder = tmp_path_factory.mktemp("events")
    ours, theirs = Interactions(), PlainInteractions()
    for user, item, time in events:
        ours.add(f"u{user}", f"i{item}", time)
        theirs.add(f"u{user}", f"i{item}", time)
    ours.write(folder / "ours")
    theirs.write(folder / "theirs")
    assert (folder / "ours").read_text() == (folder / "theirs").read_text()
    assert ours.facts() == theirs.facts()
    assert ours.notes() == theirs.notes()


# Tables


def csv_file(path: Path, header: list[str], *lines: list[object]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([header, *lines])
    return path


def test_a_csv_with_mapped_columns_events_and_searches(tmp_path: Path) -> None:
    items = csv_file(
        tmp_path / "items.csv", ["sku", "name", "text", "cat", "stock"],
        [1, 'Mug, "red"', "For tea.\nDishwasher safe.", "Home > Mugs", 4], [2, "Lamp", "", "Home", 0],
    )  # fmt: skip
    events = csv_file(
        tmp_path / "orders.tsv", ["customer", "item", "time"],
        ["u", 2, "2024-02-01T10:00:00"], ["u", 1, "2024-01-31"], ["u", 7, "2024-01-01"],
    )  # fmt: skip
    queries = csv_file(tmp_path / "q.csv", ["id", "q"], ["q1", "red cup"])
    judgments = csv_file(tmp_path / "j.csv", ["query", "item"], ["q1", 1])
    columns = ["id=sku", "title=name", "description=text", "categories=cat", "events.user=customer", "queries.text=q"]
    options = [word for column in columns for word in ("--column", column)]
    tables = ["--events", events, "--queries", queries, "--judgments", judgments]
    dataset = imported(tmp_path, "table", items, *tables, *options)
    assert rows(dataset, "id", "title", "description", "categories") == [
        ("1", 'Mug, "red"', "For tea.\nDishwasher safe.", ["Home", "Mugs"]), ("2", "Lamp", None, ["Home"]),
    ]  # fmt: skip
    assert "stock" not in dataset.corpus().table.column_names
    assert histories(dataset) == {"u": ["1", "2"]}
    judged = dataset.queries("judged", "test")
    assert judged and (judged.texts, judged.grades.tolist()) == (["red cup"], [1])
    assert "1 events of orders.tsv name an unknown item" in notes(dataset)


def test_parquet_without_a_mapping_keeps_every_column(tmp_path: Path) -> None:
    columns = {"id": [10.0, 11.0], "title": [b"ab", "ö".encode()], "price": [1.5, None], "categories": [["X", "Y"], []]}
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "items.parquet")
    dataset = imported(tmp_path, "table", tmp_path / "items.parquet")
    assert rows(dataset, "id", "title", "price", "categories") == [
        ("10", "ab", "1.5", ["X", "Y"]), ("11", "ö", None, None),
    ]  # fmt: skip


def test_the_help_lists_every_format_with_an_example_that_its_parser_takes(capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    with pytest.raises(SystemExit):
        main(["import", "--help"])
    text = capsys.readouterr().out
    for name in registered("importer"):
        importer = load("importer", name)
        assert f"benchmark import {importer.example}" in text
        parser = argparse.ArgumentParser()
        importer.add_arguments(parser)
        parser.add_argument("folder")
        form, *words = importer.example.split()
        assert form == name
        assert parser.parse_args(words).folder.startswith("data/")


# What is wrong


def mini(tmp_path: Path, form: str) -> Callable[[str], tuple[list[str | Path], Path]]:
    """Return a function that puts text into the main file of a format's miniature: (command, that file)."""

    def make(text: str) -> tuple[list[str | Path], Path]:
        folder = tmp_path / "raw"
        meta = jsonl(folder / "meta.jsonl", {"asin": "a", "parent_asin": "a", "title": "t"})
        match form:
            case "beir":
                path = write(folder / "corpus.jsonl", text)
                command: list[str | Path] = [folder]
            case "recbole":
                path = write(folder / "raw.inter", text)
                command = [folder]
            case "s3rec":
                path = write(folder / "Toy.txt", text)
                command = [path]
            case "table":
                path = write(folder / "items.csv", text)
                command = [path]
            case _:
                path = write(folder / "reviews.jsonl", text)
                command = [path, meta]
        return [form, *command], path

    return make


INTER = "user_id:token\titem_id:token\ttimestamp:float\n"
WRONG = [
    ("beir", '{"_id": "a", "text": "x"}\n{"_id": "a", "text": "y"}\n', ":2: the item id 'a' was already used"),
    ("beir", '{"_id": "a b", "text": "x"}\n', ":1: an item id must be one word"),
    ("beir", '{"text": "x"}\n', ":1: an item id must be a word"),
    ("beir", '{"_id": "a", "text": "x"}\r\n{"_id": "b",\r\n', ":2: broken JSON"),
    ("beir", "[1]\n", ":1: expected a JSON object, not list"),
    ("beir", "", "not one item"),
    ("recbole", "user_id\titem_id\n", "holds a header at most"),
    ("recbole", "user_id\titem_id\n1\t2\n", ":1: 'user_id' is no field of an atomic file"),
    ("recbole", "uid:token\titem_id:token\n1\t2\n", "--column events.user=FIELD"),
    ("recbole", "user_id:token\titem_id:token_seq\n1\t2 3\n", "the field 'item_id' is a token_seq"),
    ("recbole", INTER + "1\t2\n", ":2: expected 3 columns as in the header, got 2"),
    ("recbole", INTER + "1\t2\tyesterday\n", ":2: a time must be a number or an ISO date"),
    ("recbole", INTER + "1\t2\tnan\n", ":2: a time must be a finite number"),
    ("s3rec", "", "empty: not one user"),
    ("s3rec", "1 2 3\n2 1\n1 5 6\n", ":3: user '1' was already listed"),
    ("s3rec", "1 2\n2\n", ":2: user '2' has no items"),
    ("s3rec", "1 2\0 3\n", ":1: holds a NUL byte"),
    ("amazon-2018", '{"reviewerID": "u", "asin": "a"}\n', ":1: a review without 'unixReviewTime'"),
    ("amazon-2018", '{"reviewerID": null, "asin": "a", "unixReviewTime": 1}\n', ":1: a user id must be a word"),
    ("amazon-2018", "\n", "holds not one review"),
    ("amazon-2023", '{"user_id": "u", "parent_asin": "a", "timestamp": "x"}\n', ":1: a time must be a number"),
    ("table", "", "empty: not even a header"),
    ("table", "id,title\n", "not one item"),
    ("table", "id,title,title\n1,a,b\n", ":1: two columns are called 'title'"),
    ("table", "id,title\n1,a\n1,b\n", ":3: the item id '1' was already used"),
    ("table", "id,title\n1,a,b\n", ":2: expected 2 columns as in the header, got 3"),
    ("table", 'id,title\n1,"a\n2,b\n', "not a table separated by ','"),
    ("table", "id,title\n1,a\n\u0661 2,b\n", ":3: an item id must be one word"),
    ("table", "sku,title\n1,a\n", "has no column 'id' (name it with --column id=COLUMN)"),
]


@pytest.mark.parametrize(("form", "text", "message"), WRONG)
def test_a_wrong_file_gets_one_error_with_its_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, text: str, message: str
) -> None:
    command, _ = mini(tmp_path, form)(text)
    assert main(["import", *map(str, command), str(tmp_path / "out" / "set")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("form", ["beir", "recbole", "s3rec", "amazon-2018", "table"])
def test_huge_lines_and_wrong_encodings_are_refused_in_every_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    command, path = mini(tmp_path, form)("x")
    for content, message in ((b"x" * (10 << 20), "longer than"), ("1 Café\n".encode("latin-1"), "not utf-8")):
        path.write_bytes(content)
        assert main(["import", *map(str, command), str(tmp_path / "set")]) == 2
        assert f"{path}:1: " in (error := capsys.readouterr().err) and message in error
        assert not (tmp_path / "set").exists()


def test_carriage_returns_byte_order_marks_and_nul_in_texts_are_handled(tmp_path: Path) -> None:
    path = tmp_path / "raw" / "corpus.jsonl"
    write(path, '\ufeff{"_id": "a", "text": "x\\u0000y"}\r\n\r\n{"_id": "b", "text": "\\ud83d"}\r\n')
    dataset = imported(tmp_path, "beir", path.parent)
    assert rows(dataset, "id", "description") == [("a", "x y"), ("b", "\ufffd")]
    assert "1 items hold NUL characters; made spaces" in notes(dataset)
    assert "1 items hold half of a surrogate pair; mended" in notes(dataset)


@pytest.mark.parametrize("grade", ["high", "1.5", "1_0", "1000000", ""])
def test_a_grade_must_be_a_whole_number(
    tmp_path: Path, beir: Path, capsys: pytest.CaptureFixture[str], grade: str
) -> None:
    write(beir / "qrels" / "dev.tsv", f"query-id\tcorpus-id\tscore\nq3\td1\t{grade}\n")
    assert main(["import", "beir", str(beir), str(tmp_path / "set")]) == 2
    assert "dev.tsv:2: the grade must be a whole number of at most six digits" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_parquet_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "items.parquet", "id,title\n1,a\n")
    assert main(["import", "table", str(path), str(tmp_path / "set")]) == 2
    assert "row 1: not readable as Parquet" in capsys.readouterr().err


def test_a_folder_that_is_there_is_not_touched(tmp_path: Path, beir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    assert main(["import", "beir", str(beir), str(tmp_path / "mine")]) == 2
    assert "is already there" in capsys.readouterr().err
    assert not list((tmp_path / "mine").iterdir())
