"""Amazon 2014: events, items and labels of McAuley's files, whatever state those are in; the round trip to a run."""

import gzip
import json
import re
import shutil
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upstream import amazon_shop, declaration, metadata_file, product, review, reviews_file, serving

from benchmark.cli.main import main
from benchmark.data.dataset import open_dataset
from benchmark.data.interactions import Interactions
from benchmark.datasets import amazon, esci
from benchmark.errors import DataError, UsageError
from benchmark.fetching import download, lines
from benchmark.fetching.sources import read_declaration

REPOSITORY = Path(__file__).parents[2]
COUNTS = {"items": 6, "users": 8, "interactions": 40}


def written(events: Interactions, folder: Path) -> list[str]:
    events.write(folder)
    return (folder / "sequences.txt").read_text().splitlines()


def items(folder: Path, metadata: list, *wanted: str) -> tuple[list[dict], list[str]]:
    path = metadata_file(folder / "meta.json.gz", metadata)
    notes = amazon.write_items(path, dict.fromkeys(wanted), folder / "items.jsonl")
    return [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()], notes


def refusal(folder: Path, content: bytes, read=amazon.read_reviews) -> str:
    path = folder / "raw.json.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError) as error:
        read(path)
    return str(error.value).removeprefix(str(path))


def parsed(path: Path) -> None:
    amazon.write_items(path, {"a": None}, path.parent / "items.jsonl")


def test_events_are_in_time_order_and_ties_keep_the_order_of_the_file(tmp_path):
    raw = [("v", "x", 9), ("u", "c", 5), ("u", "b", 2), ("u", "a", 5), ("u", "d", 2), ("v", "y", 1)]
    events = amazon.read_reviews(reviews_file(tmp_path / "r.json.gz", [review(*event) for event in raw]))
    assert written(events, tmp_path) == ["v y x", "u b d c a"]
    assert events.facts() == {"tied_events": round(4 / 6, 6), "tied_targets": 0.5}
    assert events.notes() == ["2 users' events are not in time order in the raw file; sorted"]


@given(st.lists(st.tuples(st.sampled_from("uvw"), st.sampled_from("abcdefgh"), st.integers(0, 3)), min_size=1))
def test_the_sequences_are_the_file_sorted_by_user_time_and_line(tmp_path_factory, raw):
    events = Interactions()
    for event in raw:
        events.add(*event)
    order = sorted(range(len(raw)), key=lambda line: (raw[line][2], line))
    users = dict.fromkeys(user for user, _, _ in raw)
    expected = [" ".join([user, *(raw[line][1] for line in order if raw[line][0] == user)]) for user in users]
    assert written(events, tmp_path_factory.getbasetemp()) == expected


def test_items_have_the_papers_fields_in_the_order_of_the_metadata(tmp_path):
    metadata = [
        product("b", 'The "big" one', "Beauty", "Hair Care", price=7.5, brand="", description="It's 5' tall"),
        product("x", "Not reviewed", "Beauty"),
        product("a", "Small", "Beauty", "Nails", salesRank={"Beauty": 5}, imUrl="http://x/y.jpg"),
    ]
    found, notes = items(tmp_path, metadata, "a", "b")
    assert found == [
        {"id": "b", "title": 'The "big" one', "description": "It's 5' tall", "price": 7.5,
         "categories": ["Beauty", "Hair Care"]},
        {"id": "a", "title": "Small", "categories": ["Beauty", "Nails"]},
    ]  # fmt: skip
    assert notes == []


def test_what_is_odd_in_the_metadata_is_counted(tmp_path):
    metadata = [
        product("a", "Soap &amp; water", "Beauty"),
        product("a", "Another", "Beauty"),
        "{'title': 'no number'}",
        "{'asin': 'b', 'categories': []}",
        "{'asin': 'c', 'title': 'half \\ud83d and whole \\ud83d\\ude00', 'categories': [['Beauty']]}",
        '{"related": {}, "title": "mentions \'asin\': \'a\' only", "asin": "elsewhere"}',
    ]
    found, notes = items(tmp_path, metadata, "a", "b", "c", "d")
    assert [item["id"] for item in found] == ["a", "b", "c", "d"]
    assert found[0]["title"] == "Soap &amp; water" and found[2]["title"] == "half � and whole 😀"
    assert found[1] == {"id": "b"} and found[3] == {"id": "d"}
    assert sorted(notes) == [
        "1 items have no category",
        "1 items have no metadata line; kept without text, at the end",
        "1 items have no title",
        "1 items hold half of a surrogate pair; repaired",
        "1 metadata lines without 'asin'; left out",
        "1 repeated metadata lines; the first of an item counts",
        "1 titles hold HTML entities such as &amp;; kept as upstream wrote them",
    ]


def test_code_in_the_metadata_is_refused_and_never_run(tmp_path):
    marker = tmp_path / "ran"
    code = f"{{'asin': 'a', 'title': __import__('pathlib').Path({str(marker)!r}).touch()}}"
    assert ":2: not a Python literal" in refusal(tmp_path, f"{{'asin': 'x'}}\n{code}\n".encode(), parsed)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{'asin': 'a', 'price': [[[" + b"[" * 100_000, ":1: not a Python literal"),
        (b"['asin', 'a']", ":1: metadata must be a dictionary"),
        (b"{'asin': 'a', 'price': {1: 2}}", ":1: item 'a': price must be text or a number, not dict"),
        (b"{'asin': 'a', 'categories': 'Beauty'}", ":1: item 'a': categories must be a list of paths"),
        (b"{'asin': 'a'}\n{'asin': 'a', 'title': 'caf\xe9'}", ":2: not utf-8"),
        (b"{'asin': 'a', 'title': 'x\0y'}", ":1: holds a NUL byte"),
        (b"{'asin': 'a', 'price': 0x" + b"f" * 5000 + b"}", ":1: item 'a': a number has thousands of digits"),
        (b"{'asin': 'a', 'description': [0x" + b"f" * 5000 + b"]}", ":1: item 'a': a number has thousands of digits"),
        (b"{'asin': 'other', 'title': 'Lamp'}", ": describes not one of the 1 items with events (e.g. 'a')"),
        (b"{'asin': 'a', 'title': '" + b"x" * (10 << 20) + b"'}", ":1: the line is longer than"),
    ],
)
def test_metadata_that_is_none_is_refused_with_its_line(content, reason, tmp_path):
    assert reason in refusal(tmp_path, content, parsed)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{'asin': 'a'}", ":1: broken JSON"),
        (b"[" * 100_000, ":1: broken JSON"),
        (b"[1]", ":1: expected a JSON object, not list"),
        (b'\n{"reviewerID": "u", "asin": "a b", "unixReviewTime": 1}', ":2: a review needs the key 'asin' with one"),
        (b'{"asin": "a", "unixReviewTime": 1}', ":1: a review needs the key 'reviewerID' with one word, not null"),
        (b'{"reviewerID": "u", "asin": "a", "unixReviewTime": "1"}', ":1: 'unixReviewTime' must be a whole number"),
        (b"", ": holds not one review"),
        (
            b'{"reviewerID": "u", "asin": "a", "unixReviewTime": 1' + b"0" * 400 + b"}",
            ":1: a time must be a finite number below 2^63",
        ),
    ],
)
def test_a_review_that_is_none_is_refused_with_its_line(content, reason, tmp_path):
    assert reason in refusal(tmp_path, content)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path):
    content = "\r\n".join(json.dumps(review("u", item, 1)) for item in "ab")
    (tmp_path / "r.json.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + content.encode()))
    assert written(amazon.read_reviews(tmp_path / "r.json.gz"), tmp_path) == ["u a b"]


def test_a_cut_or_exploding_gz_file_is_refused(tmp_path, monkeypatch):
    path = reviews_file(tmp_path / "r.json.gz", [review("u", "a", time) for time in range(1000)])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="the file ends in the middle of its gzip stream"):
        amazon.read_reviews(path)
    monkeypatch.setattr(lines, "size_limit", lambda archive: 5000)
    path.write_bytes(whole)
    with pytest.raises(DataError, match="archive bomb"):
        amazon.read_reviews(path)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A loopback server with a miniature Beauty; the declarations name it in place of the real mirrors."""
    monkeypatch.setattr(download, "PAUSE", 0.001)
    (tmp_path / "upstream").mkdir()
    with serving() as server:
        for name, path in amazon_shop(tmp_path / "upstream").items():
            server.files[f"/pub/{name}"] = path.read_bytes()
        rooms = REPOSITORY / "datasets"
        mini = declaration(rooms / "amazon.toml", tmp_path / "amazon.toml", f"{server.url}/pub", **COUNTS)
        searches = declaration(rooms / "esci.toml", tmp_path / "esci.toml", f"{server.url}/pub")
        monkeypatch.setattr(amazon.Amazon2014, "declaration", classmethod(lambda cls: read_declaration(mini, cls.name)))
        monkeypatch.setattr(esci, "examples_file", lambda: read_declaration(searches, "examples").files[0])
        yield server


def test_from_the_server_to_a_table_in_two_commands(published, tmp_path, capsys):
    root = ["--data-root", str(tmp_path / "root")]
    with pytest.raises(UsageError, match="benchmark data get beauty"):
        open_dataset("beauty", cache=tmp_path, data_root=tmp_path / "root")
    published.faults = {"/pub/meta_Beauty.json.gz": [("cut", 100), 503]}
    assert main(["data", "get", "beauty", "--yes", *root]) == 0
    shown = capsys.readouterr()
    assert shown.out.strip() == str(tmp_path / "root" / "beauty")
    for said in ("reviews_Beauty_5.json.gz", "0.0 MB", "jmcauley", "Apache-2.0"):
        assert said in shown.err
    asked = len(published.seen)
    assert main(["data", "get", "beauty", *root]) == 0 and len(published.seen) == asked
    assert main(["data", "check", "beauty", *root, "--runs", str(tmp_path / "runs")]) == 0
    assert re.search(r"raw file +amazon-2014/meta_Beauty.json.gz: unchanged", capsys.readouterr().out)
    run = ["run", "--methods", "bm25,popularity", "--dataset", "beauty", *root, "--runs", str(tmp_path / "runs")]
    assert main(run) == 0
    assert "bm25" in capsys.readouterr().out
    results = [json.loads(path.read_text()) for path in (tmp_path / "runs" / "beauty").glob("*/*/seed-0/result.json")]
    assert {task for result in results for task in result["metrics"]} == {"recommendation", "search"}
    assert tomllib.loads((tmp_path / "root" / "beauty" / "dataset.toml").read_text())["expect"] == COUNTS


def disk(monkeypatch, free):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(total=10**12, used=0, free=free))


def test_without_free_disk_space_nothing_is_fetched(published, tmp_path, monkeypatch, capsys):
    needed = sum(len(content) for content in published.files.values())
    disk(monkeypatch, needed - 1)
    command = ["data", "get", "beauty", "--yes", "--data-root", str(tmp_path / "root")]
    assert main(command) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert f"not enough free disk space for {tmp_path / 'root'}" in message and "--data-root" in message
    assert {method for method, _, _ in published.seen} == {"HEAD"} and not (tmp_path / "root").exists()
    disk(monkeypatch, needed)
    assert main(command) == 0


def test_what_has_arrived_needs_no_space_again_and_what_comes_by_hand_does(published, tmp_path, monkeypatch, capsys):
    root = ["--data-root", str(tmp_path / "root")]
    published.faults["/pub/reviews_Beauty_5.json.gz"] = [("cut", 150), 404]
    assert main(["data", "get", "beauty", "--yes", *root]) == 1
    needed = sum(len(content) for content in published.files.values())
    disk(monkeypatch, needed - 150)
    assert main(["data", "get", "beauty", "--yes", *root]) == 0
    amazon_shop(tmp_path)
    shutil.rmtree(tmp_path / "root")
    disk(monkeypatch, needed - 1)
    assert main(["data", "get", "beauty", "--from", str(tmp_path), *root]) == 1
    assert "not enough free disk space" in capsys.readouterr().err


def test_a_log_of_a_download_has_whole_lines_alone(published, tmp_path, capsys):
    published.faults["/pub/meta_Beauty.json.gz"] = [("slow", 0.2)]
    assert main(["data", "get", "beauty", "--yes", "--data-root", str(tmp_path / "root")]) == 0
    shown = capsys.readouterr().err
    assert shown.endswith("\n") and "\r" not in shown and "it/s" not in shown


def test_other_counts_than_the_published_ones_stop_the_build_and_leave_nothing(published, tmp_path, capsys):
    short = [review(f"A{user}", f"B00000000{k}", k) for user in range(7) for k in range(6)]
    published.files["/pub/reviews_Beauty_5.json.gz"] = reviews_file(tmp_path / "r.gz", short).read_bytes()
    assert main(["data", "get", "beauty", "--yes", "--data-root", str(tmp_path / "root")]) == 2
    message = capsys.readouterr().err
    assert "(users: expected 8, found 7; interactions: expected 40, found 42)" in message
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["raw"]


def test_an_interrupted_build_leaves_nothing_half_written(published, tmp_path, monkeypatch, capsys):
    root = tmp_path / "root"
    with monkeypatch.context() as patched:
        patched.setattr(esci, "split_train", lambda queries: (_ for _ in ()).throw(KeyboardInterrupt))
        assert main(["data", "get", "beauty", "--yes", "--data-root", str(root)]) == 130
    assert [path.name for path in root.iterdir()] == ["raw"]
    published.files.clear()
    assert main(["data", "get", "beauty", "--data-root", str(root)]) == 0
    assert open_dataset("beauty", cache=tmp_path, data_root=root).counts()["users"] == 8


def test_without_a_network_files_fetched_by_hand_do(published, tmp_path, capsys):
    published.files.clear()
    command = ["data", "get", "beauty", "--data-root", str(tmp_path / "root")]
    assert main([*command, "--yes"]) == 1
    place = tmp_path / "root" / "raw" / "amazon-2014" / "reviews_Beauty_5.json.gz"
    assert f"put it at {place}" in capsys.readouterr().err
    (tmp_path / "hand").mkdir()
    raw = amazon_shop(tmp_path / "hand")
    raw["meta_Beauty.json.gz"].rename(tmp_path / "meta")
    assert main([*command, "--from", str(tmp_path / "hand")]) == 2
    assert "meta_Beauty.json.gz, or put it at" in capsys.readouterr().err
    (tmp_path / "meta").rename(raw["meta_Beauty.json.gz"])
    assert main([*command, "--from", str(tmp_path / "hand")]) == 0


def test_a_raw_file_that_was_changed_after_its_first_use_is_refused(published, tmp_path, capsys):
    root = tmp_path / "root"
    assert main(["data", "get", "beauty", "--yes", "--data-root", str(root)]) == 0
    reviews_file(root / "raw" / "amazon-2014" / "reviews_Beauty_5.json.gz", [review("u", "a", 1)])
    assert main(["data", "check", "beauty", "--data-root", str(root), "--runs", str(tmp_path)]) == 2
    assert "not the file that beauty was built from" in capsys.readouterr().err
    assert main(["data", "get", "beauty:locale=all", "--data-root", str(root)]) == 2
    assert "delete 'reviews_Beauty_5.json.gz' from" in capsys.readouterr().err


def test_a_changed_data_set_is_no_longer_the_one_that_was_built(published, tmp_path, capsys):
    root = tmp_path / "root"
    main(["data", "get", "beauty", "--yes", "--data-root", str(root)])
    qrels = root / "beauty" / "qrels.txt"
    qrels.write_text(qrels.read_text().replace(" 1\n", " 2\n", 1))
    assert main(["data", "check", "beauty", "--data-root", str(root), "--runs", str(tmp_path)]) == 2
    assert "a file was changed since" in capsys.readouterr().err


def test_an_option_makes_another_data_set_under_the_data_root(published, tmp_path):
    root = tmp_path / "root"
    assert main(["data", "get", "beauty:locale=all", "--yes", "--data-root", str(root)]) == 0
    dataset = open_dataset("beauty:locale=all", cache=tmp_path, data_root=root)
    assert (dataset.name, dataset.title) == ("beauty-locale-all", "Amazon Beauty (2014, 5-core) (locale=all)")
    assert dataset.original == "beauty"  # whose presets it has


def test_nobody_is_downloaded_to_without_being_asked(published, tmp_path, monkeypatch, capsys):
    command = ["data", "get", "beauty", "--data-root", str(tmp_path / "root")]
    assert main(command) == 2 and "--yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdin.readline", lambda: "n\n", raising=False)
    assert main(command) == 2 and "nothing was downloaded" in capsys.readouterr().err
    assert [method for method, _, _ in published.seen if method == "GET"] == []


def test_what_is_generated_needs_no_getting(capsys):
    assert main(["data", "get", "demo"]) == 2
    assert "there is nothing to get" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["beauty", "sports", "toys"])
def test_the_declared_counts_are_the_papers(name):
    published = {"beauty": (12101, 22363), "sports": (18357, 35598), "toys": (11924, 19412)}  # ICML 2024, data table
    expect = read_declaration(REPOSITORY / "datasets" / "amazon.toml", name).expect
    assert (expect["items"], expect["users"]) == published[name]
