"""TrieLogitsProcessor against transformers' own prefix_allowed_tokens_fn and a plain dictionary of prefixes."""

import threading
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LogitsProcessorList,
    T5Config,
    T5ForConditionalGeneration,
)

from benchmark.errors import UsageError
from benchmark.generative.item_trie import ItemTrie
from benchmark.generative.trie_forest import TrieForest
from benchmark.generative.trie_logits import TrieLogitsProcessor

PAD, EOS, FIRST, VOCABULARY = 0, 1, 10, 30
KINDS = ("t5", "gpt2", "llama")
INF = torch.inf


def beams(number, **more):
    """Settings of a beam search that returns all its beams."""
    return {"num_beams": number, "num_return_sequences": number, "do_sample": False, **more}


@cache
def model_of(kind):
    """A model with random weights, sharp enough that its probabilities differ, and EOS not all too rare."""
    torch.manual_seed(0)
    ids = {"pad_token_id": PAD, "eos_token_id": EOS, "bos_token_id": 2}
    match kind:
        case "t5":
            config = T5Config(
                vocab_size=VOCABULARY, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
                decoder_start_token_id=PAD,
            )  # fmt: skip
            model = T5ForConditionalGeneration(config)
        case "gpt2":
            model = GPT2LMHeadModel(
                GPT2Config(vocab_size=VOCABULARY, n_positions=64, n_embd=16, n_layer=1, n_head=2, **ids)
            )
        case "llama":
            model = LlamaForCausalLM(
                LlamaConfig(
                    vocab_size=VOCABULARY, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
                    num_attention_heads=2, max_position_embeddings=64, **ids,
                )
            )  # fmt: skip
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return model.eval()


def prompts(kind, batch, seed=0):
    """Prompts of different length: padded on the left for a decoder, on the right for an encoder."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 7, batch)
    ids, mask = np.full((batch, lengths.max()), PAD), np.zeros((batch, lengths.max()), int)
    for row, length in enumerate(lengths):
        place = slice(0, length) if kind == "t5" else slice(-length, None)
        ids[row, place], mask[row, place] = random.integers(2, FIRST, length), 1
    return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}


def prompt_length(kind, inputs):
    return 1 if kind == "t5" else inputs["input_ids"].shape[1]


def dictionary(rows):
    """Prefix -> the sorted tokens that may follow; padding behind a whole ID."""
    follows = {}
    for row in rows:
        path = (*row, EOS)
        for i, token in enumerate(path):
            follows.setdefault(path[:i], set()).add(token)
    return {prefix: sorted(tokens) for prefix, tokens in follows.items()}


def function(follows_of_rows, start):
    """A prefix_allowed_tokens_fn as one would write it; `follows_of_rows` tells each batch index's dictionary."""
    return lambda index, tokens: follows_of_rows(index).get(tuple(tokens[start:].tolist()), [PAD])


def generate(kind, inputs, **settings):
    torch.manual_seed(7)
    return model_of(kind).generate(**inputs, return_dict_in_generate=True, output_scores=True, **settings)


def same(ours, theirs):
    """Sequences and all scores are the same numbers, to the last bit."""
    assert torch.equal(ours.sequences, theirs.sequences)
    assert len(ours.scores) == len(theirs.scores)
    assert all(torch.equal(a, b) for a, b in zip(ours.scores, theirs.scores, strict=True))
    if getattr(theirs, "sequences_scores", None) is not None:
        assert torch.equal(ours.sequences_scores, theirs.sequences_scores)


catalogues = st.lists(
    st.lists(st.integers(FIRST, FIRST + 4), min_size=1, max_size=4).map(tuple), min_size=1, max_size=25, unique=True
)
searches = st.fixed_dictionaries({"num_beams": st.integers(2, 5), "length_penalty": st.sampled_from([0.0, 1.0])})
samplings = st.fixed_dictionaries(
    {"num_return_sequences": st.integers(1, 3), "temperature": st.sampled_from([1.0, 2.0])}
)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(rows=catalogues, batch=st.integers(1, 3), how=searches, early=st.booleans(), seed=st.integers(0, 9))
def test_beam_search_gives_the_sequences_and_scores_of_a_prefix_function(kind, rows, batch, how, early, seed):
    trie, inputs = ItemTrie.from_sequences(rows, EOS), prompts(kind, batch, seed)
    start, follows = prompt_length(kind, inputs), dictionary(rows)
    how = how | {"max_new_tokens": trie.depth, "num_return_sequences": how["num_beams"], "early_stopping": early}
    ours = generate(
        kind, inputs, logits_processor=[TrieLogitsProcessor(trie, prompt_length=start, pad=PAD)], do_sample=False, **how
    )
    same(
        ours,
        generate(kind, inputs, prefix_allowed_tokens_fn=function(lambda _: follows, start), do_sample=False, **how),
    )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(rows=catalogues, batch=st.integers(1, 3), how=samplings, seed=st.integers(0, 9))
def test_sampling_with_the_same_seed_gives_the_sequences_and_scores_of_a_prefix_function(kind, rows, batch, how, seed):
    trie, inputs = ItemTrie.from_sequences(rows, EOS), prompts(kind, batch, seed)
    start, follows = prompt_length(kind, inputs), dictionary(rows)
    how = how | {"max_new_tokens": trie.depth, "do_sample": True, "output_logits": True}
    constraint = TrieLogitsProcessor(trie, prompt_length=start, pad=PAD)
    ours = generate(kind, inputs, logits_processor=LogitsProcessorList([constraint]), **how)
    theirs = generate(kind, inputs, prefix_allowed_tokens_fn=function(lambda _: follows, start), **how)
    same(ours, theirs)
    assert all(torch.equal(a, b) for a, b in zip(ours.logits, theirs.logits, strict=True))
    assert all(item is not None for item in constraint.items(ours))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(several=st.lists(catalogues, min_size=2, max_size=3), width=st.integers(2, 4), seed=st.integers(0, 9))
def test_every_example_may_have_its_own_trie(kind, several, width, seed):
    tries = [ItemTrie.from_sequences({str(row): row for row in rows}, EOS) for rows in several]
    inputs, dictionaries = prompts(kind, len(several), seed), [dictionary(rows) for rows in several]
    start, depth = prompt_length(kind, inputs), max(trie.depth for trie in tries)
    for how in (beams(width), {"do_sample": True, "num_return_sequences": width}):
        how = how | {"max_new_tokens": depth}
        constraint = TrieLogitsProcessor(tries, prompt_length=start, pad=PAD)
        per_example = width if how["do_sample"] else 1  # sampling repeats the examples, beam search tells their index
        allowed = function(lambda index, n=per_example: dictionaries[index // n], start)
        ours = generate(kind, inputs, logits_processor=[constraint], **how)
        same(ours, generate(kind, inputs, prefix_allowed_tokens_fn=allowed, **how))
        for n, item in enumerate(constraint.items(ours)):
            assert item is None or item in {str(row) for row in several[n // width]}


def random_rows(n, *, codebook=4, seed=0):
    """IDs of 2 to 4 tokens, many of them the prefix of another; every position has tokens of its own."""
    random = np.random.default_rng(seed)
    rows = {
        tuple(FIRST + codebook * t + int(code) for t, code in enumerate(random.integers(0, codebook, length)))
        for length in random.integers(2, 5, 4 * n)
    }
    return sorted(rows)[:n]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", [beams(6), {"do_sample": True, "num_return_sequences": 9}, {}])
def test_every_output_is_an_id_and_its_item_is_the_one_with_these_tokens(kind, how):
    rows = random_rows(60)
    trie, inputs = ItemTrie.from_sequences({f"item {row}": row for row in rows}, EOS), prompts(kind, 4)
    start = prompt_length(kind, inputs)
    constraint = TrieLogitsProcessor(trie, prompt_length=start)
    output = generate(kind, inputs, logits_processor=[constraint], max_new_tokens=trie.depth, **how)
    items = constraint.items(output)
    for sequence, item in zip(output.sequences[:, start:].tolist(), items, strict=True):
        assert item == f"item {tuple(sequence[: sequence.index(EOS)])}"
    assert constraint.items(output.sequences) == items
    free = generate(kind, inputs, max_new_tokens=trie.depth, **how)
    assert any(item is None for item in constraint.items(free))


def test_one_processor_serves_many_batches_of_any_size():
    """Nothing of an earlier batch is left: outputs that were kept stay as they were."""
    trie = ItemTrie.from_sequences(random_rows(60), EOS)
    constraint = TrieLogitsProcessor(trie, pad=PAD)
    how = {"max_new_tokens": trie.depth, "num_beams": 4, "do_sample": False}
    for batch, seed in ((3, 0), (1, 1), (3, 2), (3, 0)):
        inputs = prompts("t5", batch, seed)
        fresh = TrieLogitsProcessor(trie, pad=PAD)
        same(
            generate("t5", inputs, logits_processor=[constraint], **how),
            generate("t5", inputs, logits_processor=[fresh], **how),
        )


def test_a_trie_of_one_item_gives_that_item_and_none_for_the_beams_that_generate_fills_up():
    trie = ItemTrie.from_sequences({"only": [FIRST, FIRST + 1]}, EOS)
    constraint = TrieLogitsProcessor(trie)
    how = beams(3, max_new_tokens=trie.depth)
    output = generate("t5", prompts("t5", 2), logits_processor=[constraint], **how)
    assert constraint.items(output) == ["only", None, None] * 2
    assert (output.sequences_scores.view(2, 3)[:, 1:] < -1e6).all()


@pytest.mark.parametrize("early", [True, False])
def test_more_sequences_than_ids_are_asked_for(early):
    """All IDs come back once, best first; what beam search fills up with are no items."""
    rows = [(FIRST,), (FIRST, FIRST + 1), (FIRST + 2, FIRST + 1)]
    trie = ItemTrie.from_sequences(rows, EOS)
    constraint = TrieLogitsProcessor(trie)
    how = beams(8, max_new_tokens=trie.depth, early_stopping=early)
    output = generate("t5", prompts("t5", 1), logits_processor=[constraint], **how)
    items = constraint.items(output)
    assert sorted(items[:3]) == [0, 1, 2] and items[3:] == [None] * 5


def test_the_end_of_sequence_may_be_missing_at_the_very_end():
    trie = ItemTrie.from_sequences([(FIRST, FIRST + 1), (FIRST,)], EOS)
    sequences = torch.tensor([[PAD, FIRST, FIRST + 1], [PAD, FIRST, EOS], [PAD, FIRST + 1, EOS], [PAD, EOS, FIRST]])
    assert TrieLogitsProcessor(trie).items(sequences) == [0, 1, None, None]
    cut = torch.tensor([[PAD, FIRST, FIRST], [PAD, FIRST, PAD], [PAD, FIRST, 10**9], [PAD, -1, -1]])
    assert TrieLogitsProcessor(trie).items(cut) == [None] * 4


def allowed_of(output):
    return [torch.nonzero(row > -INF)[:, 0].tolist() for row in output]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_allowed_scores_are_untouched_and_all_others_are_minus_infinity(dtype):
    trie = ItemTrie.from_sequences([(10, 11), (10,), (12, 29)], EOS)
    tokens = torch.tensor([[PAD, 10], [PAD, 12], [PAD, 10]])
    scores = (torch.randn(3, VOCABULARY) * 50).to(dtype)
    before = scores.clone()
    output = TrieLogitsProcessor(trie)(tokens, scores)
    assert output.dtype == dtype and torch.equal(scores, before)
    assert allowed_of(output) == [[EOS, 11], [29], [EOS, 11]]
    assert torch.equal(output[output > -INF], scores[output > -INF])
    # where something else has forbidden all that is allowed, a finite score keeps the row valid
    scores[1, 29] = -INF
    output = TrieLogitsProcessor(trie)(tokens, scores)
    assert allowed_of(output) == [[EOS, 11], [29], [EOS, 11]]
    assert output[1, 29] == max(torch.finfo(dtype).min, torch.tensor(-1e9, dtype=dtype))
    assert output.softmax(-1).isfinite().all()


def test_scores_that_are_not_contiguous_are_read_right():
    trie, tokens = ItemTrie.from_sequences([(10,), (12,)], EOS), torch.full((4, 1), PAD)
    scores = torch.randn(VOCABULARY, 4).T
    output = TrieLogitsProcessor(trie)(tokens, scores)
    assert output.is_contiguous() and torch.equal(output[:, [10, 12]], scores[:, [10, 12]])


def test_ids_that_share_no_length_and_prefixes_end_where_they_may():
    trie = ItemTrie.from_sequences([(10,), (10, 11), (10, 11, 12)], EOS)
    constraint = TrieLogitsProcessor(trie, pad=PAD)
    tokens = torch.tensor([[PAD, 10, 11, 12], [PAD, 10, 11, EOS], [PAD, 10, EOS, PAD], [PAD, 10, EOS, 12]])
    assert allowed_of(constraint(tokens, torch.zeros(4, VOCABULARY))) == [[EOS], [PAD], [PAD], [PAD]]


def test_a_row_that_begins_no_id_is_padded_and_is_no_item():
    trie = ItemTrie.from_sequences([(10, 11), (12, 13)], EOS)
    constraint = TrieLogitsProcessor(trie, pad=PAD)
    tokens = torch.tensor([[PAD, 10], [PAD, 11], [PAD, 99], [PAD, 10**12], [PAD, -1]])
    assert allowed_of(constraint(tokens, torch.zeros(5, VOCABULARY))) == [[11], [PAD], [PAD], [PAD], [PAD]]
    more = torch.tensor([[PAD, 10, 11, EOS], [PAD, 11, PAD, EOS], [PAD, 11, 10, 11], [PAD, 10, 13, EOS]])
    assert constraint.items(more) == [0, None, None, None]


def test_a_prompt_that_was_forgotten_is_named():
    inputs = prompts("gpt2", 2)
    trie = ItemTrie.from_sequences([(10, 11), (12, 13)], EOS)
    with pytest.raises(UsageError, match=r"no row begins an ID: behind 1 token.*input_ids.*decoder-only"):
        generate("gpt2", inputs, logits_processor=[TrieLogitsProcessor(trie)], max_new_tokens=3)
    with pytest.raises(UsageError, match="prompt_length: is 40, but there are only"):
        generate("gpt2", inputs, logits_processor=[TrieLogitsProcessor(trie, prompt_length=40)], max_new_tokens=3)


def test_a_forced_first_token_is_named():
    """BART's default, the trouble of huggingface/transformers #15169 and #28922."""
    constraint = TrieLogitsProcessor(ItemTrie.from_sequences([(10, 11)], EOS))
    with pytest.raises(UsageError, match=r"forbids every first token.*forced_bos_token_id"):
        generate("t5", prompts("t5", 2), logits_processor=[constraint], max_new_tokens=3, forced_bos_token_id=5)


def test_an_end_that_is_forbidden_everywhere_is_forced_as_transformers_does():
    rows = [(10, 11), (10, 13), (12, 13)]
    inputs, constraint = prompts("t5", 2), TrieLogitsProcessor(ItemTrie.from_sequences(rows, EOS), pad=PAD)
    how = {"max_new_tokens": 6, "min_new_tokens": 5, "num_beams": 2, "num_return_sequences": 2, "do_sample": False}
    ours = generate("t5", inputs, logits_processor=[constraint], **how)
    same(ours, generate("t5", inputs, prefix_allowed_tokens_fn=function(lambda _: dictionary(rows), 1), **how))


def test_a_model_without_the_tries_tokens_is_named():
    constraint = TrieLogitsProcessor(ItemTrie.from_sequences([(10, VOCABULARY)], EOS))
    with pytest.raises(UsageError, match=r"tokens up to 30, the model only 30; call model.resize_token_embeddings"):
        constraint(torch.zeros((1, 1), dtype=torch.long), torch.zeros(1, VOCABULARY))


def test_what_cannot_be_is_refused():
    trie = ItemTrie.from_sequences([(10, 11)], EOS)
    with pytest.raises(UsageError, match="at least one trie"):
        TrieLogitsProcessor([])
    with pytest.raises(UsageError, match="prompt_length: must be at least 0"):
        TrieLogitsProcessor(trie, prompt_length=-1)
    with pytest.raises(UsageError, match="pad: must be at least 0"):
        TrieLogitsProcessor(trie, pad=-1)
    with pytest.raises(UsageError, match="2 tries, one per example of the batch, do not fit 3 rows"):
        TrieLogitsProcessor([trie, trie])(torch.zeros((3, 1), dtype=torch.long), torch.zeros(3, VOCABULARY))


@pytest.mark.parametrize("codebook", [3, 50_000])
def test_a_large_catalogue_allows_what_the_dictionary_allows(codebook):
    """Small codebooks give long paths and a large dedup counter, a huge one gives a root of 50,000 children."""
    random, length = np.random.default_rng(0), 3 if codebook == 3 else 1
    n = 27 * 4_000 if codebook == 3 else 50_000
    codes = np.arange(n)[:, None] if codebook > 3 else np.arange(n)[:, None] // 4_000 // 3 ** np.arange(3) % 3
    counter = np.arange(n)[:, None] % 4_000 if codebook == 3 else np.empty((n, 0), int)
    rows = np.concatenate([codes + 10 + np.arange(length) * 3, counter + 50_100], 1)
    trie, follows = ItemTrie.from_sequences(rows.tolist(), EOS), dictionary(map(tuple, rows.tolist()))
    constraint = TrieLogitsProcessor(trie)
    for step in range(rows.shape[1] + 1):
        prefixes = rows[random.integers(0, n, 5), :step]
        tokens = torch.from_numpy(np.concatenate([np.zeros((5, 1), int), prefixes], 1))
        output = constraint(tokens, torch.randn(5, 54_200))
        assert allowed_of(output) == [follows[tuple(prefix)] for prefix in prefixes.tolist()]
    picked = random.integers(0, n, 50)
    sequences = torch.from_numpy(np.concatenate([np.zeros((50, 1), int), rows[picked]], 1))
    assert constraint.items(sequences) == picked.tolist()


class Largest(TorchDispatchMode):
    """The most elements of any new tensor that an operation makes while this is active."""

    def __init__(self):
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = {arg.untyped_storage().data_ptr() for arg in args if isinstance(arg, torch.Tensor)}
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor) and result.untyped_storage().data_ptr() not in given:
            self.elements = max(self.elements, result.numel())
        return result


def test_a_step_makes_no_tensor_of_all_ids_and_only_the_first_one_of_the_vocabulary():
    rows = np.stack(np.unravel_index(np.arange(60_000), (40, 40, 40)), 1) + np.array([10, 50, 90])
    constraint = TrieLogitsProcessor(ItemTrie.from_sequences(rows.tolist(), EOS))
    scores, start = torch.randn(8, 3_000), np.zeros((8, 1), int)
    largest = []
    for step in (0, 0, 1, 2, 3):
        tokens = torch.from_numpy(np.concatenate([start, rows[::8_000, :step]], 1))
        with Largest() as mode:
            constraint(tokens, scores)
        largest.append(mode.elements)
    assert largest[0] == scores.numel() and max(largest[1:]) <= 8 * 40


def test_a_trie_is_copied_to_a_device_once_however_many_processors_come_and_go(monkeypatch):
    copies, of = [], TrieForest.of
    monkeypatch.setattr(TrieForest, "of", lambda *given: copies.append(given) or of(*given))
    trie = ItemTrie.from_sequences(random_rows(20), EOS)
    for start in (1, 2, 3):
        TrieLogitsProcessor(trie, prompt_length=start)(torch.zeros((2, start), dtype=torch.long), torch.zeros(2, 30))
    assert len(copies) == 1


def test_threads_may_share_a_processor():
    rows = random_rows(60)
    constraint, wrong = TrieLogitsProcessor(ItemTrie.from_sequences(rows, EOS), pad=PAD), []

    def work(seed):
        generator = torch.Generator().manual_seed(seed)
        for step in range(60):
            row = rows[(seed * 31 + step) % len(rows)]
            tokens = torch.tensor([[PAD, *row[: step % 3]]] * 4)
            scores = torch.randn((4, VOCABULARY), generator=generator)
            output = constraint(tokens, scores)
            expected = torch.full_like(scores, -INF)
            columns = dictionary(rows).get(row[: step % 3], [PAD])
            expected[:, columns] = scores[:, columns]
            if not torch.equal(output, expected):
                wrong.append((seed, step))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
