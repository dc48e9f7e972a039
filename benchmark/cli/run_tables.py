"""The tables that a run prints: those of a task as soon as it is complete, the others at the end."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from benchmark.results.registered_tables import default_tables
from benchmark.streams import answer

if TYPE_CHECKING:
    from benchmark.api.results import Results


class RunTables:
    """Prints each of the suite's own tables once."""

    @cached_property
    def _left(self) -> dict[str, str]:
        return default_tables()  # name -> task

    def of_task(self, task: str, results: Results) -> None:
        """Print the tables of a task that is complete. Whatever fails here is tried again at the end, after the run."""
        with suppress(Exception):
            self._print([name for name, of in self._left.items() if of == task], results)

    def rest(self, results: Results) -> None:
        """Print the tables that have not been printed."""
        self._print(list(self._left), results)

    def _print(self, names: list[str], results: Results) -> None:
        if names and (tables := results.table(*names)).filled:
            answer(tables)
        for name in names:
            del self._left[name]
