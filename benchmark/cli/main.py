"""The command line: `benchmark COMMAND ...`. Each command lives in a module of its own, imported when it is called."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.cli.completion import complete
from benchmark.errors import BenchmarkError, UsageError, did_you_mean, quoted
from benchmark.streams import answer, answers, separated
from benchmark.version import __version__

COMMANDS = {
    "run": "compute the cells that are missing and print the tables",
    "report": "print or write the tables of the runs that exist",
    "reproduce": "compute what a table of the paper lacks and print it beside the published values",
    "compare": "say whether one method is better than another, metric by metric",
    "score": "score rankings of any system against judgments, and compare them",
    "verify": "recompute every number of results or of a report; name what does not follow or was changed",
    "annotate": "make a blinded page for human judges of the IDs, and score their answers",
    "figures": "draw the figures of the runs that exist",
    "sweep": "run methods over a grid of settings, as the figures against ID length and codebook size need it",
    "tune": "choose settings on validation items or development judgments, the same number of trials for each method",
    "list": "list methods, data sets, importers, tables, figures or metrics",
    "show": "show a method's or a data set's settings and presets, or what a metric means",
    "check": "check that a method, e.g. a plugin's, keeps the suite's contract",
    "data": "get a data set, check it, print its statistics, or write a generated one to a folder",
    "import": "bring in a data set: ir_datasets, BEIR, RecBole, S3-Rec/P5, LETTER, Amazon 2018 and 2023, CSV, Parquet",
    "ids": "assign IDs to new items, inspect, compare, repair and share them",
    "ask": "ask a finished cell a query or a history; see items, IDs and the way to each",
    "serve": "the same as a small local web page and JSON API",
    "export": "write a result's TREC run, IDs (also as .index.json), JSON or training curves",
    "archive": "pack results into one small file that can be published",
    "bench": "time the suite's own code against what you would use instead",
    "doctor": "say what is installed and what is missing",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code (0 done, 1 failed, 2 misuse)."""
    complete(COMMANDS)
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    if not words or words[0] in ("-h", "--help"):
        parser.print_help()
        return 0 if words else 2
    if words[0] == "--version":
        answer(f"lmindexer-benchmark {__version__}")
        return 0
    with separated():
        return _execute(words[0], words[1:])


def _execute(name: str, words: list[str]) -> int:
    try:
        if name not in COMMANDS:
            raise UsageError(f"unknown command {quoted(name)}.{did_you_mean(name, COMMANDS)}")
        module = importlib.import_module(f"benchmark.cli.{name}")
        command = Parser(
            prog=f"benchmark {name}",
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        arguments = command.parse_args(words)
        arguments.words = words  # as they were typed: `run --config` tells them from defaults
        code = _carry_out(module, arguments)
        answers().flush()
        return code
    except BenchmarkError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("benchmark: interrupted; what was finished is kept, the same command resumes", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"benchmark: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        return 1


def _carry_out(module: Any, arguments: argparse.Namespace) -> int:
    """Carry out a command. No plugin decides by `sys.exit(0)` that it went well."""
    try:
        code: int = module.execute(arguments)
    except SystemExit as error:
        raise BenchmarkError(f"something called sys.exit({error}) before the command was done") from error
    return code


class Parser(argparse.ArgumentParser):
    """A parser whose help is an answer, on standard output, and for which an empty word is no path."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.register("type", Path, _path)

    def print_help(self, file: Any = None) -> None:
        """Print the help."""
        super().print_help(file or answers())


def _path(word: str) -> Path:
    if not word.strip():  # as of a shell's variable that is not set; Path("") would be the current folder
        raise argparse.ArgumentTypeError("an empty path")
    return Path(word)


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:<9} {text}" for name, text in COMMANDS.items())
    return argparse.ArgumentParser(
        prog="benchmark",
        usage="benchmark COMMAND [...]",
        description="A benchmark and baselines suite for semantic indexers.",
        epilog=f"commands:\n{lines}\n\n'benchmark COMMAND --help' explains each. First steps: benchmark run --methods "
        "rqvae,rqkmeans --dataset demo\n\nThe shell completes commands, options and names after pip install "
        "'lmindexer-benchmark[completion]' and\n  eval \"$(register-python-argcomplete benchmark)\"     (in ~/.bashrc "
        "or ~/.zshrc)",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=True,
    )


if __name__ == "__main__":
    sys.exit(main())
