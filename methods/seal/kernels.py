"""The loops over occurrences and tokens behind `scoring.py`, compiled by numba.

Shapes: K keys, best first, as a table [K, longest] with -1 behind each one's end; m occurrences; n documents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from benchmark.types.arrays import Int32, Int64

Float64 = NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])


def _compiled(function: Function) -> Function:
    """Compile at the first call; the machine code is kept on disk where numba finds a place for it."""
    try:
        return njit(nogil=True, cache=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:  # no writable folder for numba's cache
        return njit(nogil=True)(function)  # type: ignore[no-any-return]


@_compiled
def _share_new(pattern: Int32, length: int, seen: Int64, document: int) -> float:
    """Return the share of a pattern's different tokens that the document has not had, and mark all as had."""
    different = new = 0
    for j in range(length):
        again = False
        for before in range(j):
            if pattern[before] == pattern[j]:
                again = True
        if not again:
            different += 1
            new += seen[pattern[j]] != document
    for j in range(length):
        seen[pattern[j]] = document
    return float(new / different)


@_compiled
def choose(
    which: Int64, ends: Int64, documents: Int64, table: Int32, lengths: Int32, weights: Float64,
    covered: NDArray[np.bool_], alphabet: int, n_documents: int, repetition: float,
) -> Float64:  # fmt: skip
    """Return what each document gets from its occurrences of rare keys [n_documents].

    Occurrence i is of key which[i], ends before token ends[i] and lies in documents[i]; the best keys come first.
    `covered` [tokens] is all False before and after.
    """
    counted = np.full(n_documents, -1, np.int64)  # the last key that a document was given
    kept = np.empty(len(which), np.int64)
    n_kept = 0
    for i in range(len(which)):
        start = ends[i] - lengths[which[i]]
        if covered[start : ends[i]].any():
            continue
        covered[start : ends[i]] = True
        if counted[documents[i]] != which[i]:
            counted[documents[i]] = which[i]
            kept[n_kept] = i
            n_kept += 1
    for i in range(len(which)):
        covered[ends[i] - lengths[which[i]] : ends[i]] = False

    kept = kept[:n_kept]
    scores = np.zeros(n_documents)
    seen = np.full(alphabet, -1, np.int64)  # the last document that had a token
    for i in kept[np.argsort(documents[kept], kind="mergesort")]:
        key = which[i]
        share = _share_new(table[key], lengths[key], seen, documents[i])
        scores[documents[i]] += weights[key] * (1 - repetition + repetition * share)
    return scores


@_compiled
def _matches(
    tokens: NDArray[Any], table: Int32, lengths: Int32, keys: Int64, first: Int64, found: Int64
) -> int:  # fmt: skip
    """Write every occurrence of a key in a document as key * length + place; return how many there are.

    The table's rows are sorted by their tokens (row r is key keys[r]; those that begin with token t are rows
    first[t] .. first[t + 1] - 1): as an n-gram grows, the rows that begin with it narrow to fewer rows.
    """
    length, n_found = len(tokens), 0
    for place in range(length):
        low, high = first[tokens[place]], first[tokens[place] + 1]
        depth = 1
        while low < high:
            if lengths[low] == depth:
                found[n_found] = keys[low] * length + place
                n_found += 1
                low += 1
            if place + depth == length or depth == table.shape[1]:
                break
            column, token = table[low:high, depth], tokens[place + depth]
            low, high = low + np.searchsorted(column, token), low + np.searchsorted(column, token, side="right")
            depth += 1
    return n_found


@_compiled
def score(
    tokens: NDArray[Any], starts: Int64, documents: Int64, sorted_table: Int32, sorted_lengths: Int32,
    sorted_keys: Int64, table: Int32, lengths: Int32, weights: Float64, unigrams: Float64, repetition: float,
) -> Float64:  # fmt: skip
    """Return the full scores of documents [n]; `unigrams` [alphabet] weigh the tokens that no key has taken."""
    first = np.zeros(len(unigrams) + 1, np.int64)
    for row in range(len(sorted_table)):
        first[sorted_table[row, 0] + 1] += 1
    first = np.cumsum(first)
    seen, added = np.full(len(unigrams), -1, np.int64), np.full(len(unigrams), -1, np.int64)
    scores = np.zeros(len(documents))
    for serial in range(len(documents)):
        document = tokens[starts[documents[serial]] : starts[documents[serial] + 1]].astype(np.int64)
        length = len(document)
        found = np.empty(length * table.shape[1], np.int64)
        n_found = _matches(document, sorted_table, sorted_lengths, sorted_keys, first, found)
        taken = np.zeros(length, np.bool_)
        counted, total = -1, 0.0
        for match in np.sort(found[:n_found]):
            key, place = match // length, match % length
            if taken[place : place + lengths[key]].any():
                continue
            taken[place : place + lengths[key]] = True
            if key != counted:
                counted = key
                share = _share_new(table[key], lengths[key], seen, serial)
                total += weights[key] * (1 - repetition + repetition * share)
        for place in range(length):
            token = document[place]
            if not taken[place] and unigrams[token] > 0 and added[token] != serial:
                added[token] = serial
                total += unigrams[token] * (1 - repetition if seen[token] == serial else 1.0)
        scores[serial] = total
    return scores
