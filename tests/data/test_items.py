"""Items of any number and length: the table is the file, whatever the batches, and it does not fill the memory."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.data import items
from benchmark.errors import DataError

TEXT = st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc", "Zl", "Zp"]), min_size=1)
RECORDS = st.lists(st.dictionaries(st.sampled_from(["title", "brand", "colour", "text"]), TEXT), min_size=1, max_size=9)


def written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps({"id": f"i{row}", **record}) + "\n" for row, record in enumerate(records)))
    return path


@settings(deadline=None)
@given(records=RECORDS, count=st.integers(1, 4), characters=st.integers(1, 200))
def test_the_table_is_the_file_whatever_the_batches(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, str]], count: int, characters: int
) -> None:
    """Columns that only later items have, and items that lack one, come out as the JSON says."""
    folder = tmp_path_factory.mktemp("items")
    records[0] = {"title": "one has a text", **records[0]}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(items, "CHUNK", count)
        patched.setattr(items, "CHUNK_CHARACTERS", characters)
        table, _ = items.read_items(written(folder / "items.jsonl", records), spill=folder / "cache", check=False)
    names = ["id", *dict.fromkeys(name for record in records for name in record)]
    assert sorted(table.column_names) == sorted(names)
    expected = [{"id": f"i{row}", **dict.fromkeys(names[1:]), **record} for row, record in enumerate(records)]
    assert table.to_pylist() == [{name: row[name] for name in table.column_names} for row in expected]
    assert list((folder / "cache").iterdir()) == []


def test_texts_lie_on_the_disk_and_not_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(items, "CHUNK_CHARACTERS", 1 << 20)
    path = written(tmp_path / "items.jsonl", [{"title": "word " * 4_000} for _ in range(1_000)])
    before = pa.total_allocated_bytes()
    table, _ = items.read_items(path, spill=tmp_path / "cache")
    assert table.nbytes > 20_000_000
    assert pa.total_allocated_bytes() - before < 2_000_000


def test_a_wrong_line_leaves_no_temporary_file(tmp_path: Path) -> None:
    path = written(tmp_path / "items.jsonl", [{"title": "fine"}])
    path.write_text(path.read_text() * 2)
    with pytest.raises(DataError, match=r"items.jsonl:2: item id 'i0' was already used in line 1"):
        items.read_items(path, spill=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
