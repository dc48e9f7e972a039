"""The network of the RQ-VAE: an autoencoder whose latent is a sum of codebook vectors, one per level.

    z = encoder((x - mean) / std),  r_0 = z,  c_t = argmin_k ||r_{t-1} - E_t[k]||^2,  r_t = r_{t-1} - E_t[c_t]
    x' = decoder(z + sg(sum_t E_t[c_t] - z))                                       sg = stop gradient
    loss = ||x - x'||^2 + sum_t ( beta ||r_{t-1} - sg(E_t[c_t])||^2 + ||sg(r_{t-1}) - E_t[c_t]||^2 )

All squared norms are means over dimensions and batch. The last term moves the codebooks by gradient; with
exponential moving averages it is left out and E_t[k] is the running mean of the residuals that chose code k.
Shapes: x [batch, dim], z and r [batch, latent], codebooks [levels, codebook_size, latent], codes [batch, levels].
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmark.learning.kmeans import kmeans

CHUNK = 65_536  # rows encoded at once outside training


class ResidualQuantizer(nn.Module):
    """Codebooks on the residuals of one another, learned by gradient or by exponential moving averages."""

    codebooks: Tensor
    counts: Tensor  # running number of residuals per code and batch [levels, codebook_size]
    sums: Tensor  # running sum of these residuals [levels, codebook_size, latent]

    def __init__(self, levels: int, codebook_size: int, latent: int, *, decay: float | None) -> None:
        """`decay` is the moving averages' share of the past; None learns the codebooks by gradient."""
        super().__init__()
        start = torch.randn(levels, codebook_size, latent) / latent**0.5
        self.decay = decay
        if decay is None:
            self.codebooks = nn.Parameter(start)
        else:
            self.register_buffer("codebooks", start)
            self.register_buffer("counts", torch.ones(levels, codebook_size))
            self.register_buffer("sums", start.clone())

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the quantised latent (gradient straight through to z), codes, commitment and codebook loss."""
        residual, total = z, torch.zeros_like(z)
        commitment = codebook = z.new_zeros(())
        codes = []
        for level, book in enumerate(self.codebooks):
            chosen = torch.cdist(residual.detach(), book.detach()).argmin(1)
            vectors = book[chosen]
            commitment = commitment + (residual - vectors.detach()).square().mean()
            if self.decay is None:
                codebook = codebook + (residual.detach() - vectors).square().mean()
            elif self.training:
                self._follow(level, residual.detach(), chosen)
            residual = residual - vectors.detach()
            total = total + vectors.detach()
            codes.append(chosen)
        return z + (total - z).detach(), torch.stack(codes, 1), commitment, codebook

    def _follow(self, level: int, residual: Tensor, chosen: Tensor) -> None:
        """Move a codebook to the running mean of the residuals that chose each code, over all processes."""
        assert self.decay is not None
        counts = torch.bincount(chosen, minlength=self.counts.shape[1]).to(residual)
        sums = torch.zeros_like(self.sums[level]).index_add_(0, chosen, residual)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(counts)
            torch.distributed.all_reduce(sums)
        self.counts[level].lerp_(counts, 1 - self.decay)
        self.sums[level].lerp_(sums, 1 - self.decay)
        self.codebooks[level] = self.sums[level] / self.counts[level].clamp_min(1e-6)[:, None]

    @torch.no_grad()
    def start(self, z: Tensor, *, batch_size: int, seed: int) -> None:
        """Set each codebook to the k-means centroids of the residuals of `z` [n, latent]."""
        residual = z.clone()
        for level in range(len(self.codebooks)):
            centroids, codes = kmeans(residual.cpu().numpy(), self.codebooks.shape[1], seed=seed + level)
            found, chosen = torch.from_numpy(centroids).to(z), torch.from_numpy(codes).to(z.device, torch.long)
            self.codebooks[level, : len(found)] = found
            if self.decay is not None:
                counts = torch.bincount(chosen, minlength=self.counts.shape[1]).to(z)
                self.counts[level] = (counts * batch_size / len(z)).clamp_min(1e-3)
                self.sums[level] = self.codebooks[level] * self.counts[level][:, None]
            residual = residual - found[chosen]

    @torch.no_grad()
    def restart(self, z: Tensor) -> int:
        """Move every code that no row of `z` [n, latent] chose to a random residual; return how many were moved.

        Draws from torch's global generator alone, so that every process moves the same codes to the same places.
        """
        residual, moved = z, 0
        for level, book in enumerate(self.codebooks.data):
            chosen = torch.cdist(residual, book).argmin(1)
            dead = (torch.bincount(chosen, minlength=len(book)) == 0).nonzero()[:, 0]
            after = residual - book[chosen]  # before the move: the next level sees the codes as they were chosen
            book[dead] = residual[torch.randint(len(z), (len(dead),)).to(z.device)]
            if self.decay is not None:
                self.counts[level, dead] = 1.0
                self.sums[level, dead] = book[dead]
            residual, moved = after, moved + len(dead)
        return moved


class RQVAENetwork(nn.Module):
    """Encoder, residual quantiser and decoder."""

    mean: Tensor
    std: Tensor

    def __init__(self, dim: int, hidden: Sequence[int], quantizer: ResidualQuantizer, *, beta: float) -> None:
        super().__init__()
        latent = quantizer.codebooks.shape[2]
        self.encoder = _mlp([dim, *hidden, latent])
        self.decoder = _mlp([latent, *reversed(hidden), dim])
        self.quantizer = quantizer
        self.beta = beta
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("std", torch.ones(dim))

    def standardize(self, x: Tensor) -> None:
        """From now on scale inputs to mean 0 and variance 1 per dimension, as they are in `x` [n, dim]."""
        std, mean = torch.std_mean(x, dim=0, correction=0)
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6 * std.max(), std, 1.0))  # a constant dimension stays 0

    def latents(self, x: Tensor) -> Tensor:
        """Return z [n, latent] in float32, whatever the precision of the training."""
        z: Tensor = self.encoder((x - self.mean) / self.std)
        return z.float()

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return the loss and its parts for a batch."""
        quantised, _, commitment, codebook = self.quantizer(self.latents(x))
        reconstruction = (self.decoder(quantised) - (x - self.mean) / self.std).square().mean()
        loss = reconstruction + self.beta * commitment + codebook
        return {"loss": loss, "reconstruction": reconstruction, "commitment": commitment}

    @torch.no_grad()
    def codes(self, x: Tensor) -> Tensor:
        """Return the codes of all rows of x, int64 [n, levels], on the CPU."""
        parts = [self.quantizer(self.latents(part.to(self.mean.device)))[1].cpu() for part in torch.split(x, CHUNK)]
        return torch.cat(parts)

    @torch.no_grad()
    def last_distances(self, x: Tensor, codes: Tensor) -> Tensor:
        """Return the squared distances of the last residuals to the last codebook [n, codebook_size], on the CPU.

        `codes` int64 [n, levels - 1] are the codes before the last one.
        """
        residual = self.latents(x.to(self.mean.device))
        for book, chosen in zip(self.quantizer.codebooks, codes.T.to(residual.device), strict=False):
            residual = residual - book[chosen]
        return torch.cdist(residual, self.quantizer.codebooks[-1]).square().cpu()


def _mlp(sizes: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
