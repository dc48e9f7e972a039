"""What each stage of a run costs as the catalogue grows: seconds, processor seconds, peak memory, growth exponent.

The catalogues are planted ones (`planted:items=N`), the encoder is `static`, indexers have their preset `small`. Every
stage is a process of its own (`benchmark.api.scale_stages`), so that its peak memory is its own. The growth exponent is
the slope of log processor seconds over log items between the two largest catalogues: 1 is linear, n log n is about
1.07 between 100,000 and a million. The table is Markdown; what is being measured goes to standard error.
"""

from __future__ import annotations

import json
import math
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmark.api.run import to_stderr
from benchmark.api.scale_stages import STAGES
from benchmark.threads import threads, usable_cores

ITEMS = (10_000, 100_000, 1_000_000)
SMALL = (1_000, 4_000)
PACKAGES = ("numpy", "torch", "faiss-cpu", "sentence-transformers", "bm25s", "pyarrow", "scikit-learn", "scipy")

Row = Mapping[str, Any]  # name, seconds, cpu, peak and perhaps note, or a failure


def run(small: bool = False, *, items: Sequence[int] = ()) -> Iterator[str]:
    """Yield the lines of the table; `items` are the sizes of the catalogues."""
    sizes = sorted(set(items or (SMALL if small else ITEMS)))
    measured = {size: catalogue(size) for size in sizes}
    yield from table(measured)
    yield ""
    yield from surroundings()


def catalogue(items: int) -> list[Row]:
    """Measure all stages over one catalogue, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="benchmark-scale-") as folder:
        return [row for stage in STAGES for row in measure(stage, items, Path(folder))]


def measure(stage: str, items: int, folder: Path) -> list[Row]:
    """Run one stage in a process of its own; one that fails is a row that says so."""
    command = [sys.executable, "-m", "benchmark.api.scale_stages", stage, str(folder), str(items)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        to_stderr(f"{items:,} items, {stage}: failed: {reason}")
        return [{"name": stage, "failed": reason}]
    rows: list[Row] = json.loads(done.stdout.splitlines()[-1])
    for row in rows:
        numbers = f"{row['seconds']:.1f} s, {row['cpu']:.1f} s of processor, {row['peak'] / 1e6:,.0f} MB"
        to_stderr(f"{items:,} items, {row['name']}: {numbers} {row.get('note', '')}".rstrip())
    return rows


def table(measured: Mapping[int, Sequence[Row]]) -> Iterator[str]:
    """Yield the Markdown table: a line per stage, three columns per catalogue, growth, a note on the largest one."""
    columns = [f"{size:,}: {what}" for size in measured for what in ("s", "CPU s", "peak MB")]
    yield f"| Stage | {' | '.join(columns)} | Growth | Largest catalogue |"
    yield f"| :-- |{' --: |' * len(columns)} --: | :-- |"
    by_name = {size: {row["name"]: row for row in rows} for size, rows in measured.items()}
    for name in dict.fromkeys(name for rows in by_name.values() for name in rows):
        rows = [by_name[size].get(name, {}) for size in measured]
        cells = [cell for row in rows for cell in _cells(row)]
        note = rows[-1].get("note", rows[-1].get("failed", ""))
        yield f"| {' | '.join([name, *cells, growth(list(measured), rows), note])} |"


def _cells(row: Row) -> list[str]:
    if "seconds" not in row:
        return ["failed" if "failed" in row else "–", "–", "–"]
    return [f"{row['seconds']:,.2f}", f"{row['cpu']:,.2f}", f"{row['peak'] / 1e6:,.0f}"]


def growth(sizes: Sequence[int], rows: Sequence[Row]) -> str:
    """Return the slope of log processor seconds over log items between the two largest catalogues, – for one alone."""
    if len(sizes) < 2 or not all(row.get("cpu") for row in rows[-2:]):
        return "–"
    (less, more), (before, after) = sizes[-2:], (row["cpu"] for row in rows[-2:])
    return f"{math.log(after / before) / math.log(more / less):.2f}"


def surroundings() -> Iterator[str]:
    """Yield what the numbers depend on: cores, threads, versions."""
    found = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    cores = f"{usable_cores()} usable cores ({platform.machine()}), {threads()} threads"
    yield f"{cores}. Python {platform.python_version()}, {found}."
