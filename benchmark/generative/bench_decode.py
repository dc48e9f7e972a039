"""How fast is constrained decoding? Hugging Face generate against the suite's beam search, in one process.

A T5 with random weights, random unique IDs (three codes of 256 and a counter) and random sources. All ways are timed
in turn, round by round, so that a busy machine slows all of them alike; ratios are medians over the rounds. The run
also checks that `full` returns Hugging Face's items and scores. Threads that wait actively for each other distort
everything on a machine that is busy with other work: set OMP_WAIT_POLICY=passive there.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.generative.beam import beam_search
from benchmark.generative.t5_decoder import T5Decoder
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.codes import Codes
from benchmark.types.rankings import Rankings

GOALS = {"full": 3.5, "codes": 10.0}  # times as fast as Hugging Face generate


def run(small: bool = False) -> list[str]:
    """Return the lines that `benchmark bench decode` prints; `small` is a quick look at a small model."""
    if small:
        return rows(measure(items=1_000, batch=8, d_model=64, layers=2, vocabulary_size=4_000, rounds=3))
    return rows(measure())


def measure(
    *,
    items: int = 12_000,
    beams: int = 20,
    batch: int = 32,
    source_length: int = 64,
    d_model: int = 256,
    layers: int = 4,
    vocabulary_size: int = 32_000,
    rounds: int = 5,
    seed: int = 0,
) -> dict[str, Any]:
    """Time one batch of queries; return medians in seconds, ratios to Hugging Face, and how the outputs compare."""
    codes = random_codes(items, seed)
    vocabulary = CodeVocabulary(codes.sizes, first=vocabulary_size)
    trie = Trie.build(vocabulary.encode(codes), eos=1)
    model = random_t5(vocabulary_size + vocabulary.size, d_model, layers, seed)
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, vocabulary_size, (batch, source_length), generator=generator)
    mask = torch.ones_like(ids)

    allowed = cache(trie.allowed)  # warm after the first round: a dictionary, as one would write it

    ways: dict[str, Callable[[], Any]] = {
        "hf": lambda: hugging_face(model, ids, mask, trie, beams, allowed),
        "full": lambda: beam_search(model, ids, mask, trie, vocabulary, beams=beams, k=beams, scorer="full"),
        "codes": lambda: beam_search(model, ids, mask, trie, vocabulary, beams=beams, k=beams, scorer="codes"),
        "encoder": lambda: _encode(model, ids, mask),
    }
    outputs = {name: way() for name, way in ways.items()}  # warm-up, and what is compared
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    theirs, ours = outputs["hf"], outputs["full"]
    return {
        "setting": {
            "items": items,
            "beams": beams,
            "batch": batch,
            "source_length": source_length,
            "d_model": d_model,
            "layers": layers,
            "vocabulary": vocabulary_size,
            "threads": torch.get_num_threads(),
            "rounds": rounds,
        },
        "seconds": {name: statistics.median(times) for name, times in seconds.items()},
        "times_as_fast": {
            name: statistics.median(h / t for h, t in zip(seconds["hf"], seconds[name], strict=True))
            for name in ("full", "codes")
        },
        "goals": GOALS,
        "same_items": float((theirs.items == ours.items).mean()),
        "largest_score_difference": float(np.abs(theirs.scores - ours.scores).max()),
    }


def rows(result: dict[str, Any]) -> list[str]:
    """Return the result as lines of text."""
    lines = [", ".join(f"{key} {value}" for key, value in result["setting"].items())]
    names = {"hf": "Hugging Face generate", "full": "ours, full", "codes": "ours, codes", "encoder": "encoder alone"}
    for way, name in names.items():
        line = f"{name:<22} {1000 * result['seconds'][way]:9.1f} ms"
        if way in result["times_as_fast"]:
            line += f"   {result['times_as_fast'][way]:5.1f} x   (goal {result['goals'][way]:g} x)"
        lines.append(line)
    lines.append(
        f"full against Hugging Face: {result['same_items']:.2%} of the ranks hold the same item, "
        f"largest difference of a score {result['largest_score_difference']:.1e}"
    )
    return lines


def random_codes(items: int, seed: int) -> Codes:
    """Three random codes of 256 per item, and the dedup counter."""
    values = np.random.default_rng(seed).integers(0, 256, (items, 3)).astype(np.int32)
    return Codes(values, (256, 256, 256)).with_counter()


def random_t5(vocabulary_size: int, d_model: int, layers: int, seed: int) -> Any:
    """A T5 1.0 with random weights, as many decoder as encoder layers."""
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(seed)
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=vocabulary_size,
            d_model=d_model,
            d_kv=d_model // 4,
            d_ff=4 * d_model,
            num_layers=layers,
            num_heads=4,
            decoder_start_token_id=0,
        )
    ).eval()


def hugging_face(
    model: Any,
    input_ids: Tensor,
    attention_mask: Tensor,
    trie: Trie,
    beams: int,
    allowed: Callable[[tuple[int, ...]], list[int]],
) -> Rankings:
    """Rank with transformers' own generate and a prefix_allowed_tokens_fn: LMIndexer's decoding."""
    output = model.generate(
        input_ids=input_ids,
        attention_mask=attention_mask,
        num_beams=beams,
        num_return_sequences=beams,
        early_stopping=True,
        length_penalty=1.0,
        do_sample=False,
        max_new_tokens=trie.depth,
        return_dict_in_generate=True,
        output_scores=True,
        # a beam that has nowhere to go still asks; whatever it gets, its score stays near -1e9
        prefix_allowed_tokens_fn=lambda query, tokens: allowed(tuple(tokens[1:].tolist())) or [0],
    )
    shape = (len(input_ids), beams)
    scores = output.sequences_scores.view(shape).float().cpu().numpy()
    items = np.array([_item(trie, row) for row in output.sequences[:, 1:].tolist()], np.int32).reshape(shape)
    real = scores > -1e8
    return Rankings(np.where(real, items, -1).astype(np.int32), np.where(real, scores, -np.inf).astype(np.float32))


def _item(trie: Trie, tokens: list[int]) -> int:
    end = tokens.index(trie.eos) + 1 if trie.eos in tokens else len(tokens)
    node = trie.node(tokens[:end])
    return int(trie.node_items[node]) if node >= 0 else -1


@torch.inference_mode()
def _encode(model: Any, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    return T5Decoder(model).encode(input_ids, attention_mask)


if __name__ == "__main__":
    print("\n".join(run()))
