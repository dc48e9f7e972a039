"""Training with the reader `items` against SASRec and against a T5 that reads texts: positions per second.

A position is an item that is learned from: what the reader `items` and SASRec predict behind each item of a history,
and what one pair (texts of the history, next item) of the T5 asks for. All learn from every item but a user's first,
in the suite's own training loop: batches, forward, loss, backward, clipping and AdamW are timed, the set-up is not.
Contenders take turns, round by round, so that a busy machine slows them alike; ratios are medians over the rounds.

Histories are made up: as long as Amazon Beauty's (half have at most 4 training items, one in a hundred 40), with as
uneven a popularity of the items. IDs are three random codes of 256 and the counter; SASRec has the reader's width.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmark.config import build_config, load_presets
from benchmark.errors import require
from benchmark.generative import config as settings
from benchmark.generative.bench_decode import random_codes
from benchmark.generative.finetune import finetune_recommendation
from benchmark.learning.precision import has_bfloat16
from benchmark.registry import load
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

BEAUTY = 131_413  # items that Amazon Beauty's training histories are learned from in one epoch
WORDS_PER_ITEM = 24
ITEMS, SASREC, T5 = "reader items", "SASRec", "T5 on texts"
PRECISIONS = {"no": "float32", "bf16": "bfloat16"}
Row = tuple[str, str]  # contender, precision


@dataclass(frozen=True)
class Data:
    """What all contenders learn from."""

    corpus: Corpus
    codes: Codes
    histories: Histories
    targets: int


def run(
    small: bool = False, *, users: int | None = None, rounds: int | None = None, device: str = "cpu"
) -> Iterator[str]:
    """Yield the sizes, then one line per contender and precision; `small` takes the sizes of the preset `tiny`."""
    preset, items, default_users, default_rounds = ("tiny", 1_000, 256, 2) if small else ("small", 12_000, 512, 5)
    result = measure(
        preset=preset,
        items=items,
        users=default_users if users is None else users,
        rounds=default_rounds if rounds is None else rounds,
        device=device,
    )
    yield ", ".join(f"{key} {value}" for key, value in result["setting"].items())
    speeds: dict[Row, list[float]] = result["positions_per_second"]
    for (name, precision), values in speeds.items():
        line = f"{name:13} {PRECISIONS[precision]:9} {statistics.median(values):10,.0f} positions/s"
        line += f" {BEAUTY / statistics.median(values):9,.0f} s per epoch of Amazon Beauty"
        if name == ITEMS:
            for other in ((SASREC, precision), (T5, "no")):
                ratio = statistics.median(ours / theirs for ours, theirs in zip(values, speeds[other], strict=True))
                line += f"   {ratio:6.2f} x {' '.join((other[0], PRECISIONS[other[1]]))}"
        yield line


def measure(*, preset: str, items: int, users: int, rounds: int, device: str = "cpu", seed: int = 0) -> dict[str, Any]:
    """Train in turn; return the setting, positions per second of every round, and the positions behind them.

    Raises ConfigError when the users do not fill a batch, or there is no round.
    """
    require(rounds >= 1, "rounds", "must be at least 1")
    presets = load_presets(Path(settings.__file__))
    config = build_config(settings.GenerativeConfig, preset=presets[preset])
    batch = config.recommendation.batch_size
    require(users >= batch, "users", f"must fill a batch of {batch}")
    users -= users % batch  # every round is one epoch of whole batches
    data = made_up(items, users, config.items.max_length, seed)
    steps = {ITEMS: users // batch, SASREC: users // batch, T5: data.targets // batch}
    positions = {ITEMS: data.targets, SASREC: data.targets, T5: steps[T5] * batch}
    rows = [(name, precision) for precision in _precisions(device) for name in (ITEMS, SASREC)] + [(T5, "no")]
    fits: dict[str, Callable[..., None]] = {
        ITEMS: partial(_generative, "items"),
        SASREC: _sasrec,
        T5: partial(_generative, "text"),
    }
    speeds: dict[Row, list[float]] = {row: [] for row in rows}
    for round_ in range(rounds + 1):
        for name, precision in rows:
            seconds = _seconds(partial(fits[name], data, config, precision, steps[name] + 1), steps[name], device, seed)
            if round_:  # the first one warms up
                speeds[name, precision].append(positions[name] / seconds)
    return {
        "setting": {
            "preset": preset, "items": items, "users": users, "targets": data.targets, "batch": batch,
            "width": config.decoder.width, "threads": torch.get_num_threads(), "rounds": rounds, "device": device,
        },
        "positions": positions,
        "positions_per_second": speeds,
    }  # fmt: skip


def made_up(items: int, users: int, longest: int, seed: int) -> Data:
    """Return random items with texts and IDs, and histories of 3 to `longest` items."""
    import pyarrow as pa

    random = np.random.default_rng(seed)
    lengths = np.minimum(3 + np.exp(random.normal(0.65, 1.3, users)).astype(np.int64), longest)
    popularity = np.exp(random.normal(0, 1.1, items))
    drawn = random.choice(items, lengths.sum(), p=popularity / popularity.sum()).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    words = np.minimum(random.zipf(1.3, (items, WORDS_PER_ITEM)), 20_000)
    titles = [" ".join(f"w{word}" for word in row) for row in words]
    corpus = Corpus(pa.table({"id": [f"{row:07d}" for row in range(items)], "title": titles}), fields=("title",))
    histories = Histories(tuple(f"{row:07d}" for row in range(users)), offsets, drawn)
    return Data(corpus, random_codes(items, seed), histories, int((lengths - 1).sum()))


def _precisions(device: str) -> list[str]:
    """Return the precisions that the device computes in by itself."""
    return ["no", "bf16"] if has_bfloat16(device) else ["no"]


def _seconds(fit: Callable[[Context], object], steps: int, device: str, seed: int) -> float:
    """Return the time of the first `steps` steps of a training."""
    clock: list[float] = []

    def progress(iterable: Iterable[Any], title: str, total: int | None = None) -> Iterator[Any]:
        for element in iterable:
            clock.append(time.perf_counter())
            yield element

    with TemporaryDirectory() as folder:
        fit(Context(seed=seed, work=Path(folder), device=device, progress=progress))
    return clock[steps] - clock[0]


def _generative(
    reader: str, data: Data, config: settings.GenerativeConfig, precision: str, steps: int, context: Context
) -> None:
    training = {"reader": reader, "steps": steps, "epochs": 0, "evaluations": 0, "precision": precision}
    config = config.model_copy(
        update={"pairs": "all", "recommendation": config.recommendation.model_copy(update=training)}
    )
    finetune_recommendation(context.work, data.codes, data.corpus, data.histories, config, context)


def _sasrec(data: Data, config: settings.GenerativeConfig, precision: str, steps: int, context: Context) -> None:
    SASRec = load("method", "sasrec")
    overrides = {
        "embedding_size": config.decoder.width,
        "max_length": config.items.max_length,
        "training.batch_size": config.recommendation.batch_size,
        "training.steps": steps,
        "training.epochs": 0,
        "training.precision": precision,
    }
    method = SASRec(build_config(SASRec.Config, overrides={key: str(value) for key, value in overrides.items()}))
    no_validation = np.full(len(data.histories), -1, np.int32)
    method.fit(data.corpus, data.histories, no_validation, context)


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
