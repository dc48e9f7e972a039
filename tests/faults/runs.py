"""Damaged, foreign and empty folders of runs."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from faults.case import CHEAP, Case, Content, files, replaced, results

REPORT = ("report", "--runs", "runs")
VERIFY = ("verify", "runs")
AGAIN = ("run", "--methods", "random", "--set", "random.codebook_size=8", "--dataset", "shop", *CHEAP)


def damaged(
    title: str, changes: dict[str, Content], says: str, *, code: int = 0, words: Sequence[str] = REPORT,
    json: bool = False,
) -> Case:  # fmt: skip
    """Finished results with changed files."""
    return Case(title, words, code, says, results(changes), json=json)


def entry(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    """Return the change of a JSON file by its content."""

    def changed(before: bytes) -> bytes:
        content = json.loads(before)
        change(content)
        return json.dumps(content).encode()

    return changed


def missing(command: str, *words: str) -> Case:
    """A command on a folder of runs that is not there."""
    return Case(f"{command}: no such folder", (command, *words), 2, "nowhere", absent=("nowhere", "out"))


def empty(command: str, *words: str) -> Case:
    """A command on an empty folder of runs: says so and writes nothing."""
    return Case(
        f"{command}: an empty folder", (command, *words, "--runs", "runs"), 2, "no result", files({"runs/.keep": ""}),
        absent=("out",),
    )  # fmt: skip


LATER: dict[str, Content] = {"result.json": entry(lambda it: it.update(format=99))}

CASES = [
    missing("report", "--runs", "nowhere"),
    missing("verify", "nowhere"),
    missing("figures", "--runs", "nowhere", "--out", "out"),
    missing("compare", "a", "b", "--runs", "nowhere"),
    missing("export", "nowhere"),
    missing("annotate", "make", "--dataset", "d", "--methods", "m", "--runs", "nowhere", "--out", "out"),
    empty("report", "--out", "out"),
    empty("figures", "--out", "out"),
    empty("compare", "random", "popularity"),
    Case("report: runs is a file", ("report", "--runs", "runs"), 2, "--runs runs", files({"runs": "x"})),
    Case("run: runs is a file", (*AGAIN, "--runs", "runs"), 2, "--runs",
         lambda folder: (results({})(folder), (folder / "runs").rename(folder / "old"), (folder / "runs").touch())),
    Case("run: runs below a file", (*AGAIN, "--runs", "shop/items.jsonl/runs"), 2, "--runs", results({})),
    damaged("result.json cut off", {"result.json": lambda text: text[: len(text) // 2]}, r"left out.*result\.json"),
    damaged("result.json of no bytes", {"result.json": ""}, r"left out.*result\.json"),
    damaged("result.json: a list", {"result.json": "[1]"}, r"left out.*result\.json"),
    damaged("result.json: a number", {"result.json": "1"}, r"left out.*result\.json"),
    damaged("result.json nested 100,000 deep", {"result.json": "[" * 100_000}, r"left out.*result\.json"),
    damaged("result.json: zero bytes", {"result.json": b"\0" * 99}, r"left out.*result\.json"),
    damaged("result.json of a later format", LATER, "left out.*format"),
    damaged("result.json: words as metrics", {"result.json": entry(lambda it: it.update(metrics="x"))}, "left out"),
    damaged("result.json: a word as value",
            {"result.json": entry(lambda it: it["metrics"]["id-quality"].update(AMI="high"))}, "left out"),
    damaged("result.json: no seed", {"result.json": entry(lambda it: it.pop("seed"))}, "left out"),
    damaged("result.json: an escape sequence as label",
            {"result.json": entry(lambda it: it.update(label="\x1b[31mred\x07"))}, "red"),
    damaged("cost.json cut off", {"cost.json": "{"}, "Cost|ID quality|cost"),
    damaged("scores cut off", {"scores.recommendation.tsv": lambda text: text[:99]}, "scores|Next-item"),
    damaged("scores gone", {"scores.recommendation.tsv": None}, "scores|Next-item"),
    damaged("run again: a later format is computed again", LATER, "random", words=AGAIN),
    damaged("verify: result.json cut off", {"result.json": "{"}, r"result\.json", code=1, words=VERIFY),
    damaged("verify: a value changed", {"result.json": entry(lambda it: it["metrics"]["id-quality"].update(AMI=0.9))},
            "AMI", code=1, words=VERIFY),
    damaged("verify: IDs changed", {"ids.tsv": replaced("i00\t", "i01\t")}, r"ids\.tsv", code=1, words=VERIFY),
    damaged("verify: IDs are binary", {"ids.tsv": b"\xff\xfe\0" * 99}, r"ids\.tsv", code=1, words=VERIFY),
    damaged("verify: a ranking cut off", {"run.recommendation.trec": lambda text: text[:-20]}, "recommendation", code=1,
            words=VERIFY),
    damaged("verify: a preset changed", {"result.json": entry(lambda it: it.update(preset="paper"))}, "result", code=1,
            words=VERIFY),
    damaged("verify as JSON", {"result.json": "{"}, "result", code=1, words=(*VERIFY, "--json"), json=True),
    damaged("compare: an unknown label", {}, "rqvae", code=2, words=("compare", "rqvae", "random")),
    damaged("compare: with itself", {}, "random", code=2, words=("compare", "random", "random")),
    damaged("report: an unknown table", {}, "tabel", code=2, words=(*REPORT, "--tables", "tabel")),
    damaged("report: an unknown format", {}, "pdf", code=2, words=(*REPORT, "--format", "pdf")),
    damaged("report: a file as target", {}, "items.jsonl", code=2, words=(*REPORT, "--out", "shop/items.jsonl")),
    damaged("figures: an unknown figure", {}, "pie", code=2, words=("figures", "--figures", "pie", "--out", "out")),
    damaged("figures: a level of -1", {}, "-1", code=2, words=("figures", "--level", "-1", "--out", "out")),
    damaged("annotate: a broken key", {"/key.json": "{"}, r"key\.json", code=2,
            words=("annotate", "score", "--key", "runs/key.json", "runs/key.json")),
    damaged("annotate: more groups than there are", {}, "group", code=2,
            words=("annotate", "make", "--dataset", "shop", "--methods", "random", "--groups", "1000000")),
    Case("a cache that is a file", (*AGAIN, "--runs", "new"), 1, r"\.cache",
         lambda folder: (results({})(folder), (folder / "new").mkdir(), (folder / "new" / ".cache").touch())),
]  # fmt: skip
