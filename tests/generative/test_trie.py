"""The code vocabulary and the trie, against hand-written codes and a plain dictionary of prefixes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchmarkError
from benchmark.generative.trie import Trie
from benchmark.generative.vocabulary import CodeVocabulary
from benchmark.types.codes import Codes

EOS = 1


def padded(rows):
    width = max(len(row) for row in rows)
    return np.array([[*row, *[-1] * (width - len(row))] for row in rows], np.int32)


def dictionary(rows):
    """Prefix -> the set of what may follow, and whole ID -> item."""
    follows = {}
    for row in rows:
        path = [*row, EOS]
        for i, token in enumerate(path):
            follows.setdefault(tuple(path[:i]), set()).add(token)
    return follows


unique_rows = st.lists(st.lists(st.integers(2, 6), min_size=1, max_size=4).map(tuple), min_size=1, unique=True)


@settings(max_examples=200, deadline=None)
@given(unique_rows)
def test_trie_allows_what_a_dictionary_of_prefixes_allows(rows):
    trie = Trie.build(padded(rows), EOS)
    follows = dictionary(rows)
    for prefix, tokens in follows.items():
        assert trie.allowed(prefix) == sorted(tokens)
        assert trie.items_below[trie.node(prefix)] == sum(row[: len(prefix)] == prefix for row in rows)
    for item, row in enumerate(rows):
        assert trie.node_items[trie.node([*row, EOS])] == item
        assert trie.allowed([*row, EOS]) == []
    assert trie.allowed([99]) == [] and trie.node([2, 99]) == -1
    assert trie.n_nodes == len(follows) + len(rows)
    assert trie.n_items == len(rows)


@settings(max_examples=100, deadline=None)
@given(unique_rows)
def test_depth_fan_out_and_columns_are_those_of_the_dictionary(rows):
    trie = Trie.build(padded(rows), EOS)
    by_depth = [{} for _ in range(max(map(len, rows)) + 1)]
    for prefix, tokens in dictionary(rows).items():
        by_depth[len(prefix)][prefix] = tokens
    assert trie.depth == len(by_depth)
    assert trie.fan_out == tuple(max(map(len, level.values())) for level in by_depth)
    for (low, high), level in zip(trie.code_columns, by_depth, strict=True):
        codes = {token for tokens in level.values() for token in tokens} - {EOS}
        assert (low, high) == ((min(codes), max(codes) + 1) if codes else (0, 0))


@settings(max_examples=100, deadline=None)
@given(unique_rows)
def test_paths_are_the_nodes_of_every_prefix_of_an_id(rows):
    trie = Trie.build(padded(rows), EOS)
    assert trie.paths.shape == (len(rows), trie.depth + 1)
    for row, path in zip(rows, trie.paths.tolist(), strict=True):
        whole = [*row, EOS]
        nodes = [trie.node(whole[:length]) for length in range(len(whole) + 1)]
        assert path == nodes + [-1] * (trie.depth - len(whole))


@given(unique_rows)
def test_edges_lead_to_the_nodes_of_the_next_depth(rows):
    trie = Trie.build(padded(rows), EOS)
    for depth in range(trie.depth):
        first, last = trie.levels[depth], trie.levels[depth + 1]
        edges = np.arange(trie.child_offsets[first], trie.child_offsets[last])
        assert (edges + 1).tolist() == list(range(last, trie.levels[depth + 2]))
    assert len(trie.child_tokens) == trie.n_nodes - 1


def test_every_item_of_a_large_trie_is_reached_by_its_own_id():
    rng = np.random.default_rng(0)
    codes = Codes(rng.integers(0, 32, (50_000, 3)).astype(np.int32), (32, 32, 32)).with_counter()
    tokens = CodeVocabulary(codes.sizes, first=100).encode(codes)
    trie = Trie.build(tokens, EOS)
    for item in rng.integers(0, len(tokens), 300):
        assert trie.node_items[trie.node([*tokens[item].tolist(), EOS])] == item
        assert trie.paths[item, -1] == trie.node([*tokens[item].tolist(), EOS])
    assert sorted(trie.node_items[trie.node_items >= 0].tolist()) == list(range(50_000))


def test_items_that_share_an_id_are_refused_by_row():
    with pytest.raises(BenchmarkError, match=r"rows 0 and 2 share one .*with_counter"):
        Trie.build(np.array([[5, 6], [5, 7], [5, 6]], np.int32), EOS)


def test_an_id_may_be_the_prefix_of_another():
    trie = Trie.build(np.array([[5, 6], [5, -1]], np.int32), EOS)
    assert trie.allowed([5]) == [EOS, 6]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[5, 6], [-1, -1]], "row 1 has an empty ID"),
        ([[5, -1, 6]], "padding before its last token"),
        ([[5, EOS]], "end-of-sequence token 1"),
        (np.empty((0, 2)), "at least one item"),
    ],
)
def test_tokens_that_are_no_ids_are_refused(tokens, message):
    with pytest.raises(BenchmarkError, match=message):
        Trie.build(np.asarray(tokens, np.int32), EOS)


def test_a_code_has_its_positions_token():
    vocabulary = CodeVocabulary((4, 3, 2), first=100)
    codes = Codes(np.array([[3, 2, 1], [0, 0, 0]], np.int32), (4, 3, 2))
    assert vocabulary.encode(codes).tolist() == [[103, 106, 108], [100, 104, 107]]
    assert vocabulary.size == 9
    names = vocabulary.tokens()
    assert (names[3], names[6], names[8]) == ("<id_0_3>", "<id_1_2>", "<id_2_1>")
    assert vocabulary.offsets == (0, 4, 7)


def test_the_counter_of_a_short_id_keeps_the_last_positions_tokens():
    codes = Codes(np.array([[1, -1], [1, 2], [1, -1]], np.int32), (4, 3)).with_counter()
    tokens = CodeVocabulary(codes.sizes, first=100).encode(codes)
    assert tokens.tolist() == [[101, 107, -1], [101, 106, 107], [101, 108, -1]]


def test_codes_of_other_sizes_are_refused():
    with pytest.raises(BenchmarkError, match="do not fit"):
        CodeVocabulary((4, 3), first=100).encode(Codes(np.array([[1, 1]], np.int32), (4, 4)))
