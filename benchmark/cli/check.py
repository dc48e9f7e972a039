"""Check that a method keeps the suite's contract, on a small made-up catalogue: for a plugin before its first run.

  benchmark check first-letter
  benchmark check rqvae --set rqvae.levels=2

What it checks stands in benchmark/conformance.py, whose check_method does the same in tests.
"""

from __future__ import annotations

import argparse
import inspect
from traceback import extract_tb
from types import TracebackType

from benchmark.errors import BenchmarkError
from benchmark.streams import answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark check`."""
    parser.add_argument("method", help="a method's name, e.g. that of a plugin")
    parser.add_argument("--preset", default="tiny", help="its preset (default: tiny)")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="METHOD.KEY=VALUE")


def execute(arguments: argparse.Namespace) -> int:
    """Print that the method keeps the contract. Raises BenchmarkError with the rule that it breaks."""
    from benchmark import conformance
    from benchmark.cli.parsing import parse_settings
    from benchmark.running.catalogue import fitted_to_catalogue
    from benchmark.running.plan import check_preset, make_variants

    settings = parse_settings(arguments.settings)
    check_preset(arguments.preset)
    (variant,) = make_variants([arguments.method], arguments.preset, settings, "")
    variant = fitted_to_catalogue(variant, conformance.KNOWN)
    try:
        conformance.check_method(variant.method, **variant.config.model_dump())
    except Exception as error:
        if isinstance(error, AssertionError) and extract_tb(error.__traceback__)[-1].filename == conformance.__file__:
            raise BenchmarkError(str(error)) from None  # a rule of the contract
        what = f"it raised {type(error).__name__}{f': {error}' if str(error) else ''}"
        where = _place(error.__traceback__, inspect.getsourcefile(variant.cls))
        raise BenchmarkError(f"{variant.method}: {what} (at {where})") from error
    answer(f"{variant.method} keeps the contract of {'an' if variant.kind == 'indexer' else 'a'} {variant.kind}")
    return 0


def _place(trace: TracebackType | None, own: str | None) -> str:
    """Return the innermost line of the method's own file that was being run, or else of any."""
    frames = extract_tb(trace)
    frame = ([each for each in frames if each.filename == own] or frames)[-1]
    return f"{frame.filename}:{frame.lineno}, in {frame.name}"
