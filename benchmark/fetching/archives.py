"""Unpacking zip, tar and gz files that strangers made: no path leaves the folder, no bomb fills the disk.

Only regular files are unpacked. Links, devices, absolute paths and '..' are refused, and so is an archive that
unpacks to more than RATIO times its own size.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from benchmark.data.layout import open_bytes
from benchmark.errors import DataError

RATIO = 200  # text packs 3 to 20 times; a zip bomb 1,000 times
ALLOWANCE = 64 << 20  # bytes that any archive may unpack to
MEMBERS = 100_000
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError)


def extract(archive: Path, folder: Path, *, wanted: Callable[[str], bool] = lambda name: True) -> list[Path]:
    """Unpack the wanted members (by their path in the archive) into a folder; a gz has one, its name without '.gz'.

    Raises DataError for anything suspicious or broken; what was unpacked until then is left for the caller to drop.
    """
    budget = size_limit(archive)
    written: list[Path] = []
    try:
        with _members(archive) as members:
            for count, (name, regular, read) in enumerate(members):
                if count == MEMBERS:
                    raise DataError(f"{archive}: holds more than {MEMBERS:,} files; refused")
                target = folder / safe_path(archive, name)
                if not regular:
                    raise DataError(f"{archive}: '{name}' is a link or a device; refused")
                if not wanted(name):
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with read() as source, target.open("xb") as out:
                    budget -= _copy(archive, source, out, budget)
                written.append(target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DataError(f"{archive}: holds '{Path(error.filename).name}' twice; refused") from None
    except (*_BROKEN, gzip.BadGzipFile) as error:
        raise DataError(f"{archive}: broken: {error or type(error).__name__}") from None
    return written


def size_limit(archive: Path) -> int:
    """Return how many bytes an archive may unpack to."""
    return ALLOWANCE + RATIO * archive.stat().st_size


def safe_path(archive: Path, name: str) -> PurePosixPath:
    """Return a member's relative path; raise DataError for one that leaves the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or ":" in path.parts[0] or "\0" in name:
        raise DataError(f"{archive}: the path '{name}' leaves the folder; refused")
    return path


def _copy(archive: Path, source: IO[bytes], out: IO[bytes], budget: int) -> int:
    copied = 0
    while block := source.read(1 << 20):
        copied += len(block)
        if copied > budget:
            raise archive_bomb_error(archive)
        out.write(block)
    return copied


def archive_bomb_error(archive: Path) -> DataError:
    """Return the error of an archive that unpacks to too much."""
    return DataError(f"{archive}: unpacks to more than {RATIO} times its size; refused as an archive bomb")


Member = tuple[str, bool, Callable[[], IO[bytes]]]  # path, is a regular file, opener


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    """Open an archive of any kind as (path, regular, opener) of its files; folders are left out."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield (
                (info.filename, (info.external_attr >> 28) in (0, 8), partial(zipped.open, info))
                for info in zipped.infolist()
                if not info.is_dir()
            )
    elif archive.suffix == ".gz" and not archive.name.endswith(".tar.gz"):
        yield iter([(archive.stem, True, partial(open_bytes, archive))])
    else:
        with tarfile.open(archive, "r|*") as tar:
            yield ((info.name, info.isreg(), partial(_opened, tar, info)) for info in tar if not info.isdir())


def _opened(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(info)
    assert file is not None  # a regular file
    return file


def copy_member(archive: Path, name: str, target: Path) -> None:
    """Copy the one file of that name, in whatever folder of the archive, to `target` (which must not exist)."""
    room = target.with_name(f".{target.name}.unpacked")
    shutil.rmtree(room, ignore_errors=True)
    try:
        found = extract(archive, room, wanted=lambda path: PurePosixPath(path).name == name)
        if len(found) != 1:
            raise DataError(f"{archive}: holds {len(found)} files called '{name}', expected one")
        found[0].rename(target)
    finally:
        shutil.rmtree(room, ignore_errors=True)


@contextmanager
def unpacked(archive: Path, names: Collection[str]) -> Iterator[dict[str, Path]]:
    """Give the files of these names, in whatever folder of the archive, by name, in a folder that goes afterwards.

    An error about one of them names the archive. Raises DataError where one is not there.
    """
    with tempfile.TemporaryDirectory(prefix=".unpacked.", dir=archive.parent) as room:
        files = extract(archive, Path(room), wanted=lambda path: PurePosixPath(path).name in names)
        found = {path.name: path for path in files}
        if missing := [name for name in names if name not in found]:
            raise DataError(f"{archive}: holds no {', '.join(missing)}")
        try:
            yield found
        except DataError as error:
            raise DataError(str(error).replace(room, str(archive))) from None


def member_sizes(archive: Path) -> dict[str, int]:
    """Return the names, without their folders, of the files in a zip or wheel, and the bytes that each unpacks to."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            return {
                PurePosixPath(info.filename).name: info.file_size for info in zipped.infolist() if not info.is_dir()
            }
    except _BROKEN as error:
        raise DataError(f"{archive}: broken: {error or type(error).__name__}") from None
