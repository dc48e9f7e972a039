"""times.txt: read exactly and by user, or refused with file, line and reason; a fingerprint of its own."""

from pathlib import Path

import numpy as np
import pytest

from benchmark.cli.main import main
from benchmark.data.dataset import open_dataset
from benchmark.errors import DataError


def made(folder: Path, times: str | None, sequences: str = "u a b c\nv b\n") -> Path:
    folder.mkdir()
    (folder / "items.jsonl").write_text("".join(f'{{"id": "{name}", "title": "thing {name}"}}\n' for name in "abc"))
    (folder / "sequences.txt").write_text(sequences)
    if times is not None:
        (folder / "times.txt").write_text(times)
    return folder


@pytest.mark.parametrize(
    ("text", "expected", "kind"),
    [
        ("u 1 2 2\nv 0\n", [1, 2, 2, 0], np.int64),
        ("v 7\nu -3 2 1600000000123456789\n", [-3, 2, 1_600_000_000_123_456_789, 7], np.int64),
        ("u 1 2.5 3\nv 0\n", [1, 2.5, 3, 0], np.float64),
    ],
)
def test_times_stand_in_the_order_of_the_histories(
    tmp_path: Path, text: str, expected: list[float], kind: type
) -> None:
    for _ in range(2):  # parsed, then from the cache
        times = open_dataset(str(made(tmp_path / "set", text) if _ == 0 else tmp_path / "set"), cache=tmp_path).times()
        assert times.tolist() == expected and times.dtype == kind


def test_times_change_the_fingerprint_and_nothing_of_the_sequences(tmp_path: Path) -> None:
    without, with_times, other = (
        open_dataset(str(made(tmp_path / name, text)), cache=tmp_path)
        for name, text in (("a", None), ("b", "u 1 2 2\nv 0\n"), ("c", "u 1 2 3\nv 0\n"))
    )
    assert len({without.fingerprint, with_times.fingerprint, other.fingerprint}) == 3
    assert without.parts["sequences"] == with_times.parts["sequences"] and "times" not in without.parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("u 1 2 3\nv x\n", ":2: a time must be a number (best in seconds since 1970), not 'x'"),
        ("u 1 2 3\nv 1_0\n", ":2: a time must be a number"),
        ("u 1 2 3\nv nan\n", ":2: a time must be a number"),
        ("u 1 2 3\nv 99999999999999999999\n", ":2: a time must be a number"),
        ("u 1 2\nv 1\n", ":1: user 'u' has 2 times for 3 events"),
        ("u 1 3 2\nv 1\n", ":1: user 'u': the time of event 3 is before that of event 2"),
        ("u 1 2 3\nw 1\n", ":2: user 'w' is not in sequences.txt"),
        ("u 1 2 3\nu 1 2 3\n", ":2: user 'u' was already listed"),
        ("u 1 2 3\n", ": user 'v' of sequences.txt is missing"),
    ],
)
def test_wrong_times_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str) -> None:
    folder = made(tmp_path / "set", text)
    with pytest.raises(DataError) as error:
        open_dataset(str(folder), cache=tmp_path).times()
    assert f"times.txt{reason}" in str(error.value)
    assert main(["data", "check", str(folder), "--runs", str(tmp_path)]) == 2
    assert reason in capsys.readouterr().err
