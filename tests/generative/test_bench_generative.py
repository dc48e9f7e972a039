"""`benchmark bench generative`: its speeds are of the positions that the trainings really learn from."""

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.cli.main import main
from benchmark.errors import ConfigError
from benchmark.generative import bench_generative as comparison
from benchmark.generative.id_decoder import IdDecoder
from benchmark.methods.sequential import recommender


def test_the_positions_counted_are_those_that_reach_the_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """One epoch: as many targets as the decoder, the softmax and the T5's labels get, the step behind the clock out."""
    from transformers import T5ForConditionalGeneration

    seen: dict[str, list[int]] = {name: [] for name in (comparison.ITEMS, comparison.SASREC, comparison.T5)}
    id_loss, full_softmax, t5_forward = IdDecoder.loss, recommender.full_softmax, T5ForConditionalGeneration.forward

    def counted_ids(self: IdDecoder, states: Tensor, items: Tensor, *more: object) -> Tensor:
        seen[comparison.ITEMS].append(len(items))
        return id_loss(self, states, items, *more)

    def counted_softmax(states: Tensor, table: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        seen[comparison.SASREC].append(len(targets))
        return full_softmax(states, table, bias, targets)

    def counted_pairs(self: torch.nn.Module, *more: object, labels: Tensor, **named: object) -> object:
        seen[comparison.T5].append(len(labels))
        return t5_forward(self, *more, labels=labels, **named)

    monkeypatch.setattr(IdDecoder, "loss", counted_ids)
    monkeypatch.setattr(recommender, "full_softmax", counted_softmax)
    monkeypatch.setattr(T5ForConditionalGeneration, "forward", counted_pairs)
    monkeypatch.setattr(comparison, "_precisions", lambda device: ["no"])
    result = comparison.measure(preset="tiny", items=60, users=130, rounds=1)
    for name, positions in result["positions"].items():
        steps = len(seen[name]) // 2  # of the warm-up, then of the round, each with one step behind the clock
        assert sum(seen[name][: steps - 1]) == sum(seen[name][steps:-1]) == positions
        assert len(result["positions_per_second"][name, "no"]) == 1

    histories = comparison.made_up(60, 128, 20, 0).histories
    targets = sum(len(set(range(1, len(histories[user])))) for user in range(128))  # all items but a user's first
    assert result["setting"]["users"] == 128 and result["setting"]["targets"] == targets
    assert result["positions"][comparison.ITEMS] == result["positions"][comparison.SASREC] == targets
    assert result["positions"][comparison.T5] == targets // 64 * 64


def test_histories_are_as_long_as_amazon_beautys() -> None:
    """Beauty's 22,363 training histories, cut at 50: 6.7 items on average, half with at most 4, 1% with 41 or more."""
    lengths = comparison.made_up(100, 22_363, 50, 0).histories.lengths
    assert lengths.mean() == pytest.approx(6.72, abs=0.3)
    assert np.quantile(lengths, [0, 0.25, 0.5, 0.75, 0.9]).tolist() == pytest.approx([3, 3, 4, 7, 12], abs=1)
    assert np.quantile(lengths, 0.99) == pytest.approx(41, abs=4) and lengths.max() == 50


def test_a_line_per_contender_and_no_option_that_has_no_effect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    speeds = {("reader items", "no"): [200.0, 300.0], ("SASRec", "no"): [100.0, 100.0], ("T5 on texts", "no"): [10, 20]}
    monkeypatch.setattr(comparison, "measure", lambda **sizes: {"setting": sizes, "positions_per_second": speeds})
    assert main(["bench", "generative", "--users", "128", "--rounds", "2"]) == 0
    sizes, items, sasrec, t5 = capsys.readouterr().out.splitlines()
    assert "users 128" in sizes and "rounds 2" in sizes
    assert "250 positions/s" in items and "2.50 x SASRec" in items and "17.50 x T5" in items
    assert "1,314 s per epoch" in sasrec and "15 positions/s" in t5
    assert main(["bench", "kmeans", "--users", "128"]) == 2
    assert "bench kmeans has no option --users" in capsys.readouterr().err


def test_too_few_users_or_rounds_are_refused() -> None:
    with pytest.raises(ConfigError, match="users: must fill a batch of 64"):
        comparison.measure(preset="tiny", items=60, users=10, rounds=1)
    with pytest.raises(ConfigError, match="rounds: must be at least 1"):
        comparison.measure(preset="tiny", items=60, users=64, rounds=0)
