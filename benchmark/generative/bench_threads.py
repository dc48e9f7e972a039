"""Our own training step at one thread and at all usable ones, on an idle machine and beside busy processes.

Each measurement is a process of its own, as threads are counted once: some steps of the reader `items` (preset `tiny`),
the first ones not timed. Beside it, busy processes take every core that this one may use. Settings take turns, round by
round; ratios are medians over the rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmark.threads import VARIABLES, usable_cores

ROUNDS, STEPS, USERS = 5, 40, 512
BUSY = "while True: pass"
STEP = "from benchmark.generative.bench_threads import steps_per_second; print(steps_per_second({}))"


def run(small: bool = False, *, rounds: int | None = None) -> Iterator[str]:
    """Yield steps per second by number of threads, idle and busy, and what more threads gain or cost."""
    n, steps = max(2, usable_cores()), STEPS // 4 if small else STEPS
    rounds = rounds or (1 if small else ROUNDS)
    speeds: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for state in ("idle", "busy"):
            with _busy(usable_cores() if state == "busy" else 0):
                for threads in (1, n):
                    speeds.setdefault((state, threads), []).append(_measured(threads, steps))
    yield f"{usable_cores()} usable cores, {steps} steps, median of {rounds} rounds, waiting threads {_policy()}"
    for state in ("idle", "busy"):
        one, more = speeds[state, 1], speeds[state, n]
        ratio = statistics.median(many / single for many, single in zip(more, one, strict=True))
        yield (
            f"{state}   1 thread {statistics.median(one):8.2f} steps/s   {n} threads {statistics.median(more):8.2f} "
            f"steps/s   ratio {ratio:5.2f}"
        )


def steps_per_second(steps: int) -> float:
    """Train the reader `items` for some steps in this process; return its speed after the first ones."""
    from functools import partial
    from pathlib import Path

    from benchmark.config import build_config, load_presets
    from benchmark.generative import bench_generative, config

    settings = build_config(config.GenerativeConfig, preset=load_presets(Path(config.__file__))["tiny"])
    data = bench_generative.made_up(1_000, USERS, settings.items.max_length, seed=0)
    fit = partial(bench_generative._generative, "items", data, settings, "no", steps + 1)
    return steps / bench_generative._seconds(fit, steps, "cpu", seed=0)


def _measured(threads: int, steps: int) -> float:
    command = [sys.executable, "-c", STEP.format(steps)]
    done = subprocess.run(
        command, env=os.environ | dict.fromkeys(VARIABLES, str(threads)), capture_output=True, text=True, check=True
    )  # fmt: skip
    return float(done.stdout.split()[-1])


@contextmanager
def _busy(processes: int) -> Iterator[None]:
    """Keep that many cores busy."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def _policy() -> str:
    return "sleep (OMP_WAIT_POLICY=PASSIVE)" if os.environ.get("OMP_WAIT_POLICY") == "PASSIVE" else "as the user set"
