"""A trained network that reads documents: their codes, position by position, and how far others would have been.

Each position's codes are by the network as it was when that position had been learned: later ones learn on with the
same weights. `write` keeps these states, of each only what differs from the one before, and of a frozen layer nothing:
it comes with the sentence encoder, and its digest says whether that is still the same.

    FOLDER/state.json                   what is no tensor (`benchmark.types.state`)
    FOLDER/position1.safetensors, ..    the weights that codes follow from; all but the reconstructor's
    FOLDER/tokenizer/                   of a T5 from scratch, whose tokenizer was trained on the corpus
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.errors import BenchmarkError
from benchmark.files import bytes_digest
from benchmark.generative.t5 import scratch_model
from benchmark.methods.lmindexer.backbones import Backbone, T5Backbone
from benchmark.methods.lmindexer.config import LMIndexerConfig
from benchmark.methods.lmindexer.documents import Documents, load_backbone
from benchmark.methods.lmindexer.network import Batch, LMIndexerNetwork
from benchmark.types.arrays import Float32, Int32
from benchmark.types.method import Context
from benchmark.types.state import read_state, write_state

EXPORT_BATCH = 128


class Reader:
    """The network and its states; `state(position)` returns the weights that the position's codes follow from."""

    def __init__(
        self, config: LMIndexerConfig, network: LMIndexerNetwork, context: Context,
        state: Callable[[int], dict[str, Tensor]],
    ) -> None:  # fmt: skip
        self.config, self.network, self.context, self.state = config, network, context, state
        self.keeps_lower = False  # whether the output of the frozen layers was kept, which rounds it

    def assign(self, texts: list[str]) -> Int32:
        """Return the codes [n, length] of any documents."""
        documents = self._to_read(texts)
        prefix = np.empty((len(documents), 0), np.int32)
        for position in range(self.config.length):
            self.network.load_state_dict(self.state(position), strict=False)
            prefix = np.column_stack([prefix, self.codes(prefix, documents)]).astype(np.int32)
        return prefix

    def distances(self, texts: list[str], prefix: Int32) -> Float32:
        """Return minus the dot products of the last position's states and codes [n, codebook_size].

        `prefix` int32 [n, length - 1] are the codes before.
        """
        position = prefix.shape[1]
        self.network.load_state_dict(self.state(position), strict=False)

        def of_batch(batch: Batch) -> Tensor:
            logits: Tensor = self.network.hidden(batch)[:, -1].float() @ self.network.codebooks[position].float().T
            return -logits

        found: Float32 = self.of_all(prefix, of_batch, self._to_read(texts))
        return found

    def codes(self, prefix: Int32, documents: Documents) -> Int32:
        """Return every document's code behind its prefix int32 [n, t - 1], in eval mode, int32 [n]."""
        position = prefix.shape[1]

        def of_batch(batch: Batch) -> Tensor:
            return self.network.codes(self.network.hidden(batch)[:, -1], position).int()

        codes: Int32 = self.of_all(prefix, of_batch, documents)
        return codes

    @torch.no_grad()
    def of_all(self, prefix: Int32, function: Callable[[Batch], Tensor], documents: Documents) -> Any:
        """Apply a function to all documents in eval mode, long ones first; return its rows [n, ..].

        Copies of a text share one computation: with other padding around them they might round to different codes.
        """
        self.network.eval()
        device = self.context.device
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

    def write(self, folder: Path) -> None:
        """Write what `assign` needs into a new folder."""
        from safetensors.torch import save_file

        backbone, before = self.network.backbone, dict[str, Tensor]()
        write_state(folder, {"keeps_lower": self.keeps_lower, "frozen": _digest(backbone)})
        if isinstance(backbone, T5Backbone) and backbone.from_scratch:
            backbone.tokenizer.save_pretrained(folder / "tokenizer")
        for position in range(self.config.length):
            state = _once(self.state(position))
            new = {name: value for name, value in state.items() if name not in before or differs(value, before[name])}
            save_file({name: value.cpu().contiguous() for name, value in new.items()}, folder / _file(position))
            before = state

    @classmethod
    def read(cls, folder: Path, config: LMIndexerConfig, context: Context) -> Reader:
        """Return what `write` has written. Raises BenchmarkError where the sentence encoder is no longer the same."""
        from safetensors.torch import load_file

        values = read_state(folder)
        backbone = _backbone(folder / "tokenizer", config)
        if _digest(backbone) != values["frozen"]:
            raise BenchmarkError(f"lmindexer.encoder: '{config.encoder}' is no longer what these IDs were learned with")
        network = LMIndexerNetwork(backbone, config, torch.arange(1)).to(context.device)

        def state(position: int) -> dict[str, Tensor]:
            files = [load_file(folder / _file(earlier), device=context.device) for earlier in range(position + 1)]
            return {name: value for file in files for name, value in file.items()}

        reader = cls(config, network, context, state)
        reader.keeps_lower = values["keeps_lower"]
        return reader

    def _to_read(self, texts: list[str]) -> Documents:
        backbone = self.network.backbone
        documents = Documents.to_read(backbone.tokenizer, texts, self.config)
        return documents.with_lower(backbone.eval(), self.context.device) if self.keeps_lower else documents


def reading_state(network: LMIndexerNetwork) -> dict[str, Tensor]:
    """Return the weights that codes follow from and training may change: without reconstructor and frozen layers."""
    state: dict[str, Tensor] = network.state_dict()
    frozen = {name for name, _ in _frozen(network.backbone)}
    return {n: value for n, value in state.items() if n.startswith(("backbone.", "codebooks.")) and n not in frozen}


def differs(left: Tensor, right: Tensor) -> bool:
    """Say whether two tensors differ in any element."""
    return not torch.equal(left, right)


def _file(position: int) -> str:
    return f"position{position + 1}.safetensors"


def _backbone(tokenizer: Path, config: LMIndexerConfig) -> Backbone:
    if not tokenizer.is_dir():
        return load_backbone(config, [])
    from transformers import AutoTokenizer

    words = AutoTokenizer.from_pretrained(tokenizer)
    return T5Backbone(scratch_model(config.scratch, len(words)), words, from_scratch=True)


def _frozen(backbone: Backbone) -> list[tuple[str, Tensor]]:
    """Return the name in the network, and the values, of every parameter of a frozen layer."""
    own = {id(value) for module in getattr(backbone, "frozen", ()) for value in module.parameters()}
    return [(f"backbone.{name}", value) for name, value in backbone.named_parameters() if id(value) in own]


def _digest(backbone: Backbone) -> str:
    return bytes_digest(value.detach().cpu().numpy().tobytes() for _, value in _frozen(backbone))


def _once(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors without second names of the same memory (T5's one table of token vectors has three)."""
    seen: set[int] = set()
    once = {}
    for name, value in state.items():
        if value.data_ptr() not in seen:
            seen.add(value.data_ptr())
            once[name] = value
    return once
