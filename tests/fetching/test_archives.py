"""Archives of strangers: what comes out is what went in, and nothing leaves the folder or fills the disk."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from benchmark.errors import DataError
from benchmark.fetching import archives

GZ = gzip.compress(np.random.default_rng(0).bytes(200_000))


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


@pytest.mark.parametrize("content", [b"no archive", b"PK\x03\x04 cut", GZ[:1000]])
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
