"""A reader and the ID decoder behind it: what is trained for one task where no T5 is.

    states, targets = reader.learned(batch)       n targets, each with the state that it must be generated from
    loss = -log P(ID of the target | state)       the mean over targets

Saved as FOLDER/generator.safetensors; the configuration and the IDs rebuild the rest.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.generative.config import GenerativeConfig
from benchmark.generative.id_decoder import EOS, IdDecoder
from benchmark.generative.items_reader import ItemsReader
from benchmark.generative.learning_encoder import LearningEncoder
from benchmark.generative.reading import Batch
from benchmark.generative.scoring import on_device
from benchmark.generative.sentence_reader import SentenceReader
from benchmark.generative.start import Start
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.arrays import Float32
from benchmark.types.codes import Codes

FILE = "generator.safetensors"


class Generator(nn.Module):
    """A reader, an ID decoder and the trie of all items' IDs."""

    def __init__(self, reader: ItemsReader | SentenceReader, codes: Codes, config: GenerativeConfig) -> None:
        """`codes` carry the dedup counter."""
        super().__init__()
        self.reader = reader
        self.vocabulary = CodeVocabulary(codes.sizes, first=EOS + 1)
        self.trie = Trie.build(self.vocabulary.encode(codes), eos=EOS)
        self.decoder = IdDecoder(self.vocabulary.first + self.vocabulary.size, self.trie.depth, config.decoder)

    def forward(self, batch: Batch, smoothing: float = 0.0) -> Tensor:
        """Return the mean loss over the batch's targets."""
        states, targets = self.reader.learned(batch)
        return self.decoder.loss(states, targets, on_device(self.trie, states.device), smoothing)

    @property
    def parameters_count(self) -> int:
        """Number of parameters that are trained."""
        return sum(parameter.numel() for parameter in self.parameters())

    def save(self, folder: Path) -> None:
        """Write the weights."""
        from safetensors.torch import save_file

        save_file({name: value.contiguous() for name, value in self.state_dict().items()}, folder / FILE)

    def load(self, folder: Path) -> None:
        """Read the weights that `save` wrote for the same configuration and IDs."""
        from safetensors.torch import load_file

        self.load_state_dict(load_file(folder / FILE))


def items_generator(
    codes: Codes, vectors: Float32 | None, config: GenerativeConfig, seed: int, start: Start | None = None
) -> Generator:
    """Return a new generator that reads histories; `vectors` are the items' text embeddings, where they are read."""
    torch.manual_seed(seed)
    reader = ItemsReader(codes.values, codes.sizes, vectors, config.items, config.decoder.width, start)
    return Generator(reader, codes, config)


def sentence_generator(
    codes: Codes, vocabulary: int, dimensions: int, config: GenerativeConfig, seed: int,
    encoder: LearningEncoder | None = None,
) -> Generator:  # fmt: skip
    """Return a new generator that reads queries: `vocabulary` word pieces, embeddings of `dimensions`.

    `encoder` gives the embeddings where it learns too.
    """
    torch.manual_seed(seed)
    reader = SentenceReader(vocabulary, dimensions, config.sentence, config.decoder.width, encoder)
    return Generator(reader, codes, config)
