"""Amazon 2014 (`beauty`, `sports`, `toys`): the paper's recommendation data, from McAuley's public files.

    reviews_<Category>_5.json.gz   JSON lines, already 5-core: reviewerID, asin, unixReviewTime, ...
    meta_<Category>.json.gz        Python-literal lines: asin, title, description, brand, price, categories, ...

All ratings count. Each user's events are sorted by time, stably: time stamps are days, ties keep the order of the
file. Items are those with a review, in the order of the metadata; their label is the first category path. Texts are
kept as upstream wrote them (LMIndexer's code cleans nothing). Product searches: `esci`.

Source: LMIndexer (ICML 2024) and its released code; the same data as S3-Rec (CIKM 2020) and P5.

Checked against public loaders of these files: addresses, names, keys. The real files were not to be had.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from benchmark.config import MethodConfig
from benchmark.data.interactions import Interactions
from benchmark.data.writing import encodable
from benchmark.datasets import esci
from benchmark.datasets.named_items import check_described
from benchmark.datasets.times import TimeColumn
from benchmark.errors import DataError, at_line, line_error
from benchmark.fetching.builder import Built, FetchedDataset
from benchmark.fetching.lines import bounded_lines, json_object
from benchmark.fetching.sources import RemoteFile

FIELDS = ("title", "description", "brand", "price")
_ASIN = re.compile(r"""["']asin["']\s*:\s*["']([^"']+)["']""")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+\d*);")


class AmazonConfig(MethodConfig):
    """Which product searches belong to the data set."""

    locale: Literal["us", "all"] = Field(
        "us", description="ESCI queries of the US shop, or of all shops as LMIndexer's code takes them"
    )


class Amazon2014(FetchedDataset[AmazonConfig]):
    """One category of Amazon product data 2014."""

    category: ClassVar[str]

    def files(self) -> tuple[RemoteFile, ...]:
        """Return reviews, metadata and the product searches."""
        return (*self.declaration().files, esci.examples_file())

    def build_from(self, raw: Mapping[str, Path], folder: Path) -> Built:
        """Write items, sequences and queries."""
        events = read_reviews(raw[f"reviews_{self.category}_5.json.gz"])
        notes = write_items(raw[f"meta_{self.category}.json.gz"], events.items, folder / "items.jsonl")
        events.write(folder)
        searches = raw[esci.examples_file().name]
        notes += esci.write_queries(searches, events.items.keys(), folder, locale=self.config.locale)
        return Built(events.facts(), events.notes() + notes)


class Beauty(Amazon2014):
    """Amazon Beauty 2014, 5-core: 12,101 items, 22,363 users, with ESCI product searches (`benchmark data get`)."""

    name: ClassVar[str] = "beauty"
    category: ClassVar[str] = "Beauty"


class Sports(Amazon2014):
    """Amazon Sports and Outdoors 2014, 5-core: 18,357 items, 35,598 users, with ESCI product searches."""

    name: ClassVar[str] = "sports"
    category: ClassVar[str] = "Sports_and_Outdoors"


class Toys(Amazon2014):
    """Amazon Toys and Games 2014, 5-core: 11,924 items, 19,412 users, with ESCI product searches."""

    name: ClassVar[str] = "toys"
    category: ClassVar[str] = "Toys_and_Games"


def read_reviews(path: Path) -> Interactions:
    """Return the events of a review file. Raises DataError with the line of a review that is none."""
    events, times = Interactions(), TimeColumn()
    for number, line in bounded_lines(path):
        review = json_object(path, number, line)
        user, item, time = (review.get(key) for key in ("reviewerID", "asin", "unixReviewTime"))
        for key, value in (("reviewerID", user), ("asin", item)):
            if not isinstance(value, str) or len(value.split()) != 1 or value.split()[0] != value:
                reason = f"a review needs the key '{key}' with one word, not {json.dumps(value)[:60]}"
                raise line_error(path, number, reason)
        if type(time) is not int:
            raise line_error(path, number, f"'unixReviewTime' must be a whole number, not {json.dumps(time)[:60]}")
        events.add(str(user), str(item), *times.read(time, at_line(path, number)))
    if not len(events):
        raise DataError(f"{path}: holds not one review")
    return events


def write_items(metadata: Path, wanted: Mapping[str, None], target: Path) -> list[str]:
    """Write the wanted items in the order of the metadata, those without metadata last; return notes with counts.

    Only lines that name a wanted item are parsed, as literals: code is refused, never run.
    """
    seen: set[str] = set()
    count: Counter[str] = Counter()
    with target.open("w", encoding="utf-8") as out:
        for number, line in bounded_lines(metadata):
            named = _ASIN.findall(line)
            if named and wanted.keys().isdisjoint(named):
                continue
            record = _literal(metadata, number, line)
            asin = record.get("asin")
            if not isinstance(asin, str) or asin not in wanted:
                count["metadata lines without 'asin'; left out"] += not isinstance(asin, str)
                continue
            if asin in seen:
                count["repeated metadata lines; the first of an item counts"] += 1
                continue
            seen.add(asin)
            try:
                item = _item(metadata, number, asin, record)
                text = _line(item, count)
            except ValueError:  # Python writes no number of more than 4,300 digits, which hexadecimal ones may have
                raise line_error(metadata, number, f"item '{asin}': a number has thousands of digits") from None
            count["titles hold HTML entities such as &amp;; kept as upstream wrote them"] += bool(
                _ENTITY.search(str(item.get("title", "")))
            )
            count["items have no title"] += "title" not in item
            count["items have no category"] += "categories" not in item
            out.write(text + "\n")
        check_described(len(seen), wanted, [], metadata)
        for asin in wanted:
            if asin not in seen:
                count["items have no metadata line; kept without text, at the end"] += 1
                out.write(_line({"id": asin}, count) + "\n")
    return [f"{number:,} {what}" for what, number in count.items() if number]


def _literal(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = ast.literal_eval(line.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        reason = str(error).partition(" at 0x")[0].partition("\n")[0]
        raise line_error(path, number, f"not a Python literal, so not item metadata ({reason[:120]})") from None
    if not isinstance(record, dict):
        raise line_error(path, number, f"metadata must be a dictionary, not {type(record).__name__}")
    return record


def _item(path: Path, number: int, asin: str, record: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {"id": asin}
    for name in FIELDS:
        value = record.get(name)
        if isinstance(value, list):
            value = " ".join(str(part) for part in value)
        if value is None or value == "":
            continue
        if not isinstance(value, str | int | float):
            reason = f"item '{asin}': {name} must be text or a number, not {type(value).__name__}"
            raise line_error(path, number, reason)
        item[name] = value
    paths = record.get("categories") or []
    if not isinstance(paths, list) or any(not isinstance(names, list) for names in paths):
        raise line_error(path, number, f"item '{asin}': categories must be a list of paths")
    if paths and paths[0]:
        item["categories"] = [str(name) for name in paths[0]]
    return item


def _line(item: dict[str, Any], count: Counter[str]) -> str:
    return encodable(json.dumps(item, ensure_ascii=False), count, "items")
