"""Files are there whole or not at all; what dead processes left is removed; one digest."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import BenchmarkError, UsageError
from benchmark.files import (
    bytes_digest,
    digest,
    file_digest,
    home_path,
    remove_partials,
    require_folder,
    whole,
    write_bytes,
    write_json,
    write_lines,
    write_text,
)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_replaced_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.txt"
    for write in (write_text, write_lines, lambda path, text: write_bytes(path, text.encode())):
        write_text(path, "old")
        write(path, "é\n")
        assert path.read_bytes() == b"\xc3\xa9\n" and _names(path.parent) == {"file.txt"}
    write_json(path, {"b": 1, "a": "é"})
    assert path.read_text("utf-8") == '{\n  "a": "é",\n  "b": 1\n}\n'


@pytest.mark.parametrize("folder", [False, True])
def test_a_failure_leaves_what_was_there(tmp_path: Path, folder: bool) -> None:
    write_text(tmp_path / "kept", "old")

    def fails() -> None:
        with whole(tmp_path / ("new" if folder else "kept")) as part:
            if folder:
                part.mkdir()
                part = part / "inside"
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert _names(tmp_path) == {"kept"} and (tmp_path / "kept").read_text() == "old"


def test_everything_is_flushed_before_it_takes_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    flush, rename = os.fsync, os.replace

    def fsync(handle: int) -> None:
        calls.append(Path(os.readlink(f"/proc/self/fd/{handle}")).name)
        flush(handle)

    def replace(source: Path, target: Path) -> None:
        calls.append("renamed")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    with whole(tmp_path / "folder") as part:
        (part / "deep").mkdir(parents=True)
        (part / "deep" / "one").write_text("1")
        (part / "two").write_text("2")
    before = calls.index("renamed")
    assert sorted(calls[:before]) == ["deep", "one", "part", "two"] and calls[before + 1 :] == [tmp_path.name]


def test_a_finished_folder_of_another_process_stays(tmp_path: Path) -> None:
    with whole(tmp_path / "folder") as mine:
        mine.mkdir()
        (mine / "by").write_text("me")
        with whole(tmp_path / "folder") as other:
            other.mkdir()
            (other / "by").write_text("other")
    assert (tmp_path / "folder" / "by").read_text() == "other" and _names(tmp_path) == {"folder"}


def test_a_folder_for_results_is_tried_before_the_work_and_nothing_is_left_of_that(tmp_path: Path) -> None:
    require_folder(tmp_path / "new" / "out", "--out")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match=r"--out .*file/out: .*file is no folder; give another folder"):
        require_folder(tmp_path / "file" / "out", "--out")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_clear_error_that_names_the_path(tmp_path: Path, code: int) -> None:
    with pytest.raises(BenchmarkError, match=r"the disk is full: no space for .*result\.json$"), \
            whole(tmp_path / "result.json") as part:  # fmt: skip
        part.write_text("half")
        raise OSError(code, os.strerror(code))
    assert not _names(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
@pytest.mark.parametrize("writer", ["numpy", "torch"])
def test_a_full_disk_is_recognised_through_the_libraries_that_write(tmp_path: Path, writer: str) -> None:
    with pytest.raises(BenchmarkError, match="the disk is full"), whole(tmp_path / "x"):
        file = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
        if writer == "numpy":
            np.save(file, np.zeros(100_000))
        else:
            torch = pytest.importorskip("torch")
            torch.save({"weights": torch.zeros(100_000)}, file)


HALF = """
import sys, time
from pathlib import Path
from benchmark.files import whole
with whole(Path(sys.argv[1])) as part:
    part.write_text("half")
    print(part.parent.name, flush=True)
    time.sleep(60)
"""


def test_what_a_dead_process_left_half_written_is_removed_and_a_living_ones_stays(tmp_path: Path) -> None:
    words = [sys.executable, "-c", HALF, str(tmp_path / "file")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        partial = process.stdout.readline().strip()
        write_text(tmp_path / "other", "x")
        assert _names(tmp_path) == {"other", partial}
        process.send_signal(signal.SIGKILL)
    write_text(tmp_path / "other", "y")
    assert _names(tmp_path) == {"other"}


def test_what_another_machine_writes_stays(tmp_path: Path) -> None:
    (tmp_path / ".partial-00000000-999999999-0a0b0c0d-abc").mkdir()
    with whole(tmp_path / "file") as part:
        part.write_text("x")
        (mine,) = (path for path in tmp_path.iterdir() if "00000000" not in path.name)
        machine = mine.name.split("-")[1]
        (tmp_path / f".partial-{machine}-999999999-0a0b0c0d-abc").mkdir()
        (tmp_path / f".partial-{machine}-{os.getpid()}-0a0b0c0d-abc").write_text("of an earlier process of this number")
        (tmp_path / f".partial-{machine}-notes").write_text("not ours")
        remove_partials(tmp_path)
    left = {".partial-00000000-999999999-0a0b0c0d-abc", f".partial-{machine}-notes", "file"}
    assert _names(tmp_path) == left


def test_digests_are_those_of_hashlib(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"one two")
    assert file_digest(tmp_path / "x") == bytes_digest([b"one ", b"two"]) == hashlib.sha256(b"one two").hexdigest()
    assert file_digest(tmp_path / "x", "md5") == hashlib.md5(b"one two").hexdigest()
    assert digest({"b": "é", "a": 1}) == hashlib.sha256('{"a": 1, "b": "é"}'.encode()).hexdigest()[:16]
    assert len(digest(["file name that is not UTF-8: \udcff"])) == 16


def test_a_path_of_an_unknown_user_stays_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home_path("~/data") == tmp_path / "data"
    assert home_path("~nouser-of-that-name/data") == Path("~nouser-of-that-name/data")
    assert home_path("plain/~") == Path("plain/~")
