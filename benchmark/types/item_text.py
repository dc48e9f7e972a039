"""Item texts: 'title: X, description: Y, brand: Z, price: P, category: A, B, C', each field only where it exists.

Source: LMIndexer (ICML 2024), item text of its released code: no lower-casing, no cleaning, fields joined with ', '.
Its passages (MS MARCO) are bare text, so the only field of a data set is not named: 'Y', not 'description: Y'.
`category` stands for the whole category path and is part of the text only when asked for, because ID quality is
scored against that same path. `keywords` is never used unless asked for either: it may hold category words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from benchmark.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


DEFAULT_TEXT_FIELDS = ("title", "description", "brand", "price")
PAPER_TEXT_FIELDS = (*DEFAULT_TEXT_FIELDS, "category")


def item_texts(table: pa.Table, fields: Sequence[str]) -> list[str]:
    """Return one text per row of the corpus table, the asked fields in the asked order.

    Fields are named ('title: X'), unless the data set has one field alone and no categories.
    An item with none of the asked fields is given its first other text field (never categories or keywords);
    an item without any text is ''. Raises UsageError for a field that no item has (the paper's five fields may
    be absent: each is used only where it exists).
    """
    check_fields(table, fields)
    return [text for texts in _batches(table, fields) for text in texts.to_pylist()]


def names_fields(table: pa.Table) -> bool:
    """Do item texts name their fields? Not where the data set has one field alone and no categories: passages."""
    import pyarrow as pa

    columns = [name for name in table.column_names if name != "id"]
    return len(columns) != 1 or pa.types.is_list(table.column(columns[0]).type)


def field_values(table: pa.Table, name: str) -> list[str]:
    """Return the value of one field per row, lists joined with ', ', '' where an item does not have it.

    Raises UsageError for a field that no item can have; each of the paper's five may be absent.
    """
    check_fields(table, (name,))
    column = _column(name)
    if column not in table.column_names:
        return [""] * len(table)
    batches = table.select([column]).to_batches()
    return [value or "" for batch in batches for value in _values(batch, column).to_pylist()]


def document_texts(table: pa.Table, fields: Sequence[str]) -> list[str]:
    """Return the values of the text fields without their names, joined with spaces: the text that a search reads.

    Without the names a query with the word "title" does not match everything. An item that has none of the fields
    gives its first other text field (never categories or keywords); an item without any text is ''.
    """
    columns = [_column(name) for name in fields]
    texts = [" ".join(filter(None, values)) for values in _rows(table, columns)]
    empty = [row for row, text in enumerate(texts) if not text.strip()]
    if empty:
        others = _rows(table, fallback_fields(table, fields))
        for row in empty:
            texts[row] = next((value for value in others[row] if value.strip()), "")
    return texts


def _rows(table: pa.Table, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each item's values of the columns that exist, lists joined with spaces."""
    present = [table.column(name).to_pylist() for name in columns if name in table.column_names]
    texts = [[value if isinstance(value, str) else " ".join(value or ()) for value in column] for column in present]
    return list(zip(*texts, strict=True)) if texts else [()] * len(table)


def check_fields(table: pa.Table, fields: Sequence[str]) -> None:
    """Raise UsageError when a text field is unknown to this corpus."""
    known = known_fields(table)
    for name in fields:
        if _column(name) not in table.column_names and name not in PAPER_TEXT_FIELDS:
            raise UsageError(f"text field '{name}': no item has it.{did_you_mean(name, known)}")
    if not fields:
        raise UsageError(f"no text field was asked for. Known: {', '.join(known)}.")


def known_fields(table: pa.Table) -> list[str]:
    """Return the names that may be asked for, in the order of the corpus."""
    return [("category" if name == "categories" else name) for name in table.column_names if name != "id"]


def fallback_fields(table: pa.Table | pa.RecordBatch, fields: Sequence[str]) -> list[str]:
    """Return the text fields that stand in for missing ones: all others, less those that may name the label."""
    asked = {_column(name) for name in fields}
    return [
        name
        for name in table.schema.names
        if name not in asked and name not in ("id", "keywords") and not name.startswith("categor")
    ]


def without_fields(table: pa.Table, fields: Sequence[str]) -> int:
    """Return how many items have none of the asked fields."""
    import pyarrow.compute as pc

    columns = [_column(name) for name in fields if _column(name) in table.column_names]
    count = 0
    for batch in table.select(columns).to_batches() if columns else []:
        present = [pc.fill_null(pc.greater(_length(batch.column(name)), 0), False) for name in columns]
        anywhere = present[0]
        for other in present[1:]:
            anywhere = pc.or_(anywhere, other)
        count += len(anywhere) - (pc.sum(anywhere).as_py() or 0)
    return count if columns else int(table.num_rows)


def items_with(table: pa.Table, fields: Sequence[str]) -> dict[str, int]:
    """Return for each field how many items have it; 0 where the data set does not know it."""
    import pyarrow.compute as pc

    found = dict.fromkeys(fields, 0)
    for name in fields:
        chunks = table.column(_column(name)).chunks if _column(name) in table.column_names else []
        found[name] = sum(pc.sum(pc.greater(_length(chunk), 0)).as_py() or 0 for chunk in chunks)
    return found


def _length(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.list_value_length(column) if pa.types.is_list(column.type) else pc.binary_length(column)


def _column(field: str) -> str:
    return "categories" if field == "category" else field


def _batches(table: pa.Table, fields: Sequence[str]) -> Iterator[pa.Array]:
    """Yield the texts batch by batch: a string array must stay under 2 GB."""
    import pyarrow.compute as pc

    others, named = fallback_fields(table, fields), names_fields(table)
    for batch in table.to_batches(max_chunksize=65536):
        asked, stand_ins = (
            [part for name in names if (part := _part(batch, name, named=named)) is not None]
            for names in (fields, others)
        )
        texts = join(asked, ", ", len(batch))
        if stand_ins and texts.null_count:
            texts = pc.coalesce(texts, *stand_ins)
        yield pc.fill_null(texts, "")


def join(parts: Sequence[pa.Array], separator: str, rows: int) -> pa.Array:
    """Join string columns row by row without their nulls; null where a row has nothing else or only ''.

    Arrow's own join with null_handling="skip" loses the rows in which every value is null (seen in 26.0.1).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    before = pa.scalar(separator)
    texts = pa.array([""] * rows, pa.string())
    for part in parts:
        texts = pc.binary_join_element_wise(texts, pc.fill_null(pc.binary_join_element_wise(before, part, ""), ""), "")
    texts = pc.utf8_slice_codeunits(texts, len(separator))
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _part(batch: pa.RecordBatch, field: str, *, named: bool) -> pa.Array | None:
    """Return 'field: value' (or the bare value) per row, null where the item does not have the field."""
    import pyarrow as pa
    import pyarrow.compute as pc

    name = _column(field)
    if name not in batch.schema.names:
        return None
    if pa.types.is_list(batch.column(name).type):
        field = "category"
    values = _values(batch, name)
    values = pc.if_else(pc.equal(values, ""), pa.scalar(None, pa.string()), values)
    return pc.binary_join_element_wise(pa.scalar(f"{field}: "), values, "") if named else values


def _values(batch: pa.RecordBatch, column: str) -> pa.Array:
    """Return the strings of a column, those of a list joined with ', '."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = batch.column(column)
    return pc.binary_join(values, ", ") if pa.types.is_list(values.type) else values
