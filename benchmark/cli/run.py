"""Compute the cells that are missing (method x task x seed) and print the tables.

  benchmark run --methods rqvae,rqkmeans,bm25 --dataset demo
  benchmark run --methods rqvae,wide=rqvae --set wide.codebook_size=512 --dataset PATH --tasks id-quality
  benchmark run --methods rqvae --ids other.index.json --dataset demo
  benchmark run --config campaign.toml --device cuda

LABEL=METHOD gives a method a second row with settings of its own. Cells that are already there are not computed
again; a run that was killed resumes. A cache or result file that is damaged is named and made again.

A file given with --config holds the arguments of `benchmark.run` in TOML, for one run or, in sections [[run]], for
several; options that stand beside it take the place of its own. --print-config prints such a file.

The headline columns of a task are printed as soon as its last cell has ended; --wide prints all columns and tables,
those of costs at the end. Standard error says which cell of how many is computed, and how long the rest may take. The
exit code is 0 only if every cell that was asked for is there and could be read.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from benchmark.cli.carrying_out import execute_request, print_config
from benchmark.cli.parsing import parse_settings, whole_numbers, words
from benchmark.errors import UsageError
from benchmark.results.result_files import RUNS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark run`."""
    parser.add_argument("--config", type=Path, default=None, metavar="FILE", help="a TOML file that describes runs")
    parser.add_argument(
        "--print-config", action="store_true", help="print the file that describes this run; compute nothing"
    )
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
    parser.add_argument("--dataset", help="a name, a folder, or e.g. planted:items=5000,seed=1")
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
    parser.add_argument(
        "--any-version", action="store_true",
        help="a result of another version of the suite's code counts as done where all its settings are the same, so "
        "that a long series of runs is not computed anew after each change of the code",
    )  # fmt: skip
    parser.add_argument(
        "--no-check", action="store_true",
        help="accept counts that differ from the fingerprint, and many items without text",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="list cells and stages, compute nothing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument(
        "--limit", type=int, default=None, metavar="N",
        help="a first look: rank and score only N test users and N test queries, the same for every method; learning "
        "is unchanged, and the results have tables of their own",
    )  # fmt: skip
    parser.add_argument(
        "--tracker", default="", metavar="NAME",
        help="show training curves while they are made: tensorboard (files below RUNS/tensorboard), wandb, trackio or "
        "mlflow, whichever is installed",
    )  # fmt: skip
    parser.add_argument("--wide", action="store_true", help="print all columns and tables, not the headline columns")


def execute(arguments: argparse.Namespace) -> int:
    """Run and print; exit code 0 only if every asked cell is there and could be read."""
    options = {"dry_run": arguments.dry_run, "as_json": arguments.json, "wide": arguments.wide}
    if arguments.config is not None:
        from benchmark.cli.run_config import execute_config

        return execute_config(arguments, add_arguments, options)
    request = request_of(arguments)
    if arguments.print_config:
        return print_config([request])
    return execute_request(request, **options)


def request_of(arguments: argparse.Namespace) -> Any:
    """Return the request that the words of a command line make."""
    from benchmark.api.run_request import RunRequest, labelled_ids, labelled_runs
    from benchmark.running.crew import parse_workers
    from benchmark.running.executors.cluster import parse_executor

    if not arguments.dataset:
        raise UsageError(
            "--dataset is needed: a name (benchmark list datasets), a folder, or planted:items=5000,seed=1"
        )
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
        any_version=arguments.any_version,
        limit=arguments.limit,
        tracker=arguments.tracker,
    )
