"""Backbone, codebooks and reconstructor as one module, and the losses of one position (section 3.3).

Shapes: n documents in a batch, of which the first `anchors` are the drawn ones and the rest their hard negatives;
L tokens, t the position that is learned (1-based), D model width, K codebook size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.methods.lmindexer.backbones import Backbone, Encoded
from benchmark.methods.lmindexer.config import LMIndexerConfig
from benchmark.methods.lmindexer.losses import commitment, contrastive, denominators
from benchmark.methods.lmindexer.quantizer import straight_through
from benchmark.methods.lmindexer.reconstructor import Reconstructor, hint_mask


@dataclass(frozen=True)
class Batch:
    """Documents as token ids."""

    documents: Tensor  # int64 [n]
    ids: Tensor  # int64 [n, L]
    mask: Tensor  # int64 [n, L], 1 where there is a token
    real: Tensor  # bool [n, L], the document's own tokens: neither padding nor special
    prefix: Tensor  # int64 [n, t - 1]
    anchors: int
    scored: Tensor  # bool [n, L], the tokens that reconstruction may be asked for
    lower: Tensor | None = None  # [n, L, D], the output of the backbone's frozen layers


@dataclass(frozen=True)
class Stage:
    """What one training stage does: `no_code` leaves out the quantiser, `warmup` trains the reconstructor only."""

    mask_ratio: float
    no_code: bool = False
    warmup: bool = False


class LMIndexerNetwork(nn.Module):
    """The semantic indexer and the reconstructor."""

    output_tokens: Tensor

    def __init__(self, backbone: Backbone, config: LMIndexerConfig, output_tokens: Tensor) -> None:
        """`output_tokens` int64 [V] are the token ids that reconstruction chooses from, ascending."""
        super().__init__()
        self.config, self.backbone = config, backbone
        settings = config.reconstructor
        self.reconstructor = Reconstructor(
            backbone.width, layers=settings.layers, heads=settings.heads, d_ff=settings.d_ff,
            dropout=settings.dropout, open_hints=settings.hints == "open",
        )  # fmt: skip
        self.codebooks = nn.ParameterList(
            nn.Parameter(nn.init.xavier_normal_(torch.empty(config.codebook_size, backbone.width)))
            for _ in range(config.length)
        )
        self.register_buffer("output_tokens", output_tokens, persistent=False)
        self.own_table: nn.Parameter | None = None  # where the encoder's token vectors are frozen
        if not backbone.shares_table:
            self.own_table = nn.Parameter(backbone.token_table().detach()[output_tokens].clone())

    def table(self) -> Tensor:
        """Return the vectors of the output tokens [V, D], which the reconstructor reads and predicts with."""
        return self.backbone.token_table()[self.output_tokens] if self.own_table is None else self.own_table

    def hidden(self, batch: Batch) -> Tensor:
        """Return the decoder's hidden states [n, t, D]; the last is h_t."""
        return self.backbone.decode(*self.encode(batch))

    def encode(self, batch: Batch) -> tuple[Encoded, Tensor]:
        """Return what the decoder reads: the encoder's output and the vectors of the earlier codes [n, t - 1, D]."""
        return self.backbone.encode(batch.ids, batch.mask, batch.lower), self.prefix_vectors(batch.prefix)

    def prefix_vectors(self, prefix: Tensor) -> Tensor:
        """Return the vectors of the earlier codes [n, t - 1, D]."""
        if not prefix.shape[1]:
            return torch.zeros(len(prefix), 0, self.backbone.width, device=prefix.device)
        return torch.stack([F.embedding(codes, self.codebooks[j]) for j, codes in enumerate(prefix.T)], dim=1)

    def forward(self, batch: Batch, stage: Stage) -> dict[str, Tensor]:
        """Return the weighted sum under 'loss' and each loss under its name."""
        weights = self.config.weights
        with torch.set_grad_enabled(torch.is_grad_enabled() and not stage.warmup):
            hidden = self.hidden(batch)
        losses: dict[str, Tensor] = {}
        if weights.reconstruction:
            logits, target = self.reconstruct(hidden[:, -1], batch, stage, self._rows(batch.scored))
            summed = F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100, reduction="sum")
            losses["reconstruction"] = summed / (target >= 0).sum().clamp(min=1)  # empty texts have nothing to score
        if weights.contrastive and not stage.warmup:
            losses["contrastive"] = self._contrastive(hidden[:, -1], batch)
        if weights.commitment and batch.prefix.shape[1] and not stage.warmup:
            of_model = self.config.commitment == "language-model"
            losses["commitment"] = commitment(
                hidden[:, :-1],
                list(self.codebooks)[: batch.prefix.shape[1]],
                batch.prefix,
                scale=self.backbone.lm_scale if of_model else 1 / self.config.temperature,
                all_columns=of_model,
            )
        total = torch.stack([getattr(weights, name) * value for name, value in losses.items()]).sum()
        return {"loss": total, **losses}

    def reconstruct(
        self, hidden: Tensor, batch: Batch, stage: Stage, rows: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return logits [n, R, V] over the output tokens and targets int64 [n, R] for tokens `rows` [n, R]."""
        position = batch.prefix.shape[1]
        value = hidden
        if not stage.no_code:
            value = straight_through(hidden, self.codebooks[position], self.config.temperature)[0].to(hidden.dtype)
        prefix = self.prefix_vectors(batch.prefix).to(hidden.dtype)
        slots = torch.cat([prefix, value[:, None]], dim=1)
        asks_with_hidden = position > 0 and self.config.query == "continuous"
        queries = torch.cat([prefix, hidden[:, None]], dim=1) if asks_with_hidden else slots
        visible = hint_mask(batch.real, stage.mask_ratio, generator)
        table = self.table()
        tokens = torch.searchsorted(self.output_tokens, batch.ids)
        z = self.reconstructor(slots, queries, F.embedding(tokens, table).to(hidden.dtype), visible, rows)
        target = tokens.gather(1, rows).masked_fill(~batch.scored.gather(1, rows), -100)
        return z @ table.T, target

    def _rows(self, scored: Tensor) -> Tensor:
        """Return the tokens to score int64 [n, R]: all, or `scored_tokens` of those that count at random."""
        n, length = scored.shape
        wanted = self.config.scored_tokens
        if not wanted or wanted >= length:
            return torch.arange(length, device=scored.device).expand(n, -1)
        return torch.where(scored, torch.rand(n, length, device=scored.device), -1.0).topk(wanted, dim=1).indices

    def _contrastive(self, hidden: Tensor, batch: Batch) -> Tensor:
        """Positive: the anchors' second dropout pass. Negatives: see `denominators` and the key `contrastive`."""
        anchors = batch.anchors
        lower = None if batch.lower is None else batch.lower[:anchors]
        encoded = self.backbone.encode(batch.ids[:anchors], batch.mask[:anchors], lower)
        again = self.backbone.decode(encoded, self.prefix_vectors(batch.prefix[:anchors]))[:, -1]
        position = batch.prefix.shape[1]
        if position and self.config.contrastive == "sampled":
            at = torch.arange(len(hidden), device=hidden.device)
            owner = torch.where(at < anchors, at, (at - anchors) // self.config.negatives)
            own = (owner[:, None] == owner[None]) & (at[None] >= anchors)
            return contrastive(hidden, again, own & (batch.documents[:, None] != batch.documents[None]))
        block = len(hidden) if position else self.config.contrastive_batch
        others = again if self.config.contrastive == "sampled" else None  # the released code: H1 H2^T at position 1
        return contrastive(hidden, again, denominators(batch.documents, batch.prefix, block), others)

    @torch.no_grad()
    def codes(self, hidden: Tensor, position: int) -> Tensor:
        """Return the code of each h_t [n, D] at a position (0-based), int64 [n]."""
        codes: Tensor = (hidden.float() @ self.codebooks[position].float().T).argmax(dim=-1)
        return codes
