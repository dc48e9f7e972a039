"""Run methods over a grid of settings: every point is an ordinary row of `benchmark run`.

  benchmark sweep --methods rqvae,rqkmeans --over codebook_size=64,128,256 --dataset demo
  benchmark sweep --methods lmindexer,rqvae --over lmindexer.length=1,2,3 --over rqvae.levels=1,2,3 --dataset demo
  benchmark sweep --methods rqkmeans --over levels=2,3 --over codebook_size=16,32 --dataset demo --print-commands

--over KEY=V1,V2 goes to every method, --over METHOD.KEY=V1,V2 to one; several make a grid. The row of a point is
named after it, e.g. rqvae-codebook_size-64. --print-commands prints one `benchmark run` per point and seed, for
xargs, GNU parallel or a cluster's job arrays: they may run side by side into one --runs folder.
`benchmark figures --figures id-length,codebook-size,sweeps` draws the outcome.

The scores are those of the test items. To choose settings, sweep over a copy without them:
`benchmark data write NAME NAME-tuning --without-test`.
"""

from __future__ import annotations

import argparse
import itertools
import re
import shlex
from dataclasses import dataclass, replace

from benchmark.cli import run
from benchmark.cli.carrying_out import execute_request, print_config
from benchmark.cli.parsing import parse_settings, whole_numbers, words
from benchmark.errors import UsageError, did_you_mean
from benchmark.streams import answer

COMMA = re.compile(r",(?![^\[{]*[\]}])")  # but not inside a JSON list or object
LONGEST = 80  # signs of a label: it is a folder's name


@dataclass(frozen=True)
class Point:
    """One row of the sweep."""

    label: str
    method: str
    settings: tuple[str, ...]  # LABEL.KEY=VALUE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark sweep`: those of `benchmark run`, and the grid."""
    run.add_arguments(parser)
    grid = parser.add_argument_group("the grid")
    grid.add_argument("--over", action="append", required=True, metavar="[METHOD.]KEY=V1,V2,..")
    grid.add_argument("--print-commands", action="store_true", help="print a `benchmark run` per point and seed")


def execute(arguments: argparse.Namespace) -> int:
    """Run all points as one `benchmark run`, or print their commands."""
    from benchmark.api.run_request import RunRequest

    if arguments.config is not None:
        raise UsageError("sweep: --config goes with 'benchmark run'; write the points of a grid as rows of its file")
    if not arguments.dataset:
        raise UsageError("--dataset is needed: a name (benchmark list datasets) or a folder")
    points = make_points(words(arguments.methods), arguments.over, arguments.set)
    shared = [setting for setting in arguments.set if setting.partition(".")[0] == "generative"]
    if not arguments.print_commands:
        request = replace(
            run.request_of(arguments),
            methods=[f"{point.label}={point.method}" for point in points],
            settings=parse_settings([*shared, *(setting for point in points for setting in point.settings)]),
        )
        if arguments.print_config:
            return print_config([request])
        return execute_request(request, dry_run=arguments.dry_run, as_json=arguments.json, wide=arguments.wide)
    for point in points:
        variant, settings = [f"{point.label}={point.method}"], [*shared, *point.settings]
        made = RunRequest(
            arguments.dataset, methods=variant, preset=arguments.preset, settings=parse_settings(settings)
        )
        made.variants()  # a wrong key is refused here
        for seed in whole_numbers(arguments.seeds, "--seeds"):
            answer(shlex.join(["benchmark", "run", "--methods", *variant, *_options(arguments, settings, seed)]))
    given = [f"--ids={name}" for name in arguments.ids] + [f"--run-file={name}" for name in arguments.run_file]
    given += [f"--ids-order={arguments.ids_order}"] if arguments.ids_order else []
    for seed in whole_numbers(arguments.seeds, "--seeds") if given else []:
        answer(shlex.join(["benchmark", "run", *given, *_options(arguments, shared, seed)]))
    return 0


def make_points(methods: list[str], over: list[str], settings: list[str]) -> list[Point]:
    """Return one point per method and combination of its values; `settings` of a method go to all its points.

    Raises UsageError for a setting of no method, a grid without values, and a method that nothing is swept of.
    """
    owners = {label: method or label for label, _, method in (name.partition("=") for name in methods)}
    for setting in settings:
        owner = setting.partition(".")[0]
        if owner not in owners and owner != "generative":
            hint = did_you_mean(owner, [*owners, "generative"])
            raise UsageError(f"--set {setting}: no method '{owner}' in this sweep.{hint}")
    grid = [_axis(text) for text in over]
    points = []
    for label, method in owners.items():
        own = {key: values for owner, key, values in (_owned(axis, owners) for axis in grid) if owner in ("", label)}
        if not own:
            raise UsageError(f"--over: nothing is swept of '{label}'; leave it out, or write --over {label}.KEY=V1,V2")
        for values in itertools.product(*own.values()):
            name = _label(label, dict(zip(own, values, strict=True)))
            fixed = [f"{name}.{s.partition('.')[2]}" for s in settings if s.partition(".")[0] == label]
            points.append(Point(name, method, (*fixed, *(f"{name}.{k}={v}" for k, v in zip(own, values, strict=True)))))
    return points


def _axis(text: str) -> tuple[str, list[str]]:
    key, equals, values = text.partition("=")
    found = list(dict.fromkeys(value.strip() for value in COMMA.split(values) if value.strip()))
    if not equals or not key.strip() or not found:
        raise UsageError(f"--over {text}: write KEY=V1,V2 or METHOD.KEY=V1,V2, e.g. --over rqvae.levels=1,2,3")
    return key.strip(), found


def _owned(axis: tuple[str, list[str]], owners: dict[str, str]) -> tuple[str, str, list[str]]:
    """Return (method or '' for all, key, values)."""
    key, values = axis
    owner, _, rest = key.partition(".")
    return (owner, rest, values) if owner in owners and rest else ("", key, values)


def _label(label: str, point: dict[str, str]) -> str:
    """Return 'rqvae-codebook_size-64', the same whatever else is in the grid; long or cut values end in a hash."""
    from benchmark.files import digest

    raw = "-".join([label, *(f"{key.rpartition('.')[2]}-{value}" for key, value in point.items())])
    name = re.sub(r"[^\w-]+", "_", raw)
    plain = re.sub(r"(?<=\d)\.(?=\d)", "_", raw)  # 0.1 becomes 0_1
    return name if name == plain and len(name) <= LONGEST else f"{name[:LONGEST]}-{digest(point)[:6]}"


def _options(arguments: argparse.Namespace, settings: list[str], seed: int) -> list[str]:
    """Return the other options of a point's `benchmark run`."""
    options = ["--dataset", arguments.dataset, "--seeds", str(seed), "--runs", str(arguments.runs)]
    options += [word for setting in settings for word in ("--set", setting)]
    for name in ("tasks", "preset", "queries", "data_root", "limit"):
        value = getattr(arguments, name)
        options += [f"--{name.replace('_', '-')}", str(value)] if value is not None else []
    options += ["--text-fields", arguments.text_fields] if arguments.text_fields != "default" else []
    options += ["--self-retrieval", "kept"] if arguments.self_retrieval == "kept" else []
    options += ["--split", arguments.split] if arguments.split != "leave-one-out" else []
    options += ["--ties", arguments.ties] if arguments.ties != "file" else []
    options += ["--metrics", arguments.metrics] if arguments.metrics else []
    options += ["--device", arguments.device] if arguments.device != "auto" else []
    options += ["--workers", arguments.workers] if arguments.workers != "auto" else []
    options += ["--tracker", arguments.tracker] if arguments.tracker else []
    options += ["--executor", arguments.executor] if arguments.executor != "local" else []
    flags = [name for name in ("any_version", "no_check", "dry_run", "json", "wide") if getattr(arguments, name)]
    return [*options, *(f"--{name.replace('_', '-')}" for name in flags)]
