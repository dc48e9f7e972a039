"""Shell completion of commands, options and the names of methods, data sets, tables, metrics and columns.

    pip install 'lmindexer-benchmark[completion]'
    eval "$(register-python-argcomplete benchmark)"        # in ~/.bashrc or ~/.zshrc

argcomplete asks the program itself, with the line so far in the environment; nothing here imports torch.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
from collections.abc import Callable, Iterable, Mapping

ASKED = "_ARGCOMPLETE"  # set by argcomplete's function in the shell
LINE = "COMP_LINE"
TASKS = ("id-quality", "recommendation", "search")
PRESETS = ("tiny", "small", "base", "paper", "published", "tuned")

Names = Callable[[], Iterable[str]]


def complete(commands: Mapping[str, str]) -> None:
    """Answer the shell and exit, if it asks; without argcomplete there is no answer."""
    if ASKED not in os.environ:
        return
    try:
        import argcomplete
    except ImportError:
        raise SystemExit(1) from None
    argcomplete.autocomplete(parser_of(commands, _command(os.environ.get(LINE, ""))), always_complete_options="long")


def parser_of(commands: Mapping[str, str], command: str) -> argparse.ArgumentParser:
    """Return a parser that knows all commands, and the arguments of one, each with the names that it takes."""
    parser = argparse.ArgumentParser(prog="benchmark")
    parts = parser.add_subparsers()
    for name, text in commands.items():
        one = parts.add_parser(name, help=text)
        if name == command:
            importlib.import_module(f"benchmark.cli.{name}").add_arguments(one)
            _complete_with(one, _names_of(command))
    return parser


def _complete_with(parser: argparse.ArgumentParser, names: Mapping[str, Names]) -> None:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in action.choices.values():
                _complete_with(one, names)
        elif action.dest in names and action.choices is None:
            action.completer = _in_list(names[action.dest], files=action.dest == "dataset")  # type: ignore[attr-defined]


def _in_list(names: Names, *, files: bool) -> Callable[..., list[str]]:
    """Return a completer of the last word of 'a,b,LABEL=c'; with `files` also of folders."""

    def completer(prefix: str, **_: object) -> list[str]:
        place = max(prefix.rfind(","), prefix.rfind("=")) + 1
        found = [prefix[:place] + name for name in names() if name.startswith(prefix[place:])]
        if files:
            from argcomplete.completers import DirectoriesCompleter

            found += DirectoriesCompleter()(prefix)
        return found

    return completer


def _names_of(command: str) -> dict[str, Names]:
    """Return argument -> the names that it takes in a command."""
    from benchmark.registry import registered

    def of(*kinds: str) -> Names:
        return lambda: [name for kind in kinds for name in registered(kind)]

    found: dict[str, Names] = {
        "methods": of("method"), "method": of("method"), "a": of("method"), "b": of("method"),
        "dataset": of("data set"),
        "table": of("table"), "tables": lambda: [*registered("table"), "paper", "details", "published"],
        "columns": column_names, "objective": column_names, "tasks": lambda: TASKS, "task": lambda: TASKS,
        "preset": lambda: PRESETS, "split": lambda: ("leave-one-out", "time", "cold-start"),
        "ties": lambda: ("file", "shuffled"), "device": lambda: ("auto", "cpu", "cuda"),
        "executor": lambda: ("local", "ray", "slurm"), "format": of("format"), "figures": of("figure"),
    }  # fmt: skip
    if command == "show":
        found["name"] = lambda: [*of("method", "data set", "table")(), *column_names()]
    if command == "figures":
        found["format"] = lambda: ("svg", "pdf", "png")
    return found


def column_names() -> list[str]:
    """Return the metrics that have columns in tables, and the columns' headers."""
    from benchmark.registry import load, registered

    columns = [column for name in registered("table") for column in load("table", name).columns]
    return list(dict.fromkeys(name for column in columns for name in (column.measure, column.header)))


def _command(line: str) -> str:
    """Return the command of a line that may end inside a quote; '' where none is there yet."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    return words[1] if len(words) > 1 else ""
