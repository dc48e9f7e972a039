"""The statistics of the paper's data sets beside those that the result files record of ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.reports.paper.spec import GROUP, PAPER, name_in_paper, number, read_toml
from benchmark.reports.tables.captions import data_set
from benchmark.reports.tables.histories import as_in_papers, share_of_order
from benchmark.reports.tables.layout import Cell, Column, FilledTable, Published, Row
from benchmark.reports.tables.scores import query_values
from benchmark.reports.tables.table import Table
from benchmark.results.result_files import Result


@dataclass(frozen=True)
class DataSets(Table):
    """Rows are data sets: the paper's, then every other one with results."""

    task: str = ""
    columns: tuple[Column, ...] = ()
    group: str = GROUP
    row_header: str = "Data set"
    shows_seeds: bool = False

    def fill(self, results: Iterable[Result]) -> list[FilledTable]:
        """Return one table; a data set of which several versions were used has a row for each."""
        data = read_toml(self.name)
        sources: list[Mapping[str, str]] = data["columns"]
        columns = tuple(Column(source["header"], source["header"], 0, None) for source in sources)
        sets: dict[tuple[str, str], list[Result]] = {}
        for result in results:
            if not result.problem:
                sets.setdefault((name_in_paper(result), result.dataset["fingerprint"]), []).append(result)
        order = {data_set(found[0]): said for found in sets.values() if (said := share_of_order(found))}
        rows, missing, total = [], 0, 0
        for name in [name for name, known in data.items() if isinstance(known, dict)]:
            known = data[name]
            for found in [sets.pop(key) for key in sorted(sets) if key[0] == name] or [[]]:
                version = f" (fingerprint {found[0].dataset['fingerprint'][:12]})" if found else ""
                label = f"{known['title']}{version}"
                published = [number(value) for value in known["published"]]
                cells = [_cell(source, found, value) for source, value in zip(sources, published, strict=True)]
                total += sum(cell.published is not None for cell in cells)
                missing += sum(cell.published is not None and cell.mean is None for cell in cells)
                rows.append(_row(label, cells))
        for key in sorted(sets):
            rows.append(_row(data_set(sets[key][0]), [_cell(source, sets[key], None) for source in sources]))
        notes = [
            "paper: the published count, and how much larger ours is. ok: the same count; off: another.",
            "Rec. train pairs: what fine-tuning sampled (five per user in the paper), as such a run recorded it.",
        ]
        notes += [f"{name}: {said}." for name, said in order.items()]
        if missing:
            notes.append(f"Missing: {missing} of {total} counts are not recorded by any result here.")
        return [FilledTable(self, columns, tuple(rows), f"{PAPER}, {data['source']}.", tuple(notes))]


def _row(label: str, cells: Sequence[Cell]) -> Row:
    results = {result.folder: result for cell in cells for result in cell.results}
    return Row(label, (), tuple(cells), False, tuple(results.values()))


def _cell(source: Mapping[str, str], results: Sequence[Result], published: float | None) -> Cell:
    value, result = next(((v, r) for r in results if (v := _count(source, r)) is not None), (None, None))
    verdict = "" if value is None else "ok" if value == published else "off"
    return Cell(
        value, n=int(value is not None), results=(result,) if result else (),
        published=None if published is None else Published(published, verdict),
        gap="missing" if published is not None else "",
    )  # fmt: skip


def _count(source: Mapping[str, str], result: Result) -> float | None:
    """Look a count up: in the data set's counts or, with the papers' split, in the costs' facts or the scored users."""
    if "count" in source:
        value: Any = (result.dataset.get("counts") or {}).get(source["count"])
    elif not as_in_papers(result):
        value = None
    elif "fact" in source:
        config = result.config.get("generative") or {}
        facts: Mapping[str, Any] = (result.cost.get("facts") or {}).get("recommendation", {})
        value = facts.get(source["fact"]) if config.get("pairs") == "sampled" else None
    else:
        scored = query_values([result.scores_file(source["scored"])], [])
        value = len(scored[0]) if scored else None
    return float(value) if isinstance(value, int | float) else None
