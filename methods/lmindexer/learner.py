"""The stages of LMIndexer's training on one corpus, through the suite's training loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.config import TrainingConfig
from benchmark.errors import BenchmarkError, require
from benchmark.learning.kmeans import kmeans
from benchmark.learning.processes import process_rank, processes
from benchmark.learning.training import train
from benchmark.methods.lmindexer import study
from benchmark.methods.lmindexer.backbones import EncoderBackbone
from benchmark.methods.lmindexer.config import LMIndexerConfig, PositionConfig
from benchmark.methods.lmindexer.documents import Documents, load_backbone
from benchmark.methods.lmindexer.negatives import PrefixGroups
from benchmark.methods.lmindexer.network import Batch, LMIndexerNetwork, Stage
from benchmark.methods.lmindexer.reader import Reader, reading_state
from benchmark.types.arrays import Float32, Int32
from benchmark.types.method import Context

RELEASED_KMEANS = (10, 3000)  # starts, and steps of each, in the released code


class Learner(Reader):
    """Backbone, documents and network; each method is a stage that leaves its result in the network's weights."""

    def __init__(self, config: LMIndexerConfig, texts: list[str], context: Context) -> None:
        torch.manual_seed(context.seed)
        backbone = load_backbone(config, texts)
        self.documents = Documents.tokenize(backbone.tokenizer, texts, config)
        heads = config.reconstructor.heads
        require(not heads or backbone.width % heads == 0, "reconstructor.heads", f"{backbone.width} is not a multiple")
        output_tokens = self.documents.output_tokens(config, backbone)
        network = LMIndexerNetwork(backbone, config, output_tokens).to(context.device)
        super().__init__(config, network, context, self._learned_state)
        if self.documents.tokens.offsets[-1] * backbone.width * 2 <= config.cache_bytes:
            self.documents = self.documents.with_lower(backbone.eval(), context.device)
        self.keeps_lower = self.documents.lower is not None
        self._of_backbone = [parameter for parameter in backbone.parameters() if parameter.requires_grad]
        if config.standardize and isinstance(backbone, EncoderBackbone):

            def pooled_batch(batch: Batch) -> Tensor:
                return backbone.pooled(batch.ids, batch.mask, batch.lower)

            pooled = self.of_all(self._no_prefix(), pooled_batch, self.documents)
            backbone.standardize(torch.from_numpy(pooled).to(context.device))

    def warm_up(self) -> None:
        """Train the reconstructor alone, on frozen random codes (against reconstructor collapse)."""
        self._train("warmup", self._no_prefix(), self.config.warmup, Stage(self.config.warmup_mask_ratio, warmup=True))

    def _no_prefix(self) -> Int32:
        return np.empty((len(self.documents), 0), np.int32)

    def learn_position(self, prefix: Int32) -> Int32:
        """Learn the next position behind the prefix int32 [n, t - 1]; return the codes [n, t]."""
        position = prefix.shape[1]
        settings: PositionConfig = self.config.later if position else self.config.first
        name = f"position{position + 1}"
        backbone = self.network.backbone
        if position == 1 and isinstance(backbone, EncoderBackbone) and backbone.directions:
            start = self.of_all(prefix, lambda batch: self.network.encode(batch)[0].start, self.documents)
            first = self.network.codebooks[0].detach()[torch.from_numpy(prefix[:, 0]).long()]
            backbone.whiten_residual(torch.from_numpy(start).to(self.context.device), first)
        if self.config.no_code_warmup:
            self._train(f"{name}.no-code", prefix, settings.no_code, Stage(settings.mask_ratio, no_code=True))
        if self.config.codebook_init != "random":
            self._start_codebook(prefix)
        self._train(f"{name}.full", prefix, settings.full, Stage(settings.mask_ratio))
        codes = self.codes(prefix, self.documents)
        torch.save(reading_state(self.network), self._state_file(position))
        return np.column_stack([prefix, codes]).astype(np.int32)

    def _learned_state(self, position: int) -> dict[str, Tensor]:
        state: dict[str, Tensor] = torch.load(
            self._state_file(position), map_location=self.context.device, weights_only=True
        )
        return state

    def _state_file(self, position: int) -> Path:
        return self.context.work / f"position{position + 1}.learned-{process_rank()}.pt"

    def _start_codebook(self, prefix: Int32) -> None:
        """Set the position's codebook to k-means centres of h_t: one codebook for all prefixes."""
        position = prefix.shape[1]
        hidden: Float32 = self._export(prefix, lambda hidden: hidden.float())
        seed = self.context.seed * self.config.length + position
        starts, steps = RELEASED_KMEANS if self.config.codebook_init == "k-means" else (1, 100)
        centres, _ = kmeans(hidden, self.config.codebook_size, seed=seed, n_init=starts, max_iter=steps)
        if self.config.codebook_init == "spherical":
            lengths = np.linalg.norm(centres, axis=1, keepdims=True)
            centres = centres / np.maximum(lengths, 1e-6) * lengths.mean()
        with torch.no_grad():  # fewer distinct hidden states than codes leave the other codes as they are
            self.network.codebooks[position][: len(centres)] = torch.from_numpy(centres).to(self.context.device)

    def _train(self, name: str, prefix: Int32, settings: TrainingConfig, stage: Stage) -> None:
        position, network = prefix.shape[1], self.network
        settings = settings.with_steps(len(self.documents))
        if not position and not stage.warmup and self.config.weights.contrastive:
            settings = whole_blocks(settings, self.config.contrastive_batch, processes(), name)
        groups = PrefixGroups(prefix, self.context.seed, self.context.device)
        known = torch.from_numpy(prefix.astype(np.int64)).to(self.context.device)
        self._freeze(position, stage)

        def loss(model: nn.Module, indices: Tensor) -> dict[str, Tensor]:
            documents, anchors = indices, len(indices)
            if position:
                documents = torch.cat([indices, groups.sample(indices, self.config.negatives).flatten()])
            values: dict[str, Tensor] = model(self.documents.batch(documents, known[documents], anchors), stage)
            return values

        epoch = max(1, len(self.documents) // settings.batch_size)
        ends = range(epoch - 1, settings.steps - epoch // 2, epoch)  # of the epochs; the last is the training's own

        def measure(step: int, _: nn.Module) -> dict[str, float] | None:
            due = step in ends or step + 1 == settings.steps
            if stage.warmup or not self.config.study_items or not due:
                return None
            measured = study.measure(network, self.documents, known, groups, stage, self.config, self.context.seed)
            if not stage.no_code:
                measured["perplexity"] = study.perplexity(self.codes(prefix, self.documents))
                network.train()
            return measured

        rates = dict.fromkeys([*network.backbone.pretrained(), "own_table", "codebooks."], self.config.slow_rate)
        train(network, len(self.documents), loss, settings, self.context, name=name, after_step=measure, rates=rates)

    def _freeze(self, position: int, stage: Stage) -> None:
        """Let only those parameters learn that the stage uses (unused ones also confuse distributed training)."""
        for i, codebook in enumerate(self.network.codebooks):
            codebook.requires_grad_(not stage.warmup and (i < position or (i == position and not stage.no_code)))
        for parameter in self._of_backbone:
            parameter.requires_grad_(not stage.warmup)

    def _export(self, prefix: Int32, of_hidden: Callable[[Tensor], Tensor]) -> Any:
        """Apply a function to h_t of all documents; return its rows [n, ..]."""
        return self.of_all(prefix, lambda batch: of_hidden(self.network.hidden(batch)[:, -1]), self.documents)


def whole_blocks(settings: TrainingConfig, block: int, devices: int, name: str) -> TrainingConfig:
    """Return the settings with so few micro-batches that each holds at least a block of the contrastive denominator.

    Otherwise the number of negatives would depend on the number of devices. Raises BenchmarkError where a device's
    share of a batch is smaller than a block; on one device a batch may be, and is then the block.
    """
    share = settings.batch_size // devices
    if devices > 1 and share < block:
        most = max(1, settings.batch_size // block)
        raise BenchmarkError(
            f"{name}: a batch of {settings.batch_size} over {devices} devices leaves {share} documents each, fewer "
            f"than lmindexer.contrastive_batch = {block}; use at most {most} devices, or a larger batch_size"
        )
    return settings.model_copy(update={"accumulation": min(settings.accumulation, max(1, share // block))})
