"""The FM-index against brute force over random texts, in memory and from disk."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.errors import BenchmarkError
from benchmark.methods.seal import fm_index
from benchmark.methods.seal.fm_index import FMIndex


def build(documents, alphabet):
    starts = np.cumsum([0, *map(len, documents)])
    return FMIndex.build(np.array([token for document in documents for token in document], np.int64), starts, alphabet)


def occurrences(text, pattern):
    """Ends of all occurrences, by comparing at every place."""
    width = len(pattern)
    return [end for end in range(width, len(text) + 1) if text[end - width : end] == pattern]


@st.composite
def texts(draw):
    """Documents over an alphabet of 2 to 50,000 symbols, of which few are used, so that n-grams repeat."""
    alphabet = draw(st.integers(2, 50_000))
    used = draw(st.lists(st.integers(0, alphabet - 1), min_size=1, max_size=6))
    documents = draw(st.lists(st.lists(st.sampled_from(used), max_size=25), min_size=1, max_size=6))
    pattern = draw(st.lists(st.sampled_from(used) | st.integers(0, alphabet - 1), max_size=5))
    return alphabet, documents, pattern


@settings(max_examples=300, deadline=None)
@given(texts())
def test_count_and_locate_are_those_of_brute_force(case):
    alphabet, documents, pattern = case
    index, text = build(documents, alphabet), [token for document in documents for token in document]
    expected = occurrences(text, pattern)
    assert index.count(pattern) == len(expected)
    which, ends = index.locate(*index.ranges([pattern]))
    assert sorted(ends.tolist()) == expected and not which.any()
    owner = [row for row, document in enumerate(documents) for _ in document]
    places = np.arange(len(text))
    assert index.documents(places).tolist() == owner


@settings(max_examples=150, deadline=None)
@given(texts(), st.sampled_from([0, fm_index.WIDE]))
def test_continuations_are_the_symbols_behind_the_occurrences(case, wide):
    alphabet, documents, pattern = case
    index, text = build(documents, alphabet), [token for document in documents for token in document]
    patterns = [pattern[:width] for width in range(len(pattern) + 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fm_index, "WIDE", wide)  # 0: every range is a wide one
        found = index.continuations(*index.ranges(patterns))
    assert found.shape == (len(patterns), alphabet)
    for row, prefix in enumerate(patterns):
        expected = {text[end] for end in occurrences(text, prefix) if end < len(text)}
        assert set(np.flatnonzero(found[row]).tolist()) == expected


@pytest.mark.parametrize("alphabet", [2, 300, 50_000])
def test_many_ranges_at_once_are_those_of_one_after_the_other(alphabet):
    random = np.random.default_rng(alphabet)
    text = (random.zipf(1.3, 3000) % alphabet).tolist()
    index = build([text], alphabet)
    patterns = [text[start : start + width] for start, width in random.integers(0, 9, (200, 2)) * (300, 1)]
    low, high = index.ranges(patterns)
    assert (high - low).tolist() == [len(occurrences(text, pattern)) for pattern in patterns]
    which, ends = index.locate(low, high)
    for row, pattern in enumerate(patterns):
        assert sorted(ends[which == row].tolist()) == occurrences(text, pattern)


@pytest.mark.parametrize("documents", [[[]], [[0]], [[0, 0, 0, 0]], [[], [1], []]])
def test_the_smallest_texts_are_indexed(documents):
    index, text = build(documents, 2), [token for document in documents for token in document]
    for pattern in ([], [0], [1], [0, 0], [1, 0], [7]):
        assert index.count(pattern) == len(occurrences(text, pattern))


def test_an_index_from_disk_is_mapped_and_answers_alike(tmp_path):
    random = np.random.default_rng(0)
    documents = [random.integers(0, 400, length).tolist() for length in (30, 0, 500)]
    index = build(documents, 400)
    index.save(tmp_path / "first")
    build(documents, 400).save(tmp_path / "second")
    for path in sorted((tmp_path / "first").iterdir()):
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
    again = FMIndex.load(tmp_path / "first")
    assert all(isinstance(getattr(again, name), np.memmap) for name in fm_index.ARRAYS)
    assert again.nbytes == index.nbytes == sum(getattr(index, name).nbytes for name in fm_index.ARRAYS)
    for width in range(4):
        pattern = documents[2][40 : 40 + width]
        assert again.count(pattern) == index.count(pattern) > 0
        low, high = again.ranges([pattern])
        assert (again.continuations(low, high) == index.continuations(low, high)).all()


def test_a_token_outside_the_alphabet_is_refused():
    for token in (-1, 5):
        with pytest.raises(BenchmarkError, match=r"outside 0 \.\. 4"):
            build([[0, token]], 5)
