"""What the tests of the sequential recommenders share: the networks in small, and histories from lists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import torch

from benchmark.methods.sequential.bert4rec import BERT4Rec
from benchmark.methods.sequential.bert4rec_network import BERT4RecNetwork
from benchmark.methods.sequential.config import BERT4RecConfig, FDSAConfig, GRU4RecConfig, HGNConfig, SASRecConfig
from benchmark.methods.sequential.fdsa import FDSA
from benchmark.methods.sequential.fdsa_network import FDSANetwork
from benchmark.methods.sequential.gru4rec import GRU4Rec
from benchmark.methods.sequential.gru4rec_network import GRU4RecNetwork
from benchmark.methods.sequential.hgn import HGN
from benchmark.methods.sequential.hgn_network import HGNNetwork
from benchmark.methods.sequential.networks import SequenceNetwork
from benchmark.methods.sequential.sasrec import SASRec
from benchmark.methods.sequential.sasrec_network import SASRecNetwork
from benchmark.types.data import Corpus, Histories
from benchmark.types.method import Recommender

METHODS: dict[str, type[Recommender[Any]]] = {
    "sasrec": SASRec, "gru4rec": GRU4Rec, "hgn": HGN, "bert4rec": BERT4Rec, "fdsa": FDSA,
}  # fmt: skip
CAUSAL = ["sasrec", "gru4rec", "hgn", "fdsa"]
N_ITEMS, N_USERS, PAD, MASK = 11, 4, 11, 12
SIZES: dict[str, Any] = {"max_length": 6, "embedding_size": 8}
ATTENTION: dict[str, Any] = {**SIZES, "inner_size": 12, "layers": 2, "heads": 2}
FEATURES = np.array([[row % 3, 3 + row % 2] if row % 4 else [row % 3, 5] for row in range(N_ITEMS)])  # 5 pads


def network(name: str, **settings: Any) -> SequenceNetwork:
    """Return a small network in eval mode, with weights so large that everything matters."""
    torch.manual_seed(5)
    made: SequenceNetwork
    match name:
        case "sasrec":
            made = SASRecNetwork(N_ITEMS, SASRecConfig(**{**ATTENTION, **settings}))
        case "bert4rec":
            made = BERT4RecNetwork(N_ITEMS, BERT4RecConfig(**{**ATTENTION, **settings}))
        case "fdsa":
            made = FDSANetwork(FEATURES, 5, FDSAConfig(**{**ATTENTION, **settings}))
        case "gru4rec":
            made = GRU4RecNetwork(N_ITEMS, GRU4RecConfig(**{**SIZES, "hidden_size": 10, **settings}))
        case _:
            made = HGNNetwork(N_ITEMS, N_USERS, HGNConfig(**{**SIZES, **settings}))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
    return made.eval()


def histories_of(sequences: list[list[int]]) -> Histories:
    """Return histories of users u0, u1, .."""
    offsets = np.cumsum([0, *map(len, sequences)]).astype(np.int64)
    items = np.array([item for sequence in sequences for item in sequence], np.int32)
    return Histories([f"u{user}" for user in range(len(sequences))], offsets, items)


def corpus_of(n: int, **columns: list[Any]) -> Corpus:
    """Return items i000, i001, .. with further columns."""
    return Corpus(pa.table({"id": [f"i{row:03}" for row in range(n)], **columns}))
