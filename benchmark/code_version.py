"""What stands for code and models in a cache key: a hash that changes when they do."""

from __future__ import annotations

import ast
import os
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_origin

from pydantic import BaseModel

from benchmark.errors import BenchmarkError
from benchmark.files import bytes_digest, digest, home_path

MODEL_FILES = ("config.json", "modules.json")  # what a folder of Hugging Face or sentence-transformers holds


def folder_version(name: str) -> str | None:
    """Return a hash of a local model folder's files (names, sizes, times); None for anything but such a folder.

    A model that was trained again under the same path is another model. A folder in the working directory that
    happens to be named like a model (`scratch`, `default`) counts only where a model lies in it.
    """
    folder = home_path(name)
    if not folder.is_dir() or not (os.sep in name or any((folder / file).is_file() for file in MODEL_FILES)):
        return None
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = [(str(path.relative_to(folder)), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return digest(stats)


def model_folders(value: Any) -> dict[str, str]:
    """Return name -> version of every local folder that a configuration names, however deep (a pretrained model).

    The words of a Literal are no paths: a folder `corpus` in the working directory must not change a key.
    """
    match value:
        case BaseModel():
            fields = type(value).model_fields.items()
            parts = [getattr(value, name) for name, field in fields if get_origin(field.annotation) is not Literal]
        case dict():
            parts = list(value.values())
        case list() | tuple():
            parts = list(value)
        case str() if value and (version := folder_version(value)):
            return {value: version}
        case _:
            return {}
    return {name: version for part in parts for name, version in model_folders(part).items()}


def code_version(root: Any) -> str:
    """Return a hash of the module that something is defined in, and of all that it imports from the same packages.

    Imports are followed however deep, also those inside functions; they are read from the sources and not carried out.
    Comments, docstrings and layout do not count. Raises BenchmarkError for a module whose source cannot be found.
    """
    return digest(code_of(root.__name__ if isinstance(root, ModuleType) else root.__module__))


@cache
def code_of(module: str) -> dict[str, str]:
    """Return module -> hash of its code, for a module and all it imports from the same packages, however deep."""
    packages = {"benchmark", *_same_distribution(module.partition(".")[0])}
    seen: dict[str, str] = {}
    todo = [module]
    while todo:
        name = todo.pop()
        if name in seen or name.partition(".")[0] not in packages:
            continue
        source = _source(name)
        if source is None:
            raise BenchmarkError(f"the code of '{name}' cannot be found, so no cache key can stand for it")
        code, imports = _read_code(source, name)
        seen[name] = code
        todo += imports
    return seen


@cache
def _same_distribution(top: str) -> frozenset[str]:
    """Return the top-level modules that were installed with this one: a plugin may have helpers beside its module."""
    if top == "benchmark":
        return frozenset({top})
    installed = packages_distributions()
    own = set(installed.get(top, ()))
    return frozenset({top, *(name for name, of in installed.items() if own & set(of))})


def _source(name: str) -> Path | None:
    """Find a module's file by walking its package's folders (`find_spec` would import the parents)."""
    top, *rest = name.split(".")
    if top == "benchmark":
        folders = [Path(__file__).parent]
    else:
        spec = find_spec(top)
        if spec is None:
            return None
        if not rest or not spec.submodule_search_locations:
            return Path(spec.origin) if not rest and spec.origin and spec.origin.endswith(".py") else None
        folders = [Path(folder) for folder in spec.submodule_search_locations]
    for i, part in enumerate(rest):
        if i == len(rest) - 1:
            candidates = [path for f in folders for path in (f / part / "__init__.py", f / f"{part}.py")]
            return next((path for path in candidates if path.is_file()), None)
        folders = [folder / part for folder in folders]
    return next((f / "__init__.py" for f in folders if (f / "__init__.py").is_file()), None)


@cache
def _read_code(path: Path, module: str) -> tuple[str, list[str]]:
    """Return a hash of the code, and the modules that it imports."""
    tree = ast.parse(path.read_text("utf-8"))
    imports: list[str] = []
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                imports += [alias.name for alias in node.names]
            case ast.ImportFrom():
                base = node.module or ""
                if node.level:
                    base = ".".join([*package.split(".")[: len(package.split(".")) - node.level + 1], base]).strip(".")
                inside = [f"{base}.{alias.name}" for alias in node.names if _source(f"{base}.{alias.name}")]
                imports += inside
                if len(inside) < len(node.names) or _source(base):  # a folder without __init__.py has no code
                    imports.append(base)
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if ast.get_docstring(node, clean=False) is not None:
                    node.body = node.body[1:]
            case _:
                pass
    return bytes_digest([ast.dump(tree).encode()]), imports
