"""Tables of the board for warehouses: CSV that no spreadsheet takes for formulas, or Parquet. Only
what may leave: no names, no records."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from services.insights.board.words import csv_cell
from services.insights.derived.work import NEVER_MS
from services.insights.facts.table import TEXT, Table
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import StorePlace, reader, streamed

_AT_ONCE: Final = 10_000
_MOMENTS: Final = ("log_ms", "won_at_ms", "last_seen_ms")
EXPORTABLE: Final = tuple(name for name, table in TABLES.items() if table.exported)


class NotExportable(ValueError):
    """There is no such table, or it may not leave; the text says which there are."""


def table_named(name: str) -> Table:
    """The table, where it may leave; raises NotExportable."""
    if name not in EXPORTABLE:
        why = (
            "holds names or whole records and may not leave the board"
            if name in TABLES
            else "is no table of the board"
        )
        raise NotExportable(f"{name} {why}; there are {', '.join(EXPORTABLE)}")
    return TABLES[name]


def since_column(table: Table) -> str | None:
    """The column that ``--since`` looks at: when the record was appended, else the moment that a
    derived row is about."""
    candidates = (
        *_MOMENTS,
        *(column.name for column in table.columns if column.name.endswith("_at_ms")),
    )
    return next((name for name in candidates if name in table.names), None)


def rows_of(place: StorePlace, table: Table, since_ms: int | None) -> Iterator[tuple[Any, ...]]:
    """The rows in the order of the key, from one moment of the store."""
    db = reader(place)
    column = since_column(table)
    if since_ms is not None and column is None:
        raise NotExportable(
            f"{table.name} has no moment that --since could look at; export it whole"
        )
    where = f"WHERE {column} >= ?" if since_ms is not None else ""
    statement = (
        f"SELECT {', '.join(table.names)} FROM {table.name} {where} ORDER BY {', '.join(table.key)}"
    )
    moments = [place for place, column in enumerate(table.columns) if column.is_moment]
    try:
        for row in streamed(db, statement, () if since_ms is None else (since_ms,)):
            yield _without_never(row, moments)
    finally:
        db.close()


def _without_never(row: tuple[Any, ...], moments: Sequence[int]) -> tuple[Any, ...]:
    """A moment that does not come is empty: the store keeps a number for it that sorts last."""
    if not any(row[place] == NEVER_MS for place in moments):
        return row
    return tuple([None if value == NEVER_MS else value for value in row])


def write_csv(rows: Iterator[tuple[Any, ...]], table: Table, out: IO[str]) -> int:
    """Write them with a line of names; gives the number of rows."""
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(table.names)
    count = 0
    for row in rows:
        writer.writerow([csv_cell(value) for value in row])
        count += 1
    return count


def write_parquet(rows: Iterator[tuple[Any, ...]], table: Table, path: Path) -> int:
    """Write a file with the columns' types and their words as metadata, moments as timestamps in
    UTC; gives the number of rows. Needs pyarrow."""
    import pyarrow as pa
    from pyarrow import parquet

    moment = pa.timestamp("ms", tz="UTC")
    fields = [
        pa.field(
            column.name,
            moment if column.is_moment else pa.string() if column.type == TEXT else pa.int64(),
            column.nullable or column.is_moment,
            {"says": column.says},
        )
        for column in table.columns
    ]
    schema = pa.schema(fields, {"table": table.name, "says": table.says})
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        while chunk := [row for row, _ in zip(rows, range(_AT_ONCE), strict=False)]:
            columns = [
                pa.array(column, field.type)
                for column, field in zip(zip(*chunk, strict=True), fields, strict=True)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            count += len(chunk)
    return count
