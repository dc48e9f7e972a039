"""The tables that a run prints: those of a task as soon as it is complete, the others at the end."""

from __future__ import annotations

import shlex
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.registry import load
from benchmark.results.registered_tables import default_tables, fill_tables
from benchmark.streams import answer

if TYPE_CHECKING:
    from benchmark.api.results import Results


class RunTables:
    """Prints each of the suite's own tables once: its headline columns, or with `wide` all of it."""

    def __init__(self, *, wide: bool = False) -> None:
        self._wide = wide

    @cached_property
    def _left(self) -> dict[str, str]:
        return default_tables()  # name -> task

    @cached_property
    def _overview(self) -> Any:
        return load("tool", "overview")()

    def of_task(self, task: str, results: Results) -> None:
        """Print the tables of a task that is complete. Whatever fails here is tried again at the end, after the run."""
        with suppress(Exception):
            self._print([name for name, of in self._left.items() if of == task], results)

    def rest(self, results: Results) -> None:
        """Print the tables that have not been printed, and of an overview how to see the rest."""
        self._print(list(self._left), results)
        if not self._wide:
            answer(rest_of(results.runs))

    def _print(self, names: list[str], results: Results) -> None:
        if names and self._wide:
            if (tables := results.table(*names)).filled:
                answer(tables)
        elif names and (filled := fill_tables(list(results), names, headlines=True)):
            answer(self._overview.text(filled))
        for name in names:
            del self._left[name]


def rest_of(runs: Path) -> str:
    """Say how to see what an overview leaves out."""
    return f"All columns and costs: benchmark report --runs {shlex.quote(str(runs))} --wide"
