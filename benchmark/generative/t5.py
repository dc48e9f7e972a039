"""A T5 or BART by hub name or path, or a small T5 with random weights and a tokenizer trained on the corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.errors import BenchmarkError

PAD, EOS, UNKNOWN = "<pad>", "</s>", "<unk>"  # T5's own, at T5's ids 0, 1, 2
KINDS = ("t5", "mt5")  # what a configuration file calls the models that are a T5


class ScratchConfig(MethodConfig):
    """A small T5 with random weights and a byte-level BPE tokenizer trained on the corpus: needs no hub."""

    d_model: int = Field(128, ge=8, le=16_384)
    layers: int = Field(2, ge=1, le=1024, description="encoder layers, and as many decoder layers")
    heads: int = Field(4, ge=1, le=1024)
    d_ff: int = Field(512, ge=8, le=65_536)
    dropout: float = Field(0.1, ge=0, lt=1)
    vocabulary_size: int = Field(8000, ge=300, le=1_000_000)
    lowercase: bool = True


def load_seq2seq(
    name: str, scratch: ScratchConfig, texts: list[str], *, setting: str, kinds: tuple[str, ...] = KINDS
) -> tuple[Any, Any]:
    """Return (model, tokenizer) by hub name or path, or a new T5 where the name is 'scratch'.

    `setting` is where the name comes from. Raises BenchmarkError when the model is neither on disk nor on the hub, or
    is of none of these kinds.
    """
    if name != "scratch":
        return pretrained(name, setting=setting, kinds=kinds)
    tokenizer = train_tokenizer(scratch, texts)
    return scratch_model(scratch, len(tokenizer)), tokenizer


def pretrained(name: str, *, setting: str, kinds: tuple[str, ...] = KINDS) -> tuple[Any, Any]:
    """Return (model, tokenizer) by hub name or path. Raises BenchmarkError as `load_seq2seq` does."""
    from transformers import AutoConfig, AutoTokenizer, BartForConditionalGeneration, T5ForConditionalGeneration

    _quiet()
    try:
        kind = AutoConfig.from_pretrained(name).model_type
        model_class = BartForConditionalGeneration if kind == "bart" else T5ForConditionalGeneration
        if kind not in kinds:
            raise BenchmarkError(f"{setting}: '{name}' is of the kind {kind}; it must be one of {', '.join(kinds)}")
        model, tokenizer = model_class.from_pretrained(name), AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        raise BenchmarkError(
            f"{setting}: '{name}' cannot be loaded: it is not a local model folder and could not be downloaded from "
            f"the Hugging Face Hub ({str(error).strip().splitlines()[0]}). Without the Hub use --set {setting}=scratch"
        ) from error
    # transformers 5 claims that every T5 is tied; a resize would then replace T5 1.1's own head by the input table
    model.config.tie_word_embeddings = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    return model, tokenizer


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


def scratch_model(config: ScratchConfig, vocabulary_size: int) -> Any:
    """Return a small T5 with random weights."""
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


def _quiet() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()
