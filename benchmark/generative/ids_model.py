"""A T5 that reads and writes semantic IDs alone, with random weights: TIGER's model. It has no word.

    token   0 .. 2 pad, end of sequence, unknown | user tokens | code tokens <id_t_c>

so that its softmax spreads over nothing else. Source: Rajput et al., Recommender Systems with Generative Retrieval,
NeurIPS 2023, section 4.1: 1,024 code tokens and 2,000 user tokens, to which user ids are hashed.
"""

from __future__ import annotations

from typing import Any

from benchmark.generative.config import IdsConfig
from benchmark.generative.t5 import EOS, PAD, UNKNOWN


def new_ids_t5(config: IdsConfig) -> tuple[Any, Any]:
    """Return (T5ForConditionalGeneration, tokenizer) that know the special tokens; the others are added to them."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    special = (PAD, EOS, UNKNOWN)
    words = Tokenizer(models.WordLevel({token: row for row, token in enumerate(special)}, unk_token=UNKNOWN))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token=PAD, eos_token=EOS, unk_token=UNKNOWN)
    model = T5ForConditionalGeneration(
        T5Config(
            vocab_size=len(special),
            d_model=config.d_model,
            d_kv=config.d_kv or config.d_model // config.heads,
            d_ff=config.d_ff,
            num_layers=config.layers,
            num_heads=config.heads,
            dropout_rate=config.dropout,
            decoder_start_token_id=0,
        )
    )
    return model, tokenizer


def user_tokens(number: int) -> list[str]:
    """Return the names of the user tokens."""
    return [f"<user_{row}>" for row in range(number)]
