"""Histories out of `item_id_list`: one line for each target, with the items before it.

    user_id:token  item_id_list:token_seq  item_id:token        0    a b c    d

LC-Rec, MiniOneRec and RecBole's own benchmark files have a line for every event of a user but the first, in
NAME.train.inter, NAME.valid.inter and NAME.test.inter; lists keep the last 50 items. The lines of a user are put back
together: each list must be the history so far, or its end where lists are cut. Within a file they may be in order or
in reverse, as LC-Rec's script writes them.

Source: Zheng et al., LC-Rec, ICDE 2024 (format of its released data); `item_id_list` of RecBole 1.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmark.data.writing import FolderWriter, one_word
from benchmark.datasets.atomic import AtomicFile
from benchmark.errors import DataError


@dataclass(frozen=True)
class Window:
    """One line: the items before the target, and where it stands."""

    before: list[str]
    target: str
    place: str


@dataclass
class ItemLists:
    """The lines of all files: user -> one list of windows for each file that has any."""

    windows: dict[str, list[list[Window]]] = field(default_factory=dict)
    longest: int = 0  # list

    def add(self, file: AtomicFile, rows: Iterable[tuple[str, dict[str, str]]], names: Mapping[str, str]) -> None:
        """Read one file; `names` says what its fields for user, item and list are called."""
        met = set()
        for place, row in rows:
            user = one_word(row[names["user"]], "a user id", place)
            before = [one_word(item, "an item id", place) for item in row[names["list"]].split()]
            window = Window(before, one_word(row[names["item"]], "an item id", place), place)
            files = self.windows.setdefault(user, [])
            if user not in met:
                files.append([])
                met.add(user)
            files[-1].append(window)
            self.longest = max(self.longest, len(before))
        if not met:
            raise DataError(f"{file.path}: holds not one event")

    def histories(self, writer: FolderWriter) -> dict[str, list[str]]:
        """Return user -> items, oldest first. Raises DataError where the lists of a user contradict each other."""
        self._check_separator()
        histories = {user: self._history(user, files) for user, files in self.windows.items()}
        cut = sum(len(min(files[0], key=_length).before) == self.longest for files in self.windows.values())
        what = f"users' lists all hold {self.longest} items, the most of all: their histories may be cut at the front"
        writer.note_counts({what: cut if self.longest > 1 else 0})
        return histories

    def _history(self, user: str, files: Sequence[Sequence[Window]]) -> list[str]:
        history: list[str] = []
        for windows in files:
            readings = [self._extended(history, windows), self._extended(history, windows[::-1])]
            different = [items for items in readings if items is not None]
            if not different:
                raise DataError(
                    f"{windows[0].place}: the item lists of user '{user}' do not continue each other, neither in "
                    "order nor in reverse, so their history cannot be put together"
                )
            if different[0] != different[-1]:  # only lists of one item leave that open
                raise DataError(
                    f"{windows[0].place}: the item lists of user '{user}' continue each other in order and in reverse; "
                    "which of the two is their history cannot be told"
                )
            history = different[0]
        return history

    def _extended(self, history: Sequence[str], windows: Sequence[Window]) -> list[str] | None:
        """Return the history with the targets, None where a list is not the history so far."""
        items = list(history)
        for window in windows:
            if items and window.before != items[-self.longest :]:
                return None
            items = items or list(window.before)
            items.append(window.target)
        return items

    def _check_separator(self) -> None:
        """Refuse lists that are separated by another sign than white space."""
        windows = [window for files in self.windows.values() for group in files for window in group]
        targets = {window.target for window in windows}
        strange = [window for window in windows if any(sign in item for item in window.before for sign in ",;|")]
        if strange and not any(item in targets for window in windows for item in window.before):
            listed = " ".join(strange[0].before)
            raise DataError(f"{strange[0].place}: an item list must be separated by spaces, not {listed[:60]!r}")


def _length(window: Window) -> int:
    return len(window.before)
