"""Downloads from a server that cuts, lies and fails: in the end a whole file or a clear error, never a half one."""

import errno
import gzip
import hashlib
import io
import json
import re
import shutil
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from upstream import Upstream, serving

from benchmark.errors import BenchmarkError, DataError
from benchmark.fetching import download, pins, room
from benchmark.fetching.download import DownloadError

CONTENT = gzip.compress(np.random.default_rng(0).bytes(200_000))
NAME = "things.gz"
SHA = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0.001)
    with serving() as upstream:
        upstream.files = {f"/a/{NAME}": CONTENT, f"/b/{NAME}": CONTENT}
        yield upstream


def fetched(server: Upstream, folder: Path, *mirrors: str, **known) -> bytes:
    target = folder / NAME
    assert download.download(server.remote(NAME, *mirrors, **known), target) == SHA
    return target.read_bytes()


def failure(server: Upstream, folder: Path, *mirrors: str, **known) -> str:
    with pytest.raises(DownloadError) as error:
        download.download(server.remote(NAME, *mirrors, **known), folder / NAME)
    assert not (folder / NAME).exists()
    return str(error.value)


def test_a_file_arrives_whole_and_nothing_else_stays_but_its_checksum(server, tmp_path):
    assert fetched(server, tmp_path) == CONTENT
    assert sorted(path.name for path in tmp_path.iterdir()) == [pins.PINS, NAME]
    recorded = json.loads((tmp_path / pins.PINS).read_text())[NAME]
    assert recorded["sha256"] == SHA.removeprefix("sha256:") and recorded["from"] == f"{server.url}/a/{NAME}"


def test_a_cut_connection_goes_on_where_it_was_cut(server, tmp_path):
    server.faults[f"/a/{NAME}"] = [("cut", 90_000), ("cut", 50_000)]
    assert fetched(server, tmp_path) == CONTENT
    assert server.ranges() == ["", "bytes=90000-", "bytes=140000-"]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(server, tmp_path):
    server.faults[f"/a/{NAME}"] = [("cut", 90_000), *[503] * 5]
    assert "HTTP 503" in failure(server, tmp_path)
    assert fetched(server, tmp_path) == CONTENT
    assert server.ranges()[-1] == "bytes=90000-"


def test_a_file_that_changed_on_the_server_is_fetched_from_its_start(server, tmp_path):
    server.files[f"/a/{NAME}"] = CONTENT[:9] + bytes(len(CONTENT) - 9)  # looks like the same file
    server.faults[f"/a/{NAME}"] = [("cut", 90_000), *[503] * 5]
    failure(server, tmp_path)
    server.files[f"/a/{NAME}"] = CONTENT
    assert fetched(server, tmp_path) == CONTENT


def test_a_file_that_was_whole_when_an_earlier_call_ended_is_not_fetched_again(server, tmp_path, monkeypatch):
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(pins, "verify", lambda *arguments: (_ for _ in ()).throw(KeyboardInterrupt))
        fetched(server, tmp_path)
    assert fetched(server, tmp_path) == CONTENT
    assert server.ranges() == [""]


def test_a_server_without_ranges_sends_the_file_again(server, tmp_path):
    server.faults[f"/a/{NAME}"] = [("cut", 90_000), "no range"]
    assert fetched(server, tmp_path) == CONTENT


def test_bytes_of_another_mirror_are_kept_only_where_a_checksum_will_tell(server, tmp_path):
    server.faults[f"/a/{NAME}"] = [("cut", 90_000), *[503] * 5]
    assert fetched(server, tmp_path / "unknown", "a", "b") == CONTENT
    assert server.ranges()[-1] == ""
    server.faults[f"/a/{NAME}"] = [("cut", 90_000), *[503] * 5]
    assert fetched(server, tmp_path / "known", "a", "b", checksum=SHA) == CONTENT
    assert server.ranges()[-1] == "bytes=90000-"


def test_resumed_bytes_that_turn_out_wrong_are_thrown_away(server, tmp_path):
    server.files[f"/b/{NAME}"] = CONTENT[:50_000][::-1] + CONTENT[50_000:]
    server.faults[f"/b/{NAME}"] = [("cut", 60_000), *[503] * 5]
    assert fetched(server, tmp_path, "b", "a", checksum=SHA) == CONTENT


def test_a_busy_server_is_asked_again_and_a_missing_file_sought_at_the_next_mirror(server, tmp_path):
    server.faults[f"/a/{NAME}"] = [503, 503, 429]
    assert fetched(server, tmp_path / "busy") == CONTENT
    assert fetched(server, tmp_path / "missing", "nowhere", "b") == CONTENT
    assert [path for _, path, _ in server.seen[-2:]] == [f"/nowhere/{NAME}", f"/b/{NAME}"]


def test_a_file_that_moved_is_followed_but_not_from_https_to_http(server, tmp_path):
    server.faults[f"/a/{NAME}"] = [("moved", f"{server.url}/b/{NAME}")]
    assert fetched(server, tmp_path) == CONTENT
    secure = urllib.request.Request("https://example.org/x")
    with pytest.raises(Exception, match="not encrypted"):
        download._SameSafety().redirect_request(secure, io.BytesIO(), 302, "", {}, "http://example.org/x")


def test_every_mirror_is_named_with_its_answer_when_none_has_the_file(server, tmp_path):
    message = failure(server, tmp_path, "nowhere", "b", size=7)
    assert f"{server.url}/nowhere/{NAME}: HTTP 404" in message
    assert f"{server.url}/b/{NAME}: it has {len(CONTENT):,} bytes there, but the published file has 7" in message


def test_a_wrong_length_is_refused_before_and_after_the_transfer(server, tmp_path):
    server.faults[f"/a/{NAME}"] = [("length", len(CONTENT) + 10)] * 99
    assert "(5 tries)" in failure(server, tmp_path)
    server.faults[f"/a/{NAME}"] = [("length", 10)]
    assert "but the published file has" in failure(server, tmp_path / "short", size=len(CONTENT))


def test_a_wrong_checksum_is_refused_and_another_mirror_is_tried(server, tmp_path):
    server.files[f"/b/{NAME}"] = CONTENT[:-1] + b"x"
    md5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
    assert f"the published one is {md5}" in failure(server, tmp_path, "b", checksum=md5)
    assert list(tmp_path.iterdir()) == []
    assert fetched(server, tmp_path, "b", "a", checksum=md5) == CONTENT


def test_without_a_published_checksum_the_first_one_seen_is_pinned(server, tmp_path):
    fetched(server, tmp_path)
    (tmp_path / NAME).unlink()
    server.files[f"/a/{NAME}"] = gzip.compress(b"something else")
    message = failure(server, tmp_path)
    assert f"it was {SHA}" in message and str(tmp_path / pins.PINS) in message


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [
        ("[1]", ":1: expected a JSON object, not list"),
        (f'{{"{NAME}": 5}}', f": '{NAME}' has no 'sha256' in quotes"),
        (f'{{"{NAME}": {{"sha256": 5}}}}', f": '{NAME}' has no 'sha256' in quotes"),
        ("[" * 5000 + "]" * 5000, ": broken JSON: nested deeper than 64 levels"),
        (f'{{"{NAME}": \n {{', ":2: broken JSON: "),
    ],
)
def test_recorded_checksums_of_the_wrong_type_are_refused_and_never_taken_for_none(server, tmp_path, recorded, reason):
    fetched(server, tmp_path)
    (tmp_path / pins.PINS).write_text(recorded)
    with pytest.raises(DataError) as error:
        pins.verify(tmp_path / NAME, server.remote(NAME), tmp_path)
    message = str(error.value)
    assert message.startswith(f"{tmp_path / pins.PINS}{reason}") and message.endswith("the files' checksums anew")


def test_an_error_page_under_the_files_name_is_not_the_file(server, tmp_path):
    server.files[f"/a/{NAME}"] = b"<html>Please log in</html>"
    assert "not a .gz file (it starts with b'<html>" in failure(server, tmp_path)


def test_a_full_disk_is_named_and_what_arrived_is_kept(server, tmp_path, monkeypatch):
    class Full(io.FileIO):
        def write(self, block):
            if self.tell() > 100_000:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(block)

    plain = Path.open

    def full(path, mode="r", *rest, **more):
        return Full(path, mode) if path.suffix == ".partial" and "b" in mode else plain(path, mode, *rest, **more)

    with monkeypatch.context() as patched, pytest.raises(BenchmarkError, match=f"disk is full.*{NAME}.*--data-root"):
        patched.setattr(Path, "open", full)
        download.download(server.remote(NAME), tmp_path / NAME)
    assert not (tmp_path / NAME).exists()
    assert fetched(server, tmp_path) == CONTENT
    assert server.ranges()[-1].startswith("bytes=1")


def test_no_network_is_said_at_once(tmp_path, monkeypatch):
    file = Upstream("http://no-such-host.invalid").remote(NAME)
    monkeypatch.setattr(download.time, "sleep", lambda seconds: pytest.fail("nothing to wait for"))
    with pytest.raises(DownloadError, match="no connection"):
        download.download(file, tmp_path / NAME)
    assert download.remote_size(file) is None


def test_the_size_of_a_file_is_known_before_it_is_fetched(server):
    assert download.remote_size(server.remote(NAME, "nowhere", "b")) == len(CONTENT)
    assert [method for method, _, _ in server.seen] == ["HEAD", "HEAD"]


# What a user sees


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_what_has_arrived_how_fast_and_how_long_it_will_take(server, tmp_path, monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    server.faults[f"/a/{NAME}"] = [("slow", 0.3)]
    fetched(server, tmp_path)
    shown = screen.getvalue().split("\r")
    bars = [re.search(r"things\.gz: +(\d+)%.*/200k \[00:0\d<(00:0\d), +[\d.]+[kM]?B/s\]", text) for text in shown]
    two_blocks = round(100 * 2 * (1 << 16) / len(CONTENT))  # that is what has come after the pause
    assert two_blocks in {int(bar[1]) for bar in bars if bar}
    assert shown[-1].strip() == ""  # the bar is wiped when the file is there


def test_the_bar_of_a_resumed_download_starts_where_it_was_cut(server, tmp_path, monkeypatch):
    server.faults[f"/a/{NAME}"] = [("cut", 90_000), *[503] * 5]
    failure(server, tmp_path)
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    fetched(server, tmp_path)
    assert "| 90.0k/200k [" in screen.getvalue().split("\r")[1]


def test_a_log_file_gets_no_bar(server, tmp_path, capsys):
    server.faults[f"/a/{NAME}"] = [("slow", 0.2)]
    fetched(server, tmp_path)
    assert capsys.readouterr() == ("", "")


# Free disk space


def free(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: SimpleNamespace(total=10**12, used=0, free=size))


def test_room_is_asked_of_the_disk_that_the_folder_will_lie_on(tmp_path, monkeypatch):
    asked = []
    usage = shutil.disk_usage
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: (asked.append(path), usage(path))[1])
    room.require_room(tmp_path / "not" / "there" / "yet", {"for the files": 1})
    assert asked == [tmp_path]


def test_needs_add_up_and_the_error_says_what_is_needed_what_is_there_and_what_to_do(tmp_path, monkeypatch):
    free(monkeypatch, 3_000_000)
    room.require_room(tmp_path, {"for the files": 2_000_000, "to build": 1_000_000})
    with pytest.raises(BenchmarkError) as error:
        room.require_room(tmp_path, {"for the files": 2_000_000, "to build": 1_100_000})
    assert str(error.value) == (
        f"not enough free disk space for {tmp_path}: 3.1 MB are needed (2.0 MB for the files, 1.1 MB to build), "
        "3.0 MB are free; free some space or name a folder on another disk with --data-root"
    )
