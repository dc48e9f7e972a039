"""Runs described by one file: the arguments of `benchmark.run` in TOML, for one run or for a series of them.

    preset = "small"                     # what stands above holds for every run of the file
    seeds = [0, 1, 2]

    [[run]]
    dataset = "beauty"
    methods = ["rqkmeans", "wide=rqkmeans", "sasrec"]
    tasks = ["recommendation"]
    [run.settings]
    "wide.codebook_size" = 512

    [[run]]
    dataset = "beauty"
    methods = ["bm25"]

A file without [[run]] is one run. Paths are relative to the working directory, as on the command line.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark.api.run_request import RunRequest, make_request
from benchmark.config import flatten
from benchmark.data.writing import toml
from benchmark.errors import UsageError, did_you_mean
from benchmark.results.result_files import RUNS

RUN, SETTINGS = "run", "settings"
OF_THE_MACHINE = ("runs", "data_root", "device", "workers", "executor", "cache")  # they decide no result


class RunConfig(BaseModel):
    """One run of a file; every key is an argument of `benchmark.run` with its default."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    dataset: str = "demo"
    methods: list[str] | str = []
    ids: dict[str, str] | list[str] = {}
    ids_order: str = ""
    run_files: dict[str, str] | list[str] = {}
    tasks: list[str] | str | None = None
    preset: str | None = None
    seeds: list[int] | int = [0]
    settings: dict[str, Any] = {}
    text_fields: list[str] | str = "default"
    queries: str | None = None
    self_retrieval: str = "excluded"
    split: str = "leave-one-out"
    ties: str = "file"
    metrics: list[str] | str = ""
    runs: str = str(RUNS)
    data_root: str | None = None
    device: str = "auto"
    workers: int | str = "auto"
    executor: str = "local"
    check: bool = True
    any_version: bool = False
    limit: int | None = None
    tracker: str = ""

    def request(self) -> RunRequest:
        """Return the request. Raises UsageError for what cannot be."""
        given = self.model_dump(exclude_unset=True)
        given |= {name: Path(given[name]) for name in ("runs", "data_root") if given.get(name) is not None}
        return make_request(given.pop("dataset", "demo"), **given)


def read_run_config(path: Path, changed: Mapping[str, Any] | None = None) -> list[RunConfig]:
    """Return the runs of a file, with arguments that were given beside it in place of its own.

    Raises UsageError that names the file, the run and the key.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"--config {path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--config {path}: not a TOML file: {error}") from None
    blocks = content.pop(RUN, [{}])
    if not isinstance(blocks, list) or not blocks or not all(isinstance(block, dict) for block in blocks):
        raise UsageError(f"--config {path}: write each run as a section [[run]]")
    given = [content, *blocks, dict(changed or {})]
    for part in given:
        if isinstance(part.get(SETTINGS), dict):
            part[SETTINGS] = flatten(part[SETTINGS])
    return [
        _checked(_merged(content, block, given[-1]), f"--config {path}: run {number} of {len(blocks)}")
        for number, block in enumerate(blocks, 1)
    ]


def _merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of all parts, the last value of each; settings are taken together, key by key."""
    found: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            both = key == SETTINGS and isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = {**found[key], **value} if both else value
    return found


def _checked(values: Mapping[str, Any], place: str) -> RunConfig:
    for key in values:
        if key not in RunConfig.model_fields:
            hint = did_you_mean(key, RunConfig.model_fields)
            raise UsageError(f"{place}: unknown key '{key}'.{hint}")
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        raise UsageError(f"{place}: {problem['loc'][0]}: {problem['msg']}, got {problem['input']!r}") from None


def run_config_text(requests: Sequence[RunRequest]) -> str:
    """Return a file with everything that decides the results of requests, also defaults that depend on the data set."""
    if len(requests) == 1:
        return "\n".join(_lines(requests[0], "")) + "\n"
    return "\n\n".join("\n".join(["[[run]]", *_lines(request, f"{RUN}.")]) for request in requests) + "\n"


def _lines(request: RunRequest, prefix: str) -> list[str]:
    values: dict[str, Any] = {"dataset": request.dataset, "methods": list(request.methods)}
    values |= {"preset": request.preset or request.preset_name, "seeds": list(request.seeds)}
    default = RunRequest(request.dataset)
    for name in RunConfig.model_fields:
        value = getattr(request, name)
        if name not in values and name not in OF_THE_MACHINE and value != getattr(default, name):
            values[name] = list(value) if isinstance(value, tuple) else value
    sections = {name: values.pop(name) for name in list(values) if isinstance(values[name], Mapping)}
    lines = [f"{name} = {toml(value)}" for name, value in values.items()]
    for name, section in sections.items():
        lines += ["", f"[{prefix}{name}]", *(f"{toml(key)} = {toml(value)}" for key, value in section.items())]
    return lines
