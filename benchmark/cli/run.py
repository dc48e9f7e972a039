"""Compute the cells that are missing (method x task x seed) and print the tables.

  benchmark run --methods rqvae,rqkmeans,bm25 --dataset demo
  benchmark run --methods rqvae,wide=rqvae --set wide.codebook_size=512 --dataset PATH --tasks id-quality
  benchmark run --methods rqvae --ids other.index.json --dataset demo

LABEL=METHOD gives a method a second row with settings of its own. Cells that are already there are not computed
again; a run that was killed resumes. A cache or result file that is damaged is named and made again.

The tables of a task are printed as soon as its last cell has ended, those of costs at the end. Standard error says
which cell of how many is computed, and how long the rest may take. The exit code is 0 only if every cell that was asked
for is there and could be read.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmark.cli.parsing import parse_settings, whole_numbers, words
from benchmark.results.result_files import RUNS
from benchmark.streams import answer, answer_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark run`."""
    parser.add_argument("--methods", default="", help="comma-separated: METHOD or LABEL=METHOD")
    parser.add_argument(
        "--ids", action="append", default=[], metavar="[LABEL=]FILE",
        help="IDs of another toolkit as one more row: .index.json, .json, .jsonl or .tsv, a folder of `benchmark ids "
        "push`, or hub:org/name (may be given several times)",
    )  # fmt: skip
    parser.add_argument(
        "--ids-order", default="", metavar="items|first-seen|FILE",
        help="what row numbers in these files count: lines of items.jsonl, items as sequences.txt first names them, or "
        "a file (one item a line, or item TAB key)",
    )  # fmt: skip
    parser.add_argument(
        "--run-file", action="append", default=[], metavar="[LABEL=]FILE",
        help="rankings of another system as one more row: a TREC run, or CSV of query (or user), item, score; {seed} "
        "in the name stands for the seed (may be given several times)",
    )  # fmt: skip
    parser.add_argument("--dataset", required=True, help="a name, a folder, or e.g. planted:items=5000,seed=1")
    parser.add_argument("--tasks", help="id-quality,recommendation,search (default: all that the data set has)")
    parser.add_argument(
        "--preset", default=None,
        help="tiny, small, base, paper, published or tuned (default: small; demo: tiny), or a .toml file of "
        "`benchmark tune`",
    )  # fmt: skip
    parser.add_argument("--seeds", default="0", help="comma-separated (default 0)")
    parser.add_argument("--set", action="append", default=[], metavar="LABEL.KEY=VALUE", help="change a setting")
    parser.add_argument(
        "--text-fields", default="default",
        help="default (title,description,brand,price), paper (with category: the label is in the text), or a list",
    )  # fmt: skip
    parser.add_argument("--queries", default=None, help="the query set for search (default: judged, else simulated)")
    parser.add_argument(
        "--self-retrieval", choices=["excluded", "kept"], default="excluded",
        help="a query that is itself an item (same id and text): leave that item out of its ranking, as BEIR does "
        "(default), or keep it",
    )  # fmt: skip
    parser.add_argument(
        "--split", default="leave-one-out", metavar="leave-one-out|time[:CUT]|cold-start[:SHARE]",
        help="each user's last item is the test item (default), or what comes after one cut for all users: a share of "
        "the events (time:0.9) or a date (time:2014-01-31); cold-start:0.1 withholds a tenth of the items from all "
        "learning and ranks them with the rest",
    )  # fmt: skip
    parser.add_argument(
        "--ties", default="file", metavar="file|shuffled[:SEED]",
        help="events of a user at one time stamp: in the order of the file (default), or in a random one",
    )  # fmt: skip
    parser.add_argument(
        "--metrics", default="", metavar="'NAME ..'",
        help="further metrics of rankings, by their names in ir-measures: 'nDCG@20 P@5' (docs/metrics.md); cut-offs up "
        "to 20, the depth of rankings. Cells that are finished are scored again, not trained again",
    )  # fmt: skip
    parser.add_argument("--data-root", type=Path, default=None, help="folder of data sets (or BENCHMARK_DATA)")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder for results (default runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--workers", default="auto", metavar="N|auto",
        help="cells computed side by side, each in a process of its own (default auto: one per GPU, or on CPU as many "
        "as cores and memory allow; BENCHMARK_WORKERS sets another default). On CPU a cell has one thread, or as many "
        "as OMP_NUM_THREADS says; the results are the same bytes for any number of workers",
    )  # fmt: skip
    parser.add_argument(
        "--executor", default="local", metavar="local|ray|slurm[:KEY=VALUE,..]",
        help="where cells are computed: on this machine (default), on a Ray cluster, as Slurm jobs (docs/clusters.md)",
    )  # fmt: skip
    parser.add_argument("--no-check", action="store_true", help="accept counts that differ from the fingerprint")
    parser.add_argument("--dry-run", action="store_true", help="list cells and stages, compute nothing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def execute(arguments: argparse.Namespace) -> int:
    """Run and print; exit code 0 only if every asked cell is there and could be read."""
    return execute_request(request_of(arguments), dry_run=arguments.dry_run, as_json=arguments.json)


def request_of(arguments: argparse.Namespace) -> Any:
    """Return the request that the words of a command line make."""
    from benchmark.api.run_request import RunRequest, labelled_ids, labelled_runs
    from benchmark.running.crew import parse_workers
    from benchmark.running.executors.cluster import parse_executor

    return RunRequest(
        arguments.dataset,
        methods=words(arguments.methods) if arguments.methods else (),
        ids=labelled_ids(arguments.ids),
        ids_order=arguments.ids_order,
        run_files=labelled_runs(arguments.run_file),
        tasks=words(arguments.tasks) if arguments.tasks else None,
        preset=arguments.preset,
        seeds=whole_numbers(arguments.seeds, "--seeds"),
        settings=parse_settings(arguments.set),
        text_fields=arguments.text_fields,
        queries=arguments.queries,
        self_retrieval=arguments.self_retrieval,
        split=arguments.split,
        ties=arguments.ties,
        metrics=arguments.metrics,
        runs=arguments.runs,
        data_root=arguments.data_root,
        device=arguments.device,
        workers=parse_workers(arguments.workers),
        executor=parse_executor(arguments.executor),
        check=not arguments.no_check,
    )


def execute_request(request: Any, *, dry_run: bool, as_json: bool) -> int:
    """Carry out a request and print its tables, or print its plan."""
    from benchmark.api.run import execute, to_stderr
    from benchmark.cli.run_tables import RunTables
    from benchmark.learning.processes import process_rank

    if dry_run:
        return _dry_run(request, as_json)
    first, tables = process_rank() == 0, RunTables()
    log = to_stderr if first else lambda message: None
    results = execute(request, log=log, of_task=None if as_json else tables.of_task)
    if first and as_json:
        answer_json(_json(results))
    elif first and len(results):
        tables.rest(results)
    for cell, reason in results.failures.items():
        to_stderr(f"benchmark: failed: {cell}: {reason}")
    return 1 if results.failures else 0


def _json(results: Any) -> dict[str, Any]:
    files = [result.folder / "result.json" for result in results if not result.problem]
    return {"results": [json.loads(file.read_text("utf-8")) for file in files], "failed": dict(results.failures)}


def _dry_run(request: Any, as_json: bool) -> int:
    from benchmark.api.run import to_stderr
    from benchmark.running.stages import Stages

    plan = request.plan()
    plan_stages = Stages(plan, request.store)
    rows = [
        {
            "cell": cell.title,
            "done": cell.done(),
            "folder": str(cell.folder),
            "stages": {stage.name: "cached" if stage.done else "to do" for stage in plan_stages.of(cell)},
        }
        for cell in plan.cells
    ]
    if as_json:
        answer_json(rows)
        return 0
    for line in plan.skipped:
        to_stderr(f"skipped: {line}")
    for row in rows:
        stages = ", ".join(f"{name} {state}" for name, state in row["stages"].items())
        answer(f"{'done ' if row['done'] else 'to do'}  {row['cell']}  ({stages})" if stages else f"{row['cell']}")
    answer(f"{sum(not row['done'] for row in rows)} of {len(rows)} cells to compute")
    return 0
