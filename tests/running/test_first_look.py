"""A first look ranks few of the same users and queries with the same models, and is never mixed with whole runs."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import FAST
from hypothesis import given
from hypothesis import strategies as st

from benchmark.cli.main import main
from benchmark.metrics.ranking import read_scores
from benchmark.results.registered_tables import fill_tables
from benchmark.results.result_files import load_results
from benchmark.running.first_look import chosen_queries, drawn
from benchmark.types.data import QuerySet
from benchmark.types.trec import read_qrels

LIMIT = 5
METHODS = "random,popularity,bm25"


def words(shop: Path, runs: Path, *more: str) -> list[str]:
    words = ["run", "--dataset", str(shop), "--methods", METHODS, "--runs", str(runs), "--device", "cpu"]
    return [*words, "--preset", "tiny", "--set", "random.codebook_size=8", *FAST, *more]


@pytest.fixture(scope="module")
def runs(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run and a first look in one folder."""
    runs = tmp_path_factory.mktemp("runs")
    assert main(words(shop, runs)) == 0
    (runs / "trained").write_text("\n".join(stages(runs)))
    assert main(words(shop, runs, "--limit", str(LIMIT))) == 0
    return runs


def stages(runs: Path) -> list[str]:
    return sorted(f"{path.parent.name}/{path.name}" for path in runs.glob(".cache/*/*") if path.is_dir())


def contents(runs: Path) -> dict[tuple[str, bool], tuple[Path, dict]]:
    found = {}
    for path in runs.glob("*/*/*/seed-0/result.json"):
        content = json.loads(path.read_text())
        found[content["label"], "first_look" in content["config"]["protocol"]] = path.parent, content
    return found


@pytest.mark.parametrize(("label", "task"), [("random", "recommendation"), ("random", "search"),
                                             ("popularity", "recommendation"), ("bm25", "search")])  # fmt: skip
def test_every_user_and_query_of_it_has_the_values_of_the_whole_run(runs: Path, label: str, task: str) -> None:
    found = contents(runs)
    look, whole = (read_scores(found[label, limited][0] / f"scores.{task}.tsv") for limited in (True, False))
    assert len(look.query_ids) == LIMIT < len(whole.query_ids)
    rows = [whole.query_ids.index(name) for name in look.query_ids]
    for measure, values in look.per_query.items():
        np.testing.assert_allclose(values, whole.per_query[measure][rows], err_msg=measure)
    metrics = found[label, True][1]["metrics"][task]
    assert metrics["R@10"] == pytest.approx(np.mean(look.per_query["R@10"]))
    judged = {query for query, _, _ in read_qrels(found[label, True][0] / f"qrels.{task}.txt")}
    assert judged == set(look.query_ids)


def test_methods_have_the_same_users_and_the_quality_of_ids_is_that_of_all_items(runs: Path) -> None:
    found = contents(runs)
    users = [
        read_scores(found[label, True][0] / "scores.recommendation.tsv").query_ids for label in ("random", "popularity")
    ]
    assert users[0] == users[1]
    (_, look), (_, whole) = found["random", True], found["random", False]
    assert look["metrics"]["id-quality"] == whole["metrics"]["id-quality"]
    counts = look["counts"]["recommendation"], whole["counts"]["recommendation"]
    assert counts[0]["users"] == LIMIT and counts[0]["training_events"] == counts[1]["training_events"]


def test_nothing_is_learned_anew_but_by_what_learns_and_ranks_in_one(runs: Path) -> None:
    before = set((runs / "trained").read_text().split())
    new = sorted(stage.partition("/")[0] for stage in stages(runs) if stage not in before)
    assert new == ["rank.recommendation"] * 2 + ["rank.search"] * 2


def test_no_table_has_rows_of_both(runs: Path) -> None:
    tables = fill_tables(load_results(runs))
    kinds = [
        {"first_look" in result.config["protocol"] for row in filled.rows for result in row.results}
        for filled in tables
    ]
    assert all(len(kind) == 1 for kind in kinds) and {True} in kinds and {False} in kinds
    for filled, kind in zip(tables, kinds, strict=True):
        said = f"first look: at most {LIMIT} users and queries"
        assert (said in filled.caption) == (kind == {True})


def test_whole_runs_are_compared_where_both_are_there(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "random", "popularity", "--task", "recommendation", "--runs", str(runs)]
    assert main(words) == 0
    assert "30 users" in " ".join(capsys.readouterr().out.split())


def test_both_are_verified(runs: Path) -> None:
    assert main(["verify", str(runs)]) == 0


@pytest.mark.parametrize("limit", ["0", "-3"])
def test_a_limit_below_one_is_refused(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: str
) -> None:
    assert main(words(shop, tmp_path, "--limit", limit)) == 2
    assert f"--limit {limit}: at least one user and query" in capsys.readouterr().err


@given(st.integers(0, 60), st.integers(1, 70), st.integers(1, 70))
def test_a_larger_limit_holds_the_smaller_one(n: int, one: int, other: int) -> None:
    small, large = drawn(n, min(one, other)).tolist(), drawn(n, max(one, other)).tolist()
    assert set(small) <= set(large) <= set(range(n)) and len(large) == min(n, max(one, other))
    assert large == sorted(large)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 2)), max_size=12),
    st.sets(st.integers(0, 4)),
)
def test_chosen_queries_keep_their_judgments(judgments: list[tuple[int, int, int]], rows: set[int]) -> None:
    columns = np.array(judgments, np.int32).reshape(-1, 3).T
    whole = QuerySet("judged", tuple("abcde"), tuple("ABCDE"), *columns)
    found = chosen_queries(whole, np.array(sorted(rows), np.int64))
    named = [
        (found.ids[q], item, grade)
        for q, item, grade in zip(found.query_rows, found.item_rows, found.grades, strict=True)
    ]
    assert named == [("abcde"[q], item, grade) for q, item, grade in judgments if q in rows]
    assert [text.lower() for text in found.texts] == list(found.ids) == ["abcde"[row] for row in sorted(rows)]
