"""Amazon reviews of 2018 and 2023: one category's reviews and metadata, JSON lines, plain or gzipped.

    2018  reviewerID, asin, unixReviewTime (s)        meta: asin, title, description [..], brand, price, category [..]
    2023  user_id, parent_asin, timestamp (ms)        meta: parent_asin, title, description [..], store, price,
                                                            categories [..], features [..], details {..}

The reviews may be all of a category or upstream's own 5-core: `<Category>_5.json.gz` of 2018, and of 2023 the files
`5core/rating_only/<Category>.csv` (user_id,parent_asin,rating,timestamp). `--core 5` makes the 5-core of a full file,
with repeated reviews taken out first, as upstream's scripts of 2023 do. All ratings count; each user's reviews are
sorted by time, stably. Items are those with a review, in the order of the metadata. The crawler took page code for
texts now and then: prices that are not valid ("from $12.99" and "$12.99 - $20.00" are, a style sheet is not), titles
that are scripts, and category paths from the first name with markup on are left out and counted.

Source: Ni et al., EMNLP-IJCNLP 2019 (2018); Hou et al., arXiv 2403.03952 (2023).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmark.data.importing import Argument, Importer, existing
from benchmark.data.interactions import Interactions
from benchmark.data.writing import FolderWriter, one_word
from benchmark.datasets.delimited import read_delimited
from benchmark.datasets.named_items import without_line
from benchmark.datasets.times import TimeColumn
from benchmark.errors import DataError, UsageError, at_line, line_error
from benchmark.fetching.lines import bounded_lines, json_object

RANKS = ("Best Sellers Rank", "Best-sellers rank")
RATING_ONLY = ("user_id", "parent_asin", "rating", "timestamp")
PARTS = (".train.csv", ".valid.csv", ".test.csv")
_CODE = re.compile(  # JavaScript or CSS in place of a title
    r"getTime\s*\(|<script\b|<style\b|\bfunction\s*\w*\s*\([^)]*\)\s*\{|\b(?:var|let|const)\s+\w+\s*=[^;]*;"
    r"|(?<!\w)[.#][a-z_-][\w-]*[^{}]*\{[^{}]*:[^{}]*\}",  # '.a-box b {color: red}', not 'No.5 {Scent: Rose}'
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!--")
_AMOUNT = r"\$?(?:\d[\d,]*(?:\.\d+)?|\.\d+)"
_PRICE = re.compile(rf"(?:from )?{_AMOUNT}(?: ?- ?{_AMOUNT})?", re.IGNORECASE)


def _core(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise ValueError("a whole number above 0")
    return int(text)


class Amazon2018(Importer):
    """Amazon Reviews 2018: a category's reviews and metadata (JSON lines)."""

    title: ClassVar[str] = "Amazon Reviews 2018"
    example: ClassVar[str] = "amazon-2018 Office_Products_5.json.gz meta_Office_Products.json.gz data/office"
    keys: ClassVar[tuple[str, str, str]] = ("reviewerID", "asin", "unixReviewTime")
    metadata_key: ClassVar[str] = "asin"
    read: ClassVar[tuple[str, ...]] = ("asin", "title", "description", "brand", "price", "category")
    arguments = (
        Argument("reviews", "all reviews of a category, or upstream's own 5-core", type=Path),
        Argument("metadata", "meta_<Category>.json.gz, of 2023 .jsonl.gz", type=Path),
        Argument("--core", "keep users and items with K reviews or more", type=_core, metavar="K"),
    )

    def write(self, arguments: SimpleNamespace, writer: FolderWriter) -> str:
        """Write items and sequences."""
        reviews, metadata = existing(arguments.reviews), existing(arguments.metadata)
        events, times = Interactions(), TimeColumn()
        for place, user, item, time in self.progress(self._reviews(reviews), "reviews"):
            names = one_word(user, "a user id", place), one_word(item, "an item id", place)
            events.add(*names, *times.read(time, place))
        if not len(events):
            raise DataError(f"{reviews}: holds not one review")
        if arguments.core is not None:
            events.keep_core(arguments.core)
            if not len(events):
                raise DataError(f"{reviews}: no review is left in the {arguments.core}-core")
        writer.items(self._items(metadata, events.items, writer))
        writer.interactions(events)
        core = f", {arguments.core}-core made here" if arguments.core is not None else ""
        return f"{self.title}: {reviews.name}, {metadata.name}{core}"

    def _reviews(self, path: Path) -> Iterator[tuple[str, object, object, object]]:
        user, item, time = self.keys
        for number, line in bounded_lines(path):
            review = json_object(path, number, line)
            for key in self.keys:
                if key not in review:
                    raise line_error(path, number, f"a review without '{key}' (its keys: {', '.join(review)[:80]})")
            yield at_line(path, number), review[user], review[item], review[time]

    def _items(self, path: Path, wanted: dict[str, None], writer: FolderWriter) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the wanted items in the order of the metadata, then those that it lacks."""
        seen: set[str] = set()
        others: dict[str, None] = {}
        count: Counter[str] = Counter()
        for number, line in self.progress(bounded_lines(path), "metadata"):
            record = json_object(path, number, line)
            name = record.get(self.metadata_key)
            if not isinstance(name, str):
                keys = ", ".join(record)[:80]
                raise line_error(path, number, f"metadata without '{self.metadata_key}' (its keys: {keys})")
            if name not in wanted:
                continue
            if name in seen:
                count["repeated metadata lines; the first of an item counts"] += 1
                continue
            seen.add(name)
            others.update(dict.fromkeys(key for key in record if key not in self.read))
            yield at_line(path, number), {"id": name, **self._texts(at_line(path, number), record, count)}
        writer.note_counts(count)
        writer.note_left_out(path.name, others)
        yield from without_line(wanted, seen, path, writer)

    def _texts(self, place: str, record: dict[str, Any], count: Counter[str]) -> dict[str, Any]:
        return {
            "title": _text("title", record.get("title"), count),
            "description": _joined(record.get("description")),
            "brand": _text("brand", record.get("brand"), count),
            "price": _price(record.get("price"), count),
            "categories": _path(place, record.get("category"), count),
        }


class Amazon2023(Amazon2018):
    """Amazon Reviews 2023: a category's reviews (JSON lines, or upstream's rating_only CSV) and metadata."""

    title: ClassVar[str] = "Amazon Reviews 2023"
    example: ClassVar[str] = "amazon-2023 All_Beauty.jsonl.gz meta_All_Beauty.jsonl.gz data/all-beauty --core 5"
    keys: ClassVar[tuple[str, str, str]] = ("user_id", "parent_asin", "timestamp")
    metadata_key: ClassVar[str] = "parent_asin"
    read: ClassVar[tuple[str, ...]] = (
        "parent_asin", "title", "description", "store", "price", "features", "details", "categories",
    )  # fmt: skip

    def _reviews(self, path: Path) -> Iterator[tuple[str, object, object, object]]:
        name = path.name.removesuffix(".gz")
        if name.endswith(PARTS):
            raise UsageError(
                f"{path}: is one part of upstream's split, and histories would end before its other parts; give all "
                f"reviews (rating_only/{name.split('.')[0]}.csv, or the JSON lines)"
            )
        if not name.endswith(".csv"):
            yield from super()._reviews(path)
            return
        for place, row in read_delimited(path, ",", header=RATING_ONLY):
            if tuple(row.values()) != RATING_ONLY:  # upstream's scripts write no header, its downloads have one
                yield place, row["user_id"], row["parent_asin"], row["timestamp"]

    def _texts(self, place: str, record: dict[str, Any], count: Counter[str]) -> dict[str, Any]:
        details = record.get("details")
        return {
            "title": _text("title", record.get("title"), count),
            "description": _joined(record.get("description")),
            "brand": record.get("store") or (details.get("Brand") if isinstance(details, dict) else None),
            "price": _price(record.get("price"), count),
            "features": _joined(record.get("features")),
            "details": _without_ranks(details),
            "categories": _path(place, record.get("categories"), count),
        }


def _without_ranks(details: object) -> object:
    """Leave out the sales rank: it names the category, the label, and what users bought later."""
    if not isinstance(details, dict):
        return details
    return {name: value for name, value in details.items() if name not in RANKS}


def _joined(value: object) -> object:
    return " ".join(str(part) for part in value) if isinstance(value, list) else value


def _text(what: str, value: object, count: Counter[str]) -> object:
    if isinstance(value, str) and _CODE.search(value):
        count[f"items have a script or a style sheet for their {what}; left out"] += 1
        return None
    return value


def _price(value: object, count: Counter[str]) -> object:
    if value is None or value in ("", "None"):
        return None
    if isinstance(value, str) and not _PRICE.fullmatch(value.strip()):
        count["items have a price that is not valid; left out"] += 1
        return None
    return value


def _path(place: str, value: object, count: Counter[str]) -> list[str]:
    """Return the names of a category path, up to the first that is markup: what follows is advertising text.

    Upstream writes one name with and without HTML entities (`Camera &amp; Photo`), which would be two labels.
    """
    if value is None or value == "":
        return []
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise DataError(f"{place}: the categories must be a list of names, not {str(value)[:60]!r}")
    names = list(takewhile(lambda name: not (_TAG.search(name) or _CODE.search(name)), value))
    count["items have markup in their category path; the path ends before it"] += len(names) < len(value)
    return [unescape(name).strip() for name in names if name.strip()]
