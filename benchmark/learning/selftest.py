"""The self-test of a device: each network, scorer and search computes there what it computes on the CPU.

`benchmark doctor --selftest --device cuda` runs it. A part is anything that gives tensors on a device from the same
seed and the same inputs: a training step gives its loss and gradients, a search its items. The largest difference from
the CPU's values, relative to the largest of them, must stay within the part's tolerance; for whole numbers (items,
codes) the difference is the share that is another. Dropout is off and nothing is drawn on the device, as devices draw
other numbers from one seed.

Rooms register their parts, a plugin its own too:

    [project.entry-points."benchmark.selftests"]
    mine = "my_package.selftest:parts"          # parts() -> list[Part]
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmark.registry import load, registered

FLOAT32 = 1e-3  # a sum of products in another order, through some layers and back
BFLOAT16 = 5e-2  # 8 bits of precision
REPEATS = 5  # timed steps of a part, behind one that warms up

Outcome = dict[str, Tensor]  # name -> float values, or whole numbers


@dataclass(frozen=True)
class Part:
    """One thing that a device must be able to do.

    `prepare(device)` returns the step that is timed and compared; `examples` of a kind (`unit`) pass through it.
    """

    name: str
    prepare: Callable[[str], Callable[[], Outcome]]
    examples: int
    unit: str
    tolerance: float = FLOAT32


@dataclass(frozen=True)
class Verdict:
    """What a part did on the device: its difference from the CPU, examples per second, or why it failed."""

    part: Part
    difference: float = float("nan")
    per_second: float = float("nan")
    error: str = ""

    @property
    def passed(self) -> bool:
        return not self.error and self.difference <= self.part.tolerance


def selftest(device: str) -> Iterator[Verdict]:
    """Yield the verdict of each registered part on the device, room by room; a part that fails ends no other one."""
    for name in registered("selftest"):
        try:
            parts = load("selftest", name)()
        except Exception as error:
            yield Verdict(Part(name, lambda device: dict, 0, "parts"), error=_reason(error))
            continue
        for part in parts:
            yield judge(part, device)


def judge(part: Part, device: str) -> Verdict:
    """Run one part on the CPU and on the device."""
    try:
        expected = part.prepare("cpu")()
        step = part.prepare(device)
        found, seconds = step(), []
        for _ in range(REPEATS):
            started = time.perf_counter()
            step()
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - started)
        return Verdict(part, difference(expected, found), part.examples / statistics.median(seconds))
    except Exception as error:  # whatever a device cannot do is the answer that was asked for
        return Verdict(part, error=_reason(error))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def difference(expected: Outcome, found: Outcome) -> float:
    """Return the largest difference over all tensors: relative for floats, the share of others for whole numbers.

    Infinite where a value is not finite on one side alone. Raises ValueError for other names or shapes.
    """
    if {key: value.shape for key, value in expected.items()} != {key: value.shape for key, value in found.items()}:
        raise ValueError("the device gives other names or shapes than the CPU")
    return max(_difference(value, found[key].cpu()) for key, value in expected.items())


def _difference(expected: Tensor, found: Tensor) -> float:
    if not expected.is_floating_point():
        return float((expected != found).double().mean())
    finite = expected.isfinite()
    if not torch.equal(finite, found.isfinite()) or not torch.allclose(
        expected[~finite], found[~finite], equal_nan=True
    ):
        return float("inf")
    largest = expected[finite].double().abs().amax() if finite.any() else torch.zeros(())
    apart = (expected[finite].double() - found[finite].double()).abs()
    return float(apart.amax() / largest.clamp(min=1e-12)) if finite.any() else 0.0


def training_step(
    build: Callable[[], nn.Module], loss: Callable[[nn.Module, str], Tensor], *, precision: str = "no"
) -> Callable[[str], Callable[[], Outcome]]:
    """Return what prepares one step of a network without dropout: its loss, and the gradient of each parameter.

    `build` draws the weights on the CPU; `loss(network, device)` may only use inputs that are the same everywhere.
    """

    def prepare(device: str) -> Callable[[], Outcome]:
        torch.manual_seed(0)
        network = build().eval().to(device)  # eval: no dropout
        kind = device.partition(":")[0]

        def step() -> Outcome:
            network.zero_grad()
            with torch.autocast(kind, torch.bfloat16, enabled=precision == "bf16" and device != "cpu"):
                value = loss(network, device)
            torch.autograd.backward(value)
            gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
            flat = torch.cat([gradient.detach().float().flatten() for gradient in gradients])
            return {"loss": value.detach().float().cpu(), "gradients": flat.cpu()}

        return step

    return prepare
