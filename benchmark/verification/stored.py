"""One result's files as they are stored, each read once; what is wrong with them becomes a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from benchmark.metrics.lookup import find_metric, plugins
from benchmark.verification.files import Codes, lines, read_ids, read_items
from benchmark.verification.findings import (
    LEFT_OUT,
    MISSING,
    NOT_CHECKED,
    NOT_RECOMPUTED,
    OF_PLUGIN,
    WRONG,
    Absent,
    Findings,
    Flaw,
)

Value = TypeVar("Value")
QUALITY = "id-quality"
LIST = "left-out.txt"  # file names, one a line: what an archive of results leaves out of a result's folder


@dataclass
class Stored:
    """A result's folder, its name in findings, the content of result.json, and its metrics by task."""

    folder: Path
    where: str
    findings: Findings
    content: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, float]]

    @cached_property
    def ids(self) -> dict[str, Codes] | None:
        """Item -> codes before the dedup counter; None for a method without IDs, or where they cannot be read."""
        if self.content["kind"] != "indexer":
            return None
        ids = self.read("", read_ids, "ids.tsv")
        for position, size in enumerate(self.sizes if ids else (), 1):
            large = first(
                item for item, codes in (ids or {}).items() if len(codes) >= position and codes[position - 1] >= size
            )
            if large:
                self.wrong("ids.tsv", f"'{large}' has a code beyond codebook@{position} = {size}")
        return ids

    @cached_property
    def items(self) -> dict[str, tuple[str, ...]] | None:
        """Item -> category path, None where the items file cannot be read."""
        path = self.beside("items", "jsonl")
        return self.read("", read_items, path.name, path)

    @cached_property
    def withheld(self) -> frozenset[str]:
        """The items that nothing was learned from; none where the split withholds none, or their file is not there."""
        if "withheld" not in self._protocol:
            return frozenset()
        path = self.of_split("withheld")
        found = self.read("", lambda path: frozenset(line for _, line in lines(path)), path.name, path)
        return found or frozenset()

    @cached_property
    def left_out(self) -> frozenset[str]:
        """The names of files that an archive of results has left out."""
        return left_out(self.folder)

    @property
    def _protocol(self) -> Mapping[str, Any]:
        return self.content["config"].get("protocol") or {}

    @property
    def first_look(self) -> bool:
        """Whether only some of the test users and queries were ranked: the data set counts all."""
        return "first_look" in self._protocol

    @property
    def sizes(self) -> Sequence[int]:
        """Codebook sizes, as far as the result counts them."""
        counts = self.content["counts"].get(QUALITY, {})
        sizes: list[int] = []
        while f"codebook@{len(sizes) + 1}" in counts:
            sizes.append(int(counts[f"codebook@{len(sizes) + 1}"]))
        return sizes

    def beside(self, name: str, suffix: str) -> Path:
        """Where a file lies that all results of the data set share."""
        return self.folder.parents[2] / f"{name}-{self.content['dataset']['fingerprint'][:12]}.{suffix}"

    def of_split(self, name: str) -> Path:
        """Where a text file lies that all results of the data set, its split and its order of ties share."""
        own = ((key, str(self._protocol[key])) for key in ("split", "ties") if key in self._protocol)
        path = self.beside(name, "txt")
        return path.with_name(f"{path.stem}{''.join(f'-{key}-{word}' for key, word in own).replace(':', '-')}.txt")

    def wrong(self, what: str, reason: str) -> None:
        """Note what does not follow."""
        self.findings.add(WRONG, self.where, what, reason)

    def read(self, task: str, read: Callable[[Path], Value], name: str, path: Path | None = None) -> Value | None:
        """Read a file; one that is not there or says what cannot be is a finding."""
        try:
            return read(path or self.folder / name)
        except Absent:
            numbers = len(self.metrics.get(task, {})) if path is None else 0
            reason = f"it is not there; {numbers} numbers of {task} follow from it" if numbers else "it is not there"
            self.findings.add(LEFT_OUT if name in self.left_out else MISSING, self.where, name, reason)
        except Flaw as error:
            self.wrong(name, str(error))
        return None

    def same(self, what: str, stored: object, due: object, source: str) -> None:
        """Count one number or name as checked, and as wrong unless it is what it must be."""
        self.findings.checked += 1
        if stored != due:
            self.wrong(what, f"says {stored!r}, {source} {due!r}")

    def lack(self, task: str, reasons: Mapping[str, str]) -> None:
        """Note what cannot be recomputed (metric -> reason), once for each reason."""
        for reason in dict.fromkeys(reasons.values()):
            names = [name for name, why in reasons.items() if why == reason]
            what = f"{task}, {names[0]}" if len(names) == 1 else f"{task}, {len(names)} numbers"
            kind = LEFT_OUT if self.left_out else MISSING
            self.findings.add(kind, self.where, what, f"{reason} ({', '.join(names)})")

    def unknown(self, task: str, name: str) -> None:
        """Note a metric that only the suite, a plugin or ir-measures can compute."""
        value = next((entry.value for entry, metric in plugins() if metric.name == name and task in metric.tasks), "")
        if value:
            self.findings.add(OF_PLUGIN, self.where, f"{task}, {name}", f"only its plugin can recompute it ({value})")
            return
        if find_metric(name, task):
            reason = "computed by ir-measures, and this package has no code of its own for it; the mean of its values "
            reason += "per query was compared"
            self.findings.add(NOT_RECOMPUTED, self.where, f"{task}, {name}", reason)
            return
        self.findings.add(NOT_CHECKED, self.where, f"{task}, {name}", "this version knows no second way to it")


def left_out(folder: Path) -> frozenset[str]:
    """Return the names of the files that an archive has left out of a result's folder."""
    path = folder / LIST
    return frozenset(line for _, line in lines(path)) if path.is_file() else frozenset()


def first(names: Iterator[str]) -> str:
    """Return the first of some names, '' where there is none."""
    return next(names, "")
