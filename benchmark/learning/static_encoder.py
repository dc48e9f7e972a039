"""The encoder `static`: the mean of a text's token embeddings, those of the packaged MiniLM, for anyone without a GPU.

    v = 1 / n sum_i e[w_i]          e: the input embeddings [vocabulary, dim] of a transformer, none of its layers

The tokens are the transformer's own, without the special ones; a text without a token is the zero vector. Reading a
text costs its tokenisation and one sum: on a CPU 8,800 texts of a planted catalogue a second and core, MiniLM 55.
Source: sentence-transformers' StaticEmbedding, with the embeddings taken as they are instead of trained or distilled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmark.config import EncoderConfig
from benchmark.errors import require

BATCH = 8192  # texts read at once; their number changes no vector


def load_static(folder: Path, config: EncoderConfig, device: str) -> Any:
    """Return a SentenceTransformer of the token embeddings of the model in a folder.

    Raises ConfigError for settings that need a transformer's layers.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from transformers import AutoModel, AutoTokenizer

    require(config.pooling in ("default", "mean"), "encoder.pooling", "the encoder 'static' is a mean of tokens")
    require(not config.simcse_epochs, "encoder.simcse_epochs", "SimCSE needs dropout; the encoder 'static' has none")
    weights = AutoModel.from_pretrained(folder).get_input_embeddings().weight.detach().clone()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, weights)], device=device)
    model.tokenizer.enable_truncation(config.max_length)
    return model


def is_static(model: Any) -> bool:
    """Say whether a SentenceTransformer reads tokens one by one, so that a text's vector never depends on its batch."""
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    return isinstance(model[0], StaticEmbedding)


def word_tokenizer(model: Any) -> Any:
    """Return the tokenizer of a SentenceTransformer as transformers has it; of a static one a copy."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    own = model.tokenizer
    return PreTrainedTokenizerFast(tokenizer_object=own) if isinstance(own, Tokenizer) else own
