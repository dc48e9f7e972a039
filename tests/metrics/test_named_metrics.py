"""Metrics by their ir-measures name: which names are taken, and what they are called in tables."""

import pytest

from benchmark.errors import UsageError
from benchmark.metrics.lookup import find_metric
from benchmark.metrics.named import asked_names, named_metric, stored_names
from benchmark.metrics.ranking import score_run
from benchmark.types.trec import read_qrels


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("nDCG@20 P@5", ("P@5", "nDCG@20")),
        ("P@10,P@5, P@5", ("P@5", "P@10")),
        ("MRR@5 NDCG@20 MAP Precision@5", ("AP", "P@5", "RR@5", "nDCG@20")),
        ("P(rel=1)@5", ("P@5",)),
        ("P(rel=2)@5 nDCG(gains={1: 3, 2: 7})@5", ("P(rel=2)@5", "nDCG(gains={1:3,2:7})@5")),
        (["P@5", "Success@1"], ("P@5", "Success@1")),
        ("R@10 nDCG@10", ()),
        ("", ()),
    ],
)
def test_names_come_in_the_spelling_of_ir_measures_once_and_without_those_of_every_task(
    text: str | list[str], names: tuple[str, ...]
) -> None:
    assert asked_names(text, depth=20) == names


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("foo", "ir-measures has no such measure. Known: AP"),
        ("nDGC@5", "Did you mean 'nDCG'"),
        ("P", "P needs other parameters"),
        ("P@x", "P needs other parameters"),
        ("P(depth=3)@5", "P needs other parameters"),
        ("P@21", "rankings are 20 items deep; write a cut-off from 1 to 20"),
        ("P@0", "a cut-off from 1 to 20"),
        ("nDCG(judged_only=True)@50", "a cut-off from 1 to 20"),
        ("NumRet", "a sum over queries, not a mean"),
        ("alpha_nDCG@5", "it needs the package pyndeval"),
        ("ERR@5", "no provider computes it to the last digit"),
        ("Accuracy", "not defined for every ranking"),
        ("nDCG@5 (published)", "ir-measures has no such measure"),
        ("__import__('os').getcwd()", "ir-measures has no such measure"),
    ],
)
def test_what_tables_cannot_show_is_refused_with_the_reason(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=r"^--metrics ") as error:
        asked_names(name, depth=20)
    assert message in str(error.value)


def test_a_name_is_declared_in_its_own_spelling_alone() -> None:
    declared = named_metric("Bpref")
    assert declared is not None and declared.note.startswith("Bpref: Binary Preference, by ir-measures: ")
    assert find_metric("Bpref", "search") == declared and find_metric("Bpref", "id-quality") is None
    for name in ("BPref", "Bpref ", "P(rel=1)@5", "P", "MRR@5", "P@0", "R@0x5"):
        assert named_metric(name) is None, name
    judged = named_metric("Judged@10")
    assert judged is not None and judged.higher_is_better is None


def test_of_a_result_those_are_further_that_its_task_does_not_have_anyway() -> None:
    names = ["nDCG@10", "R@5", "R@10 (strict)", "AP@5 (published)", "P@5", "first_rank", "nDCG@20"]
    assert stored_names("search", names) == ["R@5", "P@5", "nDCG@20"]
    assert stored_names("recommendation", names) == ["P@5", "nDCG@20"]
    assert stored_names("id-quality", names) == []


def test_the_values_are_those_of_the_definitions(tmp_path) -> None:
    """Query a: relevant items at ranks 2 and 4 of 4, three relevant in all; b: nothing ranked; c: one at rank 1."""
    run, qrels = tmp_path / "run.trec", tmp_path / "qrels.txt"
    run.write_text(
        "".join(f"a Q0 {item} {rank} {9 - rank} t\n" for rank, item in enumerate("wxyz", 1)) + "c Q0 x 1 1 t\n"
    )
    qrels.write_text("a 0 x 1\na 0 z 2\na 0 q 1\na 0 w 0\nb 0 x 1\nc 0 x 2\n")
    measures = ("P@5", "P(rel=2)@5", "Success@1", "AP", "RR@1", "SetR")
    scores = score_run(run, read_qrels(qrels), measures)
    assert scores.query_ids == ["a", "b", "c"]
    assert {name: values.tolist() for name, values in scores.per_query.items()} == {
        "P@5": [pytest.approx(2 / 5), 0, pytest.approx(1 / 5)],
        "P(rel=2)@5": [pytest.approx(1 / 5), 0, pytest.approx(1 / 5)],
        "Success@1": [0, 0, 1],
        "AP": [pytest.approx((1 / 2 + 2 / 4) / 3), 0, 1],
        "RR@1": [0, 0, 1],
        "SetR": [pytest.approx(2 / 3), 0, 1],
    }
