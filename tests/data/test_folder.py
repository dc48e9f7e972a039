"""The neutral layout: what is read, what is refused, and what opening a data set again does not do again."""

import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmark.cli.main import main
from benchmark.config import MethodConfig
from benchmark.data import layout
from benchmark.data.dataset import Dataset, DatasetBuilder, open_dataset
from benchmark.errors import ConfigError, DataError, UsageError
from benchmark.types.item_text import PAPER_TEXT_FIELDS

ITEMS = """{"id": "a", "title": "Red mug", "brand": "Acme", "price": 12.5, "categories": ["Home", "Mugs"]}
{"id": "b", "title": "Blue mug", "description": "For tea", "categories": [["Home", "Cups"], ["Gifts"]]}
{"id": 3, "text": "Plain words", "category": "Other", "attributes": {"colour": "grey", "size": 4}, "keywords": ["x"]}
"""


def write(folder: Path, **files: str | bytes) -> Path:
    """Write files; a double underscore in a name stands for a dot."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        raw = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(raw)
    return folder


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(
        tmp_path / "shop",
        items__jsonl=ITEMS,
        sequences__txt="u1 a b 3\nu2 b\n",
        queries__tsv="q1\tred mug\nq2\tcup for tea\n",
        qrels__txt="q1 0 a 2\nq1 0 b 0\nq2 0 b 1\n",
    )


def opened(folder: Path, *, check: bool = True) -> Dataset:
    return open_dataset(str(folder), cache=folder.parent / "cache", check=check)


def refusal(folder: Path, read: str = "corpus") -> str:
    with pytest.raises(DataError) as error:
        dataset = opened(folder)
        dataset.queries("judged", "test") if read == "queries" else getattr(dataset, read)()
    return str(error.value)


def test_damaged_files_of_the_cache_count_as_absent(shop):
    ids, items = opened(shop).corpus().ids, opened(shop).histories().items.tolist()
    files = [path for path in (shop.parent / "cache").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".arrow", ".npy"}
    for file in files:
        file.write_bytes(file.read_bytes()[:-9])
        assert opened(shop).corpus().ids == ids and opened(shop).histories().items.tolist() == items


def test_items_have_the_papers_text_and_their_labels(shop):
    corpus = opened(shop).corpus(PAPER_TEXT_FIELDS)
    assert corpus.ids == ("a", "b", "3")
    assert corpus.texts() == [
        "title: Red mug, brand: Acme, price: 12.5, category: Home, Mugs",
        "title: Blue mug, description: For tea, category: Home, Cups",
        "category: Other",
    ]
    assert corpus.paths == (("Home", "Mugs"), ("Home", "Cups"), ("Other",))


def test_an_item_without_the_asked_fields_uses_its_first_other_text_but_never_keywords_or_categories(shop):
    dataset = opened(shop)
    assert dataset.corpus().texts()[2] == "text: Plain words"
    assert dataset.corpus(("brand",)).texts() == ["brand: Acme", "title: Blue mug", "text: Plain words"]
    assert dataset.corpus(("keywords",)).texts()[2] == "keywords: x"
    assert any(warning.startswith("1 items have none of the text fields title, des") for warning in dataset.warnings)


def test_objects_and_numbers_become_text(shop):
    assert opened(shop).corpus(("attributes",)).texts()[2] == "attributes: colour: grey; size: 4"


def test_an_unknown_text_field_is_refused_with_the_nearest_name(shop):
    with pytest.raises(UsageError, match=r"'tilte': no item has it\. Did you mean 'title'"):
        opened(shop).corpus(("tilte",))


def test_histories_and_queries_name_rows_of_the_corpus(shop):
    dataset = opened(shop)
    histories = dataset.histories()
    assert (histories.users, histories.offsets.tolist(), histories.items.tolist()) == (
        ("u1", "u2"),
        [0, 3, 4],
        [0, 1, 2, 1],
    )
    queries = dataset.queries("judged", "test")
    assert queries is not None and queries.texts == ("red mug", "cup for tea")
    judged = zip(queries.query_rows.tolist(), queries.item_rows.tolist(), queries.grades.tolist(), strict=True)
    assert list(judged) == [(0, 0, 2), (0, 1, 0), (1, 1, 1)]
    assert dataset.queries("judged", "train") is None


def test_negative_grades_count_as_0_and_are_noted(shop):
    """The grades -1 and -2 of TREC's web tracks say junk; a query with these alone stays, and counts 0."""
    (shop / "queries.tsv").write_text("q1\tcup\nq2\tmug\nq3\tjug\n")
    (shop / "qrels.txt").write_text("q1 0 a 3\nq1 0 b -2\nq2 0 a -1\nq2 0 3 -1\nq3 0 b 0\n")
    dataset = opened(shop)
    queries = dataset.queries("judged", "test")
    assert queries is not None and queries.ids == ("q1", "q2", "q3")
    assert queries.grades.tolist() == [3, 0, 0, 0, 0]
    assert dataset.warnings == [
        "qrels.txt: 3 negative grades; they count as 0: not relevant",
        "qrels.txt: 2 queries have no relevant item (no grade of 1 or more) in the data set; every metric of them is 0",
    ]
    counts = dataset.counts()
    assert (counts["judged test judgments"], counts["judged test relevant judgments"]) == (5, 1)


def test_counts_and_tasks_say_what_is_there(shop):
    dataset = opened(shop)
    assert dataset.counts() == {
        "items": 3,
        "labelled items": 3,
        "distinct labels": 3,
        "users": 2,
        "interactions": 4,
        "users with a validation item": 1,
        "judged test queries": 2,
        "judged test judgments": 3,
        "judged test relevant judgments": 2,
    }
    assert dataset.tasks == ("id-quality", "recommendation", "search")
    assert (dataset.query_sets, dataset.default_queries) == (("judged", "simulated"), "judged")
    (shop / "sequences.txt").unlink()
    assert opened(shop).tasks == ("id-quality", "search")
    with pytest.raises(UsageError, match=r"no sequences\.txt"):
        opened(shop).histories()


def test_gzip_byte_order_mark_crlf_blank_lines_and_unicode_change_nothing(shop, tmp_path):
    items = ITEMS.replace("Red mug", "Tasse à thé ☕ 茶").replace("\n", "\r\n\r\n").encode()
    packed = write(
        tmp_path / "packed",
        items__jsonl__gz=gzip.compress(b"\xef\xbb\xbf" + items),
        sequences__txt__gz=gzip.compress(b"u1 a b 3\r\n\r\nu2 b"),
    )
    dataset = opened(packed)
    assert dataset.corpus(("title",)).texts() == ["title: Tasse à thé ☕ 茶", "title: Blue mug", "text: Plain words"]
    assert dataset.histories().items.tolist() == opened(shop).histories().items.tolist()


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ('{"id": "a", "title": "x"}\n{"id": "a", "title": "y"}\n', ":2: item id 'a' was already used in line 1"),
        ('{"id": "a", "title": "x"}\n\n{"id": 1, "title": \n', ":3: broken JSON"),
        ('{"title": "x"}\n', ":1: item without an 'id' (its keys: title)"),
        ('{"id": "a"}\n', ":1: item 'a' has no text field"),
        ('{"id": "b", "title": "x"}\n{"id": "a", "title": " ", "categories": ["X"]}\n', ":2: item 'a' has no text"),
        ('{"id": "a b", "title": "x"}\n', ':1: item id "a b" holds white space'),
        ('{"id": ["a"], "title": "x"}\n', ":1: an item id must be a string or a number"),
        ('["a"]\n', ":1: an item must be a JSON object, not list"),
        ('{"id": "a", "title": "x", "categories": {"a": 1}}\n', ":1: categories must be a path of names"),
        ('{"id": "a", "title": "\\ud800"}\n', ":1: holds half of a surrogate pair"),
        (b'{"id": "a", "title": "x"}\n{"id": "b", "title": "\xe9t\xe9"}\n', ":2: not UTF-8"),
        ("\n \n", ": empty: not one item"),
        ("", ": empty: not one item"),
    ],
)
def test_a_wrong_item_file_is_refused_with_file_line_and_reason(tmp_path, items, reason):
    message = refusal(write(tmp_path / "shop", items__jsonl=items))
    assert "items.jsonl" + reason in message and "\n" not in message
    assert not list((tmp_path / "cache").rglob("*.arrow"))


@pytest.mark.parametrize(
    ("sequences", "reason"),
    [
        ("u1 a b\nu2 a nothing b\n", ":2: user 'u2' has the item 'nothing', which is not in items"),
        ("u1 a\nu2 b\nu1 b\n", ":3: user 'u1' was already listed in line 1"),
        ("\n", ": empty: not one user"),
        (b"u1 a\nu2 \xff\n", ":2: not UTF-8"),
    ],
)
def test_a_wrong_sequence_file_is_refused_with_file_line_and_reason(shop, sequences, reason):
    assert "sequences.txt" + reason in refusal(write(shop, sequences__txt=sequences), "histories")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"qrels__txt": "q1 0 a 1\nq1 a 1\n"}, "qrels.txt:2: expected 4 columns: query 0 item grade; got 3"),
        ({"qrels__txt": "q1 0 a high\n"}, "qrels.txt:1: the grade must be a whole number, not 'high'"),
        ({"qrels__txt": "q1 0 a 1\nq1 0 a 2\n"}, "qrels.txt:2: query 'q1', item 'a' has grade 2 here, 1 in line 1"),
        ({"qrels__txt": "zzz 0 a 1\n"}, "qrels.txt: not one judgment"),
        ({"queries__tsv": "q1\tx\nq1\ty\n"}, "queries.tsv:2: query 'q1' was already given in line 1"),
        ({"queries__tsv": "q1 red mug\n"}, "queries.tsv:1: expected: query id TAB text"),
        ({"queries__tsv": "\n"}, "queries.tsv: empty: not one query"),
        ({"qrels__more__txt": "q1 0 a 1\n"}, "qrels.more.txt has no queries.more.tsv beside it"),
    ],
)
def test_wrong_query_files_are_refused_with_file_line_and_reason(shop, files, reason):
    assert reason in refusal(write(shop, **files), "queries")


def test_what_can_be_left_out_of_the_queries_is_counted(shop):
    write(
        shop,
        queries__tsv="q1\tred mug\nq2\t\nq3\tunjudged\n",
        qrels__txt="q1 0 a 1\nq1 0 gone 1\nq1 0 lost 1\nq2 0 a 1\nq9 0 a 1\nq1 0 a 1\n",
    )
    dataset = opened(shop)
    queries = dataset.queries("judged", "test")
    assert queries is not None and queries.ids == ("q1",) and queries.item_rows.tolist() == [0]
    assert queries.absent == ((0, "gone", 1), (0, "lost", 1))
    assert [warning for warning in dataset.warnings if warning[0] == "q"] == [
        "queries.tsv: 1 queries have no text; left out",
        "queries.tsv: 1 queries have no judgment in qrels.txt; left out",
        "qrels.txt: 1 unknown queries (not in queries.tsv); their judgments are left out",
        "qrels.txt: 2 judgments of items not in the data set; 2 relevant ones count as missed",
        "qrels.txt: 1 repeated judgments; left out",
    ]


def test_a_stray_item_without_text_among_many_is_kept_and_counted(tmp_path):
    rows = [{"id": str(row), **({} if row == 70 else {"title": "mug"})} for row in range(200)]
    dataset = opened(write(tmp_path / "shop", items__jsonl="\n".join(map(json.dumps, rows))))
    assert dataset.corpus().texts()[69:72] == ["mug", "", "mug"]
    assert dataset.warnings[0] == "items.jsonl: 1 items have no text (the first: '70', line 71); kept, empty"


def test_a_dry_run_refuses_the_items_that_the_run_would(tmp_path, capsys):
    rows = [{"id": f"{row:06}", **({"title": f"mug of clay w{row}"} if row % 5 else {})} for row in range(40)]
    shop = write(tmp_path / "shop", items__jsonl="\n".join(map(json.dumps, rows)))
    words = ["run", "--methods", "bm25", "--dataset", str(shop), "--tasks", "search", "--device", "cpu"]
    words += ["--runs", str(tmp_path / "runs")]
    said = []
    for more in (["--dry-run"], ["--dry-run", "--json"], []):
        assert main([*words, *more]) == 2
        said.append(capsys.readouterr().err)
    assert said[0] == said[1] == said[2]
    assert "item '000000' has no text field" in said[0] and "(8 of 40 items have none)" in said[0]
    assert "a run with --no-check keeps them, with an empty text" in said[0]
    assert main([*words, "--no-check", "--dry-run"]) == main([*words, "--no-check"]) == 0


def test_without_test_judgments_the_development_ones_are_used_under_their_own_name(shop):
    (shop / "qrels.txt").unlink()
    write(shop, qrels__dev__txt="q2 0 b 1\n", qrels__train__txt="q1 0 a 1\n")
    dataset = opened(shop)
    assert (dataset.query_sets, dataset.default_queries) == (("judged-dev", "simulated"), "judged-dev")
    test, train = dataset.queries("judged-dev", "test"), dataset.queries("judged-dev", "train")
    assert test is not None and train is not None and (test.ids, train.ids) == (("q2",), ("q1",))
    assert dataset.queries("judged-dev", "dev") is None
    assert not any(warning.startswith("q") for warning in dataset.warnings)


def test_queries_without_judgments_are_noted_by_the_check_and_below_the_tables_of_search(shop, tmp_path, capsys):
    (shop / "qrels.txt").unlink()
    said = "note: queries.tsv has no judgments (qrels.txt) beside it, so search uses simulated queries"
    assert main(["data", "check", str(shop), "--runs", str(tmp_path)]) == 0
    assert said in capsys.readouterr().out
    words = ["--methods", "bm25", "--dataset", str(shop), "--tasks", "search", "--device", "cpu"]
    assert main(["run", *words, "--runs", str(tmp_path)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert said.removeprefix("note: ") in out
    write(shop, queries__dev__tsv="q1\tmug\n", qrels__dev__txt="q1 0 a 1\n")
    dataset = opened(shop)
    dataset.counts()
    assert any(warning.endswith("beside it, so no task uses it") for warning in dataset.warnings)


def test_a_named_query_set_is_found_beside_the_judged_one(shop):
    write(shop, **{"queries__category-derived__tsv": "c1\thome\n", "qrels__category-derived__txt": "c1 0 a 1\n"})
    dataset = opened(shop)
    assert dataset.query_sets == ("judged", "category-derived", "simulated")
    queries = dataset.queries("category-derived", "test")
    assert queries is not None and queries.texts == ("home",)
    with pytest.raises(UsageError, match="Did you mean 'category-derived'"):
        dataset.queries("category_derived", "test")


def test_counts_that_differ_from_the_expected_ones_stop_unless_told_otherwise(shop):
    write(shop, dataset__toml='name = "shop"\ntitle = "Shop"\n[expect]\nitems = 4\nusers = 2\ninteractions = 4\n')
    with pytest.raises(DataError, match="items: expected 4, found 3"):
        opened(shop)
    dataset = opened(shop, check=False)
    assert dataset.title == "Shop" and dataset.warnings == [
        "counts differ from dataset.toml: items: expected 4, found 3"
    ]


def test_a_wrong_line_is_reported_before_a_wrong_count(shop):
    write(shop, dataset__toml="[expect]\nitems = 4\n", items__jsonl=ITEMS + ITEMS[: ITEMS.index("\n") + 1] * 2)
    with pytest.raises(DataError, match=r"items\.jsonl:4: item id 'a' was already used in line 1"):
        opened(shop)


def test_broken_toml_is_refused_with_its_line(shop):
    with pytest.raises(DataError, match=r"dataset\.toml.*line 2"):
        opened(write(shop, dataset__toml='name = "x"\ntitle = \n'))


def test_opening_again_reads_the_cache_and_not_the_text(shop, monkeypatch):
    first = opened(shop)
    texts, items = first.corpus().texts(), first.histories().items.tolist()

    def forbidden(*arguments: object, **options: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr("benchmark.data.items.read_items", forbidden)
    monkeypatch.setattr(layout, "read_sequences", forbidden)
    again = opened(shop)
    assert again.corpus().texts() == texts and again.histories().items.tolist() == items
    assert again.fingerprint == first.fingerprint
    assert isinstance(again.histories().items.base.base, np.memmap)  # below the view that cannot be written


def test_a_changed_file_changes_its_part_and_the_fingerprint_alone(shop):
    before = opened(shop)
    write(shop, sequences__txt="u1 a b 3\nu2 a\n")
    after = opened(shop)
    assert after.histories().items.tolist() == [0, 1, 2, 0]
    assert after.parts["items"] == before.parts["items"] and after.parts["queries"] == before.parts["queries"]
    assert after.parts["sequences"] != before.parts["sequences"] and after.fingerprint != before.fingerprint


def test_a_large_file_is_hashed_once_and_again_only_when_it_changes(shop, monkeypatch):
    monkeypatch.setattr("benchmark.data.parsed.REMEMBER_FROM", 1)
    monkeypatch.setattr("benchmark.data.parsed.SETTLED", -1.0)
    before = opened(shop).fingerprint
    opens: list[Path] = []
    open_bytes = layout.open_bytes
    monkeypatch.setattr(layout, "open_bytes", lambda path: (opens.append(path), open_bytes(path))[1])
    assert opened(shop).fingerprint == before and opens == []
    time.sleep(0.02)
    write(shop, items__jsonl=ITEMS.replace("Red", "Tan"))
    assert opened(shop).fingerprint != before and [path.name for path in opens] == ["items.jsonl"]


@pytest.mark.parametrize("content", ["", "{", '{"sha256": "0", "lines": 1, "words": 0}', "of another file"])
def test_a_damaged_memory_of_a_large_file_counts_as_absent(shop, monkeypatch, caplog, content):
    monkeypatch.setattr("benchmark.data.parsed.REMEMBER_FROM", 1)
    monkeypatch.setattr("benchmark.data.parsed.SETTLED", -1.0)
    before = opened(shop).fingerprint
    memories = sorted((shop.parent / "cache" / "data" / "facts").glob("[!.]*.json"))
    other = memories[1].read_text()
    memories[0].write_text(other if content == "of another file" else content)
    with caplog.at_level("WARNING", "benchmark"):
        assert opened(shop).fingerprint == before == opened(shop).fingerprint
    assert [str(memories[0]) in message for message in caplog.messages] == [True]


@pytest.mark.parametrize("content", ["", '{"id": "a", "title": "another"}\n'])
def test_a_damaged_set_that_was_built_is_built_again(tmp_path, caplog, content):
    spec = "planted:items=130,users=5,queries=2,train_queries=5"
    before = open_dataset(spec, cache=tmp_path)
    (before.folder / "items.jsonl").write_text(content)
    with caplog.at_level("WARNING", "benchmark"):
        assert open_dataset(spec, cache=tmp_path).fingerprint == before.fingerprint
    assert [f"{before.folder}: items.jsonl was changed" in message for message in caplog.messages] == [True]


def test_names_are_looked_up_under_the_data_root_and_misses_say_where(shop, monkeypatch):
    cache = shop.parent / "cache"
    assert open_dataset("shop", cache=cache, data_root=shop.parent).folder == shop
    monkeypatch.setenv("BENCHMARK_DATA", str(shop.parent))
    assert open_dataset("shop", cache=cache).name == "shop"
    with pytest.raises(UsageError, match=f"under the data root {shop.parent}.*Did you mean 'shop'"):
        open_dataset("shup", cache=cache)
    monkeypatch.delenv("BENCHMARK_DATA")
    monkeypatch.chdir(shop.parent)
    with pytest.raises(UsageError, match="Did you mean 'shop'"):
        open_dataset("shup", cache=cache, data_root=cache)
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset("./nowhere/shop", cache=cache)
    with pytest.raises(UsageError, match="give the folder it lies in"):
        open_dataset(str(shop / "items.jsonl"), cache=cache)
    with pytest.raises(DataError, match=r"holds no items\.jsonl"):
        open_dataset(str(shop.parent), cache=cache)
    with pytest.raises(ConfigError, match=r"planted\.item: unknown key. Did you mean 'items'"):
        open_dataset("planted:item=500", cache=cache)
    with pytest.raises(UsageError, match="should read KEY=VALUE"):
        open_dataset("planted:500", cache=cache)


def test_a_build_that_fails_leaves_nothing_and_the_next_one_is_whole(tmp_path, monkeypatch):
    class Config(MethodConfig):
        title: str = "mug"

    class Flaky(DatasetBuilder[Config]):
        name = "demo"
        fails = True

        def build(self, folder: Path) -> None:
            (folder / "items.jsonl").write_text(json.dumps({"id": "a", "title": self.config.title}))
            if Flaky.fails:
                raise KeyboardInterrupt

    monkeypatch.setattr("benchmark.data.dataset.load", lambda what, name: Flaky)
    with pytest.raises(KeyboardInterrupt):
        open_dataset("demo:title=cup", cache=tmp_path)
    assert list((tmp_path / "data").iterdir()) == []
    Flaky.fails = False
    assert open_dataset("demo:title=cup", cache=tmp_path).corpus().texts() == ["cup"]
    assert Flaky(Config(title="cup")).key() != Flaky().key()


def test_opening_a_data_set_imports_neither_arrow_nor_torch_nor_scipy(shop):
    program = (
        "import sys; from pathlib import Path; from benchmark.data.dataset import open_dataset\n"
        "open_dataset(sys.argv[1], cache=Path(sys.argv[2]))\n"
        "print(sorted({'pyarrow', 'torch', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(shop), str(shop.parent / "cache")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_wrong_training_file_is_found_though_no_test_needs_it(shop):
    for path in shop.glob("q*"):
        path.unlink()
    write(shop, queries__train__tsv="q1\tred mug\n", qrels__train__txt="q1 0 a 1\nnot judgments\n")
    with pytest.raises(DataError, match=r"qrels\.train\.txt:2"):
        opened(shop).counts()


def test_an_unknown_key_among_the_expected_counts_is_refused(shop):
    write(shop, dataset__toml="[expect]\nitem = 3\n")
    with pytest.raises(DataError, match=r"unknown key 'item'\. Did you mean 'items'"):
        opened(shop)


def test_the_tasks_that_a_set_declares_are_its_default_ones(shop):
    write(shop, dataset__toml='tasks = ["search"]\n')
    assert opened(shop).default_tasks == ("search",) and "id-quality" in opened(shop).tasks


def test_a_table_given_as_a_data_set_is_told_how_to_become_one(tmp_path: Path) -> None:
    table = tmp_path / "items.csv"
    table.write_text("id,title\na,b\n")
    with pytest.raises(UsageError, match=r"'benchmark import table .*items\.csv NAME' makes a data set"):
        open_dataset(str(table), cache=tmp_path)
