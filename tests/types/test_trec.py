"""TREC files: what is written is read back exactly, in the order that every evaluation tool uses."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchmarkError, DataError
from benchmark.types.rankings import Rankings
from benchmark.types.trec import ranking_files, read_qrels, read_run, write_qrels, write_run

IDS = ["a", "b", "c", "d"]


def rankings(items, scores):
    return Rankings(np.array(items, np.int32), np.array(scores, np.float32))


def columns(path):
    return [line.split(" ") for line in path.read_text("utf-8").splitlines()]


def test_a_run_has_six_columns_and_ranks_from_one(tmp_path):
    path = tmp_path / "new" / "run.trec"
    write_run(path, ["q1", "q2"], IDS, rankings([[2, 0, -1], [1, -1, -1]], [[0.5, 0.25, 0], [3, 0, 0]]), "mine")
    assert columns(path) == [
        ["q1", "Q0", "c", "1", "0.5", "mine"],
        ["q1", "Q0", "a", "2", "0.25", "mine"],
        ["q2", "Q0", "b", "1", "3", "mine"],
    ]
    assert read_run(path) == {"q1": {"c": 0.5, "a": 0.25}, "q2": {"b": 3.0}}


def test_ties_stand_by_item_id_descending_one_float_step_apart(tmp_path):
    path = tmp_path / "run.trec"
    write_run(path, ["q"], IDS, rankings([[0, 2, 1, 3]], [[1, 1, 1, 2]]), "mine")
    assert [row[2] for row in columns(path)] == ["d", "c", "b", "a"]
    scores = [np.float32(row[4]) for row in columns(path)]
    assert scores[:2] == [2, 1]
    assert scores[2] == np.nextafter(np.float32(1), np.float32(0))
    assert scores[3] == np.nextafter(scores[2], np.float32(0))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=12, unique=True))
def test_distinct_float32_scores_survive_the_file(tmp_path_factory, scores):
    path = tmp_path_factory.mktemp("run") / "run.trec"
    ids = [f"i{row}" for row in range(len(scores))]
    write_run(path, ["q"], ids, rankings([range(len(scores))], [scores]), "t")
    assert {item: np.float32(score) for item, score in read_run(path)["q"].items()} == {
        item: np.float32(score) for item, score in zip(ids, scores, strict=True)
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=1, max_size=10), st.randoms())
def test_every_tool_reads_the_written_order(tmp_path_factory, scores, random):
    path = tmp_path_factory.mktemp("run") / "run.trec"
    ids = [f"i{row}" for row in range(len(scores))]
    random.shuffle(ids)
    write_run(path, ["q"], ids, rankings([range(len(scores))], [scores]), "t")
    written = [(row[2], float(np.float32(row[4]))) for row in columns(path)]
    assert [item for item, _ in written] == [
        item for item, _ in sorted(zip(ids, scores, strict=True), key=lambda pair: (pair[1], pair[0]), reverse=True)
    ]
    assert all(left[1] > right[1] for left, right in pairwise(written))


def test_a_foreign_run_is_read_in_trec_evals_order(tmp_path):
    path = tmp_path / "run.trec"
    path.write_text("q Q0 a 1 1.0 t\nq Q0 b 2 2.0 t\n\nq Q0 c 3 1.0 t\n")
    assert list(read_run(path)["q"]) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("items", "scores", "reason"),
    [
        ([[0, 0]], [[2, 1]], "names an item twice"),
        ([[0, 1]], [[2, np.nan]], "not a finite number"),
        ([[0, 4]], [[2, 1]], "item 4 of only 4"),
        ([[0, 1], [0, 1]], [[2, 1], [2, 1]], "1 query ids but 2 rankings"),
    ],
)
def test_a_broken_ranking_is_refused_and_leaves_no_file(tmp_path, items, scores, reason):
    with pytest.raises(BenchmarkError, match=reason):
        write_run(tmp_path / "run.trec", ["q"], IDS, rankings(items, scores), "t")
    assert list(tmp_path.iterdir()) == []


def test_ids_with_spaces_are_refused(tmp_path):
    with pytest.raises(BenchmarkError, match="item id 'a b'"):
        write_run(tmp_path / "run.trec", ["q"], ["a b"], rankings([[0]], [[1]]), "t")
    with pytest.raises(BenchmarkError, match="query id ''"):
        write_run(tmp_path / "run.trec", [""], ["a"], rankings([[0]], [[1]]), "t")


def test_an_interrupted_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "run.trec"
    path.write_text("old")
    with pytest.raises(BenchmarkError):
        write_run(path, ["q", "r"], IDS, rankings([[0], [1]], [[1], [np.inf]]), "t")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("q Q0 a 1 1.0\n", ":1: expected 'query Q0 item rank score tag'"),
        ("q Q0 a 1 1.0 t\nq Q0 b 2 high t\n", ":2: the score 'high'"),
        ("q Q0 a 1 1.0 t\nq Q0 a 2 0.5 t\n", ":2: item 'a' stands twice"),
    ],
)
def test_a_wrong_run_file_is_named_with_line_and_reason(tmp_path, text, reason):
    path = tmp_path / "run.trec"
    path.write_text(text)
    with pytest.raises(DataError, match=reason):
        read_run(path)


def test_qrels_survive_the_file(tmp_path):
    qrels = [("q1", "a", 3), ("q1", "ü-好", 0), ("q2", "a", -1)]
    write_qrels(tmp_path / "qrels.txt", qrels)
    assert read_qrels(tmp_path / "qrels.txt") == qrels


def test_a_pair_judged_twice_must_agree(tmp_path):
    path = tmp_path / "qrels.txt"
    path.write_text("q 0 a 1\nq\t0\ta\t1\n")
    assert read_qrels(path) == [("q", "a", 1)]
    path.write_text("q 0 a 1\nq 0 a 2\n")
    with pytest.raises(DataError, match=":2: 'q' and 'a' were judged 1 before"):
        read_qrels(path)
    path.write_text("q 0 a good\n")
    with pytest.raises(DataError, match=":1: the grade 'good'"):
        read_qrels(path)


def test_a_mark_at_the_beginning_is_no_part_of_the_first_query(tmp_path):
    (tmp_path / "q.txt").write_bytes(b"\xef\xbb\xbfq1 0 a 1\nq2 0 b 1\n")
    (tmp_path / "r.trec").write_bytes(b"\xef\xbb\xbfq1 Q0 a 1 1.0 t\n")
    assert read_qrels(tmp_path / "q.txt") == [("q1", "a", 1), ("q2", "b", 1)]
    assert read_run(tmp_path / "r.trec") == {"q1": {"a": 1.0}}


def test_a_seed_in_a_name_is_a_whole_number(tmp_path):
    """Another system's file, whose name only begins alike, is no seed of this one."""
    for name in ("m[1]-0.trec", "m[1]-10.trec", "m[1]-2.trec", "m[1]-tuned-0.trec", "m[1]-x.trec", "m1-3.trec"):
        (tmp_path / name).write_text("q Q0 a 1 1.0 t\n")
    found = ranking_files(tmp_path / "m[1]-{seed}.trec")
    assert [file.name for file in found] == ["m[1]-0.trec", "m[1]-2.trec", "m[1]-10.trec"]
    for missing in ("m-{seed}.trec", "none/m-{seed}.trec", "m-0.trec"):
        with pytest.raises(DataError, match="no such file"):
            ranking_files(tmp_path / missing)
