"""The card of a shared set of IDs: what it is, how it was made, what it scores, and how to read it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.errors import DataError
from benchmark.fetching.hub import ABOUT
from benchmark.terminal import table_lines
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS

FORMAT = 1  # of ids.json
SHOWN = {
    "id-quality": ("AMI", "NMI", "unique", "collision_rate", "dead_codes", "length"),
    "recommendation": ("R@5", "R@10", "nDCG@10"),
    "search": ("R@10", "nDCG@10", "RR@10"),
}
IDENTIFIER = re.compile(r"[a-z0-9.-]+")  # a licence as the Hub names it: cc-by-4.0


def read_about(folder: Path) -> dict[str, Any]:
    """Return the content of a folder's ids.json, {} where there is none. Raises DataError for another format."""
    path = folder / ABOUT
    if not path.is_file():
        return {}
    try:
        about = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DataError(f"{path}: broken JSON ({error})") from None
    found = about.get("format") if isinstance(about, dict) else None
    if not isinstance(about, dict) or found != FORMAT:
        raise DataError(f"{path}: format {found!r}; this version reads {FORMAT}")
    return about


def card(about: Mapping[str, Any]) -> str:
    """Return the Markdown of README.md, with the Hub's header, from the content of ids.json."""
    licence = str(about["licence"])
    header = {
        "license": licence if IDENTIFIER.fullmatch(licence) else "other",
        "tags": ["semantic-ids", "lmindexer-benchmark"],
        "configs": [{"config_name": "default", "data_files": "ids.parquet"}],
    }
    lines = ["---", *(f"{name}: {json.dumps(value)}" for name, value in header.items()), "---", ""]
    lines += [f"# Semantic IDs of {about['dataset'].get('title') or about['name']} by {about['name']}", ""]
    lines += [
        f"{about['items']:,} items: `codes` are the semantic ID, `counter` tells items with equal codes apart.", "",
        "## How they were made", "", *_facts(about), "",
    ]  # fmt: skip
    if about["metrics"]:
        lines += ["## What they score", "", *_metrics(about["metrics"]), ""]
    lines += [
        "## Reading them", "", "    benchmark run --ids hub:ORG/NAME --dataset DATASET", "", "or", "",
        '    datasets.load_dataset("ORG/NAME")["train"]', "",
        "`ids.json` has everything above as JSON. There is no pickle in this folder.", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _facts(about: Mapping[str, Any]) -> list[str]:
    dataset, fields = about["dataset"], about["text fields"]
    facts = {
        "method": about["method"], "preset": about["preset"], "settings": json.dumps(about["settings"], sort_keys=True),
        "encoder": about["encoder"], "text fields": ", ".join(fields or DEFAULT_TEXT_FIELDS) if about["method"] else "",
        "seed": about["seed"], "codebooks": ", ".join(map(str, about["codebooks"])),
        "data set": dataset.get("name"), "corpus fingerprint": dataset.get("fingerprint"),
        "source of the items": dataset.get("source"), "licence": about["licence"], "split": about["split"],
        "made with": about["made with"],
    }  # fmt: skip
    return [f"- {name}: {value}" for name, value in facts.items() if value not in (None, "", [])]


def _metrics(metrics: Mapping[str, Mapping[str, float]]) -> list[str]:
    rows = [
        [task, name, f"{metrics[task][name]:.4f}"]
        for task, names in SHOWN.items() for name in names if name in metrics.get(task, {})
    ]  # fmt: skip
    table = table_lines(rows, header=("task", "metric", "value"))
    return [f"    {line}" for line in table]
