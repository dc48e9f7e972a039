"""`--ids FILE` and `export --format index-json`: other toolkits' IDs in, ours out, and the same codes both ways."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from conftest import FAST
from hypothesis import given
from hypothesis import strategies as st

from benchmark.api.run_request import RunRequest
from benchmark.cli.main import main
from benchmark.conformance import check_method, small_corpus
from benchmark.errors import ConfigError, DataError
from benchmark.methods.ids_file import IdsFileConfig
from benchmark.results.id_files import index_json, label_of, read_ids
from benchmark.results.result_files import read_result
from benchmark.running.cells import Cell
from benchmark.types.codes import Codes

pytestmark = pytest.mark.usefixtures("small_encoder")

SMALL = ["--set", "rqkmeans.codebook_size=8", "--set", "rqkmeans.levels=2"]


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def make(content: object, name: str = "other.index.json") -> Path:
        path = tmp_path / name
        match content:
            case bytes():
                path.write_bytes(content)
            case str():
                path.write_text(content)
            case _:
                path.write_text(json.dumps(content))
        return path

    return make


def run(shop: Path, runs: Path, *words: str) -> int:
    return main(["run", "--dataset", str(shop), "--runs", str(runs), "--device", "cpu", *words])


def ids_of(runs: Path, label: str) -> list[Path]:
    return sorted(runs.glob(f"*/{label}/*/seed-0/ids.tsv"))


# The forms


def test_letters_tell_the_positions_also_where_an_id_is_shorter_or_has_a_gap(file: Callable[..., Path]) -> None:
    content = {"x": ["<a_12>", "<b_7>", "<c_0>", "<d_1>"], "y": ["<a_3>", "<b_7>"], "z": ["<a_0>", "<b_1>", "<d_0>"]}
    codes, notes = read_ids(file(content), ["z", "x", "y"])
    assert codes.values.tolist() == [[0, 1, -1, 0], [12, 7, 0, 1], [3, 7, -1, -1]]
    assert codes.sizes == (13, 8, 1, 2)
    assert notes == [
        "2-4 codes per item, codebooks of 13, 8, 1, 2 codes as far as the file tells; "
        "no two IDs are equal, so a token that tells equal ones apart may be among them"
    ]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"x": [5, 0], "y": [2, 1]}, "a.json"),
        ("x\t5-0\r\n\r\ny\t2-1\r\n", "a.tsv"),
        (b'\xef\xbb\xbf{"y": ["<a_2>", "<b_1>"], "x": ["<a_5>", "<b_0>"]}', "a.index.json"),
    ],
)
def test_all_forms_say_the_same(file: Callable[..., Path], content: object, name: str) -> None:
    codes, _ = read_ids(file(content, name), ["x", "y"])
    assert codes.values.tolist() == [[5, 0], [2, 1]]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({"x": "5,0,3", "y": "2, 1, 0"}, "a.json"),
        ({"x": "5-0-3", "y": "2 1 0"}, "a.json"),
        ({"x": "<a_5><b_0><c_3>", "y": "<a_2><b_1><c_0>"}, "a.json"),
        ({"x": "<s_a_5><s_b_0><s_c_3>", "y": "<s_a_2> <s_b_1> <s_c_0>"}, "a.index.json"),
        ({"x": ["<s_a_5>", "<s_b_0>", "<s_c_3>"], "y": ["<a_2>", "<b_1>", "<c_0>"]}, "a.index.json"),
        ("x\t5,0,3\ny\t2, 1, 0\n", "a.tsv"),
        ("y\t<a_2><b_1><c_0>\nx\t<a_5><b_0><c_3>\n", "a.tsv"),
    ],
)
def test_one_text_of_all_codes_is_read_as_their_list(file: Callable[..., Path], content: object, name: str) -> None:
    codes, _ = read_ids(file(content, name), ["x", "y"])
    assert codes.values.tolist() == [[5, 0, 3], [2, 1, 0]]


def test_joined_tokens_keep_the_positions_of_their_letters(file: Callable[..., Path]) -> None:
    codes, _ = read_ids(file({"x": "<a_1><c_2>", "y": "<a_3><b_4><c_5>"}), ["x", "y"])
    assert codes.values.tolist() == [[1, -1, 2], [3, 4, 5]]


def test_numeric_ids_are_ids_and_not_row_numbers(file: Callable[..., Path]) -> None:
    codes, notes = read_ids(file({"0": [7], "1": [8], "2": [9]}), ["2", "1", "0"])
    assert codes.values.tolist() == [[9], [8], [7]]
    assert "row numbers" not in "".join(notes)


CODES = st.integers(1, 4).flatmap(
    lambda length: st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=length), min_size=1, max_size=12)
)


@given(rows=CODES, counter=st.booleans())
def test_what_is_exported_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[int]], counter: bool
) -> None:
    """Codes of any lengths, without and with the dedup counter, which keeps its own position behind a shorter ID."""
    length = max(map(len, rows))
    values = np.full((len(rows), length), -1, np.int32)
    for row, codes in enumerate(rows):
        values[row, : len(codes)] = codes
    original = Codes(values, tuple(int(size) for size in values.max(axis=0) + 1))
    original = original.with_counter() if counter else original
    lines = "".join(
        f"i{row}\t{'-'.join(str(code) for code in codes if code >= 0)}\n"
        for row, codes in enumerate(original.values.tolist())
    )
    path = tmp_path_factory.mktemp("ids") / "ours.index.json"
    path.write_text(index_json(lines, counter=counter))
    read, _ = read_ids(path, [f"i{row}" for row in range(len(rows))])
    assert read.values.tolist() == original.values.tolist()
    assert read.sizes == original.sizes


@pytest.mark.parametrize(
    ("name", "label"),
    [("Beauty.index.json", "Beauty"), ("my ids.v2.tsv", "my-ids-v2"), ("x.json", "x"), ("...json", "ids-file")],
)
def test_a_files_name_is_its_label(name: str, label: str) -> None:
    assert label_of(Path("folder") / name) == label


def test_the_configuration_knows_the_content_and_not_the_place(file: Callable[..., Path]) -> None:
    one, same, other = (
        IdsFileConfig(path=str(file({"x": [code]}, name))).model_dump()
        for name, code in (("1.json", 1), ("2.json", 1), ("3.json", 2))
    )
    assert one == same != other
    assert set(one) == {"content", "counted"}


def test_a_file_of_ids_keeps_the_contract_of_a_method(file: Callable[..., Path]) -> None:
    ids = small_corpus().ids
    check_method("ids-file", path=str(file({item: [row % 4, row % 3] for row, item in enumerate(ids)})))


# What is wrong


WRONG = [
    ("", ":1: broken JSON"),
    ("{}", "holds not one ID"),
    ("[]", "not a list"),
    ('{"x": [1],\n"y": [1', ":2: broken JSON"),
    ('{"x": [1], "x": [2]}', "the key 'x' stands twice"),
    ('{"x": [], "y": [1]}', "item 'x': expected a list of codes, or a text such as 12,7,3; got []"),
    ('{"x": "1;2", "y": [1]}', "item 'x': expected a list of codes, or a text such as 12,7,3; got \"1;2\""),
    ('{"x": "1,-2", "y": [1]}', "item 'x': expected a list of codes, or a text"),
    ('{"x": "<a_1><b_2", "y": ["<a_1>"]}', "item 'x': expected a list of codes, or a text"),
    ('{"x": "<a_1><a_2>", "y": ["<a_1>"]}', "item 'x': <a_2> stands behind a token of the same"),
    ('{"x": "1,2", "y": "<a_1><b_2>"}', "item 'x': expected tokens such as <a_12>, got 1"),
    ('{"x": [true], "y": [1]}', "item 'x': expected tokens such as <a_12> or whole numbers, got true"),
    ('{"x": [-1], "y": [1]}', "item 'x': code -1 lies outside 0 .. 999,999"),
    ('{"x": [1000000], "y": [1]}', "code 1000000 lies outside"),
    ('{"x": ["<a_1>", "<a_2>"], "y": ["<a_1>"]}', "item 'x': <a_2> stands behind a token of the same"),
    ('{"x": ["<b_1>", "<a_2>"], "y": ["<a_1>"]}', "item 'x': <a_2> stands behind a token of the same or a later"),
    ('{"x": ["<b_1>"], "y": ["<a_1>"]}', "item 'x': has no code at the first position (<b_1> comes first)"),
    ('{"x": ["<a_1>", 2], "y": ["<a_1>"]}', "item 'x': expected tokens such as <a_12>, got 2"),
    ('{"x": ["<A_1>"], "y": ["<a_1>"]}', 'expected tokens such as <a_12>, got "<A_1>"'),
    ('{"x": [1]}', "1 items have no ID, e.g. 'y'. It must name the data set's 2 items"),
    ('{"x": [1], "y": [1], "q": [2], "r": [2]}', "2 IDs belong to no item, e.g. 'q'"),
    ('{"3": [1], "4": [1]}', "its 2 keys are neither item ids (key '3', item id 'x') nor row numbers of 2 items"),
    ('{"0": [1]}', "nor row numbers of 2 items"),
    (b'{"x": [1],\n"\xe9": [1]}', ":2: not UTF-8"),
    ("[" * 100_000, "broken JSON"),
]


@pytest.mark.parametrize(("content", "message"), WRONG)
def test_a_wrong_json_file_gets_one_clear_error(file: Callable[..., Path], content: str | bytes, message: str) -> None:
    path = file(content)
    with pytest.raises((DataError, ConfigError)) as error:
        read_ids(path, ["x", "y"])
    assert str(error.value).startswith(str(path)) and message in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x 1-2\n", ":1: expected item TAB 12-7-3 or item TAB <a_12><b_7>, got 'x 1-2'"),
        ("x\t1-2\ny\t1-\n", ":2: expected item TAB"),
        ("x\t1\nx\t2\n", ":2: the item 'x' was already given"),
        ("x\t1\0\n", ":1: expected item TAB"),
        ("x\t1\ny\t9999999\n", ":2: code 9999999 lies outside"),
    ],
)
def test_a_wrong_table_gets_the_line(file: Callable[..., Path], content: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        read_ids(file(content, "other.tsv"), ["x", "y"])
    assert message in str(error.value)


# The command line


@pytest.fixture(scope="module")
def ours(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Results of rqkmeans and its IDs as an .index.json."""
    runs = tmp_path_factory.mktemp("runs")
    assert run(shop, runs, "--methods", "rqkmeans", "--tasks", "id-quality", *SMALL, *FAST) == 0
    (cell,) = (path.parent for path in ids_of(runs, "rqkmeans"))
    exported = runs / "theirs.index.json"
    assert main(["export", str(cell), "--format", "index-json", "--out", str(exported)]) == 0
    return runs, exported


def test_exported_ids_come_back_unchanged_and_score_the_same(shop: Path, ours: tuple[Path, Path]) -> None:
    runs, exported = ours
    tasks = ["--tasks", "id-quality,recommendation", *FAST]
    assert run(shop, runs, "--methods", "rqkmeans", "--ids", str(exported), *tasks, *SMALL) == 0
    (before,), (after,) = ids_of(runs, "rqkmeans"), ids_of(runs, "theirs")
    assert after.read_bytes() == before.read_bytes()
    ours_result, theirs = (read_result(path.parent / "result.json") for path in (before, after))
    assert theirs.metrics == ours_result.metrics
    assert set(theirs.metrics) == {"id-quality", "recommendation"}


def test_what_was_guessed_about_a_file_stands_below_the_tables_that_show_its_row(
    shop: Path, tmp_path: Path, file: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file({str(row): [row % 5, row % 7] for row in range(60)})
    words = ["--methods", "random", "--ids", str(path), "--ids-order", "items", "--tasks", "id-quality"]
    assert run(shop, tmp_path / "runs", *words) == 0
    capsys.readouterr()
    assert main(["report", "--runs", str(tmp_path / "runs"), "--tables", "id-quality", "--format", "md"]) == 0
    report = capsys.readouterr().out
    assert "- other: its keys are row numbers from 0 on; they count the lines of items.jsonl" in report
    assert "- other: 2 codes per item, codebooks of 5, 7 codes as far" in report
    assert "25 items repeat an ID" in report


def test_a_changed_file_is_a_new_cell_and_a_moved_one_is_not(
    shop: Path, tmp_path: Path, file: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--tasks", "id-quality"]
    content = {f"i{row:02}": [row % 5, row] for row in range(60)}
    path = file(content)
    assert run(shop, tmp_path / "runs", "--ids", str(path), *words) == 0
    moved = path.rename(tmp_path / "elsewhere.json")
    capsys.readouterr()
    assert run(shop, tmp_path / "runs", "--ids", f"other={moved}", *words, "--dry-run") == 0
    assert "0 of 1 cells to compute" in capsys.readouterr().out
    moved.write_text(json.dumps(content | {"i00": [4, 0]}))
    assert run(shop, tmp_path / "runs", "--ids", f"other={moved}", *words) == 0
    assert [found.read_text().split()[1] for found in ids_of(tmp_path / "runs", "other")].count("4-0") == 1


def test_first_seen_needs_histories(
    shop: Path, tmp_path: Path, file: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file({str(row): [row % 5, row] for row in range(60)})
    silent = copytree(shop, tmp_path / "silent")
    (silent / "sequences.txt").unlink()
    assert (
        run(silent, tmp_path / "runs", "--ids", str(path), "--ids-order", "first-seen", "--no-check", "--dry-run") == 2
    )
    assert "--ids-order first-seen: the data set 'shop' has no sequences.txt" in capsys.readouterr().err


def test_several_files_need_labels_of_their_own(
    shop: Path, tmp_path: Path, file: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "b").mkdir()
    content = {f"i{row:02}": [row] for row in range(60)}
    one, two = file(content), file(content, "b/other.index.json")
    assert run(shop, tmp_path / "runs", "--ids", str(one), "--ids", str(two), "--dry-run") == 2
    assert "two files have the label 'other'; write --ids LABEL=FILE" in capsys.readouterr().err
    assert run(shop, tmp_path / "runs", "--ids", str(one), "--ids", f"b={two}", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "other, id-quality" in out and "b, id-quality" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ids", "nowhere.json"], "benchmark: nowhere: --ids nowhere.json: No such file or directory\n"),
        ([], "name methods with --methods, files of IDs with --ids, or rankings with --run-file"),
        (["--methods", "random", "--ids-order", "items"], "--ids-order goes with --ids"),
    ],
)
def test_misuse_gets_one_line(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert run(shop, tmp_path / "runs", *words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize("dry", [["--dry-run"], []])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({f"i{row:02}": [row] for row in range(59)}, "1 items have no ID, e.g. 'i59'"),
        ({str(row + 1): f"{row},1" for row in range(60)}, "its keys are row numbers from 1 on"),
        ('{"i00": [1],\n', ":2: broken JSON"),
    ],
)
def test_ids_that_cannot_be_used_are_refused_before_anything_is_computed(
    shop: Path, tmp_path: Path, file: Callable[..., Path], capsys: pytest.CaptureFixture[str],
    content: object, message: str, dry: list[str],
) -> None:  # fmt: skip
    words = ["--methods", "random", "--ids", str(file(content)), "--tasks", "id-quality", *dry]
    assert run(shop, tmp_path / "runs", *words) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not ids_of(tmp_path / "runs", "random")


def test_only_a_method_that_checks_the_items_has_its_results_read_for_the_plan(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(Cell, "done", lambda cell: asked.append(cell.variant.label) or True)
    items = [json.loads(line)["id"] for line in (shop / "items.jsonl").read_text().splitlines()]
    (tmp_path / "mine.json").write_text(json.dumps({item: [row] for row, item in enumerate(items)}))
    request = RunRequest(
        str(shop), methods=["popularity", "random"], ids={"mine": str(tmp_path / "mine.json")}, runs=tmp_path / "runs"
    )
    request.plan()
    assert set(asked) == {"mine"}


def test_a_file_of_another_kind_is_told_which_are_read(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "ids.csv"
    table.write_text("item,codes\ni00,1-2\n")
    assert run(shop, tmp_path / "runs", "--ids", str(table), "--tasks", "id-quality") == 2
    assert "IDs are read from .json, .index.json, .jsonl, .tsv (item TAB 12-7-3)" in capsys.readouterr().err
