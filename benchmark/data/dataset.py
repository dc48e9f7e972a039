"""Data sets: found by path or name, opened cheaply, parsed once.

    open_dataset("beauty", cache=..., data_root=...)   a folder in the neutral layout, here or under the data root
    open_dataset("planted:items=10000,noise=0.2")      a registered data set with options, built once into the cache

Opening reads dataset.toml and hashes the raw files; items, histories and queries are parsed on first use, the first
two into memory-mapped files under the cache.
"""

from __future__ import annotations

import inspect
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from numpy.typing import NDArray

from benchmark.code_version import code_version
from benchmark.config import Configured, MethodConfig, build_config
from benchmark.data import items as item_reader
from benchmark.data import layout, parsed
from benchmark.data.about import TASKS, read_about
from benchmark.errors import BenchmarkError, DataError, UsageError, did_you_mean, quoted
from benchmark.files import digest, file_digest, home_path
from benchmark.registry import load, registered
from benchmark.sealing import is_whole, sealed
from benchmark.types.data import Corpus, Histories, QuerySet
from benchmark.types.item_text import DEFAULT_TEXT_FIELDS

DATA_ROOT_VARIABLE = "BENCHMARK_DATA"
SPLITS = ("train", "dev", "test")
LONGEST_NAME = 200  # bytes; file systems have names of up to 255, and temporary ones are longer
WITHOUT_TEST = "without_test"  # in dataset.toml: a copy to choose settings on (`datasets.without_test`)
ORIGINAL = "original"  # in dataset.toml of such a copy or of a set with options: the data set that it is of

ConfigT = TypeVar("ConfigT", bound=MethodConfig)


class DatasetBuilder(Configured[ConfigT], ABC):
    """A registered data set: writes a folder in the neutral layout, from options or from raw files."""

    name: ClassVar[str]

    def key(self) -> str:
        """Return what decides the content: the options and the code (`x.py` and what lies beside it as x*.py, x*.toml;
        of a package all its files).

        A builder that reads raw files adds their hashes.
        """
        source = Path(inspect.getfile(type(self)))
        places = source.parent.rglob("*") if source.name == "__init__.py" else source.parent.glob(f"{source.stem}*")
        files = [path for path in sorted(places) if path.suffix in (".py", ".toml")]
        code = [file_digest(path) for path in files]
        return digest([self.name, self.config.model_dump(mode="json"), code])

    @abstractmethod
    def build(self, folder: Path) -> None:
        """Write the data set into an empty folder."""


def open_dataset(spec: str, *, cache: Path, data_root: Path | None = None, check: bool = True) -> Dataset:
    """Open a data set by path, by name under the data root, or by registered name with options.

    Without a data root, it is `default_data_root()`. With `check`, counts that differ from the [expect] table of
    dataset.toml are an error; without, a warning. Raises UsageError when there is no such data set, DataError when
    one of its files is wrong.
    """
    data_root = data_root or default_data_root()
    path = home_path(spec)
    if max((len(part.encode("utf-8", "surrogateescape")) for part in path.parts), default=0) > LONGEST_NAME:
        raise UsageError(f"data set {quoted(spec)}: a name in it is longer than {LONGEST_NAME} bytes")
    if path.is_dir() and ("/" in spec or os.sep in spec or _is_dataset(path)):
        return Dataset(path, cache=cache, check=check)
    if "/" in spec.partition(":")[0] or path.is_file():
        hint = "no such folder"
        if path.is_file():
            table = path.name.removesuffix(".gz").endswith((".csv", ".tsv", ".parquet", ".txt"))
            make = f"'benchmark import table {spec} NAME' makes a data set of a table of items"
            hint = f"it is a file; {make if table else 'give the folder it lies in'}"
        raise UsageError(f"data set '{spec}': {hint}")
    place = data_root / (folder_name(spec) if ":" in spec else spec)
    if spec and _is_dataset(place):
        return Dataset(place, cache=cache, check=check)
    if spec.partition(":")[0] not in registered("data set"):
        raise UsageError(_unknown(spec.partition(":")[0], data_root))
    folder = _build(make_builder(spec), cache)
    return Dataset(folder, cache=cache, check=check)


def default_data_root() -> Path:
    """Return the folder of data sets: BENCHMARK_DATA, or else lmindexer-benchmark/data in the user's cache folder.

    Without a home folder it lies in the folder `.cache` of the working directory.
    """
    if os.environ.get(DATA_ROOT_VARIABLE):
        return Path(os.environ[DATA_ROOT_VARIABLE])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home_path("~/.cache"))
    return (Path(".cache") if cache.parts[0] == "~" else cache) / "lmindexer-benchmark" / "data"


def folder_name(spec: str) -> str:
    """Return the folder of a data set under the data root: 'beauty:locale=all' lies in 'beauty-locale-all'."""
    return re.sub(r"[^\w.-]+", "-", spec).strip("-.") or "data"


def _is_dataset(folder: Path) -> bool:
    return any((folder / name).is_file() for name in ("dataset.toml", "items.jsonl", "items.jsonl.gz"))


def _unknown(name: str, data_root: Path) -> str:
    roots = [root for root in (Path(), data_root) if root.is_dir()]
    there = [path.name for root in roots for path in root.iterdir() if _is_dataset(path)]
    nowhere = "" if data_root.is_dir() else ", which is not a folder"
    return (
        f"unknown data set '{name}': not a data set folder here, not under the data root {data_root}{nowhere} "
        f"(--data-root or {DATA_ROOT_VARIABLE}), and not registered."
        f"{did_you_mean(name, [*there, *registered('data set')])}"
    )


def make_builder(spec: str) -> DatasetBuilder[Any]:
    """Return the builder of a registered data set with the options of 'name:key=value,key=value'."""
    name, _, options = spec.partition(":")
    builder_class = load("data set", name)
    if not (isinstance(builder_class, type) and issubclass(builder_class, DatasetBuilder)):
        raise BenchmarkError(f"the registered data set '{name}' is not a DatasetBuilder")
    overrides = {}
    for option in filter(None, (part.strip() for part in options.split(","))):
        key, equals, value = option.partition("=")
        if not equals:
            raise UsageError(f"data set '{name}': option '{option}' should read KEY=VALUE")
        overrides[key.strip()] = value.strip()
    builder: DatasetBuilder[Any] = builder_class(build_config(builder_class.Config, overrides=overrides, owner=name))
    return builder


def _build(builder: DatasetBuilder[Any], cache: Path) -> Path:
    target = cache / "data" / f"{builder.name}-{builder.key()}"
    if not is_whole(target):
        with sealed(target) as folder:
            builder.build(folder)
    return target


class Dataset:
    """One data set on disk. Opening it costs a hash of its files; what is parsed is kept."""

    def __init__(self, folder: Path, *, cache: Path, check: bool = True) -> None:
        self.folder = folder
        self.check = check
        self.warnings: list[str] = []
        self._cache = cache / "data"
        self.about = about = read_about(folder)
        self.name = folder_name(str(about.get("name") or folder.resolve().name))
        if len(self.name.encode()) > LONGEST_NAME:
            raise DataError(f"{folder / 'dataset.toml'}: name {quoted(self.name)} is longer than {LONGEST_NAME} bytes")
        self.original = str(about.get(ORIGINAL) or self.name)  # the name by which presets know the data set
        self.title = str(about.get("title") or self.name)
        self.source = str(about.get("source", ""))
        self.licence = str(about.get("licence", ""))
        items = layout.find_part(folder, "items.jsonl")
        if items is None:
            raise DataError(f"{folder}: holds no items.jsonl or items.jsonl.gz")
        self.items_file = items
        self.sequences_file = layout.find_part(folder, "sequences.txt")
        self.times_file = layout.find_part(folder, "times.txt") if self.sequences_file else None
        self._splits = _query_files(folder)
        self.query_sets = _query_sets(self._splits)
        self.default_queries = next((name for name in ("judged", "judged-dev") if name in self.query_sets), "simulated")
        self.tasks = tuple(task for task in TASKS if task != "recommendation" or self.sequences_file)
        declared = about.get("tasks", self.tasks)
        self.default_tasks = tuple(task for task in self.tasks if task in declared) or self.tasks
        self.parts = self._hash_parts()
        self.fingerprint = digest([self.parts])
        self._compare(about.get("expect", {}))

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: what was parsed it opens in the cache."""
        parsed_here = {name for name in vars(type(self)) if isinstance(vars(type(self))[name], cached_property)}
        return {name: value for name, value in vars(self).items() if name not in parsed_here}

    def _hash_parts(self) -> dict[str, str]:
        """Return a short content hash per part, and count lines on the way."""
        facts = self._facts(self.items_file)
        self._counted = {"items": facts.lines}
        if not facts.lines:
            raise DataError(f"{self.items_file}: empty: not one item")
        parts = {"items": facts.sha256[:16]}
        if self.sequences_file:
            facts = self._facts(self.sequences_file, words=True)
            parts["sequences"] = facts.sha256[:16]
            self._counted |= {"users": facts.lines, "interactions": facts.words - facts.lines}
        if self.times_file:
            parts["times"] = self._facts(self.times_file).sha256[:16]
        files = sorted({path for pair in self._splits.values() for path in pair})
        hashes: list[Any] = [[path.name, self._facts(path).sha256] for path in files]
        if self.about.get(WITHOUT_TEST):
            hashes.append(WITHOUT_TEST)  # its simulated queries are other ones
        if hashes:
            parts["queries"] = digest([hashes])
        return parts

    def _facts(self, path: Path, *, words: bool = False) -> parsed.FileFacts:
        try:
            return parsed.file_facts(path, layout.open_bytes, self._cache, words=words)
        except layout.UNREADABLE:
            for _ in layout.lines(path):  # raises a DataError that names the line
                pass
            raise

    def _compare(self, expect: dict[str, int]) -> None:
        """Compare the counts with the [expect] table; what is wrong inside a file is reported first."""
        different = [
            f"{what}: expected {expected}, found {self._counted.get(what, 0)}"
            for what, expected in expect.items()
            if expected != self._counted.get(what, 0)
        ]
        if not different:
            return
        if self.check:
            _ = self._table
            if self.sequences_file:
                self.histories()
            raise DataError(
                f"{self.folder}: the counts differ from dataset.toml ({'; '.join(different)}); "
                "the files are not the ones expected, or the [expect] table is out of date"
            )
        self.warnings.append(f"counts differ from dataset.toml: {'; '.join(different)}")

    @property
    def n_items(self) -> int:
        """The number of items, known without parsing them."""
        return self._counted["items"]

    def check_fields(self, fields: Sequence[str]) -> None:
        """Raise UsageError with the nearest known name for a text field that no item has."""
        from benchmark.types import item_text as text

        text.check_fields(self._table, fields)

    def corpus(self, fields: Sequence[str] | None = DEFAULT_TEXT_FIELDS) -> Corpus:
        """Return the items with the text fields a method may read (None: the default ones)."""
        from benchmark.types import item_text as text

        fields = DEFAULT_TEXT_FIELDS if fields is None else tuple(fields)
        text.check_fields(self._table, fields)
        if missing := text.without_fields(self._table, fields):
            others = ", ".join(text.fallback_fields(self._table, fields))
            instead = f"used instead: {others}" if others else "their text is empty"
            self._warn([f"{missing} items have none of the text fields {', '.join(fields)}; {instead}"])
        return Corpus(self._table, fields, self.parts["items"])

    @cached_property
    def _table(self) -> Any:
        key = digest([self.parts["items"], code_version(item_reader), self.check])
        folder = self._cache / f"items-{key}"
        if not is_whole(folder):
            parsed.save_items(folder, *item_reader.read_items(self.items_file, spill=self._cache, check=self.check))
        table, warnings = parsed.open_items(folder)
        self._warn(warnings)
        return table

    @cached_property
    def _items_alone(self) -> Corpus:
        """The items for what reads no text fields of a method's choice."""
        return Corpus(self._table, (), self.parts["items"])

    def histories(self) -> Histories:
        """Return the user histories. Raises UsageError when the data set has none."""
        if self.sequences_file is None:
            raise UsageError(f"data set '{self.name}' has no sequences.txt, so no recommendation")
        return self._histories

    @cached_property
    def _histories(self) -> Histories:
        assert self.sequences_file is not None
        key = digest([self.parts["items"], self.parts["sequences"], code_version(layout)])
        folder = self._cache / f"sequences-{key}"
        if not is_whole(folder):
            parsed.save_histories(folder, *layout.read_sequences(self.sequences_file, self._items_alone.row_of))
        histories, warnings = parsed.open_histories(folder)
        self._warn(warnings)
        return histories

    def times(self) -> NDArray[Any]:
        """Return the time stamp of every event [n_interactions], int64 or float64, in the order of `histories`.

        Raises UsageError when the data set has none.
        """
        if self.times_file is None:
            raise UsageError(f"data set '{self.name}' has no times.txt, so the times of its events are unknown")
        return self._times

    @cached_property
    def _times(self) -> NDArray[Any]:
        assert self.times_file is not None
        key = digest([self.parts["sequences"], self.parts["times"], code_version(layout)])
        folder = self._cache / f"times-{key}"
        if not is_whole(folder):
            parsed.save_times(folder, layout.read_times(self.times_file, self.histories()))
        return parsed.open_times(folder)

    def queries(self, name: str, split: str, seed: int = 0, *, items: Corpus | None = None) -> QuerySet | None:
        """Return the queries of a set ('judged', 'simulated', ...) for 'train', 'dev' or 'test'; None: it has none.

        'judged-dev' is a set whose test judgments are missing: its test queries are the development ones. A copy
        without its test part has no development queries of its own: they are scored.
        `seed` is that of simulated queries, which are drawn from `items`; None: from all items.
        """
        if split not in SPLITS:
            raise UsageError(f"unknown split '{split}'.{did_you_mean(split, SPLITS)}")
        if name not in self.query_sets:
            raise UsageError(f"data set '{self.name}' has no queries '{name}'.{did_you_mean(name, self.query_sets)}")
        if name == "simulated":
            from benchmark.data.simulate import simulate

            if self.about.get(WITHOUT_TEST) and split == "dev":
                return None
            own_split = "dev" if split == "test" and self.about.get(WITHOUT_TEST) else split
            return simulate(items or self._items_alone, own_split, seed=seed)
        part = {("judged-dev", "test"): "dev", ("judged-dev", "dev"): ""}.get((name, split), split)
        own = name if split == "test" else ""
        files = self._splits.get(part if name in ("judged", "judged-dev") else own)
        return None if files is None else self._read_queries(name, files)

    def simulated_training(self, per_item: int, seed: int = 0, *, items: Corpus | None = None) -> QuerySet:
        """Return simulated training queries, about `per_item` for every item; none is a held-out query of its item.

        They are drawn from `items`; None: from all items.
        """
        from benchmark.data.simulate import simulate_training

        return simulate_training(items or self._items_alone, per_item, seed=seed)

    def _read_queries(self, name: str, files: tuple[Path, Path]) -> QuerySet:
        shared = sum(queries == files[0] for queries, _ in self._splits.values()) > 1
        query_set: QuerySet
        query_set, warnings = layout.read_queries(name, *files, self._items_alone.row_of, shared=shared)
        self._warn(warnings)
        return query_set

    def training_queries(self, name: str) -> str:
        """Return the query set that methods train on when `name` is tested: its own, or else the simulated one."""
        return name if name in ("judged", "judged-dev") and self._splits.get("train") else "simulated"

    def counts(self) -> dict[str, int]:
        """Return how many items, labelled items, distinct labels, users, events, queries and judgments there are.

        Reads every file of the set, so what is wrong anywhere comes to light here.
        """
        return dict(self._counts)

    @cached_property
    def _counts(self) -> dict[str, int]:
        corpus = self._items_alone
        labels = [path for path in corpus.paths if path]
        counts = {"items": len(corpus), "labelled items": len(labels), "distinct labels": len(set(labels))}
        if self.sequences_file:
            histories = self.histories()
            counts |= {"users": len(histories), "interactions": len(histories.items)}
            counts["users with a validation item"] = int((histories.lengths >= 3).sum())
        if self.times_file:
            _ = self.times()  # checks every line
        self._warn(self._without_judgments())
        for part, files in self._splits.items():  # every file, also of a split that no task uses
            name, split = ("judged", part) if part in SPLITS else (part, "test")
            queries = self._read_queries(name, files)
            judgments = len(queries.grades) + len(queries.absent)
            counts |= {f"{name} {split} queries": len(queries), f"{name} {split} judgments": judgments}
            relevant = int((queries.grades > 0).sum()) + sum(grade > 0 for _, _, grade in queries.absent)
            if relevant < judgments:
                counts[f"{name} {split} relevant judgments"] = relevant
        return counts

    def _without_judgments(self) -> list[str]:
        """Return a warning where no judgments use queries.tsv: a forgotten file would change the task silently."""
        queries = layout.find_part(self.folder, "queries.tsv")
        if queries is None or any(queries == used for used, _ in self._splits.values()):
            return []
        instead = "search uses simulated queries" if self.default_queries == "simulated" else "no task uses it"
        return [f"{queries.name} has no judgments (qrels.txt) beside it, so {instead}"]

    def note_markup(self) -> None:
        """Warn of text fields that hold HTML; reads every text."""
        from benchmark.data.markup import markup_notes

        self._warn([f"{self.items_file.name}: {note}" for note in markup_notes(self._table)])

    def _warn(self, warnings: Sequence[str]) -> None:
        self.warnings.extend(warning for warning in warnings if warning not in self.warnings)


def _query_files(folder: Path) -> dict[str, tuple[Path, Path]]:
    """Return split or set name -> (queries, qrels). Without a file of their own, train and dev use queries.tsv."""
    found: dict[str, tuple[Path, Path]] = {}
    common = layout.find_part(folder, "queries.tsv")
    suffix = re.compile(r"qrels(?:\.(.+?))?\.txt(?:\.gz)?")
    names = sorted({match[1] or "test" for path in folder.iterdir() if (match := suffix.fullmatch(path.name))})
    for name in names:
        part = "" if name == "test" else f".{name}"
        qrels = layout.find_part(folder, f"qrels{part}.txt") or layout.find_part(folder, f"qrels.{name}.txt")
        queries = layout.find_part(folder, f"queries.{name}.tsv") or (common if name in SPLITS else None)
        if queries is None:
            raise DataError(f"{folder}: {qrels.name if qrels else name} has no queries{part}.tsv beside it")
        if qrels is not None:
            found[name] = (queries, qrels)
    return found


def _query_sets(splits: dict[str, tuple[Path, Path]]) -> tuple[str, ...]:
    judged = ["judged"] if "test" in splits else ["judged-dev"] if "dev" in splits else []
    return (*judged, *(name for name in splits if name not in SPLITS), "simulated")
