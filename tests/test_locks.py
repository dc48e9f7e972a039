"""One lock, free again however its holder ends; who waits is told for whom."""

import logging
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmark import locks
from benchmark.locks import lock


def test_the_lock_is_held_against_other_threads(tmp_path: Path) -> None:
    inside: list[int] = []

    def work(_: int) -> int:
        with lock(tmp_path / "deep" / ".lock"):
            inside.append(1)
            time.sleep(0.01)
            most = len(inside)
            inside.pop()
            return most

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(work, range(8))) == {1}


def test_a_killed_process_holds_no_lock(tmp_path: Path) -> None:
    held = "import sys, time; from pathlib import Path; from benchmark.locks import lock\n"
    held += "with lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", held, str(tmp_path / ".lock")], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        with ThreadPoolExecutor(1) as pool:

            def take() -> float:
                with lock(tmp_path / ".lock"):
                    return time.monotonic()

            waiting = pool.submit(take)
            time.sleep(0.2)
            assert not waiting.done()
            killed = time.monotonic()
            process.send_signal(signal.SIGKILL)
            assert waiting.result(timeout=10) > killed


HOLDER = """
import sys
from pathlib import Path
from benchmark.locks import lock
with lock(Path(sys.argv[1]), signed=True):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_who_waits_is_told_at_once_and_again_for_which_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "AT_ONCE", 0.1)
    monkeypatch.setattr(locks, "AGAIN", 0.1)
    path = tmp_path / "stage.lock"
    words = [sys.executable, "-c", HOLDER, str(path), "a word\x1b[2J"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"held\n"
        with ThreadPoolExecutor(1) as pool, caplog.at_level(logging.WARNING):

            def take() -> None:
                with lock(path, signed=True):
                    pass

            waiting = pool.submit(take)
            while len(caplog.messages) < 2:
                time.sleep(0.01)
            process.stdin.write(b"\n")
            process.stdin.flush()
            waiting.result(timeout=10)
    first, second = caplog.messages[:2]
    assert f"process {process.pid} on {os.uname().nodename} (" in first and str(path) in first
    assert "a word" in first and "\x1b" not in first and second.startswith("waiting for")
    assert path.read_bytes() == b""


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\x00", b'{"host": 1}'])
def test_a_lock_file_with_other_content_is_a_lock_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(locks, "AT_ONCE", 0.05)
    path = tmp_path / ".lock"
    path.write_bytes(content)
    with ThreadPoolExecutor(1) as pool, caplog.at_level(logging.WARNING):

        def take() -> None:
            with lock(path):
                pass

        with lock(path):
            path.write_bytes(content)
            waiting = pool.submit(take)
            while not caplog.messages:
                time.sleep(0.01)
            assert path.read_bytes() == content, "who waits leaves it to its holder"
        waiting.result(timeout=10)
    assert caplog.messages[0].startswith("waiting for another process (0 s so far)")
