"""Learned state as files: what goes in comes out, and nothing else is accepted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.config import MethodConfig
from benchmark.conformance import small_corpus
from benchmark.errors import BenchmarkError
from benchmark.registry import load
from benchmark.types.codes import Codes
from benchmark.types.data import Corpus
from benchmark.types.method import Context, Indexer
from benchmark.types.state import read_state, write_state

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.text() | st.integers() | st.tuples(st.text(), st.integers())
TREES = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner), max_leaves=12
)


@settings(max_examples=25)
@given(values=st.dictionaries(st.text(), TREES))
def test_values_come_back_as_they_were(values: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("state") / "inner"
    write_state(folder, values)
    assert read_state(folder) == values


def test_arrays_keep_their_type_and_shape_wherever_they_stand(tmp_path: Path) -> None:
    arrays = [np.arange(6, dtype=np.int32).reshape(2, 3), np.array([[1.5]], np.float32), np.empty((0, 4), np.int64)]
    write_state(tmp_path, {"list": arrays, "tree": {(1, "x"): (arrays[0], {"deep": arrays[1]})}})
    found = read_state(tmp_path)
    tree = found["tree"][1, "x"]
    for expected, array in zip([*arrays, *arrays[:2]], [*found["list"], tree[0], tree[1]["deep"]], strict=True):
        assert array.dtype == expected.dtype and np.array_equal(array, expected)


@pytest.mark.parametrize("odd", [object(), np.array([object()]), {1, 2}, lambda: 0])
def test_what_is_neither_a_value_nor_an_array_is_named(tmp_path: Path, odd: Any) -> None:
    with pytest.raises(BenchmarkError, match="'mine' holds a"):
        write_state(tmp_path, {"mine": [odd]})


def test_another_format_and_a_damaged_file_are_refused(tmp_path: Path) -> None:
    write_state(tmp_path, {"x": 1})
    (tmp_path / "state.json").write_text(json.dumps({"format": 99, "values": {}}))
    with pytest.raises(BenchmarkError, match="format 99; this version reads 1"):
        read_state(tmp_path)
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(BenchmarkError, match="cannot be read"):
        read_state(tmp_path)


@pytest.mark.parametrize("damage", [lambda raw: b"", lambda raw: raw[:40], lambda raw: raw[:-30], lambda raw: b"text"])
def test_truncated_and_empty_arrays_are_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    write_state(tmp_path, {"x": np.arange(500)})
    path = tmp_path / "arrays.npz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BenchmarkError, match="cannot be read"):
        read_state(tmp_path)


def test_arrays_of_changed_bytes_are_refused(tmp_path: Path) -> None:
    write_state(tmp_path, {"x": np.arange(500)})
    raw = bytearray((tmp_path / "arrays.npz").read_bytes())
    raw[len(raw) // 2] ^= 255
    (tmp_path / "arrays.npz").write_bytes(raw)
    with pytest.raises(BenchmarkError, match="cannot be read"):
        read_state(tmp_path)


@pytest.mark.parametrize("name", ["random", "hc", "rqkmeans"])
def test_an_indexer_whose_state_lacks_a_value_says_which(tmp_path: Path, name: str) -> None:
    write_state(tmp_path, {"seed": 0})
    with pytest.raises(BenchmarkError, match=r"state\.json has no value '(ids|root|contexts)'"):
        load("method", name)().load(tmp_path, Context())


class Lengths(Indexer[MethodConfig]):
    """IDs by the length of the text, against the mean length."""

    def fit(self, corpus: Corpus, context: Context) -> Codes:
        self._context, self._mean = context, float(np.mean([len(text) for text in corpus.texts()]))
        return self.assign(corpus)

    def assign(self, corpus: Corpus) -> Codes:
        longer = [[int(len(text) > self._mean)] for text in corpus.texts()]
        return Codes(np.array(longer, np.int32), (2,))


def test_a_plugin_with_plain_attributes_needs_no_code_of_its_own(tmp_path: Path) -> None:
    corpus, method, again = small_corpus(20), Lengths(), Lengths()
    codes = method.fit(corpus)
    method.save(tmp_path)
    mine = Context(seed=7)
    again.load(tmp_path, mine)
    assert np.array_equal(again.assign(corpus).values, codes.values) and again._context is mine
    method._helper = object()  # type: ignore[attr-defined]
    with pytest.raises(BenchmarkError, match="its attribute '_helper' holds a object"):
        method.save(tmp_path / "more")
