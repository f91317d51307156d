"""Tables for warehouses: what may leave, in which types, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from baton.contracts.public_record import PublicRecord
from services.insights.board.words import csv_cell
from services.insights.derived.work import NEVER_MS
from services.insights.exporting import (
    EXPORTABLE,
    NotExportable,
    rows_of,
    table_named,
    write_csv,
    write_parquet,
)
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import StorePlace, writer
from tests.services.insights.stores import fill

Company = tuple[tuple[PublicRecord, ...], int]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("ok\n=1", "'ok\n=1"),
        ("＝1", "'＝1"),
        ("a-b", "a-b"),
        ("", ""),
        (-5, "-5"),
        (None, ""),
    ],
)
def test_no_spreadsheet_takes_an_exported_text_for_a_formula(value: object, expected: str) -> None:
    assert csv_cell(value) == expected


def as_numbers(row: dict[str, Any]) -> tuple[Any, ...]:
    """Timestamps as the milliseconds that the store has."""
    return tuple(
        round(value.timestamp() * 1000) if isinstance(value, datetime) else value
        for value in row.values()
    )


def test_moments_are_timestamps_lengths_are_numbers_and_what_is_not_there_is_empty(
    place: StorePlace, tmp_path: Path
) -> None:
    from pyarrow import parquet

    fill(place, [])
    db = writer(place)
    db.execute("INSERT INTO work VALUES ('l', 'person', 'p', '', '', 0, ?, ?)", (NEVER_MS,) * 2)
    db.close()
    table = table_named("work")
    (row,) = rows_of(place, table, None)
    assert row[-2:] == (None, None)
    write_parquet(iter([row]), table, tmp_path / "work.parquet")
    back = parquet.read_table(tmp_path / "work.parquet")
    assert back.column("due_ms").to_pylist() == [None]
    lengths = [
        column.name
        for name in EXPORTABLE
        for column in TABLES[name].columns
        if column.name.endswith("_ms") and not column.is_moment
    ]
    assert {name.removeprefix("spent_") for name in lengths} == {
        *("system_ms", "queue_ms", "human_ms", "buyer_ms", "rest_ms"),
        *("took_ms", "length_ms"),
    }


@pytest.mark.parametrize("name", EXPORTABLE)
def test_every_table_that_may_leave_is_the_same_as_csv_and_as_parquet(
    store: StorePlace, tmp_path: Path, name: str
) -> None:
    from pyarrow import parquet

    table = table_named(name)
    rows = list(rows_of(store, table, None))
    out = io.StringIO()
    assert write_csv(iter(rows), table, out) == len(rows)
    found = list(csv.reader(io.StringIO(out.getvalue())))
    assert found[0] == list(table.names)
    assert len(found) == len(rows) + 1
    assert write_parquet(iter(rows), table, tmp_path / "t.parquet") == len(rows)
    back = parquet.read_table(tmp_path / "t.parquet")
    assert [as_numbers(row) for row in back.to_pylist()] == rows
    assert {str(field.type) for field in back.schema if field.name.endswith("at_ms")} <= {
        "timestamp[ms, tz=UTC]"
    }
    assert back.schema.field(0).metadata[b"says"].decode() == table.columns[0].says


@pytest.mark.parametrize(
    "name", ["person", "fact", "reference", "sqlite_schema", "lead; DROP TABLE lead"]
)
def test_names_whole_records_and_what_is_no_table_cannot_be_exported(name: str) -> None:
    with pytest.raises(NotExportable, match="there are"):
        table_named(name)


def test_an_export_since_a_moment_has_only_what_came_then(
    store: StorePlace, company: Company
) -> None:
    table, half = TABLES["touch"], company[0][len(company[0]) // 2].at_ms
    some, every = list(rows_of(store, table, half)), list(rows_of(store, table, None))
    place = table.names.index("log_ms")
    assert some == [row for row in every if row[place] >= half]
    assert 0 < len(some) < len(every)
