"""What is wrong with the lines of a file, told together: whoever mends a table wants to see more than one line a time.

with Problems() as problems:
    for place, record in records:
        try:
            ...
        except DataError as error:
            problems.add(error)
"""

from __future__ import annotations

from types import TracebackType

from benchmark.errors import DataError

SHOWN = 10  # wrong lines; after these nobody reads on


class Problems:
    """Keeps the errors of lines, and raises one DataError with all of them at the end or after the tenth."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, error: DataError) -> None:
        """Keep an error. Raises DataError once there are SHOWN."""
        self._found.append(str(error))
        if len(self._found) == SHOWN:
            raise self._all(f"the first {SHOWN} lines that are wrong:")

    def __enter__(self) -> Problems:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if not self._found or len(self._found) == SHOWN:
            return
        if isinstance(error, DataError):  # one that ended the reading
            self._found.append(str(error))
        elif error is not None:
            return
        raise self._all(f"{len(self._found)} lines are wrong:") from None

    def _all(self, heading: str) -> DataError:
        return DataError(self._found[0] if len(self._found) == 1 else "\n  ".join([heading, *self._found]))
