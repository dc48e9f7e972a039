"""An archive of results, small enough to publish, and without the data set's own contents.

It holds the newest results of a folder of runs: result.json, cost.json, IDs, training curves, and the values of each
user or query; and people's judgments of IDs, which name items and quote none. Rankings are left out for their size;
items, histories, judgments of queries and the queries because a data set's licence may forbid to pass them on.
`left-out.txt` in each result's folder names what is missing; result.json keeps its digest, so whoever computes the cell
again can compare. It is a tar file, xz-compressed, whose bytes depend on the results alone:

    tar xf beauty.tar.xz -C runs
"""

from __future__ import annotations

import atexit
import io
import itertools
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from benchmark.errors import BenchmarkError, UsageError
from benchmark.fetching.archives import extract
from benchmark.files import file_digest, whole
from benchmark.results.digests import FILES, read_unchanged
from benchmark.results.left_out import LIST, left_out
from benchmark.results.result_files import newest, results_below
from benchmark.verification.judgments import FILE as JUDGED

SUFFIX = ".tar.xz"
KEPT = ("ids.tsv", "log.jsonl")
SCORES = "scores."


def write_archive(runs: Path, archive: Path) -> tuple[int, int]:
    """Pack the newest results of a folder of runs; return how many results and files it holds.

    Raises UsageError where there is no readable result, or for a name that is not one of a tar.xz file, BenchmarkError
    for results whose files were changed or are missing.
    """
    if not archive.name.endswith(SUFFIX):
        raise UsageError(f"--out {archive}: write a name that ends in {SUFFIX}")
    results = [result for result in newest(results_below(runs)) if not result.problem]
    if not results:
        raise UsageError(f"--runs {runs}: no result below {runs} can be read")
    folders = sorted({result.folder for result in results})
    archive.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with whole(archive) as part, tarfile.open(part, "w:xz", preset=9, format=tarfile.PAX_FORMAT) as tar:
        judged = [(JUDGED, (runs / JUDGED).read_bytes())] if (runs / JUDGED).is_file() else []
        for name, content in itertools.chain(_sorted_for_size(runs, folders), judged):
            member = tarfile.TarInfo(name)  # no date, no owner: the same results give the same bytes
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
            count += 1
    return len(folders), count


def _sorted_for_size(runs: Path, folders: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file, files of one kind together: what they share is stored once."""
    chosen: dict[str, list[tuple[str, bytes | Path]]] = {}
    for folder in folders:
        place = folder.relative_to(runs).as_posix()
        kept, absent = _choose(folder)
        for name in kept:
            chosen.setdefault(name, []).append((f"{place}/{name}", folder / name))
        chosen.setdefault(LIST, []).append((f"{place}/{LIST}", "".join(f"{name}\n" for name in absent).encode()))
    for name in sorted(chosen):
        for path, content in chosen[name]:
            yield path, content if isinstance(content, bytes) else content.read_bytes()


def _choose(folder: Path) -> tuple[list[str], list[str]]:
    """Return the files of a result's folder that are packed, and the names of the others that it lists.

    Raises BenchmarkError for a file that was changed, or that is missing and that no archive has left out before.
    """
    content = read_unchanged(folder / "result.json")
    if content is None:
        raise BenchmarkError(f"{folder / 'result.json'} was changed after it was written: see 'benchmark verify'")
    listed, absent = content.get(FILES, {}), left_out(folder)
    for name, digest in listed.items():
        path = folder / name
        if not path.is_file() and path.name not in absent:
            raise BenchmarkError(f"{path} is missing: see 'benchmark verify'; the same 'benchmark run' makes it again")
        if path.is_file() and _digest(path.resolve(), path.stat().st_mtime_ns) != digest:
            raise BenchmarkError(f"{path} was changed after it was written: see 'benchmark verify'")
    names = [name for name in listed if (folder / name).is_file() and (name in KEPT or name.startswith(SCORES))]
    cost = ["cost.json"] if (folder / "cost.json").is_file() else []
    return ["result.json", *cost, *names], sorted(Path(name).name for name in listed if name not in names)


@cache
def _digest(path: Path, changed: int) -> str:
    """Return the digest of a file; those that results share are read once."""
    return file_digest(path)


def opened_runs(path: Path, option: str = "--runs ") -> Path:
    """Return a folder of runs: the path itself, or a temporary folder with what an archive holds, gone at the end.

    `option` stands before the path in errors.

    Raises DataError for an archive that is broken or suspicious.
    """
    if not path.is_file():
        return path
    if not path.name.endswith(SUFFIX):
        raise UsageError(f"{option}{path}: neither a folder of results nor a {SUFFIX} file of 'benchmark archive'")
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    extract(path, folder)
    return folder
