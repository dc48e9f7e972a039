"""`benchmark verify` names every stored file of which one byte was changed; what a kill leaves behind is repaired."""

import hashlib
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import FAST

from benchmark.cli.main import main
from benchmark.reports.tables.scores import query_values
from benchmark.results.digests import write_with_digest

pytestmark = pytest.mark.usefixtures("small_encoder")

LABELS = ("random", "popularity", "bm25")
CROWDED = ["--set", "random.codebook_size=4", "--set", "random.levels=2"]
KINDS = (
    "result.json", "cost.json", "ids.tsv", "ids.unique.tsv", "log.jsonl", "queries.search.tsv",
    *(f"{kind}.{task}" for task in ("recommendation", "search") for kind in ("run", "qrels", "scores")),
    "items-", "histories-", "inputs-", "human-evaluation.json",
)  # fmt: skip


def run(shop: Path, runs: Path, *words: str, methods: str = ",".join(LABELS)) -> int:
    fixed = ["--dataset", str(shop), "--methods", methods, "--runs", str(runs), "--device", "cpu"]
    return main(["run", *fixed, *CROWDED, *FAST, *words])


@pytest.fixture(scope="module")
def made(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One seed of three methods, and judgments of people."""
    folder = tmp_path_factory.mktemp("made") / "runs"
    assert run(shop, folder) == 0
    _judge(folder)
    return folder


def _judge(runs: Path) -> None:
    page = runs.with_name("page.html")
    words = ["--dataset", "shop", "--methods", "random", "--groups", "3", "--out", str(page), "--runs", str(runs)]
    assert main(["annotate", "make", *words]) == 0
    key = json.loads(page.with_name("page.key.json").read_text())
    answers = [{"question": number, "answer": "yes"} for number in (1, 2, 3)]
    told = {"format": 1, "page": key["page"], "annotator": "a", "answers": answers}
    page.with_name("answers.json").write_text(json.dumps(told))
    places = ["--key", str(page.with_name("page.key.json")), "--runs", str(runs), str(page.with_name("answers.json"))]
    assert main(["annotate", "score", *places]) == 0


@pytest.fixture
def runs(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "runs", ignore=shutil.ignore_patterns(".cache")))


def one(runs: Path, name: str, label: str = "random") -> Path:
    """The only file whose name begins so: of the label's result, else of the data set, else of the runs."""
    patterns = (f"*/{label}/*/seed-0/{name}*", f"*/{name}*", f"{name}*")
    return next(path for pattern in patterns for path in sorted(runs.glob(pattern)) if path.is_file())


def findings(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, list[dict[str, str]]]:
    """Return the exit code and what was found."""
    capsys.readouterr()
    code = main(["verify", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)["findings"]


def verify(capsys: pytest.CaptureFixture[str], folder: Path) -> tuple[int, set[tuple[str, str]]]:
    """Return the exit code and (kind, what) of every finding."""
    code, found = findings(capsys, folder)
    return code, {(f["kind"], f["what"]) for f in found}


@pytest.mark.parametrize("name", KINDS)
def test_one_changed_byte_of_any_stored_file_is_named(
    name: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bits of the first, the last and nine bytes between, one after another."""
    path = one(runs, name)
    raw = path.read_bytes()
    for step in range(11):
        place = step * (len(raw) - 1) // 10
        for bit in (1, 16):
            path.write_bytes(raw[:place] + bytes([raw[place] ^ bit]) + raw[place + 1 :])
            code, found = findings(capsys, runs)
            named = {f[part] for f in found if f["kind"] in ("changed", "wrong") for part in ("where", "what")}
            assert (code, path.name in named) == (1, True), (place, bit)
    path.write_bytes(raw)
    assert verify(capsys, runs) == (0, set())


def test_every_file_of_a_result_is_of_a_kind_that_was_tried(made: Path) -> None:
    names = {path.name for path in made.rglob("*") if path.is_file() and ".cache" not in path.parts}
    assert {name for name in names if not name.startswith((*KINDS, ".lock"))} == set()
    assert {kind for kind in KINDS if not any(name.startswith(kind) for name in names)} == set()


def replace(pattern: str, by: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, by, text, count=1, flags=re.M)


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("result.json", replace(r'"preset": "\w+"', '"preset": "paper"')),
        ("result.json", replace(r'"depth": 20', '"depth": 30')),
        ("result.json", replace(r'"text_fields": \[\n +"title"', '"text_fields": [\n "category"')),
        ("result.json", replace(r'"codebook_size": 4', '"codebook_size": 256')),
        ("result.json", replace(r'"numpy": "[^"]+"', '"numpy": "9.9"')),
        ("result.json", replace(r'"interactions": \d+', '"interactions": 7')),
        ("result.json", replace(r'^  "digest": "\w+",\n', "")),
        ("queries.search.tsv", replace(r"lamp", "tent")),
        ("items-", replace(r"number 7\b", "number 8")),
        ("cost.json", replace(r'"seconds": [\d.]+', '"seconds": 0.5')),
    ],
)
def test_an_edit_that_changes_no_number_is_named_with_its_file_alone(
    name: str, edit: Callable[[str], str], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = one(runs, name)
    before = path.read_text()
    path.write_text(edit(before))
    assert path.read_text() != before
    assert verify(capsys, runs) == (1, {("changed", path.name)})


def test_two_irrelevant_items_that_change_places_are_named(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = one(runs, "run.search.trec", "bm25")
    qrels = {tuple(line.split()[::2]) for line in one(runs, "qrels.search.txt", "bm25").open()}
    rows = [line.split() for line in path.read_text().splitlines()]
    first = next(
        i for i, (a, b) in enumerate(pairwise(rows))
        if a[0] == b[0] and not {(a[0], a[2]), (b[0], b[2])} & qrels
    )  # fmt: skip
    rows[first][2], rows[first + 1][2] = rows[first + 1][2], rows[first][2]
    path.write_text("".join(" ".join(row) + "\n" for row in rows))
    assert verify(capsys, runs) == (1, {("changed", path.name)})


def test_a_changed_judgment_is_named_beside_the_numbers_that_no_longer_follow(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = one(runs, "qrels.search.txt", "bm25")
    path.write_text(replace(r"1$", "0")(path.read_text()))
    code, found = verify(capsys, runs)
    assert code == 1
    assert {("changed", "qrels.search.txt"), ("wrong", "search, R@1")} <= found


def test_the_digests_are_those_of_public_tools(made: Path) -> None:
    """`sha256sum --check` accepts the list of files; the own digest is that of the file without it."""
    path = one(made, "result.json")
    content = json.loads(path.read_text())
    sums = "".join(f"{digest}  {name}\n" for name, digest in content["files"].items())
    subprocess.run(["sha256sum", "--check", "--strict"], input=sums, text=True, cwd=path.parent, check=True)
    for holder in (path, path.with_name("cost.json")):
        own = json.loads(holder.read_text())["digest"]
        without = holder.read_bytes().replace(own.encode(), b"")
        assert hashlib.sha256(without).hexdigest() == own


def test_a_result_without_digests_is_verified_by_its_numbers_and_said_to_have_none(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("result.json", "cost.json", "human-evaluation.json"):
        for path in [*runs.glob(f"*/*/*/*/{name}"), *runs.glob(name)]:
            content = json.loads(path.read_text())
            path.write_text(json.dumps({k: v for k, v in content.items() if k not in ("digest", "files")}))
    code, found = verify(capsys, runs)
    assert (code, found) == (0, {("no digests", "result.json"), ("no digests", "human-evaluation.json")})
    assert main(["verify", str(runs)]) == 0
    assert "No digests: 4 files of older versions" in capsys.readouterr().out
    path = one(runs, "scores.search.tsv")
    path.write_text(replace(r"\t0(\.0)?$", "\t0.25")(path.read_text()))
    assert verify(capsys, runs)[0] == 1


def test_a_missing_file_and_one_that_the_result_does_not_list_are_named_once(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one(runs, "cost.json", "bm25").unlink()
    one(runs, "run.search.trec", "bm25").unlink()
    one(runs, "qrels.search.txt", "bm25").with_name("run.other.trec").write_text("")
    _, found = findings(capsys, runs)
    assert sorted((f["kind"], f["what"]) for f in found) == [
        ("missing", "cost.json"), ("missing", "run.search.trec"), ("not checked", "run.other.trec"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def reported(made: Path) -> Path:
    """A report of `made` that was written in two steps."""
    out = made.with_name("out")
    for styles in ("json,md", "latex,html"):
        words = ["--format", styles, "--tables", "search,cost", "--out", str(out)]
        assert main(["report", "--runs", str(made), *words]) == 0
    return out


def test_a_report_that_was_written_in_two_steps_follows_from_its_results(
    reported: Path, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=reported, check=True)
    assert findings(capsys, reported, "--runs", str(made)) == (0, [])


@pytest.mark.parametrize("name", ["tables.json", "tables.md", "tables.tex", "tables.html", "SHA256SUMS"])
def test_one_changed_byte_of_a_report_is_named(
    name: str, reported: Path, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A flipped digest shows at the file that it is of."""
    out = Path(shutil.copytree(reported, tmp_path / "out"))
    raw = (out / name).read_bytes()
    for step in range(4):
        place = step * (len(raw) - 1) // 3
        (out / name).write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        code, found = findings(capsys, out, "--runs", str(runs))
        named = {f[part] for f in found for part in ("where", "what")}
        assert (code, name in named or name == "SHA256SUMS") == (1, True), place


def test_the_sums_of_a_report_name_the_files_that_are_there(runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for styles in ("json,md", "latex"):
        assert main(["report", "--runs", str(runs), "--format", styles, "--tables", "search", "--out", str(out)]) == 0
        (out / "tables.md").unlink(missing_ok=True)
        with (out / "SHA256SUMS").open("a") as sums:
            sums.write("\n")
    assert [line.split("  ")[-1] for line in (out / "SHA256SUMS").read_text().splitlines()] == [
        "tables.json", "tables.tex", "",
    ]  # fmt: skip


# What the next run makes of it


def contents(runs: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(runs.rglob("*")):
        if path.is_file() and ".cache" not in path.parts and path.name not in ("cost.json", ".lock"):
            yield str(path.relative_to(runs)), path.read_bytes()


def test_tasks_that_come_one_after_another_leave_the_same_bytes_as_together(
    made: Path, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    apart = Path(shutil.copytree(made / ".cache", tmp_path / "runs" / ".cache")).parent
    for task in ("search", "id-quality", "recommendation"):
        assert run(shop, apart, "--tasks", task, methods="random") == 0
        assert verify(capsys, apart) == (0, set())
    due = {name: raw for name, raw in contents(made) if "/random/" in name or name.count("/") == 1}
    assert dict(contents(apart)) == due


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("last", ["run.search.trec", "log.jsonl", "cost.json"])
def test_after_a_kill_before_the_result_the_next_run_leaves_the_bytes_of_an_undisturbed_one(
    last: str, made: Path, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The second task is killed right after this file was written. Nothing is called damaged."""
    runs = Path(shutil.copytree(made / ".cache", tmp_path / "runs" / ".cache")).parent
    assert run(shop, runs, "--tasks", "recommendation", methods="random") == 0
    from benchmark import files

    put = files.put_in_place

    def killed(part: Path, target: Path) -> None:
        put(part, target)
        if target.name == last and "seed-0" in target.parts:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(files, "put_in_place", killed)
        assert run(shop, runs, "--tasks", "search", methods="random") == 130
    assert run(shop, runs, "--tasks", "id-quality,search,recommendation", methods="random") == 0
    assert not [message for message in caplog.messages if message.startswith("damaged: ")]
    due = {name: raw for name, raw in contents(made) if "/random/" in name or name.count("/") == 1}
    assert dict(contents(runs)) == due
    assert verify(capsys, runs) == (0, set())


def test_a_task_that_comes_later_does_not_hide_what_was_changed_before(
    made: Path, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Path(shutil.copytree(made / ".cache", tmp_path / "runs" / ".cache")).parent
    assert run(shop, runs, "--tasks", "recommendation", methods="random") == 0
    path = one(runs, "run.recommendation.trec")
    path.write_text(path.read_text().replace(" random\n", " other\n", 1))
    assert run(shop, runs, "--tasks", "search", methods="random") == 0
    assert verify(capsys, runs) == (1, {("changed", "run.recommendation.trec")})


def test_a_changed_result_is_computed_again_and_so_is_a_changed_file_of_the_data_set(
    made: Path, shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    runs = Path(shutil.copytree(made, tmp_path / "runs"))
    for name, edit in (
        ("result.json", replace(r'"preset": "\w+"', '"preset": "base"')),
        ("items-", replace("lamp", "tent")),
    ):
        path = one(runs, name)
        path.write_text(edit(path.read_text()))
    assert run(shop, runs) == 0
    damaged = [message for message in caplog.messages if message.startswith("damaged: ")]
    assert any("/result.json: it was changed" in message for message in damaged)
    assert any("/items-" in message for message in damaged)
    capsys.readouterr()
    assert verify(capsys, runs) == (0, set())
    assert dict(contents(runs)) == dict(contents(made))


def test_no_interval_and_no_test_is_made_of_changed_values_per_query(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = one(runs, "scores.search.tsv", "bm25")
    assert query_values([path], ["nDCG@10"]) is not None
    *lines, last = path.read_text().splitlines()
    path.write_text("\n".join([*lines, "\t".join([last.split("\t")[0], *["0.5"] * last.count("\t")])]) + "\n")
    assert query_values([path], ["nDCG@10"]) is None
    assert main(["report", "--runs", str(runs), "--tables", "search"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "bm25: The stored result of seed 0 has a scores.search.tsv that was edited or damaged after the run" in said


def test_tables_and_exports_say_of_a_changed_result_that_it_was_changed(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--runs", str(runs), "--tables", "search"]) == 0
    assert "edited or damaged" not in capsys.readouterr().out
    path = one(runs, "result.json", "bm25")
    path.write_text(replace(r'"nDCG@10": [\d.]+', '"nDCG@10": 0.99')(path.read_text()))
    cost = one(runs, "cost.json", "random")
    cost.write_text(replace(r'"seconds": [\d.]+', '"seconds": 99')(cost.read_text()))
    assert main(["report", "--runs", str(runs), "--tables", "search"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "bm25: The stored result of seed 0 was edited or damaged after the run" in said
    assert "random: The stored result of seed 0 has a cost.json that was edited" in said
    ranking = one(runs, "run.search.trec", "bm25")
    assert main(["export", str(ranking.parent), "--format", "trec", "--task", "search"]) == 0
    assert capsys.readouterr().err == ""
    ranking.write_text(ranking.read_text().replace(" bm25\n", " other\n", 1))
    for words in (["trec", "--task", "search"], ["json"]):
        assert main(["export", str(ranking.parent), "--format", *words]) == 0
        assert "was changed after it was written" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000])
def test_a_result_that_is_no_json_object_is_exported_with_a_warning_and_its_ranking_without(
    content: str, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = one(runs, "result.json", "bm25")
    path.write_text(content)
    for words, said in ((["json"], True), (["trec", "--task", "search"], False)):
        assert main(["export", str(path.parent), "--format", *words]) == 0
        assert ("was changed after it was written" in capsys.readouterr().err) is said


def test_a_file_that_is_not_text_is_not_exported(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = one(runs, "run.search.trec", "bm25")
    path.write_bytes(b"\xff\xfe")
    assert main(["export", str(path.parent), "--format", "trec", "--task", "search"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith(f"benchmark: {path}: ") and "utf-8" in error


def test_a_digest_is_of_the_bytes_whatever_the_content(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_with_digest(path, {"ä": ['"digest": ""', {"digest": ""}], "digest": "old", "z": 1})
    own = json.loads(path.read_text("utf-8"))["digest"]
    assert hashlib.sha256(path.read_bytes().replace(own.encode(), b"", 1)).hexdigest() == own
