"""RQ-VAE IDs (`rqvae`): TIGER's semantic IDs, an autoencoder of text embeddings with residual codebooks.

    z = encoder(x),  r_0 = z,  c_t = argmin_k ||r_{t-1} - E_t[k]||^2,  r_t = r_{t-1} - E_t[c_t],  x' = decoder(z - r_T)

The losses are in `benchmark.methods.rqvae_network`; training is the suite's own loop.

Source: Rajput et al., Recommender Systems with Generative Retrieval (TIGER), NeurIPS 2023, section 3.1, after Zeghidour
et al., SoundStream, 2021. From there: 3 x 256 codes, encoder 512-256-128, latent 32, beta 0.25, k-means init on the
first batch, batch 1,024. AdamW (1e-3, weight decay 1e-4) in place of Adagrad is that of the public re-implementations.

Defaults, measured on Amazon Beauty (reports/measured/rqvae-beauty-trials.md), three seeds: AMI 0.435, 96.5% different
IDs, every code in use, 65 s on one core; residual k-means has AMI 0.425 and 87.3% different IDs in the same time.
- `standardize`: raw unit-length embeddings give latents that differ by no more than one step of AdamW (0.001), so
  codebooks learned by gradient lose their items at once and all items fall on one code (AMI 0, with k-means init
  too). This is the key that matters most; with moving averages and restarts raw inputs still cost 0.06 AMI.
- `restart_steps`: without restarts only 110 (gradient) or 173 (moving averages) codes of the first level are in use.
- `update`: moving averages give slightly more different IDs than the gradient (96.3% and 95.8%, one seed).
- 1,000 constant steps: 500 and 2,000 are within the spread of the seeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from benchmark.config import EncoderConfig, IndexerConfig, TrainingConfig
from benchmark.errors import require
from benchmark.types.arrays import Float32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.methods.rqvae_network import RQVAENetwork

FILE = "network.safetensors"


class RQVAETraining(TrainingConfig):
    """The training loop's keys with the defaults of this method."""

    steps: int = Field(1000, ge=1, le=100_000_000)
    batch_size: int = Field(1024, ge=1, description="items per optimiser step, over all devices")
    weight_decay: float = Field(1e-4, ge=0)
    schedule: Literal["linear", "cosine", "inverse-sqrt", "constant"] = "constant"
    precision: Literal["auto", "no", "bf16", "fp16"] = "no"


class RQVAEConfig(IndexerConfig):
    """Shape of the IDs, network, codebook learning and training."""

    levels: int = Field(3, ge=1, le=64, description="codes per item, before the dedup counter")
    codebook_size: int = Field(256, ge=2, description="codes per level")
    latent: int = Field(32, ge=1, le=16_384, description="dimensions of the latent and of the codebook vectors")
    hidden: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = Field(
        (512, 256, 128), max_length=64, description="hidden layers of the encoder; the decoder mirrors it"
    )
    standardize: bool = Field(True, description="scale every input dimension to mean 0 and variance 1")
    init: Literal["k-means", "random"] = Field("k-means", description="first codebooks; k-means of the first latents")
    update: Literal["ema", "gradient"] = Field("ema", description="codebooks follow moving averages or the gradient")
    decay: float = Field(0.99, gt=0, lt=1, description="the moving averages' share of the past")
    beta: float = Field(0.25, ge=0, description="weight of the commitment loss")
    restart_steps: int = Field(20, ge=0, description="steps between restarts of dead codes; 0 never restarts")
    restart_sample: int = Field(16384, ge=1, description="items whose codes are counted for a restart, at most")
    training: RQVAETraining = RQVAETraining()
    encoder: EncoderConfig = EncoderConfig()

    @model_validator(mode="after")
    def _whole_batches(self) -> Self:
        whole = self.update != "ema" or self.training.accumulation == 1
        require(whole, "training.accumulation", "moving averages (update=ema) count whole batches; leave it at 1")
        return self


class RQVAE(Indexer[RQVAEConfig]):
    """IDs by a residual-quantised autoencoder of text embeddings (TIGER's semantic IDs)."""

    at_most_items = ("codebook_size",)

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return int32 codes [n_items, levels], each in [0, codebook_size).

        Raises ConfigError when the codebook is larger than the corpus.
        """
        import torch

        from benchmark.learning.training import train

        config, n_items = self.config, len(corpus)
        require(config.codebook_size <= n_items, "codebook_size", f"the corpus has only {n_items} items")
        training = config.training.with_steps(n_items)
        x = torch.from_numpy(context.embed(corpus, config.encoder))  # float32 [n_items, dim]
        torch.manual_seed(context.seed)
        network = self._untrained(x.shape[1])
        quantizer = network.quantizer
        if config.standardize:
            network.standardize(x)
        if config.init == "k-means":
            first = x[torch.randperm(n_items)[: max(training.batch_size, config.codebook_size)]]
            quantizer.start(network.latents(first), batch_size=training.batch_size, seed=context.seed * config.levels)

        def loss(model: torch.nn.Module, indices: torch.Tensor) -> dict[str, torch.Tensor]:
            values: dict[str, torch.Tensor] = model(x[indices.cpu()].to(indices.device))
            return values

        def restart(step: int, _: torch.nn.Module) -> None:
            if config.restart_steps and (step + 1) % config.restart_steps == 0 and step + 1 < training.steps:
                rows = torch.randperm(n_items)[: config.restart_sample]
                with torch.no_grad():
                    z = network.latents(x[rows].to(network.mean.device))
                quantizer.restart(z)

        train(network, n_items, loss, training, context, name="rqvae", after_step=restart)
        context.facts["parameters"] = sum(parameter.numel() for parameter in network.parameters())
        self._context, self._network = context, network
        return self._codes(x)

    def assign(self, corpus: Corpus) -> Codes:
        """Return the codes [n_items, levels] that the trained encoder and the nearest codes give."""
        import torch

        return self._codes(torch.from_numpy(self._context.embed_new(corpus, self.config.encoder)))

    def code_distances(self, corpus: Corpus, codes: Codes, rows: Int64) -> Float32:
        """Return the squared distances of the last residuals to the last codebook [len(rows), codebook_size]."""
        import torch

        x = torch.from_numpy(self._context.embed(corpus, self.config.encoder)[rows])
        chosen = torch.from_numpy(codes.values[rows, :-1].astype(np.int64))
        distances: Float32 = self._network.last_distances(x, chosen).numpy()
        return distances

    def save(self, folder: Path) -> None:
        """Write the trained network as safetensors."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True)
        save_file({name: value.cpu().contiguous() for name, value in self._network.state_dict().items()}, folder / FILE)

    def load(self, folder: Path, context: Context) -> None:
        """Read the trained network."""
        from safetensors.torch import load_file

        weights = load_file(folder / FILE)
        network = self._untrained(len(weights["mean"]))
        network.load_state_dict(weights)
        self._context, self._network = context, network.eval().to(context.device)

    def _untrained(self, dim: int) -> RQVAENetwork:
        from benchmark.methods.rqvae_network import ResidualQuantizer, RQVAENetwork

        config = self.config
        decay = config.decay if config.update == "ema" else None
        quantizer = ResidualQuantizer(config.levels, config.codebook_size, config.latent, decay=decay)
        return RQVAENetwork(dim, config.hidden, quantizer, beta=config.beta)

    def _codes(self, x: Tensor) -> Codes:
        values = self._network.codes(x).numpy().astype(np.int32)
        return Codes(values, (self.config.codebook_size,) * self.config.levels)
