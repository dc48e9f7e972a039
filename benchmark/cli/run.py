"""Compute the cells that are missing (method x task x seed) and print the tables.

  benchmark run --methods rqvae,rqkmeans,bm25 --dataset demo
  benchmark run --methods rqvae,wide=rqvae --set wide.codebook_size=512 --dataset PATH --tasks id-quality
  benchmark run --methods rqvae --ids other.index.json --dataset demo

LABEL=METHOD gives a method a second row with settings of its own. Cells that are already there are not computed
again; a run that was killed resumes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmark.cli.words import whole_numbers, words
from benchmark.errors import BenchmarkError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark run`."""
    parser.add_argument("--methods", default="", help="comma-separated: METHOD or LABEL=METHOD")
    parser.add_argument(
        "--ids", action="append", default=[], metavar="[LABEL=]FILE",
        help="IDs of another toolkit as one more row: .index.json, .json or .tsv (may be given several times)",
    )  # fmt: skip
    parser.add_argument("--dataset", required=True, help="a name, a folder, or e.g. planted:items=5000,seed=1")
    parser.add_argument("--tasks", help="id-quality,recommendation,search (default: all that the data set has)")
    parser.add_argument(
        "--preset", default=None, help="tiny, small, base, paper, published or tuned (default: small; demo: tiny)"
    )
    parser.add_argument("--seeds", default="0", help="comma-separated (default 0)")
    parser.add_argument("--set", action="append", default=[], metavar="LABEL.KEY=VALUE", help="change a setting")
    parser.add_argument(
        "--text-fields", default="default",
        help="default (title,description,brand,price), paper (with category: the label is in the text), or a list",
    )  # fmt: skip
    parser.add_argument("--queries", default=None, help="the query set for search (default: judged, else simulated)")
    parser.add_argument("--data-root", type=Path, default=None, help="folder of data sets (or BENCHMARK_DATA)")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder for results (default runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--no-check", action="store_true", help="accept counts that differ from the fingerprint")
    parser.add_argument("--dry-run", action="store_true", help="list cells and stages, compute nothing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def execute(arguments: argparse.Namespace) -> int:
    """Run and print; exit code 0 only if every asked cell is there."""
    from benchmark.data.dataset import open_dataset
    from benchmark.learning.processes import process_rank
    from benchmark.running.cells import Protocol
    from benchmark.running.plan import make_plan, make_variants, parse_settings, parse_text_fields
    from benchmark.running.store import Store

    runs: Path = arguments.runs
    store = Store(runs / ".cache")
    preset = arguments.preset or ("tiny" if arguments.dataset.partition(":")[0] == "demo" else "small")
    settings = parse_settings(arguments.set)
    foreign = _foreign(arguments.ids)
    methods = words(arguments.methods) if arguments.methods else []
    names = [*methods, *(f"{label}=ids-file" for label in foreign)]
    if not names:
        raise UsageError("run: name methods with --methods, or files of IDs with --ids")
    settings |= {f"{label}.path": file for label, file in foreign.items()}
    variants = make_variants(names, preset, settings)
    dataset = open_dataset(
        arguments.dataset, cache=store.root, data_root=arguments.data_root, check=not arguments.no_check
    )
    plan = make_plan(
        dataset,
        variants,
        tasks=words(arguments.tasks) if arguments.tasks else None,
        seeds=whole_numbers(arguments.seeds, "--seeds"),
        protocol=Protocol(
            text_fields=parse_text_fields(arguments.text_fields),
            query_set=arguments.queries or dataset.default_queries,
            preset=preset,
        ),
        runs=runs,
    )
    from benchmark.running.runner import Runner

    quiet = arguments.json or process_rank() > 0
    runner = Runner(plan, store, progress=_progress, log=(lambda message: None) if quiet else _log)
    if arguments.dry_run:
        return _dry_run(runner, arguments.json)
    missing = [cell for cell in plan.cells if not cell.done()]
    if missing:
        runner.device = _device(arguments.device)
    failures = runner.run()
    if process_rank() == 0:
        for warning in dataset.warnings if missing else ():
            _log(f"note: {warning}")
        _print(plan, arguments.json, {failure.cell.title: failure.reason for failure in failures})
    for failure in failures:
        print(f"benchmark: failed: {failure.cell.title}: {failure.reason}", file=sys.stderr)
    for line in plan.skipped:
        _log(f"skipped: {line}")
    return 1 if failures else 0


def _foreign(files: list[str]) -> dict[str, str]:
    """Return label -> file of the --ids arguments."""
    from benchmark.results.id_files import label_of

    found: dict[str, str] = {}
    for text in files:
        label, equals, file = text.partition("=")
        if not equals or os.sep in label or os.path.exists(text):
            label, file = label_of(Path(text)), text
        if label in found:
            raise UsageError(f"--ids: two files have the label '{label}'; write --ids LABEL=FILE")
        found[label] = file
    return found


def _print(plan: Any, as_json: bool, failed: dict[str, str]) -> None:
    from benchmark.results.result_files import read_result
    from benchmark.results.tables import tables_text

    paths = [folder / "result.json" for folder in dict.fromkeys(cell.folder for cell in plan.cells)]
    paths = [path for path in paths if path.is_file()]
    if as_json:
        content = {"results": [json.loads(path.read_text("utf-8")) for path in paths], "failed": failed}
        print(json.dumps(content, indent=2, ensure_ascii=False))
    elif paths:
        print(tables_text([read_result(path) for path in paths], "terminal"))


def _dry_run(runner: Any, as_json: bool) -> int:
    rows = [
        {
            "cell": cell.title,
            "done": cell.done(),
            "folder": str(cell.folder),
            "stages": {stage.name: "cached" if stage.done else "to do" for stage in runner.stages.of(cell)},
        }
        for cell in runner.plan.cells
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        stages = ", ".join(f"{name} {state}" for name, state in row["stages"].items())
        print(f"{'done ' if row['done'] else 'to do'}  {row['cell']}  ({stages})" if stages else f"{row['cell']}")
    print(f"{sum(not row['done'] for row in rows)} of {len(rows)} cells to compute")
    return 0


def _device(name: str) -> str:
    if name not in ("auto", "cpu") and not name.startswith("cuda"):
        raise UsageError(f"--device {name}: auto, cpu or cuda")
    if name == "cpu":
        return name
    import torch

    if torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if name in ("auto", "cuda") else name
    if name == "auto":
        return "cpu"
    raise BenchmarkError("--device cuda: PyTorch sees no GPU here; use --device cpu, or install a CUDA build of torch")


def _log(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _progress(iterable: Iterable[Any], title: str, total: int | None = None) -> Iterable[Any]:
    if not sys.stderr.isatty():
        return iterable
    from tqdm import tqdm

    bar: Iterable[Any] = tqdm(iterable, desc=f"  {title}", total=total, leave=False, dynamic_ncols=True)
    return bar
