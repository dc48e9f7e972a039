"""The overview: headline columns on one screen, each note once, and the same stars as in the tables in full."""

import re
import shutil

import pytest
from result_files import hits, put

from benchmark.cli.main import main
from benchmark.metrics.lookup import find_metric
from benchmark.registry import load
from benchmark.reports.renderers import terminal
from benchmark.reports.renderers.overview import Overview
from benchmark.reports.tables.standard import COST, ID_QUALITY, ID_STRUCTURE, RECOMMENDATION, SEARCH, build
from benchmark.results.registered_tables import fill_tables
from benchmark.results.result_files import load_results

NAMES = ("R@10", "nDCG@5", "nDCG@10")
LABELS = ("a label of a row that has many words [codebook_size=64, levels=4]", "short")


@pytest.fixture
def runs(tmp_path):
    cost = {"stages": {"train": {"seconds": 3.0, "device": "cpu"}}}
    for number, label in enumerate(LABELS):
        for seed in (0, 1):
            for task in ("recommendation", "search"):
                values = {name: hits((0.9, 0.1)[number], seed + 3 * k) for k, name in enumerate(NAMES)}
                put(tmp_path, label, values=values, seed=seed, task=task, key=task, cost=cost)
            quality = {"AMI": 0.2 * number, "unique": 0.5, "co_purchase_lift@1": 2.0, "NMI": 0.5}
            put(tmp_path, label, seed=seed, key="ids", metrics={"id-quality": quality}, cost=cost)
    return tmp_path


@pytest.mark.parametrize("columns", [80, 100, 140])
def test_no_line_is_wider_than_the_terminal(runs, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    results = load_results(runs)
    wide = terminal.render(fill_tables(results))
    for text in (Overview().text(fill_tables(results, headlines=True)), wide):
        assert max(map(terminal.width, text.splitlines())) <= columns
        assert all(word in text for word in LABELS[0].split())
    assert wide.count("\n-----") >= Overview().text(fill_tables(results, headlines=True)).count("\n-----")


def test_a_star_is_where_the_whole_table_has_one(runs):
    for table in (RECOMMENDATION, SEARCH):
        (filled,) = build(table, load_results(runs))
        whole = {c.header: cell.bold for c, cell in zip(filled.columns, filled.rows[0].cells, strict=True)}
        text = Overview(200).text(fill_tables(load_results(runs), [table.name], headlines=True))
        (row,) = (line for line in text.splitlines() if line.startswith("a label"))
        assert whole["R@10"] and whole["nDCG@10"] and row.count("*") == 2 and row.count("±") == 2


def test_what_tables_share_is_said_once_and_what_differs_is_named(runs):
    results = load_results(runs)
    text = Overview(200).text(fill_tables(results, headlines=True))
    assert text.count("Demo shop (fingerprint f1)") == 1
    assert re.search(r"^Search\nAs above; simulated known-item queries\.$", text, re.M)
    notes = [line for line in text.splitlines() if line.endswith(".") and "fingerprint" not in line]
    assert len(notes) == len(set(notes)) and any(line.startswith("A star:") for line in notes)
    assert "Seeds" not in text and "seeds 0, 1" in text


def test_a_metric_that_was_asked_for_is_a_headline(tmp_path):
    put(tmp_path, "one", values={name: hits(0.5) for name in (*NAMES, "P@5")}, task="search")
    text = Overview(200).text(fill_tables(load_results(tmp_path), headlines=True))
    (header,) = (line.split() for line in text.splitlines() if line.startswith("Method"))
    assert header == ["Method", "nDCG@10", "R@10", "P@5"]


def test_a_star_is_explained_where_there_is_one(tmp_path):
    for label in LABELS:
        put(tmp_path, label, values={"R@10": hits(0.5)})
    text = Overview(200).text(fill_tables(load_results(tmp_path), headlines=True))
    assert "Not distinguishable" in text and "*" not in text and "A star" not in text


def test_rows_of_different_seeds_say_how_many(runs):
    put(runs, "third", values={name: hits(0.5) for name in NAMES}, key="recommendation")
    text = Overview(200).text(fill_tables(load_results(runs), ["recommendation"], headlines=True))
    assert re.findall(r"(\d)$", text, re.M) == ["2", "2", "1"]


def test_notes_are_of_the_columns_that_are_shown(tmp_path, capsys):
    put(tmp_path, "one", metrics={"id-quality": {"AMI": 0.5}}, cost={"stages": {"ids": {"seconds": 1.0}}})
    assert main(["report", "--runs", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert find_metric("AMI", "id-quality").note in " ".join(printed.split())
    assert not re.search("p50|Train s|Lift|Unique|NMI|Parameters", printed)
    assert main(["report", "--runs", str(tmp_path), "--wide"]) == 0
    printed = capsys.readouterr().out
    assert "Cost\n" in printed and not re.search("p50|Train s|Lift|Unique|Parameters", printed)


def test_every_headline_is_a_column_of_the_tables_in_full():
    tables = (ID_QUALITY, ID_STRUCTURE, RECOMMENDATION, SEARCH, COST)
    shown = {(table.task, column.key) for table in tables for column in table.columns}
    assert {(table.task, column.key) for table in tables for column in table.headline} <= shown
    assert load("tool", "overview") is Overview


def test_columns_that_one_kind_of_method_lacks_come_last(runs):
    values = {"nDCG@5": hits(0.5), "nDCG@10": hits(0.5)}
    put(runs, "sasrec", kind="recommender", values=values, key="recommendation")
    (filled,) = RECOMMENDATION.fill(load_results(runs))
    assert [column.key for column in filled.columns] == ["nDCG@5", "nDCG@10", "R@10"]
    assert [cell.mean for cell in filled.rows[1].cells][2:] == [None]
    (before,) = build(RECOMMENDATION, load_results(runs))
    expected = {c.key: cell for c, cell in zip(before.columns, before.rows[0].cells, strict=True)}
    assert {c.key: cell for c, cell in zip(filled.columns, filled.rows[0].cells, strict=True)} == expected


def test_a_file_has_the_same_lines_in_any_terminal(runs, tmp_path, monkeypatch, capsys):
    texts = []
    for columns in (60, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert shutil.get_terminal_size().columns == columns
        out = tmp_path / f"out{columns}"
        assert main(["report", "--runs", str(runs), "--format", "terminal", "--out", str(out)]) == 0
        texts.append((out / "tables.txt").read_text())
        assert main(["report", "--runs", str(runs), "--format", "json,terminal", "--out", str(out)]) == 0
    monkeypatch.setenv("COLUMNS", "60")
    main(["verify", str(tmp_path / "out200"), "--runs", str(runs), "--json"])
    assert "tables.txt" not in capsys.readouterr().out.partition('"findings"')[2]
    assert texts[0] == texts[1]


def test_rows_that_owe_their_ranking_to_the_counter_are_named_where_no_reading_is_shown(tmp_path, capsys):
    for label, plain, expected in (("shared", 0.06, 0.0075), ("own", 0.07, 0.069), ("recommender", 0.08, None)):
        readings = {} if expected is None else {f"R@10 ({name})": expected for name in ("strict", "expected")}
        put(tmp_path / "runs", label, metrics={"recommendation": {"R@10": plain, "nDCG@10": plain / 2, **readings}})
    remark = "With such items in random order their R@10 is: shared 0.0075 (the columns"
    assert main(["report", "--runs", str(tmp_path / "runs")]) == 0
    assert remark in " ".join(capsys.readouterr().out.split())
    assert main(["report", "--runs", str(tmp_path / "runs"), "--wide"]) == 0
    assert remark not in " ".join(capsys.readouterr().out.split())
