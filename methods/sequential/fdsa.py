"""FDSA (`fdsa`): one transformer over the items so far, one over their features.

    x_t = dropout( LN( e(i_t) + p_t ) ),  y_t = dropout( LN( f(i_t) + p_t ) ),   f(i) = mean of i's feature vectors
    z_t = dropout( LN( W [ transformer_x(x)_t ; transformer_y(y)_t ] + b ) )      both causal, of equal shape
    s(j | i_1 .. i_t) = z_t . e(j)                                                one table for both sides

Source: Zhang et al., Feature-level Deeper Self-Attention Network for Sequential Recommendation, IJCAI 2019, section 3,
in the form of RecBole, where both streams share positions and the first LN. RecBole uses that one LN a third time, on
the joint output z; here the output has an LN of its own, so that the scale of what is compared with e(j) does not also
set the scale of both inputs. The paper weighs fields of features by attention; as in S3-Rec's experiments brand and
category words are one field here, so that each weighs the same.

The features of an item are its brand and the words of its category path, less the top where all items share it, as in
the S3-Rec repository, whatever `--text-fields` says: without features this is no FDSA. On Amazon Beauty as it is here
(the first category path of every item only) these are 667 features, 3.73 an item; S3-Rec had 637 and 3.72. Items
without any feature have f = 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmark.errors import BenchmarkError
from benchmark.methods.sequential.config import FDSAConfig
from benchmark.methods.sequential.network_recommender import NetworkRecommender
from benchmark.types.arrays import Int64
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Context

if TYPE_CHECKING:
    from benchmark.methods.sequential.fdsa_network import FDSANetwork


class FDSA(NetworkRecommender[FDSAConfig]):
    """Recommends by self-attention over the user's items and over their brands and categories."""

    def network(self, corpus: Corpus, histories: Histories, context: Context) -> FDSANetwork:
        """Return a network of the items and their features. Raises BenchmarkError when no item has a feature."""
        from benchmark.methods.sequential.fdsa_network import FDSANetwork

        features, names = item_features(corpus, self.config.features)
        context.facts["features"] = len(names)
        context.facts["features_per_item"] = round(float((features < len(names)).sum(1).mean()), 2)
        return FDSANetwork(features, len(names), self.config)


def item_features(corpus: Corpus, fields: tuple[str, ...]) -> tuple[Int64, list[str]]:
    """Return the features of every item [n_items, most of one item], padded with their number, and their names.

    Names are sorted; a brand and a category of the same name are one feature, as in S3-Rec.
    """
    words: list[set[str]] = [set() for _ in range(len(corpus))]
    if "brand" in fields and "brand" in corpus.table.column_names:
        for item, brand in zip(words, corpus.table.column("brand").to_pylist(), strict=True):
            item.update([brand] if brand else [])
    if "categories" in fields:
        shared = len({path[0] for path in corpus.paths if path}) == 1  # the top says nothing
        for item, path in zip(words, corpus.paths, strict=True):
            item.update(word for word in path[shared:] if word)
    names = sorted(set().union(*words))
    if not names:
        raise BenchmarkError(
            f"fdsa: no item has a feature (looked at: {', '.join(fields)}; a category that all items "
            "share is none); use sasrec, which is FDSA without features"
        )
    number = {name: row for row, name in enumerate(names)}
    table = np.full((len(corpus), max(map(len, words))), len(names), np.int64)
    for row, item in enumerate(words):
        table[row, : len(item)] = sorted(number[word] for word in item)
    return table, names
