"""LMIndexer (`lmindexer`): semantic IDs by sequential discrete auto-reconstruction.

Source: Jin et al., Language Models as Semantic Indexers, ICML 2024, section 3; stages and settings from its released
code. The README beside this file tells the stages, the choices where text and code differ, and what was measured.

    reconstructor warm-up -> for every position t:  no-code warm-up -> k-means of h_t -> full training -> codes of t
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import require
from benchmark.methods.lmindexer.config import LMIndexerConfig
from benchmark.types.arrays import Float32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer

if TYPE_CHECKING:
    from benchmark.methods.lmindexer.reader import Reader


class LMIndexer(Indexer[LMIndexerConfig]):
    """IDs learned by a language model from the items' own text (self-supervised)."""

    at_most_items = ("codebook_size",)

    _reader: Reader

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return int32 codes [n_items, length], each in [0, codebook_size).

        Raises ConfigError when the codebook is larger than the corpus, BenchmarkError when the backbone is missing.
        """
        from benchmark.methods.lmindexer.learner import Learner

        config, n_items = self.config, len(corpus)
        require(config.codebook_size <= n_items, "codebook_size", f"the corpus has only {n_items} items")
        weights = config.weights
        require(bool(weights.reconstruction or weights.contrastive), "weights", "no loss is left to learn IDs from")
        learner = Learner(config, corpus.texts(), context)
        if config.reconstructor_warmup and weights.reconstruction:
            learner.warm_up()
        prefix = np.empty((n_items, 0), np.int32)
        for _ in range(config.length):
            prefix = learner.learn_position(prefix)
        context.facts["parameters"] = sum(parameter.numel() for parameter in learner.network.parameters())
        self._reader = learner
        return Codes(prefix, (config.codebook_size,) * config.length)

    def assign(self, corpus: Corpus) -> Codes:
        """Return the codes [n_items, length] that the trained network gives the items' texts."""
        return Codes(self._reader.assign(corpus.texts()), (self.config.codebook_size,) * self.config.length)

    def code_distances(self, corpus: Corpus, codes: Codes, rows: Int64) -> Float32:
        """Return minus the logits of the last position's codes [len(rows), codebook_size]."""
        texts = corpus.texts()
        return self._reader.distances([texts[row] for row in rows], codes.values[rows, :-1])

    def save(self, folder: Path) -> None:
        """Write the network's weights as safetensors, of each position what differs from the one before."""
        self._reader.write(folder)

    def load(self, folder: Path, context: Context) -> None:
        """Read the network's weights."""
        from benchmark.methods.lmindexer.reader import Reader

        self._reader = Reader.read(folder, self.config, context)

    def save_initial_weights(self, folder: Path) -> None:
        """Write the codebooks and, where the backbone is a T5, that T5: where fine-tuning starts (section 3.4)."""
        from benchmark.generative.start import save_start

        network = self._reader.network
        rows = [codebook.detach().float().cpu().numpy() for codebook in network.codebooks]
        if network.backbone.shares_table:
            save_start(folder, rows, network.backbone.model, network.backbone.tokenizer)
        else:
            save_start(folder, rows)
