"""MovieLens (`movielens-100k`, `movielens-1m`): film titles, genres and ratings in time order (seconds).

    ml-100k.zip   u.data: user TAB item TAB rating TAB time; u.item: id|title|...|19 genre flags; u.genre: their names
    ml-1m.zip     ratings.dat: user::item::rating::time; movies.dat: id::title::genre|genre
    ml-100k.inter, ml-100k.item    the 100K as RecBole packages it (tab-separated with a header), through `--from`

All ratings count, sorted by time, ties in the order of the file; items are the films with a rating. Upstream's texts
are latin-1. Genres are no hierarchy: the label is the list of an item's genres in upstream's (alphabetical) order, so
level 1 is the first of them. RecBole moves the year out of the title, so its 100K has another fingerprint.

Source: Harper and Konstan, The MovieLens Datasets, TiiS 2015; RecBole 1.2.1.

Checked against public loaders and logs of downloads: addresses, sizes, checksums. Of the real files only RecBole's
were to be had.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from benchmark.config import MethodConfig
from benchmark.data.interactions import Interactions
from benchmark.datasets.times import TimeColumn
from benchmark.errors import DataError, at_line, line_error
from benchmark.fetching import archives
from benchmark.fetching.builder import Built, FetchedDataset
from benchmark.fetching.lines import bounded_lines

_TIME = re.compile(r"[0-9]+(\.0)?")
Films = dict[str, tuple[str, list[str]]]  # id -> title, genres


class MovieLens100K(FetchedDataset[MethodConfig]):
    """MovieLens-100K: 1,682 films, 943 users, 100,000 ratings, genres as labels."""

    name: ClassVar[str] = "movielens-100k"

    def build_from(self, raw: Mapping[str, Path], folder: Path) -> Built:
        """Write items and sequences, from GroupLens' archive or RecBole's files."""
        if "ml-100k.inter" in raw:
            films, notes = _recbole_films(raw["ml-100k.item"]), ["built from RecBole's files: titles without the year"]
            return _write(films, read_ratings(raw["ml-100k.inter"], "\t", header=True), folder, notes)
        with archives.unpacked(raw["ml-100k.zip"], ("u.data", "u.item", "u.genre")) as part:
            return _write(_films_100k(part["u.item"], part["u.genre"]), read_ratings(part["u.data"], "\t"), folder, [])


class MovieLens1M(FetchedDataset[MethodConfig]):
    """MovieLens-1M: 3,706 rated films, 6,040 users, 1,000,209 ratings, genres as labels."""

    name: ClassVar[str] = "movielens-1m"

    def build_from(self, raw: Mapping[str, Path], folder: Path) -> Built:
        """Write items and sequences."""
        with archives.unpacked(raw["ml-1m.zip"], ("ratings.dat", "movies.dat")) as part:
            return _write(_films_1m(part["movies.dat"]), read_ratings(part["ratings.dat"], "::"), folder, [])


def read_ratings(path: Path, separator: str, *, header: bool = False) -> Interactions:
    """Return the events of rows user, item, rating, time. Raises DataError with the line of a wrong one."""
    events, times = Interactions(), TimeColumn()
    for number, columns in _rows(path, separator, header=header):
        if len(columns) != 4 or not _TIME.fullmatch(columns[3]):
            found = separator.join(columns)[:60]
            raise line_error(path, number, f"expected user, item, rating and time; got {found!r}")
        user, item, _, time = columns
        if any(len(word.split()) != 1 for word in (user, item)):
            raise line_error(path, number, f"user and item must be one word each; got {user!r} and {item!r}")
        events.add(user, item, *times.read(time, at_line(path, number)))
    if not len(events):
        raise DataError(f"{path}: holds not one rating")
    return events


def _rows(path: Path, separator: str, *, header: bool = False) -> Iterator[tuple[int, list[str]]]:
    encoding = "utf-8" if header else "latin-1"
    for number, line in bounded_lines(path, encoding):
        if number > 1 or not header:
            yield number, line.split(separator)


def _films_100k(films: Path, genres: Path) -> Films:
    names = [columns[0] for _, columns in _rows(genres, "|") if columns[0]]
    found: Films = {}
    for number, columns in _rows(films, "|"):
        flags = columns[5:]
        if len(flags) != len(names) or set(flags) - {"0", "1"}:
            expected = f"expected 5 columns and {len(names)} genre flags"
            raise line_error(films, number, f"{expected}, got {len(columns)} columns")
        _add(films, number, found, columns[0], columns[1], [names[i] for i, flag in enumerate(flags) if flag == "1"])
    return found


def _films_1m(films: Path) -> Films:
    found: Films = {}
    for number, columns in _rows(films, "::"):
        if len(columns) != 3:
            raise line_error(films, number, f"expected id::title::genres, got {len(columns)} columns")
        _add(films, number, found, columns[0], columns[1], columns[2].split("|"))
    return found


def _recbole_films(films: Path) -> Films:
    found: Films = {}
    for number, columns in _rows(films, "\t", header=True):
        if len(columns) != 4:
            raise line_error(films, number, f"expected item, title, year and genres, got {len(columns)} columns")
        _add(films, number, found, columns[0], columns[1], columns[3].split(" "))
    return found


def _add(path: Path, number: int, films: Films, film: str, title: str, genres: list[str]) -> None:
    if film in films:
        raise line_error(path, number, f"film '{film}' is listed twice")
    films[film] = (title, [genre for genre in genres if genre])


def _write(films: Films, events: Interactions, folder: Path, notes: list[str]) -> Built:
    """Write the rated films, in the order of the film list, and the sequences."""
    rated = events.items
    unknown = [item for item in rated if item not in films]
    if unknown:
        raise DataError(f"{len(unknown)} rated films are not in the film list, the first: '{unknown[0]}'")
    with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
        for film, (title, genres) in films.items():
            if film in rated:
                item = {"id": film, "title": title, "categories": genres}
                file.write(json.dumps(item, ensure_ascii=False) + "\n")
    events.write(folder)
    if unrated := len(films) - len(rated):
        notes = [*notes, f"{unrated:,} films have no rating; left out"]
    return Built(events.facts(), notes + events.notes())
