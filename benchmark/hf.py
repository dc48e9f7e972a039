"""Semantic IDs in Hugging Face `generate`: tokens for a model, decoding that writes nothing but IDs, items back.

    ids = benchmark.hf.read_ids("runs/demo/rqvae")
    tokenizer.add_tokens(ids.tokens)
    model.resize_token_embeddings(len(tokenizer))
    ...                                                                # train the model to write ids.tokens
    trie = ids.trie(tokenizer.convert_tokens_to_ids(ids.tokens), eos=tokenizer.eos_token_id)
    constraint = benchmark.hf.TrieLogitsProcessor(trie)
    output = model.generate(**inputs, num_beams=20, num_return_sequences=20, max_new_tokens=trie.depth,
                            logits_processor=[constraint])
    constraint.items(output)                                           # item ids, best first

`SemanticIds(codes.with_counter(), items)` takes codes from memory, `ItemTrie.from_sequences` token sequences of any
kind. PyTorch is imported with `TrieLogitsProcessor` only.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.generative.item_trie import ItemTrie, SemanticIds
from benchmark.results.id_files import read_own_order
from benchmark.results.id_records import UNIQUE, has_counters, ids_in
from benchmark.results.row_folder import result_folder

if TYPE_CHECKING:
    from benchmark.generative.trie_logits import TrieLogitsProcessor

__all__ = ["ItemTrie", "SemanticIds", "TrieLogitsProcessor", "read_ids"]


def read_ids(path: str | Path) -> SemanticIds:
    """Read the IDs of a finished cell (its folder or its ids.unique.tsv), or of a file as `--ids` takes it.

    Those of a folder of `benchmark ids push`, and the JSON lines of `benchmark ids assign`, come with their counter.
    Codebooks are as large as the codes of the file need. Raises DataError for a file that holds no IDs.
    """
    path = result_folder(Path(path))
    file = path / UNIQUE if (path / UNIQUE).is_file() else ids_in(path)
    items, codes = read_own_order(file, counter=file.name == UNIQUE or has_counters(file))
    return SemanticIds(codes, items)


def __getattr__(name: str) -> Any:
    if name == "TrieLogitsProcessor":
        return importlib.import_module("benchmark.generative.trie_logits").TrieLogitsProcessor
    raise AttributeError(f"module 'benchmark.hf' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
