"""ID metrics from ids.tsv, the items' category paths and the training histories, by counting tuples.

An item's first d codes are the tuple codes[:d]; every metric is a count of such tuples. Names and meanings are those of
`benchmark.metrics.id_quality` and what it names.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from itertools import pairwise

from benchmark.verification.agreement import Agreement, entropy
from benchmark.verification.files import Codes
from benchmark.verification.findings import Absent

NAME = re.compile(
    r"(?P<label>AMI|NMI|NMI \(chance\)|labelled_items)|AMI@(?P<of>depth|level)(?P<d>\d+)"
    r"|(?P<pair>co_purchase|co_purchase_lift)@(?P<pair_d>\d+)(?P<chance> \(chance\))?|(?P<pairs>co_purchase_pairs)"
    r"|(?P<use>codes_used|dead_codes|perplexity|fan_out)@(?P<t>\d+)"
    r"|(?P<even>gini|perplexity)@(?P<even_t>\d+)(?P<events> \(events\))|(?P<plain>gini)@(?P<plain_t>\d+)"
    r"|distinct \((?P<part>head|tail)\)|next_(?P<next>entropy|AMI)@(?P<next_d>\d+)"
    r"|(?P<whole>unique|collision_rate|largest_group|length|dead_codes)"
)


def parse(name: str) -> re.Match[str] | None:
    """Match a metric's name, None for one that is not known here."""
    return NAME.fullmatch(name)


class IdMetrics:
    """The metrics of one ids.tsv, each computed when it is asked for."""

    def __init__(
        self,
        ids: Mapping[str, Codes],
        paths: Mapping[str, tuple[str, ...]] | None,
        histories: tuple[tuple[str, ...], ...] | None,
        sizes: Sequence[int],
    ) -> None:
        self.ids = ids
        self.paths = paths
        self.histories = histories
        self.sizes = sizes

    def value(self, found: re.Match[str]) -> float | None:
        """Return a metric; None where rounding alone would decide it. Raises Absent for what it cannot follow from."""
        if found["label"] or found["of"]:
            return self._labels(found)
        if found["pair"] or found["pairs"]:
            return self._pairs(found)
        if found["even"] or found["plain"] or found["part"] or found["next"]:
            return self._events(found)
        return self._use(found["use"], int(found["t"])) if found["use"] else self._whole(found["whole"])

    def _labels(self, found: re.Match[str]) -> float | None:
        match found["label"] or found["of"]:
            case "labelled_items":
                return len(self._against(1, 0).labels)
            case "NMI":
                return self._against(1, 0).normalized
            case "NMI (chance)":
                return self._against(1, 0).normalized_by_chance
            case "AMI":
                return self._against(1, 0).adjusted
            case "depth":
                return self._against(int(found["d"]), 0).adjusted
            case _:
                return self._against(1, int(found["d"])).adjusted

    @cache  # noqa: B019
    def _against(self, depth: int, level: int) -> Agreement:
        """The first codes against the whole category path (level 0) or the first levels of it."""
        if self.paths is None:
            raise Absent("the items file is not there")
        rows = [(codes[:depth], self.paths[item]) for item, codes in self.ids.items() if self.paths.get(item)]
        return Agreement([codes for codes, _ in rows], [path[:level] if level else ",".join(path) for _, path in rows])

    def _pairs(self, found: re.Match[str]) -> float | None:
        if found["pairs"]:
            return len(self._neighbours)
        if not self._neighbours:
            return None
        depth = int(found["pair_d"])
        share = sum(self.ids[a][:depth] == self.ids[b][:depth] for a, b in self._neighbours) / len(self._neighbours)
        if found["pair"] == "co_purchase" and not found["chance"]:
            return share
        ends = Counter(item for pair in self._neighbours for item in pair)
        of_groups: Counter[Codes] = Counter()
        for item, times in ends.items():
            of_groups[self.ids[item][:depth]] += times
        all_pairs, same_item = ends.total() ** 2, sum(times**2 for times in ends.values())
        chance = (sum(times**2 for times in of_groups.values()) - same_item) / (all_pairs - same_item)
        return chance if found["chance"] else share / chance if chance else math.inf

    @cached_property
    def _neighbours(self) -> list[tuple[str, str]]:
        if self.histories is None:
            raise Absent("the histories file is not there")
        return [pair for history in self.histories for pair in pairwise(history) if pair[0] != pair[1]]

    def _events(self, found: re.Match[str]) -> float | None:
        if found["plain"]:
            return self._gini(int(found["plain_t"]), dict.fromkeys(self.ids, 1))
        if self.histories is None:
            raise Absent("the histories file is not there")
        if found["next"]:
            return self._next(found["next"], int(found["next_d"]))
        events = Counter(item for history in self.histories for item in history)
        if found["part"]:
            head, so_far = set(), 0
            for item in sorted(self.ids, key=lambda item: -events[item]):  # equal ones in the order of ids.tsv
                if 2 * so_far >= events.total():
                    break
                head.add(item)
                so_far += events[item]
            rows = [codes for item, codes in self.ids.items() if (item in head) is (found["part"] == "head")]
            return len(set(rows)) / len(rows) if rows else None
        if found["even"] == "gini":
            return self._gini(int(found["even_t"]), events)
        position, weights = int(found["even_t"]), Counter[int]()
        for item, codes in self.ids.items():
            if len(codes) >= position:
                weights[codes[position - 1]] += events[item]
        return math.exp(entropy(list(weights.values()))) if weights.total() else 0.0

    def _gini(self, position: int, weight: Mapping[str, int]) -> float:
        """Half of the mean difference of two codes' weights over their mean, from how often each weight occurs."""
        if position > len(self.sizes):
            raise Absent(f"the result has no count codebook@{position}")
        weights = Counter[int]()
        for item, codes in self.ids.items():
            if len(codes) >= position:
                weights[codes[position - 1]] += weight.get(item, 0)
        size = self.sizes[position - 1]
        times = Counter(weights.values())
        times[0] += size - len(weights)
        apart = sum(n * m * abs(a - b) for a, n in times.items() for b, m in times.items())
        return apart / (2 * size * weights.total()) if weights.total() else 0.0

    def _next(self, name: str, depth: int) -> float | None:
        if not self._neighbours:
            return None
        before, after = ([self.ids[item][:depth] for item in side] for side in zip(*self._neighbours, strict=True))
        if name == "AMI":
            return Agreement(before, after).adjusted
        both = list(zip(before, after, strict=True))
        return (entropy(list(Counter(both).values())) - entropy(list(Counter(before).values()))) / math.log(2)

    def _use(self, name: str, position: int) -> float | None:
        reaching = [codes for codes in self.ids.values() if len(codes) >= position]
        counts = Counter(codes[position - 1] for codes in reaching)
        match name:
            case "codes_used":
                return len(counts)
            case "perplexity":
                return math.exp(entropy(list(counts.values()))) if counts else 0.0
            case "fan_out":
                parents = {codes[: position - 1] for codes in reaching}
                return len({codes[:position] for codes in reaching}) / len(parents) if parents else None
        if position > len(self.sizes):
            raise Absent(f"the result has no count codebook@{position}")
        size = self.sizes[position - 1]
        return 1 - len(counts) / size if size else 0.0

    def _whole(self, name: str) -> float | None:
        groups = Counter(self.ids.values())
        match name:
            case "unique":
                return sum(size == 1 for size in groups.values()) / len(self.ids)
            case "collision_rate":
                return 1 - len(groups) / len(self.ids)
            case "largest_group":
                return max(groups.values())
            case "length":
                return sum(map(len, self.ids.values())) / len(self.ids)
        used = {(t, code) for codes in groups for t, code in enumerate(codes)}
        if not sum(self.sizes):
            raise Absent("the result has no counts codebook@1 ..")
        return 1 - len(used) / sum(self.sizes)
