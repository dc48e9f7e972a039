"""IDs as a data set of the Hugging Face Hub: a folder that others read without this suite.

README.md      the card
ids.parquet    id (string), codes (list of int32), counter (int32), in the order of the IDs
ids.json       {"format": 1, "method", "settings", "encoder", "dataset" with the corpus fingerprint, "metrics", ..}

What came from such a folder goes into the next one as it is: counters, and what ids.json says.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmark.errors import DataError, UsageError
from benchmark.fetching.hub import ABOUT, CARD, IDS, is_on_hub, upload
from benchmark.files import home_path, whole, write_json, write_text
from benchmark.ids.card import FORMAT, card
from benchmark.ids.counters import repeated
from benchmark.ids.id_set import IdSet
from benchmark.results.digests import read_unchanged
from benchmark.version import __version__


def push(ids: IdSet, target: str, *, licence: str = "") -> str:
    """Write the IDs to a new folder, or upload them to `hub:org/name`; return where they are.

    `licence` is that of the IDs, where the data set does not state one. Raises UsageError for a folder that is already
    there, BenchmarkError where the Hub refuses it.
    """
    if is_on_hub(target):
        with tempfile.TemporaryDirectory() as room:
            write_folder(ids, Path(room) / "ids", licence=licence)
            return upload(Path(room) / "ids", target, f"Semantic IDs of {ids.name}")
    folder = home_path(target)
    if folder.exists():
        raise UsageError(f"ids push: {folder} is already there")
    write_folder(ids, folder, licence=licence)
    return str(folder)


def write_folder(ids: IdSet, folder: Path, *, licence: str = "") -> None:
    """Write the folder, which appears only when it is whole: the same bytes for the same IDs.

    Raises DataError where two items have the same ID.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if (twice := repeated(ids.codes, ids.counters)).any():
        raise DataError(
            f"{ids.name}: {twice.sum():,} items share codes and counter with another one, e.g. "
            f"'{ids.items[twice.argmax()]}'; 'benchmark ids repair IDS --by counter' counts them anew"
        )
    codes = [ids.id_of(row) for row in range(len(ids.items))]
    table = pa.table(
        {"id": pa.array(ids.items, pa.string()), "codes": pa.array(codes, pa.list_(pa.int32())),
         "counter": pa.array(ids.counters, pa.int32())}
    )  # fmt: skip
    about = _about(ids, licence)
    with whole(folder) as part:
        part.mkdir()
        pq.write_table(table, part / IDS)
        write_json(part / ABOUT, about)
        write_text(part / CARD, card(about))


def _about(ids: IdSet, licence: str) -> dict[str, Any]:
    result = ids.result
    dataset = {} if result is None else {name: result.dataset.get(name) for name in ("name", "title", "fingerprint")}
    made = {} if result is None else read_unchanged(result.folder / "result.json") or {}
    of_dataset = made.get("dataset", {})
    settings = {} if result is None else dict(result.config.get("method") or {})
    encoder = settings.get("encoder")
    about = {
        "format": FORMAT,
        "name": ids.name,
        "items": len(ids.items),
        "codebooks": list(ids.codes.sizes),
        "method": result.method if result else "",
        "preset": result.preset if result else "",
        "settings": settings,
        "encoder": encoder.get("name", "") if isinstance(encoder, dict) else encoder or "",
        "text fields": list(result.text_fields) if result else [],
        "seed": result.seed if result else None,
        "split": (result.history_protocol or "leave-one-out") if result else "",
        "dataset": {**dataset, "source": of_dataset.get("source", "")},
        "licence": licence or of_dataset.get("licence") or "unknown",
        "metrics": {task: dict(values) for task, values in result.metrics.items()} if result else {},
        "made with": f"lmindexer-benchmark {__version__}",
        "revisions": dict(result.revisions) if result else {},
    }
    said = {name: value for name, value in ids.shared.items() if name not in ("items", "codebooks")}
    for name in said.keys() & about.keys():
        if about[name] is not None and not isinstance(said[name], type(about[name])):
            raise DataError(f"{ids.name}: ids.json: '{name}' is a {type(said[name]).__name__}")
    return {**about, **said, **({"licence": licence} if licence else {})}
