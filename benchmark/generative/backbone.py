"""The T5 that is fine-tuned: a pretrained one by name or path, or a small one from scratch, with or without words.

The code tokens `<id_t_c>` stand behind the tokenizer's own tokens: in t5-base they start at 32,100, over the 28 spare
rows of its table, as in LMIndexer's code. Their rows are random, unless the indexer hands over a T5 of its own, which
takes the backbone's place, with the vectors of its codes (`benchmark.generative.start`). The reader `ids` may have user
tokens; they stand between the tokenizer's own tokens and the code tokens, and their rows are random too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmark.generative.config import GenerativeConfig
from benchmark.generative.ids_model import new_ids_t5, user_tokens
from benchmark.generative.start import load_start
from benchmark.generative.t5 import load_seq2seq, pretrained
from benchmark.generative.vocabulary import CodeVocabulary


def build(
    config: GenerativeConfig, sizes: tuple[int, ...], texts: list[str], seed: int, start: Path | None = None,
    reader: str = "text",
) -> tuple[Any, Any, CodeVocabulary, str]:  # fmt: skip
    """Return (T5ForConditionalGeneration, tokenizer, code vocabulary, what it starts from in words).

    `sizes` are those of codes with their dedup counter, `texts` train the scratch tokenizer of the reader `text`, and
    `start` is the folder of what the indexer handed over: it need not exist, and `config.start` may leave it out.
    Raises BenchmarkError when the backbone is neither on disk nor to be had from the hub, or is no T5, and when the
    vectors that were handed over belong to other codebooks.
    """
    torch.manual_seed(seed)
    learned = load_start(start, sizes[:-1]) if start is not None and config.start == "learned" else None
    if learned is None or learned.t5 is None:
        learned, origin = None, "backbone"
        name = config.ids.backbone if reader == "ids" else config.backbone
        if reader == "ids" and name == "scratch":
            model, tokenizer = new_ids_t5(config.ids)
        else:
            setting = "generative.ids.backbone" if reader == "ids" else "generative.backbone"
            model, tokenizer = load_seq2seq(name, config.scratch, texts, setting=setting)
    else:
        origin = "learned T5"
        model, tokenizer = pretrained(str(learned.t5), setting="generative.backbone")
    words = len(tokenizer)
    if reader == "ids":
        tokenizer.add_tokens(user_tokens(config.ids.user_tokens))
    vocabulary = CodeVocabulary(sizes, first=len(tokenizer))
    end = vocabulary.first + vocabulary.size
    if end > model.config.vocab_size:
        model.resize_token_embeddings(end, mean_resizing=False)
    tables = [model.shared.weight]
    if model.lm_head.weight is not model.shared.weight:  # T5 1.1
        tables.append(model.lm_head.weight)
    with torch.no_grad():
        for table in tables:
            # also the spare rows that a pretrained table already had
            table[words:end].normal_(0.0, table[:words].std().item())
            if learned is not None:
                codes = table[vocabulary.first : end]
                codes[: len(learned.rows)] = torch.from_numpy(learned.rows)
    return model, tokenizer, vocabulary, origin
