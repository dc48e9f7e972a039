"""Files that the results of a data set share are made and compared once in a process, not once per result."""

from collections import Counter
from pathlib import Path

import pytest

from benchmark.cli.main import main
from benchmark.running import cells, data_files


def test_shared_files_are_rendered_and_compared_once_and_a_changed_one_is_written_again(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[int] = []
    digest = data_files.bytes_digest
    monkeypatch.setattr(data_files, "bytes_digest", lambda blocks: rendered.append(1) or digest(blocks))
    words = ["run", "--methods", "popularity,item-knn", "--dataset", str(shop), "--tasks", "recommendation"]
    words += ["--runs", str(tmp_path / "runs"), "--device", "cpu", "--seeds"]
    assert main([*words, "0,1"]) == 0
    assert len(rendered) == 3, "the items, the histories and the last items, for four results"

    compared: Counter[Path] = Counter()
    of_file = cells.file_digest
    cells._digest_of_state.cache_clear()
    monkeypatch.setattr(cells, "file_digest", lambda path: compared.update([path.resolve()]) or of_file(path))
    assert main([*words, "0,1"]) == 0
    (items,) = (tmp_path / "runs" / "shop").glob("items-*")
    assert set(compared.values()) == {1} and items.resolve() in compared

    before = items.read_bytes()
    items.write_bytes(before.replace(b"lamp", b"tent"))
    assert main([*words, "0,1,2"]) == 0
    assert items.read_bytes() == before and len(rendered) == 4
