"""The self-test of a device: a device that computes otherwise is found, and the parts themselves run."""

import pytest
import torch
from torch import nn

from benchmark.cli.main import main
from benchmark.learning import selftest
from benchmark.learning.selftest import Part, difference, judge, training_step


def test_the_difference_is_relative_to_the_largest_value_and_the_worst_tensor_counts():
    expected = {"a": torch.tensor([1.0, -4.0]), "b": torch.tensor([10.0])}
    found = {"a": torch.tensor([1.0, -3.0]), "b": torch.tensor([11.0])}
    assert difference(expected, found) == pytest.approx(1 / 4)


def test_of_whole_numbers_the_share_of_others_counts():
    assert difference({"items": torch.tensor([[1, 2], [3, 4]])}, {"items": torch.tensor([[1, 2], [3, 5]])}) == 0.25


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_finite_on_one_side_alone_is_an_infinite_difference(value):
    good, bad = {"x": torch.tensor([1.0, 2.0])}, {"x": torch.tensor([1.0, value])}
    assert difference(good, bad) == difference(bad, good) == float("inf")


def test_infinite_values_on_both_sides_agree():
    values = {"x": torch.tensor([1.0, -float("inf")])}
    assert difference(values, values) == 0


def test_another_shape_is_an_error():
    with pytest.raises(ValueError, match="shapes"):
        difference({"x": torch.zeros(2)}, {"x": torch.zeros(3)})


@pytest.mark.parametrize(("error", "passed"), [(0.0005, True), (0.01, False)])
def test_a_device_that_computes_otherwise_fails(error, passed):
    part = Part("sum", lambda device: lambda: {"x": torch.tensor([1.0 + (device != "cpu") * error])}, 1, "sums")
    verdict = judge(part, "elsewhere")
    assert verdict.passed is passed and verdict.difference == pytest.approx(error, rel=1e-3)


def test_a_training_step_has_the_gradients_of_the_loss():
    """Of mean((w x)^2) with x = 1, 2 and w = 3: loss 9 * 2.5, gradient 2 w * 2.5."""

    def build():
        network = nn.Linear(1, 1, bias=False)
        nn.init.constant_(network.weight, 3.0)
        return network

    step = training_step(build, lambda network, device: network(torch.tensor([[1.0], [2.0]])).square().mean())("cpu")
    for _ in range(2):  # gradients do not add up over steps
        outcome = step()
        assert outcome["loss"].item() == pytest.approx(22.5)
        assert outcome["gradients"].tolist() == pytest.approx([15.0])


@pytest.mark.usefixtures("small_encoder")
def test_every_part_runs_and_repeats_itself_on_the_cpu(monkeypatch, capsys):
    monkeypatch.setattr(selftest, "REPEATS", 1)
    assert main(["doctor", "--selftest", "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    parts = [line for line in lines if line.startswith("ok ")]
    assert lines[-1] == f"{len(parts)} of {len(parts)} parts agree with the CPU"
    for name in ("sasrec", "bert4rec", "gru4rec", "hgn", "fdsa", "lmindexer", "rqvae", "dual-encoder", "beam", "T5"):
        assert any(name in line for line in parts), name


def test_a_failing_part_and_a_room_that_cannot_be_loaded_end_no_other_part(monkeypatch, capsys):
    def broken(device):
        raise RuntimeError("no kernel image\nand more")

    rooms = {
        "bad": lambda: [Part("lost", broken, 1, "steps")],
        "gone": lambda: 1 / 0,
        "good": lambda: [Part("kept", lambda device: lambda: {"x": torch.ones(1)}, 1, "steps")],
    }
    monkeypatch.setattr(selftest, "registered", lambda what: rooms)
    monkeypatch.setattr(selftest, "load", lambda what, name: rooms[name])
    assert main(["doctor", "--selftest", "--device", "cpu"]) == 1
    text = capsys.readouterr().out
    assert "RuntimeError: no kernel image\n" in text and "FAILED  gone" in text and "ok      kept" in text
    assert text.endswith("1 of 3 parts agree with the CPU\n")


def test_a_device_without_the_self_test_is_refused(capsys):
    assert main(["doctor", "--device", "cpu"]) == 2
    assert "--selftest" in capsys.readouterr().err
