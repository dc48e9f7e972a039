"""The numbers of the tables id-neighbours and id-churn, from the stored items, IDs, histories and judgments.

Weights of title words are counted in dictionaries, cosines summed word by word, prefixes compared as tuples. Names and
meanings are those of `benchmark.metrics.title_neighbours` and `benchmark.metrics.churn`.
"""

from __future__ import annotations

import heapq
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from functools import lru_cache
from pathlib import Path
from statistics import fmean

from benchmark.verification.files import lines, read_histories, read_ids, read_qrels
from benchmark.verification.findings import Absent
from benchmark.verification.stored import Stored

LOOKED_AT, NEAREST, DECIMALS = 2000, 10, 9
WORD = re.compile(r"\b\w\w+\b")

Near = dict[str, list[str]]  # item -> its nearest neighbours


def id_neighbours(result: Stored) -> dict[str, float]:
    """Return the numbers of the table id-neighbours, by measure."""
    ids = read_ids(result.folder / "ids.tsv")
    near, n = neighbours_by_title(result.beside("items", "jsonl")), len(ids)
    numbers: dict[str, float] = {}
    for depth in (1, 2):
        hits = [fmean(ids[item][:depth] == ids[other][:depth] for other in others) for item, others in near.items()]
        groups = Counter(codes[:depth] for codes in ids.values())
        chance = sum(size * (size - 1) for size in groups.values()) / (n * (n - 1))
        numbers |= {f"neighbour_hit@{depth}": fmean(hits), f"neighbour_hit@{depth} (chance)": chance}
        numbers |= {f"neighbour_lift@{depth}": fmean(hits) / chance} if chance else {}
    return numbers


@lru_cache(maxsize=2)
def neighbours_by_title(path: Path) -> Near:
    """Return the nearest neighbours of the items that are looked at, from the items file."""
    entries = [json.loads(line) for _, line in lines(path)]
    items, n = [str(entry["id"]) for entry in entries], len(entries)
    words = [Counter(WORD.findall(str(entry["title"]).lower())) for entry in entries]
    having = Counter(word for of in words for word in of)
    weights: list[dict[str, float]] = []
    holders: dict[str, list[tuple[int, float]]] = defaultdict(list)  # word -> (row, weight) of the titles with it
    for row, counted in enumerate(words):
        raw = {word: times * (math.log((1 + n) / (1 + having[word])) + 1) for word, times in counted.items()}
        norm = math.sqrt(math.fsum(weight * weight for weight in raw.values()))
        weights.append({word: weight / norm for word, weight in raw.items()})
        for word, weight in weights[-1].items():
            holders[word].append((row, weight))
    near: Near = {}
    for row in range(n) if n <= LOOKED_AT else (place * n // LOOKED_AT for place in range(LOOKED_AT)):
        cosines: dict[int, float] = defaultdict(float)
        for word, weight in weights[row].items():
            for other, of_other in holders[word]:
                cosines[other] += weight * of_other
        cosines.pop(row, None)
        ranked = ((-round(cosine, DECIMALS), other) for other, cosine in cosines.items())
        if best := heapq.nsmallest(NEAREST, (pair for pair in ranked if pair[0])):
            near[items[row]] = [items[other] for _, other in best]
    if not near:
        raise Absent("no two titles have a word in common")
    return near


def id_churn(result: Stored) -> dict[str, float]:
    """Return the numbers of the table id-churn, by measure."""
    ids = read_ids(result.folder / "ids.tsv")
    before = [item for history in read_histories(result.of_split("histories")) for item in history]
    after = [item for judged in read_qrels(result.folder / "qrels.recommendation.txt").values() for item in judged]
    numbers = {"new_item": _share_of_new(before, after)}
    for depth in (1, 2, 3):
        earlier, later = ([ids[item][:depth] for item in events] for events in (before, after))
        numbers[f"new_prefix@{depth}"] = _share_of_new(earlier, later)
    shares = [Counter(ids[item][0] for item in events) for events in (before, after)]
    apart = [shares[0][code] / len(before) - shares[1][code] / len(after) for code in {*shares[0], *shares[1]}]
    numbers["code_drift@1"] = math.fsum(part for part in apart if part > 0)
    return numbers


def _share_of_new(before: Iterable[Hashable], after: Iterable[Hashable]) -> float:
    known = set(before)
    return fmean(value not in known for value in after)
