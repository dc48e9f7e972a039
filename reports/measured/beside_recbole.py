"""Validation nDCG@10 of one recommender, epoch by epoch, against CPU seconds: RecBole's or this suite's.

    python reports/measured/beside_recbole.py data demo FOLDER
    python reports/measured/beside_recbole.py recbole sasrec FOLDER --epochs 5
    python reports/measured/beside_recbole.py ours sasrec FOLDER --epochs 15

RecBole 1.2.1 needs an environment of its own (docs/beside-others.md). Both read FOLDER, whose catalogue holds the items
with events alone, because RecBole knows no others; sizes are the suite's preset `published`, which are RecBole's; every
other setting is RecBole's default there and the preset's here; the loss is cross entropy over all items in both. Each
line is JSON: epoch, CPU seconds since training began (evaluations included), validation nDCG@10. One thread: set
OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

NAMES = {"sasrec": "SASRec", "gru4rec": "GRU4Rec", "hgn": "HGN", "bert4rec": "BERT4Rec"}


def tell(epoch: int, seconds: float, score: float) -> None:
    """Print one point of the curve."""
    print(json.dumps({"epoch": epoch, "seconds": round(seconds, 2), "ndcg10": round(score, 6)}), flush=True)


def write_data(spec: str, folder: Path) -> None:
    """Write a data set's items with events and its histories, for both."""
    from benchmark import open_dataset
    from benchmark.data.writing import FolderWriter

    data = open_dataset(spec)
    histories, corpus = data.histories(), data.corpus()
    used = sorted({corpus.ids[row] for row in histories.items.tolist()})
    folder.mkdir(parents=True)
    ids, starts = corpus.ids, histories.offsets.tolist()
    rows = [[ids[row] for row in histories.items[a:b].tolist()] for a, b in pairwise(starts)]
    writer = FolderWriter(folder)
    writer.items((item, {"id": item, "title": item}) for item in used)
    writer.histories(zip(histories.users, rows, strict=True))
    events = ["user_id:token\titem_id:token\ttimestamp:float"]
    events += [f"{u}\t{item}\t{t}" for u, row in zip(histories.users, rows, strict=True) for t, item in enumerate(row)]
    (folder / "recbole" / "both").mkdir(parents=True)
    (folder / "recbole" / "both" / "both.inter").write_text("\n".join(events) + "\n")


def recbole(method: str, folder: Path, epochs: int) -> None:
    """Train RecBole's model."""
    os.chdir(folder)  # where it leaves logs and weights
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    settings: dict[str, Any] = {
        "data_path": "recbole",
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "train_neg_sample_args": None, "loss_type": "CE", "epochs": epochs, "stopping_step": 1000, "topk": [10],
        "metrics": ["NDCG"], "valid_metric": "NDCG@10", "use_gpu": False, "show_progress": False, "state": "ERROR",
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
    }  # fmt: skip
    config = Config(model=NAMES[method], dataset="both", config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    data = create_dataset(config)
    train, valid, _ = data_preparation(config, data)
    model = get_model(config["model"])(config, train.dataset)
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    start = time.process_time()
    trainer.fit(
        train, valid, saved=False, show_progress=False,
        callback_fn=lambda epoch, score: tell(epoch + 1, time.process_time() - start, float(score)),
    )  # fmt: skip


class Points:
    """A training's curve that is printed."""

    def __init__(self) -> None:
        self.epoch, self.start = 0, time.process_time()

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Print validation scores: there is one an epoch."""
        from benchmark.learning.validation import SCORE

        for name, value in values.items():
            if name.endswith(f"/{SCORE}"):
                self.epoch += 1
                tell(self.epoch, time.process_time() - self.start, value)

    def finish(self) -> None:
        """Nothing is left to do."""


def ours(method: str, folder: Path, epochs: int) -> None:
    """Train this suite's method."""
    from benchmark import open_dataset
    from benchmark.config import build_config, load_presets
    from benchmark.data.splits import leave_one_out
    from benchmark.registry import find, load, source_file
    from benchmark.types.method import Context

    data = open_dataset(str(folder))
    cls = load("method", method)
    settings = {"training.epochs": epochs, "training.evaluate_epochs": 1, "training.precision": "no"}
    preset = load_presets(source_file(find("method", method)), method)["published"]
    config = build_config(cls.Config, preset=preset, overrides=settings)
    split = leave_one_out(data.histories())
    cls(config).fit(data.corpus(), split.train, split.validation, Context(curve=lambda name: Points()))


def main() -> None:
    """Carry out one of the three commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["data", "recbole", "ours"])
    parser.add_argument("name", help="a data set, or one of " + ", ".join(NAMES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=10)
    asked = parser.parse_args()
    if asked.what == "data":
        write_data(asked.name, asked.folder)
    else:
        {"recbole": recbole, "ours": ours}[asked.what](asked.name, asked.folder, asked.epochs)


if __name__ == "__main__":
    main()
