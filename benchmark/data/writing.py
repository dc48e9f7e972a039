"""Writing the neutral layout from records of other people's files: one pass, ids are remembered, texts are not.

    items.jsonl  sequences.txt  times.txt  queries[.SPLIT].tsv  qrels[.SPLIT].txt  dataset.toml

Every record comes with its place ("file:line", "document 17 of X"), which a DataError names. What can be repaired or
left out is counted and becomes a note. `datasets.folder` reads the same files back.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from benchmark.data.about import EXPECTED
from benchmark.data.dataset import SPLITS
from benchmark.data.interactions import Interactions
from benchmark.data.items import TEXTLESS_SHARE
from benchmark.data.problems import Problems
from benchmark.errors import DataError

NAMED = 20  # fields of a file that a note names
_GRADE = re.compile(r"[+-]?[0-9]{1,6}")  # as `datasets.folder` reads it


def one_word(value: object, what: str, place: str) -> str:
    """Return an id as a string. Raises DataError when it is no string or number, is empty or holds white space."""
    if isinstance(value, float) and value.is_integer():  # numbers of a column with gaps
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DataError(f"{place}: {what} must be a word or a whole number, not {_shown(value)}")
    word = str(value)
    if word.split() != [word]:
        raise DataError(f"{place}: {what} must be one word without white space, not {_shown(word)}")
    if "\0" in word or not word.isprintable():
        raise DataError(f"{place}: {what} holds a control character: {_shown(word)}")
    return word


def whole_number(value: object, what: str, place: str) -> int:
    """Return a grade. Raises DataError when it is not a whole number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not _GRADE.fullmatch(str(value).strip()):
        raise DataError(f"{place}: {what} must be a whole number of at most six digits, not {_shown(value)}")
    return int(str(value))


def encodable(text: str, repaired: Counter[str], what: str) -> str:
    """Return text without halves of surrogate pairs: joined, or replaced where the other half is missing."""
    try:
        text.encode()
    except UnicodeEncodeError:
        repaired[f"{what} hold half of a surrogate pair; repaired"] += 1
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def examples(unknown: Counter[str], known: Collection[str]) -> str:
    """Return ", e.g. '9991'" for ids that are not known, and how many would be but for leading zeros; '' for none.

    Spreadsheets read 009991 as a number and drop its zeros. `unknown` counts the rows of each id.
    """
    if not unknown:
        return ""
    asked = {name.lstrip("0") for name in unknown if name.isdecimal()}
    lengths = {name.lstrip("0"): len(name) for name in known if name.isdecimal() and name.lstrip("0") in asked}
    found: Counter[str] = Counter()
    for name, rows in unknown.items():
        length = lengths.get(name.lstrip("0")) if name.isdecimal() else None
        if length is not None:
            found["with" if length > len(name) else "without"] += rows
    zeros = (
        f"; {rows:,} of them would be known {how} leading zeros, which spreadsheets drop" for how, rows in found.items()
    )
    return f", e.g. '{next(iter(unknown))[:60]}'{''.join(zeros)}"


def toml(value: str | bool | float | list[str]) -> str:
    """Return a text, a truth value, a number or a list of texts as TOML."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _shown(value: object) -> str:
    return repr(value)[:60]


class FolderWriter:
    """Fills one empty folder; `counts` and `notes` say what came in and what was left out or repaired."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids: set[str] = set()
        self.counts: dict[str, int] = {}
        self.facts: dict[str, float] = {}
        self.notes: list[str] = []
        self.tasks: tuple[str, ...] = ()  # the tasks of a run that names none; (): all that the files allow

    def items(self, records: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Write (place, {"id", text fields, "categories"}) in this order.

        Empty values are left out. Raises DataError for an id that is wrong or comes twice, and when there is no item.
        """
        repaired: Counter[str] = Counter()
        textless = 0
        with (self.folder / "items.jsonl").open("w", encoding="utf-8") as file, Problems() as problems:
            for place, record in records:
                item = {key: value for key, value in record.items() if not _empty(value)}
                try:
                    item["id"] = name = one_word(record.get("id"), "an item id", place)
                    if name in self.ids:
                        raise DataError(f"{place}: the item id '{name}' was already used")
                except DataError as error:
                    problems.add(error)
                    continue
                self.ids.add(name)
                textless += not (item.keys() - {"id", "categories"})
                file.write(_line(item, repaired))
        if not self.ids:
            raise DataError("not one item was found")
        self.counts["items"] = len(self.ids)
        self.note_counts(repaired)
        if textless:
            many = ": too many for a run without --no-check" if textless > TEXTLESS_SHARE * len(self.ids) else ""
            self.notes.append(f"{textless:,} items have no text{many}")

    def interactions(self, events: Interactions) -> None:
        """Write the users' events in time order, each that is stated again with the same time once."""
        events.drop_repeats()
        events.write(self.folder)
        self.counts |= {"users": events.n_users, "interactions": len(events)}
        self.facts |= events.facts()
        self.notes += events.notes()

    def histories(self, histories: Iterable[tuple[str, list[str]]]) -> None:
        """Write (user, items) as they are."""
        users = interactions = 0
        with (self.folder / "sequences.txt").open("w", encoding="utf-8") as file:
            for user, items in histories:
                file.write(" ".join((user, *items)) + "\n")
                users, interactions = users + 1, interactions + len(items)
        self.counts |= {"users": users, "interactions": interactions}

    def queries(self, split: str, rows: Iterable[tuple[str, object, object]]) -> set[str]:
        """Write (place, query id, text) of a split, or of all splits under the name 'test'; return the ids.

        A query that comes again with the same text is written once. Raises DataError for one with another text.
        """
        known: dict[str, str] = {}
        repaired: Counter[str] = Counter()
        with (self.folder / _name("queries", split, "tsv")).open("w", encoding="utf-8") as file, Problems() as problems:
            for place, query, text in rows:
                words = " ".join(str(text or "").replace("\0", " ").split())
                try:
                    name = one_word(query, "a query id", place)
                    if known.get(name, words) != words:
                        raise DataError(f"{place}: the query id '{name}' was already used, for {known[name][:60]!r}")
                except DataError as error:
                    problems.add(error)
                    continue
                if name in known:
                    repaired[f"lines repeat a query ({split}); written once"] += 1
                    continue
                known[name] = words
                file.write(f"{name}\t{encodable(words, repaired, 'queries')}\n")
        if not known:
            raise DataError(f"not one query was found ({split})")
        self.counts[f"{split} queries"] = len(known)
        self.note_counts(repaired)
        return set(known)

    def judgments(self, split: str, rows: Iterable[tuple[str, object, object, object]], queries: set[str]) -> None:
        """Write (place, query id, item id, grade) of a split as TREC qrels.

        Repeated ones are left out; those of unknown queries or items stay in the file, where every run counts them, the
        items as missed.
        Raises DataError for two grades of one pair and when no judgment belongs to a known query and item.
        """
        grades: dict[tuple[str, str], int] = {}
        repeated, usable = 0, 0
        unasked: Counter[str] = Counter()  # unknown queries
        absent: Counter[str] = Counter()  # unknown items
        with (self.folder / _name("qrels", split, "txt")).open("w", encoding="utf-8") as file, Problems() as problems:
            for place, query, item, value in rows:
                try:
                    pair = one_word(query, "a query id", place), one_word(item, "an item id", place)
                    grade = whole_number(value, "the grade", place)
                    if grades.get(pair, grade) != grade:
                        raise DataError(
                            f"{place}: query '{pair[0]}', item '{pair[1]}': grade {grade} here, {grades[pair]} before"
                        )
                except DataError as error:
                    problems.add(error)
                    continue
                if pair in grades:
                    repeated += 1
                    continue
                grades[pair] = grade
                asked, there = pair[0] in queries, pair[1] in self.ids
                usable += asked and there
                if not asked:
                    unasked[pair[0]] += 1
                elif not there:
                    absent[pair[1]] += 1
                file.write(f"{pair[0]} 0 {pair[1]} {grade}\n")
        of_queries, of_items = examples(unasked, queries), examples(absent, self.ids)
        if not usable:
            found = f"; {unasked.total():,} name an unknown query{of_queries}" if unasked else ""
            found += f"; {absent.total():,} name an unknown item{of_items}" if absent else ""
            raise DataError(f"not one judgment ({split}) belongs to a known query and a known item{found}")
        self.counts[f"{split} judgments"] = len(grades)
        self.note_counts(
            {
                f"repeated judgments ({split}); left out": repeated,
                f"judgments ({split}) of unknown queries; no run uses them{of_queries}": unasked.total(),
                f"judgments ({split}) of items not in the data set; they count as missed{of_items}": absent.total(),
            }
        )

    def note_left_out(self, file: str, fields: Collection[str]) -> None:
        """Count and name the columns or keys of a file that are not read, the first NAMED of them."""
        if fields:
            names = ", ".join(name[:40] for name in islice(fields, NAMED))
            more = f" and {len(fields) - NAMED:,} more" if len(fields) > NAMED else ""
            self.notes.append(f"{file}: {len(fields):,} fields left out: {names}{more}")

    def note_counts(self, counted: Mapping[str, int]) -> None:
        """Add 'number what' for every count above zero."""
        self.notes += [f"{number:,} {what}" for what, number in counted.items() if number]

    def seal(self, name: str, title: str, source: str, *, more: Mapping[str, str | bool] | None = None) -> None:
        """Write dataset.toml with the counts that the reader shall find, and with `more` keys."""
        expect = [f"{what} = {self.counts[what]}" for what in EXPECTED if what in self.counts]
        lines = [
            f"name = {toml(name)}",
            f"title = {toml(title)}",
            f"source = {toml(source)}",
            *(f"{key} = {toml(value)}" for key, value in (more or {}).items()),
            *([f"tasks = {toml(list(self.tasks))}"] if self.tasks else []),
            f"notes = {toml(self.notes)}",
            *(["", "[facts]", *(f"{key} = {value}" for key, value in self.facts.items())] if self.facts else []),
            "",
            "[expect]",
            *expect,
        ]
        (self.folder / "dataset.toml").write_text("\n".join(lines) + "\n", "utf-8")


def _name(stem: str, split: str, suffix: str) -> str:
    assert split in SPLITS
    return f"{stem}.{suffix}" if split == "test" else f"{stem}.{split}.{suffix}"


def _empty(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == [] or value == {} or (isinstance(value, float) and not math.isfinite(value))


def _line(item: Mapping[str, Any], repaired: Counter[str]) -> str:
    text = json.dumps(item, ensure_ascii=False, default=str)
    if "\\u0000" in text:
        repaired["items hold NUL characters; made spaces"] += 1
        text = json.dumps(_each_text(item, lambda part: part.replace("\0", " ")), ensure_ascii=False, default=str)
    return encodable(text, repaired, "items") + "\n"


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case dict():
            return {change(str(key)): _each_text(part, change) for key, part in value.items()}
        case list() | tuple():
            return [_each_text(part, change) for part in value]
        case _:
            return value
