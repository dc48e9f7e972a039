"""Tables are of results, not of versions of the code: the newest result of a row, task and seed is shown."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import FAST
from result_files import hits, put

import benchmark
from benchmark.api.compare import compare
from benchmark.api.results import load_results
from benchmark.cli.main import main
from benchmark.registry import load
from benchmark.running import plan, record

TASK = "recommendation"


def put_version(
    runs: Path, label: str, key: str, share: float, day: int, *, seed: int = 0, task: str = TASK, **fields: Any
) -> Path:  # fmt: skip
    cost = {"written": {task: f"2026-11-{day:02}T12:00:00.000+00:00"}}
    return put(runs, label, seed=seed, key=key, task=task, values=hits(share, seed + 1), cost=cost, **fields)


def rows(runs: Path) -> dict[str, tuple[float, int]]:
    (filled,) = load_results(runs).table(TASK).filled
    return {row.label: (round(row.cells[0].mean, 3), len(row.seeds)) for row in filled.rows}


def test_an_older_version_adds_no_row_and_takes_no_star(tmp_path, capsys):
    put_version(tmp_path, "a", "new", 0.6, 20, code="c2")
    put_version(tmp_path, "b", "new", 0.2, 20, code="c2")
    alone = str(load_results(tmp_path).table(TASK))
    old = put_version(tmp_path, "a", "old", 0.3, 10, code="c1")
    assert str(load_results(tmp_path).table(TASK)) == alone and list(rows(tmp_path)) == ["a", "b"]
    assert compare("a", "b", runs=tmp_path).tasks[0].metrics[0].winner == "A"

    assert main(["report", "--runs", str(tmp_path), "--tables", TASK]) == 0
    assert "1 older results, of other versions of the suite, are left out" in capsys.readouterr().err
    assert main(["report", "--runs", str(tmp_path), "--tables", TASK, "--all-versions"]) == 0
    assert "a@old" in capsys.readouterr().out
    assert compare(str(old), "a", runs=tmp_path).tasks[0].metrics[0].winner == "B", "a folder may be of any version"


@pytest.mark.parametrize(
    ("older", "reason"),
    [
        ({"code": "c1"}, "of other versions of the suite"),
        ({"further_metrics": ["P@5"]}, "with other --metrics"),
        ({"stages": {"ids": "s1"}}, "of other versions of the method's own code or local model"),
        ({"code": "c1", "further_metrics": ["P@5"]}, "of other versions of the suite or with other --metrics"),
        ({}, "computed with other code or metrics"),
    ],
)
def test_older_results_are_left_out_for_what_really_differs(tmp_path, capsys, older, reason):
    newer = {"code": "c2", "stages": {"ids": "s2", "rank.recommendation": "s3"}}
    put_version(tmp_path, "a", "new", 0.6, 20, **newer)
    put_version(tmp_path, "a", "old", 0.3, 10, **newer | older)
    assert main(["report", "--runs", str(tmp_path), "--tables", TASK]) == 0
    assert f"1 older results, {reason}, are left out; see --all-versions" in capsys.readouterr().err


def test_the_newest_counts_by_task_and_seed_whatever_its_key(tmp_path):
    put_version(tmp_path, "a", "k2", 0.6, 10)
    put_version(tmp_path, "a", "k1", 0.9, 20)
    put_version(tmp_path, "a", "k2", 0.2, 10, seed=1)
    search = put_version(tmp_path, "a", "k3", 0.5, 30, task="search")
    mean = (float(hits(0.9, 1).mean()) + float(hits(0.2, 2).mean())) / 2
    assert rows(tmp_path) == {"a": (round(mean, 3), 2)}, "seed 0 of the newer version, seed 1 of the only one"
    assert json.loads((search / "result.json").read_text())["metrics"].keys() == {"search"}
    assert len(load_results(tmp_path).table("search").filled) == 1


def test_a_result_without_a_written_time_is_dated_by_its_file(tmp_path):
    import os

    new = put(tmp_path, "a", key="k1", values=hits(0.9))
    old = put(tmp_path, "a", key="k2", values=hits(0.1))
    os.utime(old / "result.json", (1e9, 1e9))
    assert rows(tmp_path) == {"a": (round(float(hits(0.9).mean()), 3), 1)}
    os.utime(new / "result.json", (9e8, 9e8))
    assert rows(tmp_path) == {"a": (round(float(hits(0.1).mean()), 3), 1)}


def test_seeds_of_several_versions_are_named_and_an_older_part_of_a_result_is_shown_apart(tmp_path):
    put_version(tmp_path, "a", "k1", 0.9, 10)
    put_version(tmp_path, "a", "k1", 0.9, 10, seed=1)
    put_version(tmp_path, "a", "k2", 0.3, 20)
    (filled,) = load_results(tmp_path).table(TASK).filled
    assert "Seeds of more than one version of the suite's code: a." in filled.footnotes

    old = put_version(tmp_path, "c", "old", 0.9, 10)
    content = json.loads((old / "result.json").read_text())
    content["metrics"]["id-quality"] = {"AMI": 0.5}
    (old / "result.json").write_text(json.dumps(content))
    times = {TASK: "2026-11-10T12:00:00.000+00:00", "id-quality": "2026-11-29T12:00:00.000+00:00"}
    (old / "cost.json").write_text(json.dumps({"written": times}))
    new = put_version(tmp_path, "c", "new", 0.3, 20)
    every = load_results(tmp_path, all_versions=True)
    shown = {(r.label, task): r.folder for r in every for task in r.metrics if r.label.startswith("c")}
    assert shown == {("c", TASK): new, ("c", "id-quality"): old, ("c@old", TASK): old}
    assert rows(tmp_path)["c"] == (round(float(hits(0.3, 1).mean()), 3), 1)
    assert compare(str(old), str(new), runs=tmp_path, task=TASK).tasks[0].metrics[0].winner == "A"


def test_a_report_of_all_versions_verifies(tmp_path, capsys):
    put_version(tmp_path, "a", "new", 0.6, 20)
    put_version(tmp_path, "a", "old", 0.3, 10)
    put_version(tmp_path, "b", "new", 0.2, 20)
    for options in ([], ["--all-versions"]):
        out = tmp_path / "out"
        words = ["report", "--runs", str(tmp_path), "--tables", TASK, "--format", "json,md", "--out", str(out)]
        assert main([*words, *options]) == 0
        capsys.readouterr()
        main(["verify", str(out), "--runs", str(tmp_path), "--json"])
        findings = json.loads(capsys.readouterr().out)["findings"]
        assert not [finding for finding in findings if finding["where"].startswith("tables")], findings


def test_what_a_run_asks_for_is_shown_after_a_return_to_older_code(shop, tmp_path):
    (here,) = benchmark.run("popularity", shop, runs=tmp_path, quiet=True)
    newer = here.folder.parent.parent / "0123456789abcdef" / "seed-0"
    shutil.copytree(here.folder, newer)
    for folder, day in ((here.folder, "2026-01-01"), (newer, "2026-02-01")):
        cost = json.loads((folder / "cost.json").read_text())
        cost["written"] = dict.fromkeys(cost["written"], f"{day}T00:00:00.000+00:00")
        (folder / "cost.json").write_text(json.dumps(cost))
    assert [result.folder for result in load_results(tmp_path)] == [newer]
    benchmark.run("popularity", shop, runs=tmp_path, quiet=True)
    assert [result.folder for result in load_results(tmp_path)] == [here.folder]


@pytest.fixture(scope="module")
def edited(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tasks of a row, and its ID quality again after its method's code was edited."""
    runs = tmp_path_factory.mktemp("edited")
    words = ["run", "--methods", "random", "--dataset", str(shop), "--runs", str(runs), "--device", "cpu", *FAST]
    assert main(words) == 0
    known, method = plan.code_version, load("method", "random")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "code_version", lambda root: "edited" if root is method else known(root))
        assert main([*words, "--tasks", "id-quality"]) == 0
    return runs


def test_an_edit_of_a_methods_own_code_is_not_called_another_version_of_the_suite(edited, capsys):
    assert main(["report", "--runs", str(edited)]) == 0
    said = capsys.readouterr().err
    assert "1 older results, of other versions of the method's own code or local model, are left out" in said


NOTE = (
    "Tasks computed by different versions of the code (the suite's or the method's own), perhaps from different IDs: "
)


def test_a_row_that_mixes_versions_is_named_in_every_table_that_shows_it_beside_the_other(edited, tmp_path, capsys):
    mixed = f"{NOTE}random (id-quality, costs apart from recommendation, search)."
    found = load_results(edited)
    shown = {
        filled.table.name: filled for filled in found.table("id-quality", "recommendation", "search", "cost").filled
    }
    assert all(filled.footnotes.count(mixed) == 1 for filled in shown.values()) and len(shown) == 4
    assert not any(NOTE in note for note in found.table("recommendation", "search").filled[0].footnotes), "one version"
    assert mixed.partition(":")[0] in " ".join(str(found.table()).split()), "of all the suite's own tables"

    for names in ("id-quality,recommendation", "recommendation"):
        out = tmp_path / names
        words = ["report", "--runs", str(edited), "--tables", names, "--format", "json,md", "--out", str(out)]
        assert main(words) == 0
        assert (NOTE in (out / "tables.md").read_text()) == ("," in names)
        assert main(["verify", str(out), "--runs", str(edited)]) == 0, capsys.readouterr()


def test_further_metrics_alone_make_no_other_version_of_a_row(tmp_path):
    code = {"code": "c1", "stages": {"ids": "s1"}}
    put_version(tmp_path, "a", "k1", 0.6, 10, **code)
    put_version(tmp_path, "a", "k2", 0.6, 20, task="search", further_metrics=["P@5"], **code)
    tables = load_results(tmp_path).table(TASK, "search").filled
    assert len(tables) == 2 and not any(NOTE in note for filled in tables for note in filled.footnotes)
    put_version(tmp_path, "b", "k1", 0.6, 10, **code)
    put_version(tmp_path, "b", "k2", 0.6, 20, task="search", **code | {"code": "c2"})
    said = [note for filled in load_results(tmp_path).table(TASK, "search").filled for note in filled.footnotes]
    assert said.count(f"{NOTE}b (recommendation apart from search).") == 2


@pytest.mark.parametrize(
    ("of_seeds", "note"),
    [
        ([("k1", "c1"), ("k2", "c2")], "Seeds of more than one version of the suite's code: a."),
        (
            [("k1", "c1"), ("k2", "c1")],
            "Seeds with different --metrics, or of more than one version of the method's own code: a.",
        ),
        ([("k1", "c1"), ("k1", "c1")], ""),
    ],
)
def test_seeds_of_several_keys_are_named_for_what_differs(tmp_path, of_seeds, note):
    for seed, (key, code) in enumerate(of_seeds):
        put_version(tmp_path, "a", key, 0.6, 10, seed=seed, code=code)
    (filled,) = load_results(tmp_path).table(TASK).filled
    assert [said for said in filled.footnotes if said.startswith("Seeds ")] == ([note] if note else [])


def test_a_changed_checkout_is_not_called_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    for changes, said in [("", "abc"), (" M benchmark/errors.py", "abc-dirty")]:
        monkeypatch.setattr(record, "_git", lambda folder, *words, new=changes: {"rev-parse": "abc"}.get(words[0], new))
        assert record.revision.__wrapped__() == said
