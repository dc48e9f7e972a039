"""The stages of LMIndexer's training on one corpus, through the suite's training loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.config import TrainingConfig
from benchmark.errors import require
from benchmark.learning.kmeans import kmeans
from benchmark.learning.processes import process_rank
from benchmark.learning.training import train
from benchmark.methods.lmindexer import study
from benchmark.methods.lmindexer.backbones import EncoderBackbone
from benchmark.methods.lmindexer.config import LMIndexerConfig, PositionConfig
from benchmark.methods.lmindexer.documents import Documents, load_backbone
from benchmark.methods.lmindexer.negatives import PrefixGroups
from benchmark.methods.lmindexer.network import Batch, LMIndexerNetwork, Stage
from benchmark.types.arrays import Float32, Int32
from benchmark.types.method import Context

EXPORT_BATCH = 128


class Learner:
    """Backbone, documents and network; each method is a stage that leaves its result in the network's weights."""

    def __init__(self, config: LMIndexerConfig, texts: list[str], context: Context) -> None:
        self.config, self.context = config, context
        torch.manual_seed(context.seed)
        backbone = load_backbone(config, texts)
        self.documents = Documents.tokenize(backbone.tokenizer, texts, config)
        heads = config.reconstructor.heads
        require(not heads or backbone.width % heads == 0, "reconstructor.heads", f"{backbone.width} is not a multiple")
        output_tokens = self.documents.output_tokens(config, backbone)
        self.network = LMIndexerNetwork(backbone, config, output_tokens).to(context.device)
        if self.documents.tokens.offsets[-1] * backbone.width * 2 <= config.cache_bytes:
            self.documents = self.documents.with_lower(backbone.eval(), context.device)
        self._of_backbone = [parameter for parameter in backbone.parameters() if parameter.requires_grad]
        if config.standardize and isinstance(backbone, EncoderBackbone):
            pooled = self._of_all(self._no_prefix(), lambda batch: backbone.pooled(batch.ids, batch.mask, batch.lower))
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
            start = self._of_all(prefix, lambda batch: self.network.encode(batch)[0].start)
            first = self.network.codebooks[0].detach()[torch.from_numpy(prefix[:, 0]).long()]
            backbone.whiten_residual(torch.from_numpy(start).to(self.context.device), first)
        if self.config.no_code_warmup:
            self._train(f"{name}.no-code", prefix, settings.no_code, Stage(settings.mask_ratio, no_code=True))
        if self.config.codebook_init != "random":
            self._start_codebook(prefix)
        self._train(f"{name}.full", prefix, settings.full, Stage(settings.mask_ratio))
        codes = self.codes(prefix)
        torch.save(self._reading_state(), self._state_file(position))
        return np.column_stack([prefix, codes]).astype(np.int32)

    def assign(self, texts: list[str]) -> Int32:
        """Return the codes [n, length] of other documents.

        Each position's are by the network as it was when that position had been learned: later ones learn on with the
        same weights.
        """
        backbone = self.network.backbone
        documents = Documents.to_read(backbone.tokenizer, texts, self.config)
        if self.documents.lower is not None:
            documents = documents.with_lower(backbone.eval(), self.context.device)
        prefix = np.empty((len(documents), 0), np.int32)
        for position in range(self.config.length):
            state = torch.load(self._state_file(position), map_location=self.context.device, weights_only=True)
            self.network.load_state_dict(state, strict=False)
            prefix = np.column_stack([prefix, self.codes(prefix, documents)]).astype(np.int32)
        return prefix

    def _reading_state(self) -> dict[str, Tensor]:
        """Return the weights that codes follow from: all but the reconstructor's."""
        state: dict[str, Tensor] = self.network.state_dict()
        return {name: value for name, value in state.items() if name.startswith(("backbone.", "codebooks."))}

    def _state_file(self, position: int) -> Path:
        return self.context.work / f"position{position + 1}.learned-{process_rank()}.pt"

    def codes(self, prefix: Int32, documents: Documents | None = None) -> Int32:
        """Return every document's code behind its prefix, in eval mode, int32 [n]; by default of those to learn from.

        `prefix` int32 [n, t - 1].
        """
        position, documents = prefix.shape[1], documents or self.documents

        def of_batch(batch: Batch) -> Tensor:
            return self.network.codes(self.network.hidden(batch)[:, -1], position).int()

        codes: Int32 = self._of_all(prefix, of_batch, documents)
        return codes

    def _start_codebook(self, prefix: Int32) -> None:
        """Set the position's codebook to k-means centres of h_t: one codebook for all prefixes."""
        position = prefix.shape[1]
        hidden: Float32 = self._export(prefix, lambda hidden: hidden.float())
        seed = self.context.seed * self.config.length + position
        centres, _ = kmeans(hidden, self.config.codebook_size, seed=seed)
        if self.config.codebook_init == "spherical":
            lengths = np.linalg.norm(centres, axis=1, keepdims=True)
            centres = centres / np.maximum(lengths, 1e-6) * lengths.mean()
        with torch.no_grad():  # fewer distinct hidden states than codes leave the other codes as they are
            self.network.codebooks[position][: len(centres)] = torch.from_numpy(centres).to(self.context.device)

    def _train(self, name: str, prefix: Int32, settings: TrainingConfig, stage: Stage) -> None:
        position, network = prefix.shape[1], self.network
        settings = settings.with_steps(len(self.documents))
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
                measured["perplexity"] = study.perplexity(self.codes(prefix))
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
        return self._of_all(prefix, lambda batch: of_hidden(self.network.hidden(batch)[:, -1]))

    @torch.no_grad()
    def _of_all(self, prefix: Int32, function: Callable[[Batch], Tensor], documents: Documents | None = None) -> Any:
        """Apply a function to all documents in eval mode, long ones first.

        Copies of a text share one computation: with other padding around them they might round to different codes.
        """
        self.network.eval()
        device, documents = self.context.device, documents or self.documents
        known = torch.from_numpy(prefix.astype(np.int64)).to(device)
        texts = np.column_stack([documents.group, prefix])
        _, first, copy_of = np.unique(texts, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(-np.diff(documents.tokens.offsets)[first], kind="stable")
        result: Any = None
        for start in range(0, len(order), EXPORT_BATCH):
            rows = torch.from_numpy(first[order[start : start + EXPORT_BATCH]]).to(device)
            part = function(documents.batch(rows, known[rows], len(rows))).cpu().numpy()
            if result is None:
                result = np.empty((len(order), *part.shape[1:]), part.dtype)
            result[order[start : start + EXPORT_BATCH]] = part
        return result[copy_of.reshape(-1)]
