"""The T5 that is fine-tuned: a pretrained one by name or path, or a small one from scratch.

The code tokens `<id_t_c>` stand behind the tokenizer's own tokens: in t5-base they start at 32,100, over the 28 spare
rows of its table, as in LMIndexer's code. Their rows are random, unless the indexer hands over a T5 of its own, which
takes the backbone's place, with the vectors of its codes (`benchmark.generative.start`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from benchmark.errors import BenchmarkError
from benchmark.generative.config import GenerativeConfig, ScratchConfig
from benchmark.generative.start import load_start
from benchmark.generative.vocabulary import CodeVocabulary

PAD, EOS, UNKNOWN = "<pad>", "</s>", "<unk>"  # T5's own, at T5's ids 0, 1, 2


def build(
    config: GenerativeConfig, sizes: tuple[int, ...], texts: list[str], seed: int, start: Path | None = None
) -> tuple[Any, Any, CodeVocabulary, str]:
    """Return (T5ForConditionalGeneration, tokenizer, code vocabulary, what it starts from in words).

    `sizes` are those of codes with their dedup counter, `texts` train the scratch tokenizer, and `start` is the folder
    of what the indexer handed over: it need not exist, and `config.start` may leave it out.
    Raises BenchmarkError when the backbone is neither on disk nor to be had from the hub, or is no T5, and when the
    vectors that were handed over belong to other codebooks.
    """
    torch.manual_seed(seed)
    learned = load_start(start, sizes[:-1]) if start is not None and config.start == "learned" else None
    if learned is not None:
        origin = "learned T5"
        model, tokenizer = _pretrained(str(learned.t5))
    else:
        origin = "backbone"
        model, tokenizer = load_t5(config.backbone, config.scratch, texts)
    vocabulary = CodeVocabulary(sizes, first=len(tokenizer))
    end = vocabulary.first + vocabulary.size
    if end > model.config.vocab_size:
        model.resize_token_embeddings(end, mean_resizing=False)
    tables = [model.shared.weight]
    if model.lm_head.weight is not model.shared.weight:  # T5 1.1
        tables.append(model.lm_head.weight)
    with torch.no_grad():
        for table in tables:
            codes = table[vocabulary.first : end]  # also the spare rows that a pretrained table already had
            codes.normal_(0.0, table[: vocabulary.first].std().item())
            if learned is not None:
                codes[: len(learned.rows)] = torch.from_numpy(learned.rows)
    return model, tokenizer, vocabulary, origin


def load_t5(name: str, scratch: ScratchConfig, texts: list[str]) -> tuple[Any, Any]:
    """Return (T5ForConditionalGeneration, tokenizer) by hub name or path, or new ones where the name is 'scratch'."""
    if name != "scratch":
        return _pretrained(name)
    tokenizer = train_tokenizer(scratch, texts)
    return _scratch_model(scratch, len(tokenizer)), tokenizer


def save(folder: Path, model: Any, tokenizer: Any) -> None:
    """Save model and tokenizer in Hugging Face's layout."""
    _quiet()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def load(folder: Path, device: str) -> Any:
    """Return (model in eval mode on the device, tokenizer) as saved."""
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    _quiet()
    return T5ForConditionalGeneration.from_pretrained(folder).eval().to(device), AutoTokenizer.from_pretrained(folder)


def train_tokenizer(config: ScratchConfig, texts: list[str]) -> Any:
    """Return a byte-level BPE tokenizer with T5's special tokens, trained on the texts.

    Byte level: no character is ever unknown.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    steps = [normalizers.NFKC(), *([normalizers.Lowercase()] if config.lowercase else [])]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocabulary_size,
        special_tokens=[PAD, EOS, UNKNOWN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {EOS}", special_tokens=[(EOS, 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=EOS, unk_token=UNKNOWN)


def _scratch_model(config: ScratchConfig, vocabulary_size: int) -> Any:
    from transformers import T5Config, T5ForConditionalGeneration

    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=vocabulary_size,
            d_model=config.d_model,
            d_kv=config.d_model // config.heads,
            d_ff=config.d_ff,
            num_layers=config.layers,
            num_heads=config.heads,
            dropout_rate=config.dropout,
            decoder_start_token_id=0,
        )
    )


def _pretrained(name: str) -> tuple[Any, Any]:
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    _quiet()
    try:
        model, tokenizer = T5ForConditionalGeneration.from_pretrained(name), AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise BenchmarkError(
            f"the backbone '{name}' cannot be loaded: it is no local T5 folder and the hub did not deliver it "
            f"({str(error).strip().splitlines()[0]}). Without a hub use --set generative.backbone=scratch"
        ) from error
    # transformers 5 claims that every T5 is tied; a resize would then replace T5 1.1's own head by the input table
    model.config.tie_word_embeddings = model.lm_head.weight is model.shared.weight
    return model, tokenizer


def _quiet() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()
