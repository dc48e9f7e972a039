"""How many cores this process may use, and one answer to that for every library that starts threads.

OpenMP, BLAS, numba and tokenizers count the cores that a process is bound to, but not a container's quota of processor
time: with 2 of 64 cores they start 64 threads, which wait for each other. And each has a variable of its own, so that
`OMP_NUM_THREADS=1` alone leaves numba at all cores. What the user has set counts, for the others too.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

OPENMP = "OMP_NUM_THREADS"
VARIABLES = (OPENMP, "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
CGROUP = Path("/sys/fs/cgroup")


def bound_cores() -> int:
    """Return the number of cores that this process is bound to, all where it is bound to none."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usable_cores(cgroup: Path = CGROUP) -> int:
    """Return the cores that this process is bound to, or as many as its container's quota is worth if these are fewer.

    Reads `cpu.max` (cgroup v2) or `cpu.cfs_quota_us` (v1); a part of a core counts as one.
    """
    return max(1, min([bound_cores(), *_quotas(cgroup)]))


def _quotas(cgroup: Path) -> list[int]:
    found = []
    with suppress(OSError, ValueError, IndexError, ZeroDivisionError):
        quota, period = (cgroup / "cpu.max").read_text().split()[:2]
        found.append(math.ceil(int(quota) / int(period)))  # the word max is no number: no quota
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        if int(quota) > 0:
            found.append(math.ceil(int(quota) / int(period)))
    return found


def threads() -> int:
    """Return how many threads libraries are asked to use: what the user has set for OpenMP, else all usable cores."""
    said = os.environ.get(OPENMP, "").partition(",")[0].strip()
    return int(said) if said.isdigit() and int(said) else usable_cores()


def limit_threads() -> None:
    """Ask every library for as many threads, where by itself it would start more. Call it before they are loaded.

    Threads that wait for work must not spin: beside other processes, spinning makes a small training step up to eight
    times slower.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if (n := threads()) < bound_cores():
        for name in VARIABLES:
            os.environ.setdefault(name, str(n))
