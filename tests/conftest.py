"""What all tests share: threads as on a small machine, no network, and a small shop on disk."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("BENCHMARK_WORKERS", "1")  # the tests themselves run side by side

# The same examples each time, and none is too slow: on a busy machine that says nothing about the suite.
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

KINDS = {"lamp": ("desk", "floor", "night"), "brush": ("hair", "paint", "tooth"), "soap": ("hand", "dish", "bath")}
# Small enough that a run takes seconds; the suite's own defaults are tested by `make demo`
FAST = [
    word
    for setting in (
        "generative.recommendation.epochs=0", "generative.search.epochs=0",
        "generative.recommendation.steps=6", "generative.search.steps=6", "generative.search_error_queries=3",
        "generative.recommendation.batch_size=32", "generative.search.batch_size=32", "generative.decoder.width=32",
        "generative.scratch.vocabulary_size=400", "generative.scratch.d_model=32", "generative.scratch.d_ff=64",
        "generative.scratch.layers=1", "generative.max_source=24",
        "generative.recommendation.checkpoint_seconds=0", "generative.search.checkpoint_seconds=0",
    )
    for word in ("--set", setting)
]  # fmt: skip


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 60 items, 30 users and 12 judged queries in the neutral layout."""
    folder = tmp_path_factory.mktemp("data") / "shop"
    folder.mkdir()
    random = np.random.default_rng(0)
    things = list(KINDS)
    items = []
    for row in range(60):
        thing = things[row % 3]
        kind = KINDS[thing][row // 3 % 3]
        item = {"id": f"i{row:02}", "title": f"{kind} {thing} number {row}", "categories": ["home", thing, kind]}
        items.append(item | ({"brand": f"brand{row % 4}"} if row % 5 else {}))
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    users = [f"u{u} " + " ".join(f"i{i:02}" for i in random.permutation(60)[: 4 + u % 5]) for u in range(30)]
    (folder / "sequences.txt").write_text("\n".join(users) + "\n")
    queries = [(f"q{q}", items[q * 5]) for q in range(12)]
    (folder / "queries.tsv").write_text("".join(f"{name}\t{item['title']}\n" for name, item in queries))
    (folder / "qrels.txt").write_text("".join(f"{name} 0 {item['id']} 1\n" for name, item in queries))
    (folder / "dataset.toml").write_text('name = "shop"\ntitle = "A small shop"\n[expect]\nitems = 60\nusers = 30\n')
    return folder


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C as a terminal's processes take it, also where the tests run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
