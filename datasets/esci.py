"""Product searches of Amazon's Shopping Queries Dataset (ESCI) for the items of another data set.

    shopping_queries_dataset_examples.parquet   query_id, query, product_id, product_locale, esci_label, split, ...

Relevant (grade 1) is what is labelled E, exact. Kept are the products that the data set has as items; ranked are all
its items. Test is ESCI's own test split; of the train queries, shuffled with a fixed seed, 7/8 train and 1/8 validate.
ESCI's products file is not needed: the items bring their own texts.

Source: Reddy et al., Shopping Queries Dataset, arXiv 2206.06588; the protocol of LMIndexer's released code, which
takes the queries of all locales (`locale=all`).

Checked against the repository amazon-science/esci-data: columns, labels (E, S, C, I), locales (us, es, jp), splits, and
the pointer with the file's size and checksum. The real file was not to be had.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any, Literal

from benchmark.errors import DataError
from benchmark.fetching.sources import RemoteFile, read_declaration

SEED = 2023
COLUMNS = ("query_id", "query", "product_id", "product_locale", "esci_label", "split")

Judged = dict[str, tuple[str, dict[str, None]]]  # query id -> text, relevant items in order


def examples_file() -> RemoteFile:
    """Return the file that the searches come from."""
    return read_declaration(Path(__file__).with_suffix(".toml"), "examples").files[0]


def write_queries(examples: Path, items: Set[str], folder: Path, *, locale: Literal["us", "all"]) -> list[str]:
    """Write queries*.tsv and qrels*.txt for train, dev and test, where there are any; return notes with counts.

    Raises DataError when the parquet file is broken or lacks a column.
    """
    found: dict[str, Judged] = {"train": {}, "test": {}}
    for row in _exact(examples, items):
        if locale == "us" and row["product_locale"] != "us":
            continue
        text = " ".join((row["query"] or "").replace("\0", " ").split())
        if row["split"] in found and text:
            query = found[row["split"]].setdefault(str(row["query_id"]), (text, {}))
            query[1][row["product_id"]] = None
    train, dev = split_train(found["train"])
    notes = []
    for name, judged in (("", found["test"]), (".train", train), (".dev", dev)):
        if judged:
            _write(judged, folder / f"queries{name}.tsv", folder / f"qrels{name}.txt")
        else:
            notes.append(f"ESCI has no {name.strip('.') or 'test'} query for these items")
    return notes


def split_train(queries: Judged) -> tuple[Judged, Judged]:
    """Return (train, dev): 7/8 and 1/8 of the queries, in the order of a seeded shuffle."""
    ids = sorted(queries, key=int)
    random.Random(SEED).shuffle(ids)
    cut = len(ids) - len(ids) // 8
    return {query: queries[query] for query in ids[:cut]}, {query: queries[query] for query in ids[cut:]}


def _exact(path: Path, items: Set[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows labelled E of the given items, a batch in memory at a time."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    ours = pa.array(sorted(items), pa.string())

    try:
        with pq.ParquetFile(path) as file:
            missing = [name for name in COLUMNS if name not in file.schema_arrow.names]
            if missing:
                raise DataError(f"{path}: has no column {', '.join(missing)}; not ESCI's examples file")
            for batch in file.iter_batches(columns=list(COLUMNS), batch_size=1 << 16):
                known = pc.is_in(batch.column("product_id").cast(pa.string()), ours)
                yield from batch.filter(pc.and_(known, pc.equal(batch.column("esci_label"), "E"))).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable parquet file ({error})") from None


def _write(judged: Judged, queries: Path, qrels: Path) -> None:
    with queries.open("w", encoding="utf-8") as file:
        file.writelines(f"{query}\t{text}\n" for query, (text, _) in judged.items())
    with qrels.open("w", encoding="utf-8") as file:
        file.writelines(f"{query} 0 {item} 1\n" for query, (_, items) in judged.items() for item in items)
