"""SEAL's scores against the formula in plain loops, on small random corpora."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.methods.seal.config import ScoringConfig
from benchmark.methods.seal.fm_index import FMIndex
from benchmark.methods.seal.scoring import Scorer

ALPHABET, SPECIAL = 12, frozenset({0, 1})


def scorer_of(documents, config, unigrams=5000):
    starts = np.cumsum([0, *map(len, documents)])
    tokens = np.array([token for document in documents for token in document], np.int64)
    return Scorer(FMIndex.build(tokens, starts, ALPHABET), config, unigrams, SPECIAL)


def places(text, pattern):
    return [at for at in range(len(text) - len(pattern) + 1) if tuple(text[at : at + len(pattern)]) == pattern]


def weight(log_p, count, tokens, config):
    if not count:
        return 0.0
    p, p0 = exp(min(log_p, -1e-10)), (count + config.smoothing) / (tokens + config.smoothing)
    p0 = min(p0, exp(-1e-10))
    return max(0.0, log(p * (1 - p0)) - log(p0 * (1 - p)))


def discounted(pattern, value, had, beta):
    return value * (1 - beta + beta * len(set(pattern) - had) / len(set(pattern)))


def slow_weights(documents, ngrams, first, config, unigrams):
    """Return the n-gram weights, best first, and those of single tokens that are no key."""
    text = [token for document in documents for token in document]
    weights = {
        key: weight(log_p, len(places(text, key)), len(text), config) ** config.exponent
        for key, log_p in ngrams.items()
    }
    best = sorted(range(ALPHABET), key=lambda token: -first[token])[:unigrams]
    single = {
        token: weight(first[token], text.count(token), len(text), config)
        for token in best
        if token not in SPECIAL and (token,) not in ngrams
    }
    joining = sorted((token for token in single if single[token] > 0), key=lambda token: (-single[token], token))
    for token in joining[: len(ngrams)]:
        weights[(token,)] = single.pop(token)
    return {key: weights[key] for key in sorted(weights, key=lambda key: (-weights[key], key)) if weights[key]}, single


def slow_candidates(documents, weights, config):
    text = [token for document in documents for token in document]
    owner = [row for row, document in enumerate(documents) for _ in document]
    covered, counted = set(), {}
    for key in weights:
        found = places(text, key)
        if len(found) > config.frequent:
            continue
        for at in found:
            span = set(range(at, at + len(key)))
            if not span & covered:
                covered |= span
                last = owner[at + len(key) - 1]
                if key not in counted.setdefault(last, []):
                    counted[last].append(key)
    scores = {}
    for row, keys in counted.items():
        had, scores[row] = set(), 0.0
        for key in keys:
            scores[row] += discounted(key, weights[key], had, config.repetition)
            had |= set(key)
    return scores


def slow_score(document, weights, single, config):
    free, had, total = [True] * len(document), set(), 0.0
    for key in weights:
        counted = False
        for at in places(document, key):
            if all(free[at : at + len(key)]):
                free[at : at + len(key)] = [False] * len(key)
                if not counted:
                    total += discounted(key, weights[key], had, config.repetition)
                    had |= set(key)
                    counted = True
    for token in {token for token, left in zip(document, free, strict=True) if left}:
        total += discounted((token,), single.get(token, 0.0), had, config.repetition)
    return total


LOG_PROB = st.floats(-9, 0).map(lambda value: round(value, 3))


@st.composite
def cases(draw):
    token = st.integers(1, ALPHABET - 2)  # the last one occurs nowhere
    documents = draw(st.lists(st.lists(token, min_size=1, max_size=20), min_size=1, max_size=8))
    text = [token for document in documents for token in document]
    ngrams = {}
    for _ in range(draw(st.integers(0, 12))):
        start, width = draw(st.integers(0, len(text) - 1)), draw(st.integers(1, 4))
        ngrams[tuple(text[start : start + width])] = draw(LOG_PROB)
    first = np.array(draw(st.lists(LOG_PROB, min_size=ALPHABET, max_size=ALPHABET)), np.float32)
    config = ScoringConfig(
        exponent=draw(st.sampled_from([1.0, 2.0])), smoothing=draw(st.sampled_from([0.5, 5.0])),
        repetition=draw(st.sampled_from([0.0, 0.8, 1.0])), frequent=draw(st.sampled_from([2, 1500])),
        scored_documents=draw(st.sampled_from([1, 3, 1500])),
    )  # fmt: skip
    return documents, ngrams, first, config, draw(st.sampled_from([0, 4, 5000]))


@settings(max_examples=400, deadline=None)
@given(cases())
def test_scores_are_those_of_the_formula_in_plain_loops(case):
    documents, ngrams, first, config, unigrams = case
    scorer = scorer_of(documents, config, unigrams)
    keys = scorer.weigh(ngrams, first)
    weights, single = slow_weights(documents, ngrams, first.astype(float).tolist(), config, unigrams)
    assert dict(zip(keys.patterns, keys.weights.tolist(), strict=True)) == pytest.approx(weights, rel=1e-5, abs=1e-9)
    assert {int(token): keys.first[token] for token in np.flatnonzero(keys.first)} == pytest.approx(
        {token: value for token, value in single.items() if value}, rel=1e-5, abs=1e-9
    )
    # from here on the weights' order is what counts, and it is taken as computed: near ties may fall either way
    weights = dict(zip(keys.patterns, keys.weights.tolist(), strict=True))
    single = dict(enumerate(keys.first.tolist()))

    expected = slow_candidates(documents, weights, config)
    chosen = scorer.candidates(keys)
    assert len(chosen) == min(config.scored_documents, len(expected))
    best = sorted(expected.values(), reverse=True)[: len(chosen)]
    assert [expected[row] for row in chosen.tolist()] == pytest.approx(best)
    again = scorer.candidates(keys)
    assert (again == chosen).all() and not scorer.covered.any()

    everything = np.arange(len(documents))
    full = scorer.score(keys, everything)
    assert full.tolist() == pytest.approx([slow_score(document, weights, single, config) for document in documents])


def test_a_weight_is_the_squared_log_odds_ratio():
    """By hand: 3 occurrences in 95 tokens, so p0 = 8 / 100; p = 1/2: w = log((1/2 / 1/2) / (8/92))^2."""
    documents = [[2, 3] * 3 + [4] * 89]
    keys = scorer_of(documents, ScoringConfig(), unigrams=0).weigh({(2, 3): log(0.5)}, np.full(ALPHABET, -9.0))
    assert keys.patterns == [(2, 3)] and keys.weights.tolist() == pytest.approx([log(92 / 8) ** 2])


def test_keys_less_probable_than_frequent_have_no_weight():
    keys = scorer_of([[2] * 50 + [3]], ScoringConfig()).weigh({(2,): log(0.5), (3,): log(0.5)}, np.full(ALPHABET, -20))
    assert keys.patterns == [(3,)]


def test_frequent_keys_score_documents_but_choose_none():
    config = ScoringConfig(frequent=1, repetition=0)
    scorer = scorer_of([[2, 3], [2, 4], [5] * 40], config, unigrams=0)
    keys = scorer.weigh({(2,): log(0.9), (3,): log(0.9)}, np.full(ALPHABET, -20.0))
    assert scorer.candidates(keys).tolist() == [0]
    assert scorer.score(keys, np.array([0, 1])).tolist() == pytest.approx([keys.weights.sum(), keys.weights[1]])


def test_an_ngram_whose_tokens_were_had_counts_a_fifth():
    scorer = scorer_of([[2, 3, 5, 3, 2], [6] * 40], ScoringConfig(), unigrams=0)
    keys = scorer.weigh({(2, 3): log(0.9), (3, 2): log(0.5)}, np.full(ALPHABET, -20.0))
    first, second = keys.weights
    assert scorer.score(keys, np.array([0])).tolist() == pytest.approx([first + 0.2 * second])
