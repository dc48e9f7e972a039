"""What a method or a stage reports of itself beside its results: sizes, speed, training, notes. All names are declared.

They stand in cost.json below `facts`, by stage; notes go into result.json and below every table that shows the row.
A plugin declares a fact of its own where it is imported:

    declare_fact("trees", "trees of the index")
    ...
    context.facts["trees"] = 10
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, MutableMapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.errors import UsageError, did_you_mean

NESTED_SECONDS = "nested_seconds"

_OF_PLUGINS: dict[str, str] = {}


@cache
def _built_in() -> dict[str, str]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def declare_fact(name: str, description: str) -> None:
    """Let methods report a fact of this name. Raises UsageError where the name means something else already."""
    if declared_facts().get(name, description) != description:
        raise UsageError(f"the fact '{name}' is declared already: {declared_facts()[name]}")
    _OF_PLUGINS[name] = description


def declared_facts() -> dict[str, str]:
    """Return name -> description of every declared fact."""
    return {**_built_in(), **_OF_PLUGINS}


class Facts(MutableMapping[str, Any]):
    """A dictionary of facts that refuses undeclared names. What follows an '@' is a cutoff: `index_recall@100`."""

    def __init__(self, *values: Any, **named: Any) -> None:
        self._values: dict[str, Any] = {}
        self.update(*values, **named)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name.partition("@")[0] not in (known := declared_facts()):
            hint = did_you_mean(name, known)
            raise UsageError(f"undeclared fact '{name}'.{hint} A new one: benchmark.types.facts.declare_fact(name, ..)")
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Facts({self._values})"
