"""The RQ-VAE: its quantiser against definitions written out by hand, its training from start to codes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_mutual_info_score

from benchmark.config import build_config
from benchmark.errors import ConfigError
from benchmark.methods.rqvae import RQVAE, RQVAEConfig, RQVAETraining
from benchmark.methods.rqvae_network import ResidualQuantizer, RQVAENetwork
from benchmark.running.plan import make_variants
from benchmark.types.data import Corpus
from benchmark.types.method import Context

POINTS, LABELS = make_blobs(400, 24, centers=12, cluster_std=1.0, random_state=0)
POINTS = (POINTS / 1000).astype(np.float32)  # small numbers, as unit-length embeddings have
TRAINING = RQVAETraining(steps=60, batch_size=128)


def quantizer_of(decay: float | None = None, levels: int = 2, size: int = 5) -> ResidualQuantizer:
    torch.manual_seed(0)
    return ResidualQuantizer(levels, size, 3, decay=decay)


def fit(work: Path, seed: int = 0, context: Context | None = None, **config: object):
    context = context or Context(seed=seed, work=work, embedder=lambda *_: POINTS)
    context.work.mkdir(exist_ok=True)
    ids = [str(row) for row in range(len(POINTS))]
    corpus = Corpus(pa.table({"id": ids, "title": ids}))
    settings = {"codebook_size": 16, "latent": 8, "hidden": (32,), "training": TRAINING, "restart_steps": 10} | config
    return RQVAE(RQVAEConfig(**settings)).fit(corpus, context)


def test_codes_are_the_nearest_vectors_of_the_residuals():
    quantizer, z = quantizer_of(), torch.randn(20, 3)
    total, codes, _, _ = quantizer(z)
    books = quantizer.codebooks.detach().numpy()
    for row, vector in enumerate(z.numpy()):
        residual = vector.copy()
        for level in range(2):
            distances = [float(((residual - candidate) ** 2).sum()) for candidate in books[level]]
            assert codes[row, level] == np.argmin(distances)
            residual -= books[level][codes[row, level]]
        np.testing.assert_allclose(total[row].detach(), vector - residual, atol=1e-6)


def test_the_gradient_goes_straight_through_the_quantiser():
    """The gradient of any function of the quantised latent, arrives at z unchanged; no codebook sees it."""
    quantizer, z = quantizer_of(), torch.randn(6, 3, requires_grad=True)
    quantised, _, _, _ = quantizer(z)
    (quantised**3).sum().backward()
    torch.testing.assert_close(z.grad, 3 * quantised.detach() ** 2)
    assert quantizer.codebooks.grad is None


def test_commitment_moves_z_and_the_codebook_loss_moves_the_codebook():
    """Both are the mean squared residual; their gradients are 2 (a - b) / n, each on its own side only."""
    quantizer, z = quantizer_of(levels=1), torch.randn(6, 3, requires_grad=True)
    _, codes, commitment, codebook = quantizer(z)
    chosen = quantizer.codebooks[0, codes[:, 0]].detach()
    assert commitment.item() == pytest.approx(codebook.item()) == pytest.approx(((z - chosen) ** 2).mean().item())
    commitment.backward()
    torch.testing.assert_close(z.grad, 2 * (z.detach() - chosen) / z.numel())
    assert quantizer.codebooks.grad is None
    z.grad = None
    codebook.backward()
    expected = torch.zeros(5, 3).index_add(0, codes[:, 0], 2 * (chosen - z.detach()) / z.numel())
    torch.testing.assert_close(quantizer.codebooks.grad[0], expected)
    assert z.grad is None


def test_moving_averages_are_those_of_the_definition_and_rest_in_evaluation():
    quantizer, z = quantizer_of(decay=0.9, levels=1), torch.randn(30, 3)
    before = quantizer.codebooks[0].clone()
    codes = quantizer(z)[1][:, 0]
    for code in range(5):
        mine = z[codes == code]
        expected = (0.9 * before[code] + 0.1 * mine.sum(0)) / (0.9 + 0.1 * len(mine))
        torch.testing.assert_close(quantizer.codebooks[0, code], expected)
    after = quantizer.eval().codebooks.clone()
    quantizer(z)
    assert torch.equal(quantizer.codebooks, after)


@pytest.mark.parametrize("decay", [None, 0.99])
def test_dead_codes_are_moved_to_residuals_and_live_codes_stay(decay):
    quantizer, z = quantizer_of(decay), torch.randn(50, 3)
    with torch.no_grad():
        quantizer.codebooks[:, 3:] = 1000.0  # nothing is near them
    before = quantizer.codebooks.detach().clone()
    codes = quantizer.eval()(z)[1]
    unused = [sorted(set(range(5)) - set(codes[:, level].tolist())) for level in range(2)]
    assert quantizer.restart(z) == sum(map(len, unused)) >= 4
    residuals = [z, z - before[0, codes[:, 0]]]
    for level in range(2):
        for code in range(5):
            vector = quantizer.codebooks[level, code].detach()
            if code in unused[level]:
                assert (residuals[level] == vector).all(1).any()
            else:
                assert torch.equal(vector, before[level, code])
    assert set(quantizer(z)[1][:, 0].tolist()) >= {3, 4}  # each is its own residual's nearest


def test_the_start_is_a_kmeans_of_each_levels_residuals():
    """With as many codes as points the first level repeats the points, and nothing is left for the second."""
    quantizer, z = quantizer_of(decay=0.99), torch.randn(5, 3)
    quantizer.start(z, batch_size=10, seed=0)
    assert sorted(quantizer.codebooks[0].tolist()) == sorted(z.tolist())
    torch.testing.assert_close(quantizer.counts[0], torch.full((5,), 2.0))
    torch.testing.assert_close(quantizer.sums, quantizer.codebooks * quantizer.counts[..., None])
    torch.testing.assert_close(quantizer.eval()(z)[0], z)


def test_inputs_are_standardized_and_a_constant_dimension_stays_zero():
    x = torch.randn(100, 4) * torch.tensor([1.0, 5.0, 0.01, 0.0]) + 3
    network = RQVAENetwork(4, (8,), quantizer_of(), beta=0.25)
    network.standardize(x)
    scaled = (x - network.mean) / network.std
    torch.testing.assert_close(scaled.mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0, correction=0), torch.tensor([1.0, 1.0, 1.0, 0.0]), atol=1e-3, rtol=0)


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_training_finds_the_clusters(update, tmp_path):
    codes = fit(tmp_path, update=update)
    assert codes.values.dtype == np.int32 and codes.sizes == (16, 16, 16)
    assert adjusted_mutual_info_score(LABELS, codes.values[:, 0]) > 0.8


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_restarts_keep_codes_in_use_that_die_without_them(update, tmp_path):
    dying, kept = (fit(tmp_path / str(steps), update=update, init="random", restart_steps=steps) for steps in (0, 10))
    used = [[len(set(column)) for column in codes.values.T] for codes in (dying, kept)]
    assert used[0][0] <= 8 and min(used[1]) >= 12


@pytest.mark.parametrize("other", [1000, 20])
def test_a_training_said_in_epochs_restarts_the_same_codes(other, tmp_path, monkeypatch):
    """Whatever `steps` says beside `epochs`: of 60 steps with a restart every 20, the last never restarts."""
    restarted: list[int] = []
    restart = ResidualQuantizer.restart
    monkeypatch.setattr(ResidualQuantizer, "restart", lambda *given: restarted.append(restart(*given)) or restarted[-1])
    size = {"batch_size": 400, "checkpoint_seconds": 1e6}  # an epoch of the 400 items is one step
    settings = {"restart_steps": 20, "hidden": (8,), "codebook_size": 64}
    said = {"steps": RQVAETraining(steps=60, **size), "epochs": RQVAETraining(steps=other, epochs=60, **size)}
    codes, counts = {}, {}
    for name, training in said.items():
        restarted.clear()
        codes[name] = fit(tmp_path / name, training=training, **settings).values
        counts[name] = list(restarted)
    np.testing.assert_array_equal(codes["epochs"], codes["steps"])
    assert counts["epochs"] == counts["steps"] and len(counts["steps"]) == 2


def test_the_seed_decides_the_codes(tmp_path):
    first, again, other = (fit(tmp_path / str(run), seed) for run, seed in enumerate((0, 0, 1)))
    np.testing.assert_array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


class Killed(Exception):
    pass


@pytest.mark.parametrize("update", ["ema", "gradient"])
def test_a_killed_training_ends_with_the_codes_of_an_unbroken_one(update, tmp_path):
    training = TRAINING.model_copy(update={"checkpoint_seconds": 0.0})

    def dying(iterable, title, total=None):
        for step, value in enumerate(iterable):
            if step == 37:
                raise Killed
            yield value

    whole = fit(tmp_path / "whole", update=update, training=training)
    with pytest.raises(Killed):
        killed = Context(seed=0, work=tmp_path / "killed", progress=dying, embedder=lambda *_: POINTS)
        fit(tmp_path, context=killed, update=update, training=training)
    assert list((tmp_path / "killed").glob("*.pt"))
    np.testing.assert_array_equal(fit(tmp_path / "killed", update=update, training=training).values, whole.values)


def test_identical_embeddings_get_one_id(tmp_path):
    context = Context(seed=0, work=tmp_path, embedder=lambda *_: np.ones((400, 24), np.float32))
    assert len(np.unique(fit(tmp_path, context=context).values, axis=0)) == 1


def test_the_method_is_listed_without_torch():
    program = "import sys, benchmark.methods.rqvae; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_moving_averages_refuse_a_batch_in_parts():
    """They would count each part as a batch: the codes would depend on the number of parts."""
    with pytest.raises(ConfigError, match=r"training\.accumulation: moving averages"):
        build_config(RQVAEConfig, preset={"training": {"accumulation": 2}})
    build_config(RQVAEConfig, preset={"update": "gradient", "training": {"accumulation": 2}})


@pytest.mark.parametrize("name", ["tiger", "rqkmeans", "random", "shuffled"])
@pytest.mark.parametrize("dataset", ["beauty", "nq320k", "macro-1m"])
def test_rows_that_claim_its_ids_have_their_shape(name, dataset):
    """Such a row differs from the rq-VAE's in the method alone, at each data set of the paper."""
    ours, theirs = (make_variants([method], "paper", {}, dataset)[0].config for method in (name, "rqvae"))
    assert (ours.levels, ours.codebook_size) == (theirs.levels, theirs.codebook_size)
