"""A file is parsed once while it stays as it is, and again when it has changed."""

import os
from pathlib import Path

from benchmark.results.once import read_once


def test_a_file_is_parsed_again_only_when_it_has_changed(tmp_path: Path) -> None:
    parsed: list[str] = []

    def read(path: Path) -> list[str]:
        parsed.append(path.read_text("utf-8"))
        return list(parsed[-1])

    file = tmp_path / "codes"
    file.write_text("abc", "utf-8")
    assert read_once(read, file) is read_once(read, file) and parsed == ["abc"]
    other = tmp_path / "other"
    other.write_text("abd", "utf-8")  # of the same length, put in place as the suite's writers do
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    os.replace(other, file)
    assert read_once(read, file) == list("abd") and parsed == ["abc", "abd"]
