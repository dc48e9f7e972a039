"""What the numbers of a table are, in words: seeds, device, dates, queries, and the notes that the runs left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.reports.tables.histories import histories_in_words
from benchmark.results.result_files import Result
from benchmark.results.versions import seeds_note

ITEM_VECTORS = {
    "ids": "codes", "text": "text embedding", "both": "codes and text embedding", "table": "row of a learned table",
}  # fmt: skip
QUERY_INPUTS = {
    "vector": "the sentence encoder's vector", "words": "learned vectors of word pieces",
    "both": "the sentence encoder's vector and learned vectors of word pieces",
}  # fmt: skip
QUERY_SETS = {"simulated": "simulated known-item queries", "judged": "judged queries"}


def data_set(result: Result) -> str:
    """Return 'Demo shop (fingerprint 1a2b3c4d5e6f)'."""
    return f"{result.dataset['title']} (fingerprint {str(result.dataset['fingerprint'])[:12]})"


def representative_result(results: Sequence[Result]) -> Result:
    """Return the result to take a caption from: one that says how many items have each text field, if there is one."""
    return next((result for result in results if result.dataset.get("items_with")), results[0])


def protocol(result: Result, *, search: bool, changed: str = "") -> list[str]:
    """Return preset, with what rows changed in it, text fields, split and, for search, the query sets of a result."""
    absent = f" (no item has {', '.join(result.absent_fields)})" if result.absent_fields else ""
    parts = [f"preset {result.preset}{changed}", f"text fields {', '.join(result.text_fields) or 'none'}{absent}"]
    if result.history_protocol:
        parts.append(histories_in_words(result))
    if result.queries and search:
        parts.append(query_set(result.queries))
        trained = result.config.get("protocol", {}).get("training_queries", result.queries)
        if trained != result.queries:
            parts.append(f"trained on {query_set(trained)}")
    if search and result.self_retrieval:
        parts.append(_self_retrieval(result))
    return parts


def _self_retrieval(result: Result) -> str:
    """Return what became of the items that are themselves queries."""
    count = result.config["protocol"].get("self_queries", "some")
    if result.self_retrieval == "kept":
        return f"{count} queries are themselves items, and may find themselves (self-retrieval kept, unlike BEIR)"
    return f"{count} queries are themselves items: each one's own item is left out of its ranking, as BEIR does"


def query_set(name: str) -> str:
    """Return a query set's name in words."""
    return QUERY_SETS.get(name, f"{name} queries")


def scored(results: Sequence[Result], task: str) -> list[str]:
    """Return how many users, queries or items the metrics of a task are of; [] where no result says."""
    name = {"recommendation": "users", "search": "queries"}.get(task, "items")
    counts = sorted({result.counts[task][name] for result in results if name in result.counts.get(task, {})})
    return (
        [" to ".join(f"{count:,}" for count in dict.fromkeys((counts[0], counts[-1]))) + f" {name}"] if counts else []
    )


def run_conditions(results: Sequence[Result], tasks: Sequence[str]) -> list[str]:
    """Return seeds, devices and dates of the results' stages for these tasks (none: of all stages)."""
    seeds = sorted({result.seed for result in results})
    stages = [stage for result in results for stage in stages_of(result, tasks)]
    devices = sorted({str(stage["device"]) for stage in stages if stage.get("device")})
    dates = sorted({str(stage["date"])[:10] for stage in stages if stage.get("date")})
    return [
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}",
        f"device {', '.join(devices) or 'not recorded'}",
        " to ".join(dict.fromkeys((dates[0], dates[-1]))) if dates else "date not recorded",
    ]


def stages_of(result: Result, tasks: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return what cost.json says of the stages of these tasks (none: of all), shared ones among them."""
    others = [task for task in result.metrics if tasks and task not in tasks]
    stages = result.cost.get("stages") or {"": result.cost}
    return [stage for name, stage in stages.items() if not any(name.endswith(f".{task}") for task in others)]


def remarks_of_readers(labels: Sequence[str], groups: Sequence[Sequence[Result]], task: str) -> list[str]:
    """What reads the histories or queries of the generative rows, and which rows it is where they differ."""
    rows: dict[str, list[str]] = {}
    for label, seeds in zip(labels, groups, strict=True):
        generative = seeds[0].config.get("generative") or {}
        reader = (generative.get(task) or {}).get("reader") if isinstance(generative.get(task), Mapping) else None
        if reader:
            rows.setdefault(_reader(reader, generative), []).append(label)
    if len(rows) == 1:
        return [f"Generative rows: {next(iter(rows))}."]
    return [f"{', '.join(named)}: {reader}." for reader, named in rows.items()]


def _reader(name: str, generative: Mapping[str, Any]) -> str:
    match name:
        case "items":
            return f"reader items (an item's vector comes from its {ITEM_VECTORS[generative['items']['vectors']]})"
        case "sentence":
            return f"reader sentence ({_sentence(generative['sentence'])}{_examples(generative)})"
        case "ids":
            return f"reader ids (a T5; backbone {generative['ids'].get('backbone', 'scratch')})"
        case _:
            learned = "" if generative.get("start") == "fresh" else ", or the T5 that the indexer has learned"
            return f"reader {name} (a T5; backbone {generative.get('backbone', 'not recorded')}{learned})"


def _sentence(sentence: Mapping[str, Any]) -> str:
    """What the reader `sentence` reads, what of its encoder learns, and which targets the encoder draws."""
    layers = sentence.get("learning_layers", 0)
    what = "whole encoder learns" if layers < 0 else f"encoder's upper {layers} layers learn"
    learning = f"; the {what}" if layers else ""
    share = sentence.get("neighbours", {}).get("share", 0)
    drawn = f"; {share:.0%} of the targets are drawn from the items with the nearest texts" if share else ""
    return f"{QUERY_INPUTS[sentence['inputs']]}{learning}{drawn}"


def _examples(generative: Mapping[str, Any]) -> str:
    """What search learns from besides the data set's training queries."""
    search = generative["search"]
    simulated = f"; {search['simulated_per_item']} simulated queries per item" if search["simulated_per_item"] else ""
    return simulated + ("; the items' own texts" if search["item_texts"] else "")


def remarks_on_sizes(labels: Sequence[str], groups: Sequence[Sequence[Result]]) -> list[str]:
    """How many first codes and positions the IDs of each row have, where rows differ: AMI depends on both."""
    rows: dict[str, list[str]] = {}
    for label, seeds in zip(labels, groups, strict=True):
        metrics = [result.metrics.get("id-quality", {}) for result in seeds]
        sizes = [[of[name] for of in metrics if name in of] for name in ("codes_used@1", "length")]
        if all(sizes):
            rows.setdefault(" and ".join(f"{sum(of) / len(of):.3g}" for of in sizes), []).append(label)
    of_rows = "; ".join(f"{size}: {', '.join(named)}" for size, named in rows.items())
    return [f"First codes in use, and positions of an ID, on average over seeds. {of_rows}."] if len(rows) > 1 else []


def remarks_of_runs(labels: Sequence[str], groups: Sequence[Sequence[Result]]) -> list[str]:
    """The notes that the runs left: once where every row has one, else after the labels (and seeds) of its rows."""
    said: dict[str, list[str]] = {}
    for label, seeds in zip(labels, groups, strict=True):
        for note in dict.fromkeys(note for result in seeds for note in result.notes):
            having = [str(result.seed) for result in seeds if note in result.notes]
            some = f" (seed{'s' if len(having) > 1 else ''} {', '.join(having)})" if len(having) < len(seeds) else ""
            said.setdefault(note, []).append(label + some)
    notes = [note if rows == list(labels) else f"{', '.join(rows)}: {note}" for note, rows in said.items()]
    mixed: dict[str, list[str]] = {}
    for label, seeds in zip(labels, groups, strict=True):
        mixed.setdefault(seeds_note(seeds), []).append(label)
    return notes + [f"{note}: {', '.join(rows)}." for note, rows in mixed.items() if note]
