"""Show what a name stands for: a method, a data set, a table, a metric or the header of a column.

benchmark show rqvae
benchmark show table1
benchmark show AMI
benchmark show "Beam misses"
"""

from __future__ import annotations

import argparse
import inspect
from typing import Any

from pydantic import BaseModel

from benchmark.cli.tables import columns_headed, columns_of, tables_with
from benchmark.config import Configured, flatten, load_exceptions, load_presets, load_search_space, load_trials
from benchmark.errors import UsageError, did_you_mean
from benchmark.metrics.lookup import all_metrics, find_metric, metrics_titled, plugins
from benchmark.metrics.metric import BETTER, Metric
from benchmark.registry import load, registered, source_file
from benchmark.streams import answer
from benchmark.terminal import print_table
from benchmark.tuning.space import parse_space

LISTS = " All names: benchmark list methods, datasets, tables or metrics."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark show`."""
    parser.add_argument(
        "name", help="a method, a data set, a table, a metric or column, or 'generative' (the shared part)"
    )


def execute(arguments: argparse.Namespace) -> int:
    """Print a method's or data set's settings and presets, a table's columns, or what a number means."""
    name: str = arguments.name
    known = {**registered("data set"), **registered("method")}
    if name == "generative":
        from benchmark.generative import config

        path = _path(config)
        _print(config.__doc__ or "", config.GenerativeConfig, load_presets(path), {}, load_exceptions(path))
        return 0
    if name not in known and name in registered("table"):
        _print_table(name)
        return 0
    if name not in known:
        metric = find_metric(name)
        metrics = [metric] if metric else metrics_titled(name)
        columns = [] if metrics else columns_headed(name)
        if not metrics and not columns:
            metric_names = [text for metric in all_metrics() for text in (metric.name, metric.title)]
            names = [*known, *registered("table"), "generative", *metric_names]
            raise UsageError(
                f"unknown method, data set, table, metric or column '{name}'.{did_you_mean(name, names, LISTS)}"
            )
        for number, found in enumerate(metrics):
            if number:
                answer("")
            _print_metric(found)
        for table, column in columns:
            answer(f"{column.header}, a column of {table}: {column.description or column.note or 'no description'}")
        return 0
    what = "method" if name in registered("method") else "data set"
    found = load(what, name)
    if not (isinstance(found, type) and issubclass(found, Configured)):
        raise UsageError(f"the {what} '{name}' ({known[name].value}) is not a class with a configuration")
    module = inspect.getmodule(found)
    doc = (module.__doc__ if module else "") or found.__doc__ or ""
    if what == "data set":
        _print(doc, found.Config, {}, {}, {})
    else:
        source = source_file(known[name])
        presets, trials = load_presets(source, name), load_trials(source, name)
        _print(doc, found.Config, presets, trials, load_exceptions(source, name))
        space = parse_space(load_search_space(source, name), f"the search space of '{name}'")
        if space:
            answer("search space of `benchmark tune`:")
        for key, tried in space.items():
            answer(f"  {key}: {tried}")
    return 0


def _print_metric(metric: Metric) -> None:
    plugin = next((entry.value for entry, found in plugins() if found is metric), "")
    rows = {
        "task": ", ".join(metric.tasks) or "none: a cost", "unit": metric.unit or "none",
        "direction": BETTER[metric.higher_is_better], "range": metric.range_text, "digits": str(metric.digits),
        "column": metric.title if metric.title != metric.name else "", "tables": ", ".join(tables_with(metric)),
        "plugin": plugin,
    }  # fmt: skip
    answer(f"{metric.name}: {metric.description}\n")
    for key, text in rows.items():
        if text:
            answer(f"{key:<11}{text}")


def _print_table(name: str) -> None:
    table = load("table", name)
    answer(f"{name}: {table.title}\n")
    for key, text in {"task": getattr(table, "task", ""), "group": getattr(table, "group", "")}.items():
        if text:
            answer(f"{key:<11}{text}")
    columns = [[column.header, column.description or column.note] for column in columns_of(table)]
    if columns:
        answer("columns")
        print_table([[f"  {header}", text] for header, text in columns])
    for note in getattr(table, "footnotes", ()):
        answer(f"\n{note}")
    answer(f"\nbenchmark report --tables {name}")


def _path(module: Any) -> Any:
    from pathlib import Path

    return Path(module.__file__)


def _print(
    doc: str, model: type[BaseModel], presets: dict[str, dict[str, Any]], trials: dict[str, int],
    exceptions: dict[str, list[tuple[tuple[str, ...], dict[str, Any]]]],
) -> None:  # fmt: skip
    answer(f"{inspect.cleandoc(doc)}\n\nsettings and their defaults:")
    for line in _settings(model.model_construct()):
        answer(f"  {line}")
    for preset, values in presets.items():
        chosen = f" (chosen after {trials[preset]} trials)" if preset in trials else ""
        answer(f"preset {preset}{chosen}: {_pairs(values) or 'the defaults'}")
        for datasets, changes in exceptions.get(preset, ()):
            answer(f"preset {preset} on {', '.join(datasets)}, over these: {_pairs(changes)}")


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in flatten(values).items())


def _settings(model: BaseModel, prefix: str = "") -> list[str]:
    lines = []
    for key, info in type(model).model_fields.items():
        value = getattr(model, key, "(must be given)")  # of a plugin: a setting without a default
        if isinstance(value, BaseModel):
            lines += _settings(value, f"{prefix}{key}.")
        else:
            lines.append(f"{prefix}{key}={value}" + (f"   {info.description}" if info.description else ""))
    return lines
