"""`benchmark score`: the numbers are those of ir_measures on the files; pairs are counted and tested by query."""

import json
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
import pytest
from scipy import stats

from benchmark.api.score import score
from benchmark.cli.main import main

NAMES = ("nDCG@10", "R@10", "RR@10", "AP")
N = 60


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Judgments of 60 queries and three runs, each of which answers fewer; one as CSV, in no order."""
    rng = np.random.default_rng(0)
    judged = {f"q{q}": rng.choice(40, 4, replace=False) for q in range(N)}
    lines = [f"{query} 0 i{item} {grade}\n" for query, items in judged.items() for grade, item in enumerate(items)]
    (tmp_path / "qrels.txt").write_text("".join(lines))
    for name, skill in (("good", 3.0), ("fair", 2.0), ("fair-again", 2.0)):
        rows = []
        for query, items in list(judged.items())[:55]:
            scores = rng.normal(size=40) + skill * np.isin(np.arange(40), items[1:])
            rows += [(query, f"i{item}", scores[item]) for item in np.argsort(-scores)[:20]]
        rows.append(("unjudged", "i1", 1.0))
        text = "".join(f"{query} Q0 {item} 1 {value} {name}\n" for query, item, value in rows)
        (tmp_path / f"{name}.trec").write_text(text)
        shuffled = (",".join(map(str, rows[row])) + "\n" for row in rng.permutation(len(rows)))
        (tmp_path / f"{name}.csv").write_text("query,item,score\n" + "".join(shuffled))
    return tmp_path


def by_ir_measures(folder: Path, name: str, measure: str) -> dict[str, float]:
    """Return the value of every judged query, 0 where the run has none."""
    qrels = list(ir_measures.read_trec_qrels(str(folder / "qrels.txt")))
    run = list(ir_measures.read_trec_run(str(folder / f"{name}.trec")))
    found = {q.query_id: 0.0 for q in qrels}
    found |= {m.query_id: m.value for m in ir_measures.iter_calc([ir_measures.parse_measure(measure)], qrels, run)}
    return found


def test_means_differences_and_counts_are_those_of_the_values_per_query(files: Path) -> None:
    found = score(files / "qrels.txt", {"good": files / "good.trec", "fair": files / "fair.csv"})
    (compared,) = found.comparisons[0].tasks
    assert found.queries == N and tuple(found.means["good"]) == NAMES
    for one in compared.metrics:
        values = [by_ir_measures(files, name, one.measure) for name in ("good", "fair")]
        a, b = (np.array([of[f"q{q}"] for q in range(N)]) for of in values)
        assert found.means["good"][one.measure][0] == pytest.approx(a.mean())
        assert found.means["fair"][one.measure][0] == pytest.approx(b.mean())
        assert (one.a, one.b, one.difference) == pytest.approx((a.mean(), b.mean(), (a - b).mean()))
        assert (one.wins, one.losses) == (int((a > b + 1e-9).sum()), int((b > a + 1e-9).sum()))
        test = stats.permutation_test(
            (a, b), lambda x, y, axis: (x - y).mean(axis), permutation_type="samples", vectorized=True, rng=0
        )
        assert one.p == pytest.approx(test.pvalue, abs=0.03) and one.low < one.difference < one.high


def test_a_ranking_as_csv_is_the_same_ranking(files: Path) -> None:
    by_form = [score(files / "qrels.txt", {"x": files / f"fair.{form}"}).means["x"] for form in ("trec", "csv")]
    assert by_form[0] == by_form[1]


def test_the_command_prints_notes_and_one_sentence_per_pair(files: Path, capsys: Any) -> None:
    words = [str(files / "qrels.txt"), f"best={files / 'good.trec'}", str(files / "fair.trec")]
    assert main(["score", *words]) == 0
    text = capsys.readouterr().out
    assert "60 judged queries; the interval is of the mean over queries." in text
    assert "good.trec: 5 judged queries are not in it and count 0." in text
    assert "good.trec: 1 queries have no judgments and do not count." in text
    assert "qrels.txt: A = best, B = fair" in text and "best is better than fair in" in text
    assert main(["score", *words, "--json", "--metrics", "P@5"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["runs"]["best"]) == ["P@5"] and found["comparisons"][0]["metrics"][0]["wins"] > 0


def test_files_of_several_seeds_are_one_row_with_an_interval_over_both(files: Path) -> None:
    for seed, name in enumerate(("fair", "fair-again")):
        (files / f"fair-{seed}.run").write_text((files / f"{name}.trec").read_text())
    found = score(files / "qrels.txt", [str(files / "good.trec"), f"fair={files / 'fair-{seed}.run'}"])
    assert found.seeds == {"good": 1, "fair": 2}
    means = [np.mean(list(by_ir_measures(files, name, "AP").values())) for name in ("fair", "fair-again")]
    assert found.means["fair"]["AP"][0] == pytest.approx(np.mean(means))
    assert "over queries and seeds" in str(found)


@pytest.mark.parametrize(
    ("run", "code", "says"),
    [
        ("none.trec", 2, "none.trec: no such file"), ("other.trec", 2, "none of its 1 queries is among the 60 judged"),
        ("broken.trec", 2, "broken.trec:1: expected 'query Q0 item rank score tag', found 2 columns"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_named(files: Path, capsys: Any, run: str, code: int, says: str) -> None:
    (files / "other.trec").write_text("elsewhere Q0 i1 1 1.0 x\n")
    (files / "broken.trec").write_text("q1 i1\n")
    assert main(["score", str(files / "qrels.txt"), str(files / run)]) == code
    assert says in capsys.readouterr().err


def test_misuse_is_explained(files: Path, capsys: Any) -> None:
    run = str(files / "good.trec")
    assert main(["score", str(files / "qrels.txt"), run, "--metrics", "nDCG@ten"]) == 2
    assert main(["score", str(files / "qrels.txt"), run, run]) == 2
    assert "have the label 'good'" in capsys.readouterr().err
    assert main(["score", str(files / "nothing.txt"), run]) == 2
    (files / "empty.txt").write_text("")
    assert main(["score", str(files / "empty.txt"), run]) == 2
    assert "empty.txt: it holds no judgments" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("form", "unread"), [("trec", "the rank column is not read, as in trec_eval, and "), ("csv", "")]
)
def test_rankings_with_one_score_for_all_items_are_noted(tmp_path: Path, form: str, unread: str) -> None:
    (tmp_path / "qrels.txt").write_text("q1 0 a 1\nq2 0 a 1\nq3 0 a 1\n")
    lines = [
        ("q1", "a", 1),
        ("q1", "b", 1),
        ("q2", "a", 2),
        ("q2", "b", 1),
        ("q3", "a", 0),
        ("q4", "a", 0),
        ("q4", "b", 0),
    ]
    text = [f"{q} Q0 {item} {row} {value} x\n" if form == "trec" else f"{q},{item},{value}\n"
            for row, (q, item, value) in enumerate(lines)]  # fmt: skip
    (tmp_path / f"run.{form}").write_text("".join(text))
    found = score(tmp_path / "qrels.txt", [tmp_path / f"run.{form}"], metrics="RR")
    said = f"1 queries have one score for all their items: {unread}the order is that of the item ids, descending."
    assert f"run.{form}: {said}" in found.notes and said in str(found)
    assert found.means["run"]["RR"][0] == pytest.approx((1 / 2 + 1 + 1) / 3)
