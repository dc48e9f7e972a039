"""Which column of a table is which, where --column names none: by its name, then by what it holds.

    items       id: different words in all rows, under a name such as sku; title, description, brand, price, categories
    events      user, item (or the column that holds the ids of items), time (or the column that holds dates)
    queries, judgments    by name

A grade that is not found where there are other columns is asked for: without one every line counts as relevant.

A column with our own name counts before one with a usual name, and that before one that only holds the right thing. An
id's column counts by its name also where a smaller part of its lines is wrong: the import then names these. Of two
columns that are equally good none is taken: a UsageError names both.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from benchmark.data.time_units import unit_of
from benchmark.datasets.delimited import SIGNS, Row, read_table
from benchmark.datasets.mapping import ITEM_FIELDS, KINDS
from benchmark.datasets.times import TimeColumn
from benchmark.errors import DataError, UsageError

SAMPLE = 1_000  # rows that are looked at; whether ids differ is asked of all
LONGER = 3  # times the length of a title, from which on a text is a description
USUAL = {  # in lower case, with _ for every other sign
    "items.id": "item_id product_id sku asin parent_asin article_id doc_id docid isbn ean gtin upc uid code key",
    "items.title": "name product_name item_name product_title item_title product headline label",
    "items.description": "desc product_description item_description details text body summary about content",
    "items.brand": "brand_name manufacturer maker vendor producer",
    "items.price": "list_price unit_price price_usd price_eur cost amount",
    "items.categories": "category cat category_path product_category main_category genres genre department",
    "events.user": "user_id userid uid customer customer_id reviewer reviewer_id reviewerid visitor_id session_id",
    "events.item": "item_id itemid product_id sku asin parent_asin article_id movie_id movieid product",
    "events.time": (
        "timestamp date datetime ts event_time created_at order_date unixreviewtime reviewtime purchase_date "
        "purchase_time purchased_at ordered_at order_time order_datetime unix_time time_stamp timestamp_ms "
        "event_timestamp rating_timestamp"
    ),
    "queries.id": "query_id qid queryid",
    "queries.text": "query q title question search_term search",
    "judgments.query": "query_id qid queryid",
    "judgments.item": "item_id product_id sku asin doc_id docid document",
    "judgments.grade": (
        "relevance rel label score gain rating relevance_label relevance_score relevant judgment judgement esci_label"
    ),
}
IDS = ("id", "user", "item", "query")
TEXTS = ("title", "description")


@dataclass
class Guess:
    """The columns of one table, and what was taken for what."""

    path: Path
    kind: str
    names: Sequence[str]
    sample: Sequence[Row]
    taken: dict[str, str] = field(default_factory=dict)  # our word -> the column

    def take(self, word: str, *, fits: Callable[[str], bool] = lambda name: True) -> bool:
        """Take the column whose name says that it is this one, if there is one. Raises UsageError for two."""
        usual = USUAL.get(f"{self.kind}.{word}", "").split()
        left = [name for name in self.names if name not in self.taken.values()]
        levels = (
            [name for name in left if name == word],
            [name for name in left if _simple(name) == word],
            [name for name in left if _simple(name) in usual],
        )
        return any(self.take_one(word, [name for name in names if fits(name)]) for names in levels)

    def take_one(self, word: str, names: Sequence[str]) -> bool:
        """Take the only one of these columns. Raises UsageError where there are several."""
        if len(names) > 1:
            *others, last = (f"'{name}'" for name in names)
            raise UsageError(
                f"{self.path}: {', '.join(others)} and {last} could each be the {word}; say which, and name the other "
                f"columns too: {self.option(word, names[0])}"
            )
        if names:
            self.taken[word] = names[0]
        return bool(names)

    @property
    def note(self) -> str:
        """What was taken for what under another name, as the words that say so; '' where nothing was."""
        others = [self.option(word, name) for word, name in self.taken.items() if word != name]
        return f"{self.path.name}: taken as with {' '.join(others)} (give your own to change it)" if others else ""

    def option(self, word: str, name: str) -> str:
        """Return the --column that takes a column for this."""
        return f"--column {shlex.quote(f'{word}={name}' if self.kind == 'items' else f'{self.kind}.{word}={name}')}"

    def values(self, name: str) -> list[str]:
        """Return what the sample has in a column, empty places left out."""
        return [text for row in self.sample if (text := _text(row[name]))]


def guess_items(path: Path, separator: str = "") -> Guess:
    """Return which columns of a table are the id and the known fields; the other columns keep their names."""
    guess = _looked_at(path, "items", separator)
    if not guess.names or (len(guess.names) == 1 and any(sign in guess.names[0] for sign in SIGNS)):
        return guess  # the import says that the table is empty, or that it has another separator
    if "id" in guess.names:
        guess.take("id")
    else:
        unique = _unique_words(path, separator)
        of_others = {
            *ITEM_FIELDS,
            *(name for key, names in USUAL.items() if key != "items.id" for name in names.split()),
        }
        left = [name for name in guess.names if name in unique and _simple(name) not in of_others]
        taken = guess.take("id", fits=unique.__contains__)
        if not (taken or guess.take("id", fits=lambda name: _are_mostly_different(guess.values(name)))):
            guess.take_one("id", left)
    if "id" not in guess.taken:
        named = ", ".join(guess.names)
        raise UsageError(
            f"{path}: no column has a different word in every row, as the id must (columns: {named}); name it with "
            "--column id=COLUMN"
        )
    for word in ("title", "description", "brand", "categories"):
        guess.take(word)
    guess.take("price", fits=lambda name: _is_numeric(guess.values(name)))
    if not guess.taken.keys() & {*TEXTS, "brand"}:
        _take_texts(guess)
    return guess


def guess_other(path: Path, kind: str, separator: str = "", known: Collection[str] = ()) -> Guess:
    """Return which columns of a table of events, queries or judgments are which; `known` are the ids of the items."""
    guess = _looked_at(path, kind, separator)
    words = [name for name in guess.names if _are_words(guess.values(name))]
    for word in KINDS[kind]:
        allowed = words if word in IDS else guess.names
        taken = guess.take(word, fits=allowed.__contains__)
        taken = taken or (word in IDS and guess.take(word, fits=lambda name: _are_mostly_words(guess.values(name))))
        left = [name for name in guess.names if name not in guess.taken.values()]
        if word == "time":
            _check_time(guess, taken, left)
        elif word == "item" and not taken:
            guess.take_one(word, [name for name in left if _mostly(guess.values(name), known)])
        elif word == "grade" and not taken and left:
            raise UsageError(
                f"{path}: none of its columns is known to be the grade (left: {', '.join(left)}); name it with "
                "--column judgments.grade=COLUMN and the others too, or, where each line is a relevant item, the "
                f"others alone: {' '.join(guess.option(word, name) for word, name in guess.taken.items())}"
            )
    return guess


def _check_time(guess: Guess, taken: bool, left: Sequence[str]) -> None:
    """Take the column that holds dates where none has the name of a time; ask where a time may be part of one."""
    if not taken:
        guess.take_one("time", [name for name in left if _are_dates(guess.values(name))])
        return
    others = [name for name in left if guess.values(name) and _are_times(guess.values(name))]
    if others and not _are_times(guess.values(guess.taken["time"])):
        raise UsageError(
            f"{guess.path}: '{guess.taken['time']}' holds no dates and '{others[0]}' does; if they belong together, "
            "write them as one column (2024-03-01T09:30), else say which is the time, and name the other columns too: "
            f"{guess.option('time', others[0])}"
        )


def _looked_at(path: Path, kind: str, separator: str) -> Guess:
    sample = [row for _, row in islice(read_table(path, separator=separator), SAMPLE)]
    return Guess(path, kind, list(sample[0]) if sample else [], sample)


def _take_texts(guess: Guess) -> None:
    """Take columns of several words by their length: the short one is the title, a much longer one the description."""
    left = [name for name in guess.names if name not in {*guess.taken.values(), *ITEM_FIELDS}]
    lengths = {name: _mean_words(guess.values(name)) for name in left}
    texts = sorted((name for name in left if lengths[name] >= 2), key=lengths.__getitem__)
    if len(texts) == 2 and lengths[texts[1]] >= LONGER * lengths[texts[0]]:
        guess.taken |= dict(zip(TEXTS, texts, strict=True))
    else:
        guess.take_one("title", texts)


def _unique_words(path: Path, separator: str) -> Mapping[str, set[str]]:
    """Return the columns that have a different word in each row."""
    seen: dict[str, set[str]] | None = None
    for _, row in read_table(path, separator=separator):
        seen = {name: set() for name in row} if seen is None else seen
        for name in list(seen):
            word = _text(row[name])
            if word.split() != [word] or word in seen[name]:
                del seen[name]
            else:
                seen[name].add(word)
    return seen or {}


def _mostly(values: Sequence[str], known: Collection[str]) -> bool:
    return sum(value in known for value in values) * 2 > len(values)


def _are_words(values: Sequence[str]) -> bool:
    return all(value.split() == [value] for value in values)


def _are_mostly_words(values: Sequence[str]) -> bool:
    """Whether a column of ids may be meant; the import then names the lines that hold none."""
    return 2 * sum(value.split() == [value] for value in values) > len(values)


def _are_mostly_different(values: Sequence[str]) -> bool:
    return _are_mostly_words(values) and 2 * len(set(values)) > len(values)


def _are_dates(values: Sequence[str]) -> bool:
    """Whether all are ISO dates, or moments of them."""
    return bool(values) and not any(map(_number, values)) and _are_times(values)


def _are_times(values: Sequence[str]) -> bool:
    """Whether all are ISO dates, or all numbers that are dates or so large that they may count since 1970."""
    column = TimeColumn()
    try:
        times = [column.read(value, "") for value in values]
    except DataError:
        return False
    return all(not _number(value) or unit_of(whole) for value, (whole, _) in zip(values, times, strict=True))


def _number(value: str) -> bool:
    return value.replace(".", "", 1).lstrip("-").isdigit()


def _is_numeric(values: Sequence[str]) -> bool:
    return sum(bool(re.search(r"\d", value)) and len(value.split()) <= 2 for value in values) * 2 > len(values)


def _mean_words(values: Sequence[str]) -> float:
    return sum(len(value.split()) for value in values) / max(len(values), 1)


def _simple(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():  # numbers of a column with gaps
        value = int(value)
    return "" if value is None else str(value).strip()
