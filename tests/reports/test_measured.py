"""The measured results that the project keeps: they verify, README shows their numbers, and the campaign can be run."""

import io
import json
import re
import subprocess
import sys
import tarfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from benchmark.api.run_config import read_run_config
from benchmark.cli.main import main

ROOT = Path(__file__).parents[2]
MEASURED = ROOT / "reports" / "measured"


@pytest.fixture(scope="module")
def kept() -> list[dict[str, Any]]:
    """Every result.json of the archive, read without the suite."""
    with tarfile.open(MEASURED / "results.tar.xz") as tar:
        files = [tar.extractfile(member) for member in tar if member.name.endswith("/result.json")]
        return [json.load(io.TextIOWrapper(file, "utf-8")) for file in files if file is not None]


def test_every_row_of_the_campaign_is_a_method_with_valid_settings() -> None:
    configs = read_run_config(MEASURED / "campaign.toml")
    rows = [variant.label for config in configs for variant in config.request().variants()]
    assert {"lmindexer", "rqvae", "rqkmeans", "hc", "sasrec", "bm25", "random", "category"} <= set(rows)


def test_kept_results_and_their_report_verify(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(MEASURED)]) == 0, capsys.readouterr().out


def test_readme_shows_what_the_script_makes_of_the_kept_results() -> None:
    command = [sys.executable, str(MEASURED / "readme_tables.py"), "--print"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert made in (ROOT / "README.md").read_text("utf-8")


def test_means_in_readme_are_those_of_the_result_files(kept: list[dict[str, Any]]) -> None:
    section = (ROOT / "README.md").read_text("utf-8").partition("<!-- measured: begin -->")[2].partition("<!-- m")[0]
    means: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for result in kept:
        protocol = result["config"]["protocol"]
        if result["dataset"]["name"] != "beauty" or {"split", "ties"} & protocol.keys():
            continue
        for task, values in result["metrics"].items():
            of_text = result["kind"] == "recommender" or result["text_fields"] == ["title", "brand"]
            if (
                not of_text
                or result["label"] != result["method"]
                or (task == "search" and result["queries"] != "simulated")
            ):
                continue
            for name, value in values.items():
                means[task, result["label"], result["preset"], name].append(value)
    checked = 0
    for task, block in zip(("recommendation", "search"), section.split("**Search")[:2], strict=True):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.split("\n") if line[:1] == "|"]
        header = lines[0]
        for row in lines[2:]:
            first = header.index("seeds") + 1
            for name, text in zip(header[first:-1], row[first:-1], strict=True):
                values = means[task, row[0].removesuffix(" (control)").removesuffix(" (scratch)"), row[1], name]
                assert len(values) == len(row[first - 1].split(","))
                assert re.match(r"[\d.]+", text)[0] == f"{sum(values) / len(values):.4f}"  # type: ignore[index]
                checked += 1
    assert checked >= 40
    columns = (("cranfield", "judged"), ("nfcorpus", "judged-dev"), ("beauty", "category-derived"))
    rows = [line.strip("|").split("|") for line in section.split("**Search")[2].split("\n") if line[:1] == "|"][2:]
    for name, *pairs in rows:
        for asked, text, seeds in zip(columns, pairs[::2], pairs[1::2], strict=True):
            label = name.strip().removesuffix(" (control)")
            values = [
                result["metrics"]["search"]["nDCG@10"]
                for result in kept
                if (result["dataset"]["name"], result["queries"]) == asked
                and result["label"].removesuffix("-ids") == label
            ]
            assert len(values) == (0 if seeds.strip() == "–" else len(seeds.split(",")))
            assert text.strip().startswith(f"{sum(values) / len(values):.4f} [" if values else "–")
    assert len(rows) >= 8
