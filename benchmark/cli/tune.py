"""Choose the settings of methods on validation items and development judgments, by the same number of trials each.

  benchmark tune --methods sasrec,item-knn,rqkmeans --trials 20 --dataset demo
  benchmark tune --methods bm25 --trials 10 --dataset demo --objective RR@10
  benchmark tune --methods rqkmeans --task search --trials 4 --dataset demo --set rqkmeans.levels=3

Every trial runs on a copy of the data set without its test part (each user's last event, the test judgments), so that
no test item decides a setting: recommendation is scored on the validation items, search on the development judgments,
on held-out training queries where there are none. ID quality has no validation part.

What is tried stands beside a method's presets, in the section [tune]; `benchmark show METHOD` prints it. --space FILE
gives another one, in a section per label, and --set fixes settings in every trial:

  [sasrec]
  dropout = [0.2, 0.5]
  training.learning_rate = { low = 1e-4, high = 1e-2, log = true }

The first trial is the preset, the others are drawn by Optuna's TPE sampler; the same --seed tries the same settings. A
trial that fails counts, with its reason. The same command continues a search that was interrupted, and more --trials
extend it; once done, it prints its table at once. What is chosen is a file that `benchmark run --preset FILE` takes;
the cost table shows the number of trials. All is kept below RUNS/.tune.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from benchmark.cli.parsing import number_from, parse_settings, words
from benchmark.results.result_files import RUNS
from benchmark.streams import answer, answer_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark tune`."""
    parser.add_argument("--methods", required=True, help="comma-separated: METHOD or LABEL=METHOD")
    parser.add_argument("--dataset", required=True, help="a name, a folder, or e.g. planted:items=5000,seed=1")
    parser.add_argument("--trials", type=number_from(1, 100_000), default=20, help="of each method (default 20)")
    parser.add_argument("--task", help="recommendation or search (default: the first that the method serves)")
    parser.add_argument("--objective", default="nDCG@10", help="a metric of the task (default nDCG@10)")
    parser.add_argument("--preset", default=None, help="what the settings go over (default: small; demo: tiny)")
    parser.add_argument("--space", type=Path, default=None, metavar="FILE", help="a TOML file of search spaces")
    parser.add_argument("--set", action="append", default=[], metavar="LABEL.KEY=VALUE", help="fix a setting")
    parser.add_argument("--seed", type=number_from(0, 2**32 - 1), default=0, help="of the trials and the methods")
    parser.add_argument("--text-fields", default="default", help="as with benchmark run")
    parser.add_argument("--data-root", type=Path, default=None, help="folder of data sets (or BENCHMARK_DATA)")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder for results (default runs)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--no-check", action="store_true",
        help="accept counts that differ from the fingerprint, and many items without text",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=None, metavar="FILE", help="the preset file (default: below RUNS)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")


def execute(arguments: argparse.Namespace) -> int:
    """Make the trials that are missing and print what was chosen; exit code 0 only if every method has a score."""
    from benchmark.api.run import to_stderr
    from benchmark.api.tune import execute as tune
    from benchmark.api.tune_request import TuneRequest

    request = TuneRequest(
        arguments.dataset,
        methods=words(arguments.methods),
        trials=arguments.trials,
        task=arguments.task,
        objective=arguments.objective,
        preset=arguments.preset,
        settings=parse_settings(arguments.set),
        space=arguments.space,
        seed=arguments.seed,
        text_fields=arguments.text_fields,
        runs=arguments.runs,
        data_root=arguments.data_root,
        device=arguments.device,
        check=not arguments.no_check,
        out=arguments.out,
    )
    tuning = tune(request, log=to_stderr)
    if arguments.json:
        answer_json(tuning.to_dict())
    else:
        answer(tuning)
        if tuning.preset is not None:
            methods = [
                f"{found.label}={found.method}" if found.label != found.method else found.label
                for found in tuning
                if found.best
            ]
            command = ["benchmark", "run", "--preset", str(tuning.preset), "--methods", ",".join(methods)]
            answer(f"\nto use them: {shlex.join([*command, '--dataset', arguments.dataset])}")
    failed = [(found.label, trial) for found in tuning for trial in found.failed]
    for label, trial in failed:
        to_stderr(f"benchmark: failed: trial {trial.number + 1} of {label}: {trial.reason}")
    return 0 if all(found.best for found in tuning) else 1
