"""Which device things run on, by name and in words."""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, version

from benchmark.errors import BenchmarkError, UsageError
from benchmark.learning.processes import processes
from benchmark.threads import usable_cores


def choose_device(name: str) -> str:
    """Return the device of 'auto', 'cpu', 'cuda' or 'cuda:N': under a launcher, each process's own GPU.

    Raises UsageError for another name, BenchmarkError where PyTorch sees no GPU.
    """
    check_device_name(name)
    if name == "cpu":
        return name
    if name == "auto" and _built_without_cuda():  # so it need not be asked, which takes 1.5 s
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if name in ("auto", "cuda") else name
    if name == "auto":
        return "cpu"
    raise BenchmarkError("--device cuda: PyTorch sees no GPU here; use --device cpu, or install a CUDA build of torch")


def _built_without_cuda() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:  # importable all the same: built from source
        return False


def check_device_name(name: str) -> None:
    """Raise UsageError for what cannot be a device's name."""
    if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", name):
        raise UsageError(f"--device {name[:80]}: auto, cpu or cuda")


def device_words(device: str) -> str:
    """Return the device in words, e.g. 'cpu (2 cores)', and the processes of a launcher."""
    if device.startswith("cuda"):
        import torch

        name = str(torch.cuda.get_device_name(0))
    else:
        cores = usable_cores()
        name = f"cpu ({cores} core{'s' if cores > 1 else ''})"
    return name if processes() == 1 else f"{name}, {processes()} processes"
