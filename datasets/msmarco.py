"""A million MS MARCO passages: `macro-1m` with the dev-small queries, `trec-dl-1m` with those of TREC DL 2019 and 2020.

    collectionandqueries.tar.gz       collection.tsv (id TAB passage), queries.*.tsv (id TAB text), qrels.*.tsv (TREC)
    msmarco-test20{19,20}-queries.tsv.gz, 20{19,20}qrels-pass.txt      topics and NIST's judgments

Items, in the order of the collection: every passage that a training or a dev-small judgment names, then the first
ones of the whole collection, shuffled with the seed of LMIndexer's code (313), up to a million. That the fill is the
authors' own sample is not proven: their list of passages is not published, and a shuffle depends on the order of what
it shuffles, here the ids 0 .. 8,841,822. Training: all judged training queries; the file repeats ten of its judgments.

TREC-DL keeps what NIST graded 1, 2 or 3 and lies in the sample, and the queries that have such a passage. Passages
graded 0 are left out: the published count of labels is that of the relevant ones, and no measure here reads them.

Source: Nguyen et al., MS MARCO, 2016; Craswell et al., TREC Deep Learning track 2019 and 2020; LMIndexer (ICML 2024)
and its released code, which reads passages as bare text, as methods do here. The collection is read twice and never
held in memory. Its texts keep upstream's wrongly encoded characters, as LMIndexer's code does; ir_datasets repairs
them.

Checked against ir_datasets 0.5: addresses, sizes, checksums, members of the archive. The real files were not to be had.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import ClassVar

from benchmark.config import MethodConfig
from benchmark.data.layout import open_bytes
from benchmark.data.writing import FolderWriter, whole_number
from benchmark.errors import DataError, at_line, line_error
from benchmark.fetching import archives
from benchmark.fetching.builder import Built, FetchedDataset
from benchmark.fetching.lines import bounded_lines
from benchmark.fetching.sources import RemoteFile, read_declaration

ARCHIVE = "collectionandqueries.tar.gz"
TRAIN = ("queries.train.tsv", "qrels.train.tsv")
DEV = ("queries.dev.small.tsv", "qrels.dev.small.tsv")
YEARS = (2019, 2020)
SIZE = 1_000_000  # passages
SEED = 313

Judgment = tuple[str, str, str, int]  # place, query, passage, grade


class Macro1M(FetchedDataset[MethodConfig]):
    """MACRO-1M: 1,000,000 MS MARCO passages, 502,939 training queries, 6,980 test queries (dev-small)."""

    name: ClassVar[str] = "macro-1m"

    def build_from(self, raw: Mapping[str, Path], folder: Path) -> Built:
        """Write the sampled passages and both query sets."""
        writer = FolderWriter(folder)
        with _parts(raw, ("collection.tsv", *TRAIN, *DEV)) as part:
            _write_passages(part, writer)
            _write_queries("train", [part[TRAIN[0]]], list(read_judgments(part[TRAIN[1]])), writer)
            _write_queries("test", [part[DEV[0]]], list(read_judgments(part[DEV[1]])), writer)
        return Built(notes=writer.notes)


class TrecDL1M(FetchedDataset[MethodConfig]):
    """TREC-DL-1M: the passages of MACRO-1M, 93 test queries of TREC DL 2019 and 2020 with NIST's graded judgments."""

    name: ClassVar[str] = "trec-dl-1m"

    def files(self) -> tuple[RemoteFile, ...]:
        """Return the passages, the topics and NIST's judgments."""
        return (*self.declaration().files, *judgment_files())

    def build_from(self, raw: Mapping[str, Path], folder: Path) -> Built:
        """Write the sampled passages, the training queries and the topics with a relevant passage among them."""
        writer = FolderWriter(folder)
        with _parts(raw, ("collection.tsv", *TRAIN, DEV[1])) as part:
            _write_passages(part, writer)
            _write_queries("train", [part[TRAIN[0]]], list(read_judgments(part[TRAIN[1]])), writer)
        topics = [raw[f"msmarco-test{year}-queries.tsv.gz"] for year in YEARS]
        judged = [row for year in YEARS for row in read_judgments(raw[f"{year}qrels-pass.txt"])]
        relevant = [row for row in judged if row[3] >= 1 and row[2] in writer.ids]
        lost = len({row[1] for row in judged}) - len({row[1] for row in relevant})
        writer.note_counts({
            "NIST judgments are of passages outside the sample or graded 0; left out": len(judged) - len(relevant),
            "TREC topics have no relevant passage in the sample; left out": lost,
        })  # fmt: skip
        _write_queries("test", topics, relevant, writer)
        return Built(notes=writer.notes)


def judgment_files() -> tuple[RemoteFile, ...]:
    """Return NIST's files."""
    return read_declaration(Path(__file__).with_name("trec_dl.toml"), "judgments").files


def _parts(raw: Mapping[str, Path], names: tuple[str, ...]) -> AbstractContextManager[Mapping[str, Path]]:
    """Give the parts of the archive, or manually downloaded ones, by name."""
    return archives.unpacked(raw[ARCHIVE], names) if ARCHIVE in raw else nullcontext(raw)


def _write_passages(part: Mapping[str, Path], writer: FolderWriter) -> None:
    """Write every passage that train or dev-small judges, and the sample."""
    collection = part["collection.tsv"]
    n_passages = count_lines(collection)
    chosen = bytearray(n_passages)
    for place, _, passage, _ in (row for name in (TRAIN[1], DEV[1]) for row in read_judgments(part[name])):
        row = row_of(passage, place)
        if row >= n_passages:
            raise DataError(f"{place}: passage {passage} is not in the collection, which has {n_passages:,}")
        chosen[row] = 1
    fill(chosen, SIZE, SEED)
    writer.items(read_passages(collection, chosen))


def fill(chosen: bytearray, size: int, seed: int) -> None:
    """Set further bytes, in the order of a seeded shuffle of all, until `size` are set or none is left."""
    order = list(range(len(chosen)))
    random.Random(seed).shuffle(order)
    missing = size - sum(chosen)
    for row in order:
        if missing <= 0:
            return
        if not chosen[row]:
            chosen[row] = 1
            missing -= 1


def count_lines(path: Path) -> int:
    """Return how many lines a file has, without looking into them."""
    number, last = 0, b"\n"
    with open_bytes(path) as file:
        while block := file.read(1 << 20):
            number += block.count(b"\n")
            last = block[-1:]
    return number + (last != b"\n")


def read_passages(path: Path, chosen: bytearray) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (place, item) of the chosen rows. Raises DataError where a passage's id is not its row."""
    for number, line in bounded_lines(path):
        name, tab, text = line.partition("\t")
        if not tab or name != str(number - 1):
            raise line_error(path, number, f"expected: {number - 1} TAB passage; got {line[:60]!r}")
        if chosen[number - 1]:
            yield at_line(path, number), {"id": name, "description": text}


def read_judgments(path: Path) -> Iterator[Judgment]:
    """Yield the rows query, anything, passage, grade, separated by white space."""
    for number, line in bounded_lines(path):
        columns = line.split()
        if len(columns) != 4:
            raise line_error(path, number, f"expected query, 0, passage and grade; got {line[:60]!r}")
        place = at_line(path, number)
        yield place, columns[0], columns[2], whole_number(columns[3], "the grade", place)


def row_of(passage: str, place: str) -> int:
    """Return a passage's row. Raises DataError when its id is no number from 0."""
    if not (passage.isascii() and passage.isdigit() and len(passage) < 12):
        raise DataError(f"{place}: a passage id must be a whole number from 0, not '{passage[:60]}'")
    return int(passage)


def _write_queries(split: str, files: list[Path], judgments: list[Judgment], writer: FolderWriter) -> None:
    """Write the judged queries of a split, in the order of the files, and their judgments."""
    judged = {query for _, query, _, _ in judgments}
    known = writer.queries(split, (row for path in files for row in read_queries(path) if row[1] in judged))
    writer.judgments(split, judgments, known)


def read_queries(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (place, query, text) of the rows query TAB text."""
    for number, line in bounded_lines(path):
        name, tab, text = line.partition("\t")
        if not tab or not text.strip():
            raise line_error(path, number, f"expected: query id TAB text; got {line[:60]!r}")
        yield at_line(path, number), name, text
