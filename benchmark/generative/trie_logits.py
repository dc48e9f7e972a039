"""A logits processor for Hugging Face `generate`: only the IDs of a trie can be generated.

The same sequences and scores as `prefix_allowed_tokens_fn`, without its loop over beams and its passes over the whole
vocabulary. Nothing is remembered of earlier steps: each step walks the trie again by the tokens behind the
prompt, so it does not matter how beams were reordered, or what was generated before. A step costs O(rows * F), F the
most tokens that may follow any row.

    prefix_allowed_tokens_fn in huggingface/transformers: De Cao et al., Autoregressive Entity Retrieval, ICLR 2021
    tries as sparse matrices on a device: STATIC (youtube/static-constraint-decoding), 2026

Shapes: N rows = examples x beams (or x returned sequences when sampling), L tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from benchmark.errors import UsageError
from benchmark.generative.canvas import Canvases
from benchmark.generative.item_trie import ItemTrie
from benchmark.generative.trie import Trie
from benchmark.generative.trie_forest import TrieForest

DEAD = -1e9  # what generate itself adds to the score of a beam that must not win
UNREACHED = -1e6  # no probability is so small: a score below it is of a beam that was dead

AnyTrie = Trie | ItemTrie


class TrieLogitsProcessor:
    """Lets `generate` produce IDs of a trie alone, and says which items they are.

        constraint = TrieLogitsProcessor(trie)
        output = model.generate(**inputs, num_beams=20, num_return_sequences=20,
                                max_new_tokens=trie.depth, logits_processor=[constraint])
        constraint.items(output)

    `tries` is one trie for all examples of the batch, or a sequence with one for each. `prompt_length` is the number of
    tokens that stand before the ID in what `generate` returns: 1 for an encoder-decoder model (its start token), the
    width of the padded prompts, `inputs["input_ids"].shape[1]`, for a decoder-only model. After a whole ID `pad`
    follows, by default the end-of-sequence token; generate puts its own padding there.

    One or two tensors [N, V] are kept between steps (`canvas`). One processor may serve many batches, and threads.

    Raises UsageError in `generate` when the number of rows is not a multiple of the number of tries, when no row begins
    an ID (a wrong `prompt_length`, mostly), and when other settings forbid every first token (forced_bos_token_id). A
    row that begins no ID while others do gets padding; a row of which other processors forbid all that is allowed
    keeps these tokens with a score of -1e9, or 0 where it is so with every row, as in transformers.
    """

    def __init__(self, tries: AnyTrie | Sequence[AnyTrie], *, prompt_length: int = 1, pad: int | None = None) -> None:
        several = [tries] if isinstance(tries, AnyTrie) else list(tries)
        if not several:
            raise UsageError("TrieLogitsProcessor: expected at least one trie")
        for name, value in (("prompt_length", prompt_length), ("pad", pad)):
            if value is not None and value < 0:
                raise UsageError(f"{name}: must be at least 0, not {value}")
        plain = [trie.trie if isinstance(trie, ItemTrie) else trie for trie in several]
        self.prompt_length = prompt_length
        self.pad = plain[0].eos if pad is None else pad
        self._distinct = list(dict.fromkeys(plain))
        numbers = {trie: number for number, trie in enumerate(self._distinct)}
        self._tree_of = torch.tensor([numbers[trie] for trie in plain])  # of every example
        self._names = [trie.items if isinstance(trie, ItemTrie) else range(trie.n_items) for trie in several]
        self._eos = torch.tensor([trie.eos for trie in plain])
        self._canvases = Canvases()
        self._forests: dict[torch.device, TrieForest] = {}

    @torch.no_grad()
    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return the scores [N, V] of the tokens that may follow input_ids [N, L], -inf for all others."""
        forest = self._forest(input_ids.device)
        if forest.stride - 2 >= scores.shape[1]:
            raise UsageError(
                f"the trie has tokens up to {forest.stride - 2:,}, the model only {scores.shape[1]:,}; "
                "call model.resize_token_embeddings(len(tokenizer))"
            )
        tokens = self._behind_prompt(input_ids)
        nodes = forest.walk(tokens, self._trees(tokens))
        columns = forest.allowed(nodes)
        values = scores.gather(1, columns)
        stuck = values.amax(1, keepdim=True).isneginf()
        if bool(stuck.any()):
            values = self._forced(values, stuck, first=not tokens.shape[1])
        if bool((nodes == forest.sink).all()):
            raise UsageError(
                f"no row begins an ID: behind {self.prompt_length} token(s) of prompt the first one has "
                f"{tokens[0].tolist()[:10]}. prompt_length must be 1 for an encoder-decoder model (its start token) "
                'and inputs["input_ids"].shape[1] for a decoder-only model'
            )
        return self._canvases.draw(scores, columns, values)

    def items(self, output: Any) -> list[Any]:
        """Return the item of each generated sequence, None for a sequence that is not a whole ID.

        `output` is what `generate` returned: token ids [N, L], prompt included, or an object that has them as
        `sequences`. The end-of-sequence token may be missing at the very end. Where there are `sequences_scores`,
        sequences that beam search only filled up with (fewer IDs than beams) are None too. Items are what the tries
        were built with, or row numbers.
        """
        sequences = output if isinstance(output, Tensor) else output.sequences
        tokens = self._behind_prompt(sequences)
        trees = self._trees(tokens)
        end = self._of_rows(self._eos.to(tokens.device), len(tokens))
        forest = self._forest(tokens.device)
        rows = forest.items[forest.walk(torch.cat([tokens, end[:, None]], 1), trees).cpu().numpy()]
        scores = None if isinstance(output, Tensor) else getattr(output, "sequences_scores", None)
        if scores is not None:
            rows[(scores < UNREACHED).cpu().numpy()] = -1
        share = len(tokens) // len(self._names)
        return [self._names[n // share][row] if row >= 0 else None for n, row in enumerate(rows.tolist())]

    def _forced(self, values: Tensor, stuck: Tensor, *, first: bool) -> Tensor:
        """Return the values [N, F] of tokens that other processors have forbidden in rows [N, 1], so that one wins."""
        everywhere = bool(stuck.all())
        if everywhere and first:
            raise UsageError(
                "another setting of generate forbids every first token of the trie's IDs; set forced_bos_token_id, "
                "suppress_tokens and the like to None in the generation config"
            )
        return values.masked_fill(stuck, 0 if everywhere else max(DEAD, torch.finfo(values.dtype).min))

    def _behind_prompt(self, sequences: Tensor) -> Tensor:
        if sequences.shape[1] < self.prompt_length:
            raise UsageError(f"prompt_length: is {self.prompt_length}, but there are only {sequences.shape[1]} tokens")
        return sequences[:, self.prompt_length :]

    def _trees(self, tokens: Tensor) -> Tensor:
        """Return the tree of each row [N]."""
        if self._tree_of.device != tokens.device:
            self._tree_of = self._tree_of.to(tokens.device)
        return self._of_rows(self._tree_of, len(tokens))

    def _of_rows(self, of_examples: Tensor, rows: int) -> Tensor:
        """Repeat what examples have for their rows, which stand one behind the other."""
        examples = len(of_examples)
        if rows % examples:
            raise UsageError(f"{examples} tries, one per example of the batch, do not fit {rows} rows of beams")
        return of_examples.repeat_interleave(rows // examples)

    def _forest(self, device: torch.device) -> TrieForest:
        if device not in self._forests:
            self._forests[device] = _forest(tuple(self._distinct), self.pad, device)
        return self._forests[device]


_single: WeakKeyDictionary[Trie, dict[tuple[int, torch.device], TrieForest]] = WeakKeyDictionary()


def _forest(tries: tuple[Trie, ...], pad: int, device: torch.device) -> TrieForest:
    """Return the tries on a device; one trie is copied there once, as a decoder-only model's processors come and go."""
    if len(tries) > 1:
        return TrieForest.of(tries, pad, device)
    views = _single.setdefault(tries[0], {})
    if (pad, device) not in views:
        views[pad, device] = TrieForest.of(tries, pad, device)
    return views[pad, device]
