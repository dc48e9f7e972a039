"""Beam search and exact scoring, against Hugging Face generate, teacher-forced forward passes and arithmetic."""

import numpy as np
import pytest
import torch
from hugging_face import EOS, hugging_face
from transformers import T5Config, T5ForConditionalGeneration

from benchmark.errors import BenchmarkError, ConfigError
from benchmark.generative.beam import beam_search
from benchmark.generative.config import DecoderConfig
from benchmark.generative.decoder import evaluating
from benchmark.generative.exact import exact_scores, search_error
from benchmark.generative.explain import path_log_probs
from benchmark.generative.id_decoder import EOS as OWN_EOS
from benchmark.generative.id_decoder import IdDecoder
from benchmark.generative.scoring import child_log_probs, log_normaliser, on_device
from benchmark.generative.t5_decoder import T5Decoder
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.codes import Codes, padded

TEXT_TOKENS = 50
SIZES = (8, 8, 8, 6)


def t5(kind="relu", seed=0):
    """A T5 with random weights: 'relu' (1.0, scaled head) or 'gated' (1.1, head of its own scale and weights)."""
    torch.manual_seed(seed)
    gated = kind == "gated"
    config = T5Config(
        vocab_size=TEXT_TOKENS + sum(SIZES) + 3,
        d_model=32,
        d_kv=8,
        d_ff=48,
        num_layers=2,
        num_heads=3,
        feed_forward_proj="gated-gelu" if gated else "relu",
        tie_word_embeddings=not gated,
        decoder_start_token_id=0,
    )
    model = T5ForConditionalGeneration(config).eval()
    if gated:
        model.lm_head.weight = torch.nn.Parameter(torch.randn(config.vocab_size, 32) * 0.3)
    with torch.no_grad():  # T5's own initial position biases are too small to matter
        model.decoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight.normal_()
    return model


def catalogue(n=300, variable=False, seed=0):
    """Return (token ids, trie, vocabulary) of n random IDs at most."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, SIZES, (n, len(SIZES))).astype(np.int32)
    if variable:
        lengths = rng.integers(2, len(SIZES) + 1, n)
        values[np.arange(len(SIZES)) >= lengths[:, None]] = -1
    values = rng.permutation(np.unique(values, axis=0))
    vocabulary = CodeVocabulary(SIZES, first=TEXT_TOKENS)
    tokens = vocabulary.encode(Codes(values, SIZES))
    return tokens, Trie.build(tokens, EOS), vocabulary


def queries(n=5, length=12, seed=0):
    """Return input ids and attention mask; rows differ in length."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(2, TEXT_TOKENS, (n, length), generator=generator)
    mask = (torch.arange(length) < torch.randint(2, length + 1, (n, 1), generator=generator)).long()
    return ids * mask, mask


def teacher_forced(model, ids, mask, tokens, length_penalty=1.0):
    """Score every item by one plain forward pass: the mean log-probability of its tokens and the end of sequence."""
    target = np.full((len(tokens), tokens.shape[1] + 1), -100)
    target[:, :-1] = np.where(tokens >= 0, tokens, -100)
    lengths = (tokens >= 0).sum(1)
    target[np.arange(len(tokens)), lengths] = EOS
    labels = torch.from_numpy(target)
    scores = []
    for row, row_mask in zip(ids, mask, strict=True):
        with torch.no_grad():
            logits = model(
                input_ids=row.expand(len(tokens), -1), attention_mask=row_mask.expand(len(tokens), -1), labels=labels
            ).logits
        steps = logits.log_softmax(-1).gather(-1, labels.clamp(min=0)[..., None]).squeeze(-1)
        scores.append((steps * (labels >= 0)).sum(1).numpy() / (lengths + 1) ** length_penalty)
    return np.array(scores)


@pytest.mark.parametrize("variable", [False, True], ids=["fixed", "variable"])
@pytest.mark.parametrize("kind", ["relu", "gated"])
@pytest.mark.parametrize(("beams", "seed"), [(20, 0), (20, 1), (6, 2)])
def test_full_gives_hugging_faces_items_and_scores(kind, variable, beams, seed):
    model, (tokens, trie, vocabulary) = t5(kind, seed), catalogue(variable=variable, seed=seed)
    ids, mask = queries(seed=seed)
    items, scores = hugging_face(model, ids, mask, tokens, beams)
    ours = beam_search(model, ids, mask, trie, vocabulary, beams=beams, k=beams, scorer="full")
    np.testing.assert_array_equal(ours.items, items)
    np.testing.assert_allclose(ours.scores, scores, atol=1e-4)


@pytest.mark.parametrize("length_penalty", [0.0, 0.5, 2.0])
def test_length_penalty_is_hugging_faces(length_penalty):
    model, (tokens, trie, vocabulary) = t5(), catalogue(variable=True)
    ids, mask = queries()
    items, scores = hugging_face(model, ids, mask, tokens, 10, length_penalty)
    ours = beam_search(model, ids, mask, trie, vocabulary, beams=10, k=10, length_penalty=length_penalty)
    np.testing.assert_array_equal(ours.items, items)
    np.testing.assert_allclose(ours.scores, scores, atol=1e-4)


@pytest.mark.parametrize("kind", ["relu", "gated"])
@pytest.mark.parametrize("length_penalty", [0.0, 1.0])
def test_exact_scores_are_those_of_a_forward_pass_per_item(kind, length_penalty):
    model, (tokens, trie, vocabulary) = t5(kind), catalogue(120, variable=True)
    ids, mask = queries(3)
    exact = exact_scores(model, ids, mask, trie, vocabulary, "full", length_penalty=length_penalty)
    np.testing.assert_allclose(exact, teacher_forced(model, ids, mask, tokens, length_penalty), atol=1e-4)


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_exact_scores_do_not_depend_on_the_block(scorer):
    model, (_, trie, vocabulary) = t5(), catalogue(150, variable=True)
    ids, mask = queries(2)
    small, large = (exact_scores(model, ids, mask, trie, vocabulary, scorer, block=block) for block in (6, 10_000))
    np.testing.assert_allclose(small, large, atol=1e-5)


@pytest.mark.parametrize("scorer", ["full", "codes"])
@pytest.mark.parametrize("variable", [False, True], ids=["fixed", "variable"])
def test_a_beam_as_wide_as_the_catalogue_ranks_exactly(scorer, variable):
    model, (_, trie, vocabulary) = t5(), catalogue(80, variable=variable)
    ids, mask = queries()
    n = trie.n_items
    found = beam_search(model, ids, mask, trie, vocabulary, beams=n, k=n, scorer=scorer)
    exact = exact_scores(model, ids, mask, trie, vocabulary, scorer)
    assert (np.sort(found.items, 1) == np.arange(n)).all()
    np.testing.assert_allclose(np.take_along_axis(exact, found.items, 1), found.scores, atol=1e-5)
    np.testing.assert_allclose(-np.sort(-exact, 1), found.scores, atol=1e-5)


def test_code_probabilities_of_all_items_sum_to_one():
    model, (_, trie, vocabulary) = t5(), catalogue(variable=True)
    exact = exact_scores(model, *queries(), trie, vocabulary, "codes", length_penalty=0.0)
    np.testing.assert_allclose(np.exp(exact).sum(1), 1.0, atol=1e-5)


def test_code_probabilities_of_each_nodes_children_sum_to_one():
    model, (_, trie, _) = t5(), catalogue(variable=True)
    tensors = on_device(trie, torch.device("cpu"))
    for depth in range(trie.depth):
        nodes = torch.arange(trie.levels[depth], trie.levels[depth + 1])
        nodes = nodes[tensors.node_items[nodes] < 0][None]
        children = tensors.children(nodes)
        states = torch.randn(1, nodes.shape[1], 32)
        log_probs = child_log_probs(states, model.lm_head.weight.detach(), children, tensors, depth, "codes")
        torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(nodes.shape))
        assert (log_probs[~children.valid] == -torch.inf).all()


def test_normaliser_is_torchs_logsumexp_over_many_tiles(monkeypatch):
    monkeypatch.setattr("benchmark.generative.scoring.TILE_ELEMENTS", {"cpu": 1, "cuda": 1})
    hidden, head = torch.randn(7, 16) * 20, torch.randn(1000, 16)
    torch.testing.assert_close(log_normaliser(hidden, head), torch.logsumexp(hidden @ head.T, -1))


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_fewer_items_than_beams_come_back_once_and_the_rest_is_empty(scorer):
    model, (tokens, _, vocabulary) = t5(), catalogue(300)
    trie = Trie.build(tokens[:3], EOS)
    ids, mask = queries()
    found = beam_search(model, ids, mask, trie, vocabulary, beams=20, k=10, scorer=scorer)
    assert (np.sort(found.items[:, :3], 1) == [0, 1, 2]).all()
    assert (found.items[:, 3:] == -1).all() and np.isneginf(found.scores[:, 3:]).all()
    exact = exact_scores(model, ids, mask, trie, vocabulary, scorer)
    np.testing.assert_allclose(found.scores[:, :3], -np.sort(-exact, 1), atol=1e-5)


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_items_are_valid_unique_and_sorted_by_score(scorer):
    model, (_, trie, vocabulary) = t5(seed=3), catalogue(variable=True)
    found = beam_search(model, *queries(), trie, vocabulary, scorer=scorer)
    assert found.items.shape == found.scores.shape == (5, 20)
    assert found.items.dtype == np.int32 and found.scores.dtype == np.float32
    assert ((found.items >= 0) & (found.items < trie.n_items)).all()
    assert all(len(set(row)) == 20 for row in found.items.tolist())
    assert (np.diff(found.scores) <= 0).all()


def test_code_scores_are_those_of_the_walk_over_all_items():
    """The decoder leaves out beams that are certain; what it returns must not change."""
    model, (_, trie, vocabulary) = t5(seed=4), catalogue(200, variable=True, seed=4)
    ids, mask = queries(seed=4)
    found = beam_search(model, ids, mask, trie, vocabulary, beams=7, k=7, scorer="codes")
    exact = exact_scores(model, ids, mask, trie, vocabulary, "codes")
    np.testing.assert_allclose(np.take_along_axis(exact, found.items, 1), found.scores, atol=1e-5)


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_equal_scores_are_ordered_by_the_given_order(scorer):
    model, vocabulary = t5("gated"), CodeVocabulary(SIZES, first=TEXT_TOKENS)
    torch.nn.init.zeros_(model.lm_head.weight)
    grid = np.array([[TEXT_TOKENS + a, TEXT_TOKENS + 8 + b] for a in range(4) for b in range(4)], np.int32)
    trie = Trie.build(grid, EOS)
    order = np.random.default_rng(0).permutation(16).astype(np.int32)
    found = beam_search(model, *queries(2), trie, vocabulary, scorer=scorer, k=16, item_order=order)
    assert (np.diff(found.scores) == 0).all()
    assert (found.items == np.argsort(order)).all()


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_a_query_is_ranked_alike_alone_and_in_a_batch(scorer):
    model, (_, trie, vocabulary) = t5(), catalogue(variable=True)
    ids, mask = queries()
    together = beam_search(model, ids, mask, trie, vocabulary, scorer=scorer)
    for i in range(len(ids)):
        real = int(mask[i].sum())
        alone = beam_search(model, ids[i : i + 1, :real], mask[i : i + 1, :real], trie, vocabulary, scorer=scorer)
        np.testing.assert_array_equal(alone.items[0], together.items[i])
        np.testing.assert_allclose(alone.scores[0], together.scores[i], atol=1e-5)


def test_the_encoders_output_may_be_given():
    model, (_, trie, vocabulary) = t5(), catalogue()
    ids, mask = queries()
    with evaluating(model):
        encoded = T5Decoder(model).encode(ids, mask)
    given = beam_search(model, torch.empty(0), mask, trie, vocabulary, encoded=encoded)
    np.testing.assert_array_equal(given.items, beam_search(model, ids, mask, trie, vocabulary).items)
    exact = exact_scores(model, torch.empty(0), mask, trie, vocabulary, "codes", encoded=encoded)
    np.testing.assert_array_equal(exact, exact_scores(model, ids, mask, trie, vocabulary, "codes"))


def test_a_model_in_training_is_ranked_without_dropout_and_stays_in_training():
    model, (_, trie, vocabulary) = t5(), catalogue()
    ids, mask = queries()
    expected = beam_search(model, ids, mask, trie, vocabulary)
    model.train()
    np.testing.assert_array_equal(beam_search(model, ids, mask, trie, vocabulary).scores, expected.scores)
    assert model.training and model.decoder.block[0].training


def test_bfloat16_scores_are_near_those_of_float32():
    model, (_, trie, vocabulary) = t5(), catalogue(100, variable=True)
    ids, mask = queries()
    exact = exact_scores(model, ids, mask, trie, vocabulary)
    model = model.to(torch.bfloat16)
    found = beam_search(model, ids, mask, trie, vocabulary)
    np.testing.assert_allclose(found.scores, np.take_along_axis(exact, found.items, 1), atol=0.15)
    np.testing.assert_allclose(exact_scores(model, ids, mask, trie, vocabulary), exact, atol=0.15)


def test_search_error_counts_what_the_beam_lacks():
    exact = np.array([[-1, -2, -3, -4], [-1, -2, -3, -3], [-4, -3, -2, -1]], np.float32)
    beam = np.array([[0, 1, 2], [0, 1, 3], [3, 0, -1]], np.int32)  # right; right by a tie; lacks 2 and 1
    top3 = search_error(beam, exact, k=3)
    assert top3 == {"queries_with_error": pytest.approx(1 / 3), "missing_items": pytest.approx(2 / 3)}
    assert search_error(beam, exact, k=1) == {"queries_with_error": 0.0, "missing_items": 0.0}


def test_what_does_not_fit_together_is_refused():
    model, (_, trie, vocabulary) = t5(), catalogue()
    ids, mask = queries()
    with pytest.raises(ConfigError, match="unknown; choose full or codes"):
        beam_search(model, ids, mask, trie, vocabulary, scorer="best")
    with pytest.raises(ConfigError, match="k: must lie in"):
        beam_search(model, ids, mask, trie, vocabulary, beams=5, k=6)
    with pytest.raises(BenchmarkError, match="not the vocabulary's"):
        beam_search(model, ids, mask, trie, CodeVocabulary(SIZES, first=60))
    with pytest.raises(BenchmarkError, match="resize_token_embeddings"):
        beam_search(model, ids, mask, trie, CodeVocabulary((*SIZES, 100), first=TEXT_TOKENS))
    with pytest.raises(BenchmarkError, match="needs a T5ForConditionalGeneration"):
        beam_search(torch.nn.Linear(2, 2), ids, mask, trie, vocabulary)


def lopsided(seed):
    """Return IDs of 2 to 6 codes, long ones below some prefixes alone, and a decoder with random weights for them."""
    rng = np.random.default_rng(seed)
    rows = set()
    while len(rows) < 120:
        long = int(rng.integers(0, 5)) > 2
        code = int(rng.integers(0, 5))
        rows.add((code, *rng.integers(0, 5, (2 + int(rng.integers(0, 4)) if long and code > 2 else 1)).tolist()))
    values = padded(sorted(rows), max(map(len, rows)))
    vocabulary = CodeVocabulary((5,) * values.shape[1], first=1)
    trie = Trie.build(vocabulary.encode(Codes(values, (5,) * values.shape[1])), eos=OWN_EOS)
    torch.manual_seed(seed)
    decoder = IdDecoder(1 + vocabulary.size, trie.depth, DecoderConfig(width=32)).eval()
    with torch.no_grad():
        decoder.output.weight.mul_(6)
    return decoder, trie, vocabulary


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_ids_of_different_length_are_ranked_alike_alone_and_in_a_batch(scorer):
    """Beams that died beside live ones of other queries stand on a node like any other: none comes back as an item."""
    leaves = 0
    for seed in range(12):
        decoder, trie, vocabulary = lopsided(seed)
        leaves += trie.node_items[trie.levels[trie.depth - 1]] >= 0  # the first node of its level ends an ID
        encoded, mask = torch.randn(32, 1, 32), torch.ones(32, 1, dtype=torch.bool)
        search = {"beams": 12, "k": 12, "scorer": scorer, "length_penalty": 0.0}
        together = beam_search(decoder, None, mask, trie, vocabulary, encoded=encoded, **search)
        assert not np.isnan(together.scores).any()
        for row in range(32):
            alone = beam_search(decoder, None, mask[:1], trie, vocabulary, encoded=encoded[row : row + 1], **search)
            np.testing.assert_array_equal(together.items[row], alone.items[0])
            np.testing.assert_allclose(together.scores[row], alone.scores[0], atol=1e-4)
    assert leaves > 3


@pytest.mark.parametrize("scorer", ["full", "codes"])
def test_the_way_to_items_of_different_length_sums_to_their_exact_scores(scorer):
    for seed in range(6):
        decoder, trie, vocabulary = lopsided(seed)
        encoded, mask = torch.randn(1, 1, 32), torch.ones(1, 1, dtype=torch.bool)
        exact = exact_scores(decoder, None, mask, trie, vocabulary, scorer, length_penalty=0.0, encoded=encoded)[0]
        for items in (np.arange(len(exact)), np.random.default_rng(seed).permutation(len(exact))[:10]):
            way = path_log_probs(decoder, encoded, mask, trie, items, scorer)
            np.testing.assert_allclose(way.sum(1), exact[items], atol=1e-3)
