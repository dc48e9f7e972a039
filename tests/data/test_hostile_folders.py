"""Data set folders with cut archives, deep nesting and huge numbers: one line with the place, through the command."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from benchmark.cli.main import main
from benchmark.json_text import DEEPEST, parse_json

LINES = [json.dumps({"id": str(row), "title": f"thing {row} {row * row}"}) for row in range(2000)]
PACKED = gzip.compress("\n".join(LINES).encode(), mtime=0)
FLIPPED = PACKED[:4000] + bytes(byte ^ 255 for byte in PACKED[4000:4040]) + PACKED[4040:]


def check(folder: Path, capsys: pytest.CaptureFixture[str], **files: str | bytes) -> str:
    """Write the files (a double underscore stands for a dot) and return what `data check` says of them."""
    folder.mkdir()
    for name, content in files.items():
        raw = content.encode() if isinstance(content, str) else content
        (folder / name.replace("__", ".")).write_bytes(raw)
    assert main(["data", "check", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "Traceback" not in error and len(error) < 600
    return error


@pytest.mark.parametrize("name", ["items__jsonl__gz", "sequences__txt__gz", "queries__tsv__gz"])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (PACKED[: len(PACKED) // 2], "it was cut off"),
        (PACKED[:5], "it was cut off"),
        (FLIPPED, ""),
        (b"u1 0 1\n", ":1: not gzipped, though it is called .gz"),
        (b"\x1f\x8b rubbish", ":1: "),
    ],
    ids=["half", "five bytes", "damaged", "plain text", "gzip in its first bytes alone"],
)
def test_a_damaged_gz_file_is_named_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, reason: str
) -> None:
    files: dict[str, str | bytes] = {"items__jsonl": '{"id": "0", "title": "x"}\n', "qrels__txt": "q 0 0 1\n"}
    needed = {"sequences__txt__gz": ["items__jsonl"], "queries__tsv__gz": list(files)}.get(name, [])
    error = check(tmp_path / "shop", capsys, **{key: files[key] for key in needed}, **{name: content})
    path = tmp_path / "shop" / name.replace("__", ".")
    assert f"{path}:" in error and reason in error
    assert error.partition(f"{path}:")[2].partition(":")[0].isdigit()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": "b", "title": ' + "[" * 500 + "]" * 500 + "}", "nested deeper than 64 levels"),
        ('{"id": "b", "title": ' + '{"a":' * 30_000 + "1" + "}" * 30_000 + "}", "nested deeper than 64 levels"),
        ('{"id": "b", "price": ' + "7" * 5000 + "}", "a number has thousands of digits"),
        ('{"id": 1e999, "title": "x"}', "an item id must be a string or a number, not Infinity"),
        ('{"id": NaN, "title": "x"}', "an item id must be a string or a number, not NaN"),
    ],
)
def test_an_item_that_no_step_could_bear_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, reason: str
) -> None:
    error = check(tmp_path / "shop", capsys, items__jsonl=f'{{"id": "a", "title": "x"}}\n{line}\n')
    assert f"{tmp_path / 'shop' / 'items.jsonl'}:2: " in error and reason in error


@pytest.mark.parametrize("text", ["u1,0,1\nu2,1,0\n", "u1\nu2\n", '{"u1":[0,1]}\n'])
def test_sequences_without_one_item_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    items = '{"id": "0", "title": "x"}\n{"id": "1", "title": "y"}\n'
    error = check(tmp_path / "shop", capsys, items__jsonl=items, sequences__txt=text)
    assert "sequences.txt:1: not one item in the whole file: expected user item item ..." in error


@pytest.mark.parametrize("levels", [1, DEEPEST, DEEPEST + 1, 200])
def test_depth_is_what_counting_brackets_says(levels: int) -> None:
    """Mixed lists and objects, with a wide and shallow part whose brackets must not count as depth."""
    kinds = np.random.default_rng(levels).integers(0, 2, levels).tolist()
    text = "".join('{"k": [[]], "x": ' if kind else "[[[]], " for kind in kinds[:-3])
    text += "[" * min(3, levels) + "]" * min(3, levels) + "".join("}" if kind else "]" for kind in kinds[:-3][::-1])
    depth = most = 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        most = max(most, depth)
    if most <= DEEPEST:
        assert parse_json(text) == json.loads(text)
    else:
        with pytest.raises(ValueError, match="nested deeper"):
            parse_json(text)
