"""How many cores this process may use, and one answer to that for every library that starts threads.

OpenMP, BLAS, numba and tokenizers count the cores that a process is bound to, but not a container's quota of processor
time: with 2 of 64 cores they start 64 threads, which wait for each other. And each has a variable of its own, so that
`OMP_NUM_THREADS=1` alone leaves numba at all cores. What the user has set counts, for the others too.

A cell of a run is computed with one thread on CPU (`limited_to`), unless the user has set another number: on small
networks a second thread gains next to nothing, sums are rounded the same way however many cells run side by side, and
no thread waits for another on a busy machine.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OPENMP = "OMP_NUM_THREADS"
VARIABLES = (OPENMP, "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
CGROUP = Path("/sys/fs/cgroup")

SET_HERE = "BENCHMARK_OMP_NUM_THREADS"  # what this module has set OPENMP to; child processes inherit both


def bound_cores() -> int:
    """Return the number of cores that this process is bound to, all where it is bound to none."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_cores(cgroup: Path = CGROUP, members: Path | None = None) -> int:
    """Return the cores that this process is bound to, or as many as a quota is worth if these are fewer.

    Reads `cpu.max` (cgroup v2) or `cpu.cfs_quota_us` (v1) of the process's group and of all groups above it; a part of
    a core counts as one.
    """
    own = Path("/proc/self/cgroup") if members is None else members
    folders = group_folders("cpu", cgroup, own)
    return max(1, min([bound_cores(), *(quota for folder in folders for quota in _quotas(folder))]))


def group_folders(controller: str, cgroup: Path, members: Path) -> list[Path]:
    """Return the folders of the process's groups, from each one up to the root; in a container often the root alone.

    `controller` ("cpu", "memory") is that of cgroup v1; v2 has one tree for all.
    """
    lines = []
    with suppress(OSError):
        lines = [line.split(":", 2) for line in members.read_text().splitlines()]
    found = [cgroup, cgroup / controller]
    for parts in lines:
        if len(parts) == 3 and (controller in parts[1].split(",") or not parts[1]):
            root = cgroup / controller if parts[1] else cgroup
            place = root / parts[2].strip("/")
            found += [place, *(parent for parent in place.parents if root in parent.parents)]
    return list(dict.fromkeys(found))


def _quotas(folder: Path) -> list[int]:
    found = []
    with suppress(OSError, ValueError, IndexError, ZeroDivisionError):
        quota, period = (folder / "cpu.max").read_text().split()[:2]
        found.append(math.ceil(int(quota) / int(period)))  # the word max is no number: no quota
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        if int(quota) > 0:
            found.append(math.ceil(int(quota) / int(period)))
    return found


def threads() -> int:
    """Return how many threads libraries are asked to use: what is set for OpenMP, else all usable cores."""
    said = os.environ.get(OPENMP, "").partition(",")[0].strip()
    return int(said) if said.isdigit() and int(said) else usable_cores()


def asked_threads() -> int | None:
    """Return the number of threads that the user has set for OpenMP, None where none is set."""
    said = os.environ.get(OPENMP)
    return None if said is None or said == os.environ.get(SET_HERE) else threads()


def threads_in_use() -> int:
    """Return how many threads PyTorch computes with where it is loaded, else what libraries are asked to use."""
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch is not None else threads()


def limit_threads() -> None:
    """Ask every library for as many threads, where by itself it would start more. Call it before they are loaded.

    Threads that wait for work must not spin: beside other processes, spinning makes a small training step up to eight
    times slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if (n := threads()) < bound_cores():
        if OPENMP not in os.environ:
            os.environ[SET_HERE] = str(n)
        os.environ.update({name: str(n) for name in VARIABLES if name not in os.environ})


@contextmanager
def limited_to(n: int) -> Iterator[None]:
    """Let every library compute with n threads meanwhile, those that are loaded and those that will be.

    PyTorch has its former number afterwards; of the others, those that were loaded meanwhile keep n.
    """
    from threadpoolctl import threadpool_limits

    variables = {name: os.environ.get(name) for name in VARIABLES}
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch is not None else threads()
    os.environ.update(dict.fromkeys(VARIABLES, str(n)))
    _limit_torch(n)
    try:
        with threadpool_limits(n):
            yield
    finally:
        for name, value in variables.items():
            os.environ.pop(name, None)
            os.environ.update({} if value is None else {name: value})
        _limit_torch(before)


def _limit_torch(n: int) -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(n)
