"""`benchmark run --config FILE`: the runs of a file, one after another, with options of the command line over them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

from benchmark.cli.carrying_out import execute_request, planned, print_config
from benchmark.cli.parsing import parse_settings, whole_numbers, words
from benchmark.durations import duration
from benchmark.errors import UsageError
from benchmark.streams import answer_json

AddArguments = Callable[[argparse.ArgumentParser], None]


def execute_config(arguments: argparse.Namespace, add_arguments: AddArguments, options: dict[str, bool]) -> int:
    """Carry out the runs of a file; exit code 1 where a cell failed. All plans are made before anything is computed."""
    from benchmark.api.run import to_stderr
    from benchmark.api.run_config import read_run_config

    configs = read_run_config(arguments.config, typed(arguments.words, add_arguments))
    requests = [config.request() for config in configs]
    if arguments.print_config:
        return print_config(requests)
    plans = []
    for number, request in enumerate(requests, 1):
        try:
            plans.append(request.plan())
        except UsageError as error:
            raise UsageError(f"--config {arguments.config}: run {number} of {len(requests)}: {error}") from None
    if arguments.json and len(requests) > 1 and not arguments.dry_run:
        raise UsageError(f"--json goes with a file of one run; {arguments.config} has {len(requests)}")
    if arguments.json and arguments.dry_run:
        answer_json([row for request, plan in zip(requests, plans, strict=True) for row in planned(request, plan)])
        return 0
    failed, started = False, time.monotonic()
    for number, (request, plan) in enumerate(zip(requests, plans, strict=True), 1):
        begun = time.monotonic()
        if len(requests) > 1:
            to_stderr(f"run {number} of {len(requests)}: {_title(request)}")
        failed |= execute_request(request, plan=plan, **options) != 0
        if len(requests) > 1 and not arguments.dry_run:
            to_stderr(f"run {number} of {len(requests)}: {duration(time.monotonic() - begun)}")
    if not arguments.dry_run:
        to_stderr(f"{len(requests)} runs in {duration(time.monotonic() - started)}")
    return 1 if failed else 0


def typed(given: list[str], add_arguments: AddArguments) -> dict[str, Any]:
    """Return the options that a command line has, by the names of `benchmark.run`; defaults are not among them."""
    from benchmark.api.run_config import RunConfig

    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    unset = argparse.Namespace(**dict.fromkeys(vars(parser.parse_args(given))))  # so that no default is filled in
    found = {name: value for name, value in vars(parser.parse_args(given, unset)).items() if value is not None}
    changed = {name: found[name] for name in RunConfig.model_fields if name in found}
    changed |= {name: words(found[name]) for name in ("methods", "tasks") if name in found}
    changed |= {name: str(found[name]) for name in ("runs", "data_root") if name in found}
    if "seeds" in found:
        changed["seeds"] = whole_numbers(found["seeds"], "--seeds")
    if "set" in found:
        changed["settings"] = parse_settings(found["set"])
    if "run_file" in found:
        changed["run_files"] = found["run_file"]
    return changed | ({"check": False} if "no_check" in found else {})


def _title(request: Any) -> str:
    rows = [*request.methods, *request.ids, *request.run_files]
    tasks = ", ".join(request.tasks) if request.tasks else "all tasks"
    return f"{request.dataset}, {tasks}, {len(rows)} rows, seeds {', '.join(map(str, request.seeds))}"
