"""Memory: the peak of this process and of the GPU where one is in use, and what is still available."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from benchmark.threads import CGROUP, group_folders


def reset_peak_memory() -> None:
    """Start a new peak-memory reading (Linux; elsewhere the peak is the whole process's)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> dict[str, int]:
    """Return the peak resident memory in bytes since the last reset, and the GPU's where one is in use."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) * 1024
    found = {"cpu": peak}
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        found["gpu"] = int(torch.cuda.max_memory_allocated())
    return found


def available_memory(
    meminfo: Path = Path("/proc/meminfo"), cgroup: Path = CGROUP, members: Path = Path("/proc/self/cgroup")
) -> int | None:
    """Return the bytes that new processes can have: the machine's, or those of a group or container where fewer.

    None where the system does not say.
    """
    found = []
    with contextlib.suppress(OSError, ValueError, StopIteration):
        line = next(line for line in meminfo.read_text().splitlines() if line.startswith("MemAvailable:"))
        found.append(int(line.split()[1]) * 1024)
    for folder in group_folders("memory", cgroup, members):
        for names in (("max", "current"), ("limit_in_bytes", "usage_in_bytes")):  # of cgroup v2 and v1
            with contextlib.suppress(OSError, ValueError):  # the word max is not a number: no limit
                limit, used = (int((folder / f"memory.{name}").read_text()) for name in names)
                cached = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
                found.append(limit - used + int(cached.get("inactive_file", 0)))  # files that are only cached make way
    return max(0, min(found)) if found else None
