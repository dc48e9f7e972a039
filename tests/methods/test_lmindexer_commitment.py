"""With the commitment loss the earlier codes survive the learning of the next position; without it they do not."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.config import TrainingConfig
from benchmark.conformance import small_corpus
from benchmark.generative.t5 import ScratchConfig
from benchmark.methods.lmindexer.config import LMIndexerConfig, PositionConfig, WeightsConfig
from benchmark.methods.lmindexer.learner import Learner
from benchmark.types.arrays import Int32
from benchmark.types.method import Context

TEXTS = small_corpus(60).texts()


def one_position(work: Path) -> tuple[Learner, Int32]:
    """Return a learner that has learned the first position, and its codes [n, 1]: no code is there to commit to yet."""
    steps = TrainingConfig(steps=60, batch_size=20, learning_rate=5e-3)
    position = PositionConfig(mask_ratio=0.5, no_code=steps, full=steps)
    config = LMIndexerConfig(
        backbone="scratch", scratch=ScratchConfig(d_model=32, layers=1, heads=2, d_ff=64, vocabulary_size=300),
        length=2, codebook_size=8, first=position, later=position, study_items=60,
    )  # fmt: skip
    learner = Learner(config, TEXTS, Context(seed=0, work=work))
    return learner, learner.learn_position(np.empty((60, 0), np.int32))


def agreement(learner: Learner, first: Int32, work: Path, weight: float) -> tuple[float, float]:
    """Return the share of first codes that the model would choose again, counted here and as the study logs it."""
    learner = deepcopy(learner)
    config = learner.config.model_copy(update={"weights": WeightsConfig(commitment=weight)})
    learner.config = learner.network.config = config
    learner.context = Context(seed=0, work=work)
    work.mkdir()
    learner.learn_position(first)
    learner.network.eval()
    rows = torch.arange(60)
    with torch.no_grad():
        hidden = learner.network.hidden(learner.documents.batch(rows, torch.from_numpy(first).long(), 60))
        again = (hidden[:, 0] @ learner.network.codebooks[0].T).argmax(dim=1).numpy()
    lines = (work / "position2.full.log.jsonl").read_text().splitlines()
    logged = [line for line in lines if "agreement" in line][-1]
    return float((again == first[:, 0]).mean()), float(logged.split('"agreement": ')[1].split(",")[0].rstrip("}"))


def test_first_codes_survive_the_second_position_only_with_the_commitment_loss(tmp_path: Path) -> None:
    learner, first = one_position(tmp_path)
    kept, kept_in_log = agreement(learner, first, tmp_path / "with", 1.0)
    lost, lost_in_log = agreement(learner, first, tmp_path / "without", 0.0)
    assert kept > 0.95
    assert lost < kept - 0.2
    assert (kept, lost) == pytest.approx((kept_in_log, lost_in_log))
