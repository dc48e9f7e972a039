"""Content-addressed stages: a result is found by the hash of all that decides it, and written whole or not at all.

    CACHE/<stage>/<key>/         a finished stage: its files and cost.json (seconds, peak memory, device, date)
    CACHE/<stage>/<key>.work/    what survives a kill of a running stage (checkpoints); gone when the stage is whole
    CACHE/<stage>/<key>.lock     held by the process that builds the stage

The key of a stage holds its inputs' keys, its configuration and a hash of the code that computes it (`code_version`),
so a changed codebook or a mended bug invalidates exactly what depends on it.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_origin

from pydantic import BaseModel

import benchmark
from benchmark.errors import BenchmarkError

NESTED_SECONDS = "nested_seconds"  # in a stage's facts: time spent in stages that it built inside itself


def digest(content: Any) -> str:
    """Return a 16-digit hash of JSON-like content (keys in any order)."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically: it is there whole, or as it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        temporary.write_text(text, "utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def folder_version(name: str) -> str | None:
    """Return a hash of a local model folder's files (names, sizes, times); None for anything but a folder.

    A model that was trained again under the same path is another model.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
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
    """Return a hash of the code of a module, class or function, and of all it imports from the same packages.

    Imports are followed however deep, also those inside functions; they are read from the sources and not carried out.
    Comments, docstrings and layout do not count. Raises BenchmarkError for a module whose source cannot be found.
    """
    return digest(code_of(root.__name__ if isinstance(root, ModuleType) else root.__module__))


@cache
def code_of(module: str) -> dict[str, str]:
    """Return module -> hash of its code, for a module and all it imports from the same packages, however deep."""
    packages = {"benchmark", module.partition(".")[0]}
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


def _source(name: str) -> Path | None:
    """Find a module's file by walking its package's folders (`find_spec` would import the parents)."""
    top, *rest = name.split(".")
    if top == "benchmark":
        folders = [Path(folder) for folder in benchmark.__path__]
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
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), imports


@dataclass(frozen=True)
class Stage:
    """One stage: a folder under its key. `final` exists only when the stage is whole."""

    name: str
    key: str
    final: Path

    @property
    def done(self) -> bool:
        return self.final.is_dir()

    @property
    def work(self) -> Path:
        return self.final.with_name(self.final.name + ".work")

    def cost(self) -> dict[str, Any]:
        """Seconds, peak memory, device and date of the run that built this stage."""
        content: dict[str, Any] = json.loads((self.final / "cost.json").read_text("utf-8"))
        return content


@dataclass(frozen=True)
class Store:
    """All stages below one cache folder."""

    root: Path

    def stage(self, name: str, decided_by: Mapping[str, Any]) -> Stage:
        """Return the stage that these contents decide."""
        key = digest(decided_by)
        return Stage(name, key, self.root / name / key)

    def build(
        self, stage: Stage, make: Callable[[Path, Path], dict[str, Any]], *, device: str, collective: bool = True
    ) -> Stage:
        """Make the stage unless it is there: `make(folder, work)` fills the folder and returns facts of its own.

        The folder takes its final name only when whole. Under `accelerate launch` every process makes a collective
        stage (training needs them all) and the first process's files count; of any other stage the rest wait for
        the first. Raises BenchmarkError on a full disk.
        """
        if stage.done:
            return stage
        if process_rank() > 0 and not collective:
            return _wait(stage)
        with _alone(stage):  # a process that works side by side may be at the same stage
            return stage if stage.done else self._build(stage, make, device)

    def _build(self, stage: Stage, make: Callable[[Path, Path], dict[str, Any]], device: str) -> Stage:
        folder = stage.final.with_name(f"{stage.final.name}.partial-{os.getpid()}")
        shutil.rmtree(folder, ignore_errors=True)
        try:
            resumed = stage.work.is_dir() and any(stage.work.iterdir())
            folder.mkdir(parents=True)
            stage.work.mkdir(parents=True, exist_ok=True)
            reset_peak_memory()
            started = time.perf_counter()
            facts = make(folder, stage.work)
            if process_rank() > 0:
                return _wait(stage)
            nested = facts.pop(NESTED_SECONDS, 0.0)
            cost = {
                "seconds": round(time.perf_counter() - started - nested, 3),
                "peak_memory": peak_memory(),
                "device": device,
                "date": datetime.now(UTC).date().isoformat(),
                "resumed": resumed,  # after a kill, `seconds` counts the last part only
                "facts": facts,
            }
            write_json(folder / "cost.json", cost)
            os.replace(folder, stage.final)
            shutil.rmtree(stage.work, ignore_errors=True)
        except OSError as error:
            if error.errno == 28:
                raise BenchmarkError(f"the disk is full: stage '{stage.name}' needs room below {self.root}") from error
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return stage


def process_rank() -> int:
    """This process's number among those of `accelerate launch` or `torchrun`; 0 outside them."""
    return int(os.environ.get("RANK", "0"))


@contextlib.contextmanager
def _alone(stage: Stage) -> Iterator[None]:
    """Hold the stage's lock; of the processes of one launch only the first takes it."""
    if process_rank() > 0:
        yield
        return
    stage.final.parent.mkdir(parents=True, exist_ok=True)
    with stage.final.with_name(f"{stage.final.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def processes() -> int:
    """How many processes the launcher started; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def _wait(stage: Stage) -> Stage:
    while not stage.done:  # if the first process fails, the launcher ends this one
        time.sleep(0.2)
    return stage


def reset_peak_memory() -> None:
    """Start a new peak-memory reading (Linux; elsewhere the peak is the whole process's)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> dict[str, int]:
    """Return the peak resident memory in bytes since the last reset, and the GPU's where one is in use."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak = int(line.split()[1]) * 1024
    found = {"cpu": peak}
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        found["gpu"] = int(torch.cuda.max_memory_allocated())
    return found
