"""Which requirements of the suite are installed, in which versions: read from the suite's own metadata."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from importlib.util import find_spec
from itertools import chain

from benchmark.registry import registered
from benchmark.version import __version__

DISTRIBUTION = "lmindexer-benchmark"
REQUIREMENT = re.compile(r"""(?P<name>[\w.-]+)[^;]*(?:;.*extra\s*==\s*["'](?P<extra>[\w.-]+)["'])?""")
SAME_MODULE = {"faiss-cpu": "faiss"}  # another build of the module will do: faiss-gpu-cu12, ..


@dataclass(frozen=True)
class Requirement:
    """A package that the suite asks for; `extra` names the option that needs it ('' for all of the suite)."""

    name: str
    extra: str
    installed: str  # distribution that is there in its place: itself, or another build of the same module; '' for none
    version: str

    @property
    def install(self) -> str:
        """How to get it."""
        return f"pip install '{DISTRIBUTION}[{self.extra}]'" if self.extra else f"pip install {self.name}"


@cache
def requirements() -> tuple[Requirement, ...]:
    """Return all requirements, those of extras too, in the order of the metadata; none where the suite has none."""
    try:
        declared = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # a checkout that is not installed
        declared = []
    matches = [match for text in declared if (match := REQUIREMENT.match(text))]
    return tuple(_look_up(match["name"], match["extra"] or "") for match in matches)


def _look_up(name: str, extra: str) -> Requirement:
    for candidate in chain((name,), _other_builds(name)):  # others are looked for only where it is not there itself
        try:
            return Requirement(name, extra, candidate, version(candidate))
        except PackageNotFoundError:
            continue
    return Requirement(name, extra, "", "")


def _other_builds(name: str) -> Iterable[str]:
    module = SAME_MODULE.get(name)
    if module is not None and find_spec(module) is not None:
        yield from packages_distributions().get(module, ())


def installed_versions(plugins: Iterable[str] = ()) -> dict[str, str]:
    """Return name -> version of Python, the suite, every installed requirement, and these distributions besides."""
    found = {required.installed: required.version for required in requirements() if required.installed}
    found |= {name: version(name) for name in plugins}
    found.pop(DISTRIBUTION, None)
    return {"python": platform.python_version(), DISTRIBUTION: __version__, **dict(sorted(found.items()))}


def distributions_of(method: str) -> list[str]:
    """Return the distributions that a method and the metrics of plugins come from."""
    entries = [registered("method").get(method), *registered("metric").values()]
    return sorted({entry.dist.name for entry in entries if entry is not None and entry.dist is not None})
