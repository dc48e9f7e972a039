"""Finding methods, data sets, tables and renderers by name, through entry points; nothing is imported before its use.

A plugin registers itself in its own pyproject.toml, exactly as the built-in ones do:

    [project.entry-points."benchmark.methods"]
    mine = "my_package:MyIndexer"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmark.errors import BenchmarkError, UsageError, did_you_mean, quoted

GROUPS = {
    "method": "benchmark.methods",
    "data set": "benchmark.datasets",
    "table": "benchmark.reports",
    "format": "benchmark.renderers",
    "figure": "benchmark.figures",
    "importer": "benchmark.importers",
    "bench": "benchmark.benches",
    "selftest": "benchmark.selftests",
    "tool": "benchmark.tools",
    "embedder": "benchmark.embedders",
    "metric": "benchmark.metrics",
}


@cache
def registered(what: str) -> dict[str, EntryPoint]:
    """Return name -> entry point of one group ('method', 'data set', 'importer', ...), sorted by name."""
    return {name: claims[-1] for name, claims in _claimed(what).items()}


@cache
def _claimed(what: str) -> dict[str, list[EntryPoint]]:
    """Return name -> the different entry points that installed packages register under it, sorted by name."""
    found: dict[str, list[EntryPoint]] = {}
    for entry in sorted(entry_points(group=GROUPS[what]), key=lambda entry: entry.name):
        claims = found.setdefault(entry.name, [])
        if entry.value not in [other.value for other in claims]:
            claims.append(entry)
    return found


def find(what: str, name: str) -> EntryPoint:
    """Return the entry point, or raise UsageError with the nearest known name.

    A name that two packages claim is refused with a BenchmarkError: a table row must mean one thing.
    """
    claims = _claimed(what).get(name, ())
    if len(claims) > 1:
        values = " and ".join(entry.value for entry in claims)
        raise BenchmarkError(f"two installed packages register the {what} '{name}': {values}; uninstall one")
    known = registered(what)
    if name not in known:
        raise UsageError(f"unknown {what} {quoted(name)}.{did_you_mean(name, known)}")
    return known[name]


def load(what: str, name: str) -> Any:
    """Import and return the registered object."""
    entry = find(what, name)
    with _named(f"the {what} '{name}' ({entry.value}) cannot be imported"):
        return entry.load()


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Turn a plugin's own mistake, `sys.exit` while it is imported among them, into a BenchmarkError that names it."""
    try:
        yield
    except (Exception, SystemExit) as error:
        kind = "" if isinstance(error, BenchmarkError | ImportError) else f"{type(error).__name__}: "
        raise BenchmarkError(f"{what}: {kind}{error}") from error


def source_file(entry: EntryPoint) -> Path:
    """Return the file an entry point's module is read from, without importing that module.

    Raises BenchmarkError where it has none: the packages that it lies in are imported, and may fail.
    """
    with _named(f"'{entry.name}' points to {entry.value}, which cannot be read"):
        spec = find_spec(entry.module)
    if spec is None or not spec.has_location or spec.origin is None:
        raise BenchmarkError(f"'{entry.name}' points to {entry.value}, which is not there")
    return Path(spec.origin)


def describe(entry: EntryPoint) -> tuple[str, str]:
    """Return (base class name, first line of the docstring) of a registered class, read from its source.

    A table is no class but a declaration, `NAME = Table(name, title, ...)`: its title serves. Reading the source keeps
    `benchmark list` fast: no module is imported. Raises BenchmarkError for what cannot be read.
    """
    path = source_file(entry)
    with _named(f"{path} cannot be read"):
        tree = ast.parse(path.read_bytes())
    kind, doc = "", ""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == entry.attr:
            doc = ast.get_docstring(node) or ""
            if node.bases:
                base = node.bases[0]
                kind = _kind(ast.unparse(base.value if isinstance(base, ast.Subscript) else base), tree)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            texts = [part.value for part in node.value.args if isinstance(part, ast.Constant)]
            if any(ast.unparse(target) == entry.attr for target in node.targets) and len(texts) > 1:
                doc = str(texts[1])
    doc = doc or ast.get_docstring(tree) or ""
    return kind, doc.split("\n", 1)[0]


def _kind(base: str, tree: ast.Module) -> str:
    """Return what a class is by the name of its base, or of that one's base where it stands in the same file."""
    name = base.rpartition(".")[2]
    own = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    if own is not None and own.bases:
        above = own.bases[0]
        return _kind(ast.unparse(above.value if isinstance(above, ast.Subscript) else above), tree)
    return next((kind for kind in ("indexer", "retriever", "recommender") if name.lower().endswith(kind)), name.lower())
