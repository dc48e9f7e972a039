"""Tables as CSV say what the frame and the JSON say; --columns shows what is asked for."""

import csv
import io

import pytest
from result_files import hits, put

from benchmark import load_results
from benchmark.cli.main import main


@pytest.fixture
def runs(tmp_path):
    for label, share in (("good", 0.6), ("poor", 0.2)):
        for seed in (0, 1):
            values = {"R@5": hits(share, seed), "nDCG@10": hits(share, 10 + seed)}
            put(
                tmp_path / "runs",
                label,
                values=values,
                seed=seed,
                cost={"stages": {"ids": {"seconds": 3.0, "device": "cpu"}}},
            )
    return tmp_path / "runs"


def printed(capsys, *words):
    assert main(["report", *words]) == 0
    return capsys.readouterr().out


def test_csv_has_the_means_of_the_frame(runs, capsys):
    text = printed(capsys, "--runs", str(runs), "--tables", "recommendation", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    frame = load_results(runs).to_frame()
    means = frame.groupby(["label", "task", "metric"])["value"].mean()
    found = {(row["label"], row["task"], row["metric"]): float(row["value"]) for row in rows}
    assert found == pytest.approx(means.to_dict())
    assert {row["seeds"] for row in rows} == {"2"}
    best = [(row["label"], row["column"]) for row in rows if row["best"] == "True"]
    assert best == [("good", "R@5"), ("good", "nDCG@10")]
    assert all(float(row["low"]) < float(row["value"]) < float(row["high"]) for row in rows)


def test_what_tells_results_apart_is_in_the_frame_and_in_csv(tmp_path, capsys):
    """Runs that differ in the data, a setting or the limit alone share no key in either."""
    runs_of_a = [
        {},
        {"dataset": {"fingerprint": "f2"}},
        {"changed": {"levels": 2}, "config": {"method": {"levels": 2}}},
        {"dataset": {"fingerprint": "f3"}, "config": {"protocol": {"first_look": 20}}},
    ]
    for number, fields in enumerate(runs_of_a):
        put(tmp_path, "a", key=f"k{number}", values=hits(0.1 * number), code="c1", **fields)
    put(tmp_path, "b", key="k4", values=hits(0.9), code="c2")
    frame = load_results(tmp_path).to_frame()
    said = {
        "fingerprint": ["f1", "f2", "f3"],
        "changed": ["", "levels=2"],
        "first_look": ["", "20"],
        "code": ["c1", "c2"],
    }
    assert {name: sorted(set(frame[name])) for name in said} == said
    keys = [name for name in frame.columns if name not in ("key", "value")]
    assert not frame.duplicated(keys).any() and len(frame) == 5
    text = printed(capsys, "--runs", str(tmp_path), "--tables", "recommendation", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    shown = ["dataset", "fingerprint", "preset", "changed", "first_look", "method", "metric"]
    in_csv = {tuple(row[name] for name in shown): float(row["value"]) for row in rows}
    in_frame = {tuple(row[name] for name in shown): row["value"] for _, row in frame.iterrows()}
    assert in_csv == pytest.approx(in_frame) and len(in_csv) == 5


def test_chosen_columns_alone_are_shown(runs, capsys):
    text = printed(capsys, "--runs", str(runs), "--columns", "nDCG@10")
    assert "nDCG@10" in text and "R@5" not in text and "Total s" not in text
    text = printed(capsys, "--runs", str(runs), "--columns", "R@5,Total s")
    assert "R@5" in text and "Total s" in text and "nDCG@10" not in text


def test_a_column_that_no_table_has_is_refused(runs, capsys):
    assert main(["report", "--runs", str(runs), "--columns", "nDCG@11"]) == 2
    assert "no chosen table has a column 'nDCG@11'. Did you mean 'nDCG@10'?" in capsys.readouterr().err
