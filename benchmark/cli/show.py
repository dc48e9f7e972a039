"""Show a method's or a data set's settings and presets, or a metric: `benchmark show rqvae`, `benchmark show AMI`."""

from __future__ import annotations

import argparse
import inspect
from typing import Any

from pydantic import BaseModel

from benchmark.config import Configured, flatten, load_exceptions, load_presets, load_search_space, load_trials
from benchmark.errors import UsageError, did_you_mean
from benchmark.metrics.lookup import all_metrics, find_metric, plugins
from benchmark.metrics.metric import BETTER, Metric
from benchmark.registry import load, registered, source_file
from benchmark.streams import answer
from benchmark.tuning.space import parse_space


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark show`."""
    parser.add_argument("name", help="a method, a data set, a metric, or 'generative' (the shared generative part)")


def execute(arguments: argparse.Namespace) -> int:
    """Print the docstring, every key with its default, and the presets; of a metric, what the number means."""
    name: str = arguments.name
    known = {**registered("data set"), **registered("method")}
    if name == "generative":
        from benchmark.generative import config

        path = _path(config)
        _print(config.__doc__ or "", config.GenerativeConfig, load_presets(path), {}, load_exceptions(path))
        return 0
    if name not in known:
        metric = find_metric(name)
        if metric is None:
            names = [*known, "generative", *(metric.name for metric in all_metrics())]
            raise UsageError(f"unknown method, data set or metric '{name}'.{did_you_mean(name, names)}")
        _print_metric(metric)
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
        "column": metric.title if metric.title != metric.name else "", "plugin": plugin,
    }  # fmt: skip
    answer(f"{metric.name}: {metric.description}\n")
    for key, text in rows.items():
        if text:
            answer(f"{key:<11}{text}")


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
