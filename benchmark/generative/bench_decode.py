"""How fast is constrained decoding? Hugging Face generate, constrained or not, against the suite's beam search.

A T5 with random weights, random unique IDs (three codes of 256 and a counter) and random sources, in one process. All
ways take turns, round by round, so that a busy machine slows all of them alike; ratios are medians over the rounds.
With one thread, times are CPU time, which other programs hardly change. The constraint alone is timed on the rows that
a decode really asks about, step by step (`bench_constraint`).

    function    generate with prefix_allowed_tokens_fn, a dictionary of prefixes that is filled before the clock starts
    processor   generate with TrieLogitsProcessor: same sequences, same scores
    free        generate with no constraint
    full, codes the suite's beam search; `full` has generate's items and scores

Threads that wait actively for each other distort everything on a machine that is busy with other work: set
OMP_WAIT_POLICY=passive there, or OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.generative.beam import beam_search
from benchmark.generative.bench_constraint import constraint_seconds
from benchmark.generative.t5_decoder import T5Decoder
from benchmark.generative.trie import Trie
from benchmark.generative.trie_logits import UNREACHED, TrieLogitsProcessor
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.codes import Codes
from benchmark.types.rankings import Rankings

NAMES = {
    "function": "generate, prefix_allowed_tokens_fn",
    "processor": "generate, TrieLogitsProcessor",
    "free": "generate, no constraint",
    "full": "ours, full",
    "codes": "ours, codes",
    "encoder": "encoder alone",
}
GOALS = {"full": 3.5, "codes": 10.0}  # times as fast as generate with prefix_allowed_tokens_fn
SLOWEST = 1.1  # times the seconds of generate with no constraint
CONSTRAINT_GOALS = {12_000: 20, 1_000_000: 100}  # times as fast as prefix_allowed_tokens_fn


def run(
    small: bool = False, *, ids: Sequence[int] = (), batch: int | None = None, rounds: int | None = None
) -> Iterator[str]:
    """Yield the lines that `benchmark bench decode` prints, for catalogues of so many IDs.

    `small` is a quick look at a small model, by default with 1,000 IDs instead of 12,000, 8 queries instead of 32 and 3
    rounds instead of 5.
    """
    sizes = {"batch": 8, "rounds": 3, "d_model": 64, "layers": 2, "vocabulary_size": 4_000} if small else {}
    sizes |= {name: value for name, value in (("batch", batch), ("rounds", rounds)) if value is not None}
    for items in ids or ((1_000,) if small else (12_000,)):
        yield from rows(measure(items=items, **sizes))


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
    """Time one batch of queries; return medians in seconds, ratios, and how the outputs compare."""
    codes = random_codes(items, seed)
    vocabulary = CodeVocabulary(codes.sizes, first=vocabulary_size)
    trie = Trie.build(vocabulary.encode(codes), eos=1)
    model = random_t5(vocabulary_size + vocabulary.size, d_model, layers, seed)
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, vocabulary_size, (batch, source_length), generator=generator)
    mask = torch.ones_like(ids)

    allowed = cache(trie.allowed)  # warm after the first round: a dictionary, as one would write it

    def prefix_function(query: int, tokens: Tensor) -> list[int]:
        # a beam that has nowhere to go still asks; whatever it gets, its score stays near -1e9
        return allowed(tuple(tokens[1:].tolist())) or [0]

    processor = TrieLogitsProcessor(trie)
    generate = partial(hugging_face, model, ids, mask, trie, beams)
    ours = partial(beam_search, model, ids, mask, trie, vocabulary, beams=beams, k=beams)
    ways: dict[str, Callable[[], Any]] = {
        "function": partial(generate, prefix_allowed_tokens_fn=prefix_function),
        "processor": partial(generate, logits_processor=[processor]),
        "free": generate,
        "full": partial(ours, scorer="full"),
        "codes": partial(ours, scorer="codes"),
        "encoder": partial(_encode, model, ids, mask),
    }
    outputs = {name: way() for name, way in ways.items()}  # warm-up, and what is compared
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = clock()
            way()
            seconds[name].append(clock() - started)
    alone = constraint_seconds(generate, prefix_function, processor, beams=beams, rounds=rounds, clock=clock)
    reference = outputs["function"]
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
            name: _ratio(seconds["function"], seconds[name]) for name in ways if name not in ("function", "encoder")
        },
        "times_of_free": {name: _ratio(seconds[name], seconds["free"]) for name in ("function", "processor")},
        "constraint": {name: statistics.median(times) for name, times in alone.items()},
        "constraint_times_as_fast": _ratio(alone["function"], alone["processor"]),
        "valid": {name: float((output.items >= 0).mean()) for name, output in outputs.items() if name != "encoder"},
        "same_items": {name: _same(reference, outputs[name]) for name in ("processor", "full")},
        "largest_score_difference": {
            name: float(np.abs(reference.scores - outputs[name].scores).max()) for name in ("processor", "full")
        },
    }


def rows(result: dict[str, Any]) -> list[str]:
    """Return the result as lines of text."""
    lines = [", ".join(f"{key} {value}" for key, value in result["setting"].items())]
    lines.append(f"{'':<36}{'ms per batch':>12}{'to function':>14}{'valid':>8}")
    for way, name in NAMES.items():
        line = f"{name:<36}{1000 * result['seconds'][way]:12.1f}"
        if way in result["times_as_fast"]:
            line += f"{result['times_as_fast'][way]:12.1f} x"
        if way in result["valid"]:
            line += f"{result['valid'][way]:{8 if way in result['times_as_fast'] else 22}.3f}"
        if way in GOALS:
            line += f"   (goal {GOALS[way]:g} x)"
        if way in result["times_of_free"]:
            goal = f" (goal: at most {SLOWEST:g})" if way == "processor" else ""
            line += f"   {result['times_of_free'][way]:.2f} x the time without constraint{goal}"
        lines.append(line)
    least = CONSTRAINT_GOALS.get(result["setting"]["items"])
    lines.append(
        f"the constraint alone, per step: function {1000 * result['constraint']['function']:.2f} ms, "
        f"processor {1000 * result['constraint']['processor']:.3f} ms, {result['constraint_times_as_fast']:.0f} x"
        + (f"   (goal {least} x)" if least else "")
    )
    for way in ("processor", "full"):
        lines.append(
            f"{way} against function: {result['same_items'][way]:.2%} of the ranks hold the same item, "
            f"largest difference of a score {result['largest_score_difference'][way]:.1e}"
        )
    return lines


def clock() -> float:
    """Return seconds: of the CPU with one thread, else those that pass, as waiting threads use the CPU too."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


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
    model: Any, input_ids: Tensor, attention_mask: Tensor, trie: Trie, beams: int, **constraint: Any
) -> Rankings:
    """Rank with transformers' own generate, as LMIndexer does: `constraint` are its keyword arguments, or none."""
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
        **constraint,
    )
    shape = (len(input_ids), beams)
    scores = output.sequences_scores.view(shape).float().cpu().numpy()
    items = np.array([_item(trie, row) for row in output.sequences[:, 1:].tolist()], np.int32).reshape(shape)
    real = scores > UNREACHED
    return Rankings(np.where(real, items, -1).astype(np.int32), np.where(real, scores, -np.inf).astype(np.float32))


def _item(trie: Trie, tokens: list[int]) -> int:
    end = tokens.index(trie.eos) + 1 if trie.eos in tokens else len(tokens)
    node = trie.node(tokens[:end])
    return int(trie.node_items[node]) if node >= 0 else -1


@torch.inference_mode()
def _encode(model: Any, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    return T5Decoder(model).encode(input_ids, attention_mask)


def _ratio(longer: list[float], shorter: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(longer, shorter, strict=True))


def _same(ours: Rankings, theirs: Rankings) -> float:
    return float((ours.items == theirs.items).mean())


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
