"""TIGER (`tiger`): RQ-VAE IDs, and a T5 that reads the semantic IDs of a user's history and writes the next item's.

    rq-VAE IDs (3 x 256 codes and the dedup counter)  ->  user token, IDs of the last 20 items, oldest first  ->  T5

The IDs are those of `benchmark.methods.rqvae`. What is TIGER's own is the reader `ids` of the generative part, which
the presets choose ([small.generative] and the like in tiger.toml): its T5 knows special, user and code tokens alone
(`benchmark.generative.ids_model`) and learns from every prefix of every history. Search is the suite's shared one.

Source: Rajput et al., Recommender Systems with Generative Retrieval, NeurIPS 2023, sections 3 and 4. The preset
`published` has its settings: Sentence-T5 embeddings, encoder and decoder of 4 layers with 6 heads of 64, width 128,
inner width 1,024, dropout 0.1, 2,000 user tokens, batch 256, 200,000 steps (100,000 on Toys), learning rate 0.01, then
by the inverse square root of the step.
What differs: the learning rate rises over the first 10,000 steps, where TIGER's is constant; AdamW trains both
networks (TIGER: Adagrad for the rq-VAE); codebooks follow moving averages and dead codes restart, as in `rqvae`.
The item text is title, price, brand and category there: `--text-fields title,price,brand,category`.

`small` is half as deep, with four narrower heads, reads 10 items and sees each of Beauty's 131,413 training pairs about
three times: it has not converged. On Beauty (title and brand, seed 0) validation nDCG@10 of 500 users is .0009, .0090
and .0139 after 375, 750 and 1,125 of 1,500 steps; on the test items R@5 .0118, R@10 .0212, nDCG@5 .0075 and nDCG@10
.0105, about a quarter of the published .0454, .0648, .0321 and .0384. A step takes 0.8 s on one core.
"""

from __future__ import annotations

from pathlib import Path

from benchmark.methods.rqvae import RQVAE, RQVAEConfig
from benchmark.types.arrays import Float32, Int64
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer


class TIGER(Indexer[RQVAEConfig]):
    """RQ-VAE IDs with a T5 that reads the IDs of a history (Rajput et al., NeurIPS 2023)."""

    at_most_items = RQVAE.at_most_items

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        """Return the IDs of `rqvae`, int32 codes [n_items, levels]."""
        self._indexer = RQVAE(self.config)
        return self._indexer.fit(corpus, context)

    def assign(self, corpus: Corpus) -> Codes:
        """Return the IDs that `rqvae` assigns, int32 codes [n_items, levels]."""
        return self._indexer.assign(corpus)

    def code_distances(self, corpus: Corpus, codes: Codes, rows: Int64) -> Float32:
        """Return the distances of `rqvae` [len(rows), codebook_size]."""
        return self._indexer.code_distances(corpus, codes, rows)

    def save(self, folder: Path) -> None:
        """Write what `rqvae` has learned."""
        self._indexer.save(folder)

    def load(self, folder: Path, context: Context) -> None:
        """Read what `rqvae` has learned."""
        self._indexer = RQVAE(self.config)
        self._indexer.load(folder, context)
