"""Downloads from a server that cuts, lies and fails: in the end a whole file or a clear error, never a half one."""

import errno
import gzip
import hashlib
import io
import json
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import numpy as np
import pytest
from upstream import Upstream, serving

from benchmark.errors import BenchmarkError, DataError
from benchmark.fetching import archives, download, pins
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


# Archives


def as_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def as_tar(path: Path, members: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(content), kind, "/etc/passwd"
            archive.addfile(info, io.BytesIO(content))
    return path


PACKERS = {"x.zip": as_zip, "x.tar.gz": as_tar}


@pytest.mark.parametrize("name", PACKERS)
def test_an_archive_comes_out_as_it_went_in(name, tmp_path):
    members = {"top.txt": b"one", "folder/deep/two.txt": b"two" * 1000}
    written = archives.extract(PACKERS[name](tmp_path / name, members), tmp_path / "out")
    assert {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in written} == members
    only = archives.extract(tmp_path / name, tmp_path / "some", wanted=lambda path: path.endswith("two.txt"))
    assert [path.name for path in only] == ["two.txt"]


def test_a_gz_file_comes_out_under_its_name_without_the_ending(tmp_path):
    (tmp_path / "x.tsv.gz").write_bytes(gzip.compress(b"a\tb"))
    (only,) = archives.extract(tmp_path / "x.tsv.gz", tmp_path / "out")
    assert only.name == "x.tsv" and only.read_bytes() == b"a\tb"


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("path", ["../evil", "a/../../evil", "/tmp/evil", "..\\evil", "C:\\evil"])
def test_a_path_that_leaves_the_folder_is_refused(name, path, tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    with pytest.raises(DataError, match="leaves the folder"):
        archives.extract(PACKERS[name](tmp_path / name, {path: b"!"}), tmp_path / "in" / "deep")
    assert list(tmp_path.rglob("*evil*")) == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(kind, tmp_path):
    with pytest.raises(DataError, match="link or a device"):
        archives.extract(as_tar(tmp_path / "x.tar", {"a": b""}, kind), tmp_path / "out")


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("a")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match="link or a device"):
        archives.extract(tmp_path / "x.zip", tmp_path / "out")


@pytest.mark.parametrize("name", [*PACKERS, "x.gz"])
def test_a_bomb_is_refused_before_it_fills_the_disk(name, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "ALLOWANCE", 1 << 16)
    zeros = bytes(16 << 20)
    if name in PACKERS:
        PACKERS[name](tmp_path / name, {"zeros": zeros})
    else:
        (tmp_path / name).write_bytes(gzip.compress(zeros))
    with pytest.raises(DataError, match="archive bomb"):
        archives.extract(tmp_path / name, tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) < len(zeros) / 2


@pytest.mark.parametrize("content", [b"no archive", b"PK\x03\x04 cut", CONTENT[:1000]])
@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.gz"])
def test_a_broken_archive_is_said_to_be_broken(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match="broken"):
        archives.extract(tmp_path / name, tmp_path / "out")


def test_a_file_that_is_there_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a", "1")
        archive.writestr("a", "2")
    with pytest.raises(DataError, match="twice"):
        archives.extract(tmp_path / "x.zip", tmp_path / "out")
