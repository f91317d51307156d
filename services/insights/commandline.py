"""What the command line does with the board: links, rebuilds, copies, exports. Found by
:mod:`baton.flow`."""

from __future__ import annotations

import os
from pathlib import Path

from baton.clients import confluent_producer_options
from baton.settings import Settings
from services.insights import exporting
from services.insights.board.access import new_link
from services.insights.board.publishing import KafkaPublisher
from services.insights.board.serving import board_stores
from services.insights.costs import records_of
from services.insights.facts.table import Table
from services.insights.facts.tables import TABLES
from services.insights.projection.dialect import StorePlace, copy_of
from services.insights.projection.files import BoardStores
from services.insights.settings import BoardSettings


class NoBoard(RuntimeError):
    """There is no board here yet; the text says how to have one."""


def files_of(settings: Settings) -> BoardStores:
    """The stores of a namespace's board."""
    return board_stores(settings, BoardSettings())


def entrance(settings: Settings, person: str | None, address: str | None) -> str:
    """A one-time link into the board at ``address`` (None: where the settings say)."""
    own = BoardSettings()
    return f"{address or f'http://{own.host}:{own.port}'}/enter?token={new_link(files_of(settings).folder, person)}"


def want_rebuild(settings: Settings) -> None:
    """Ask for a rebuild."""
    files_of(settings).want_rebuild()


def backup(settings: Settings, path: Path) -> None:
    """Write a copy that only its owner can read; raises NoBoard, and FileExistsError where there is
    something already."""
    current = _current(settings)
    if path.exists():
        raise FileExistsError(f"{path} exists already")
    former = os.umask(0o077)
    try:
        copy_of(current, path)
    finally:
        os.umask(former)


def report_costs(settings: Settings, path: Path) -> int:
    """Publish the costs of campaigns in a CSV file; gives how many. Raises WrongCosts, NotSent."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = records_of(file)
    publisher = KafkaPublisher(confluent_producer_options(settings), settings.namespace)
    for record in records:
        publisher.send_cost(record)
    return len(records)


def export_csv(settings: Settings, name: str, since_ms: int | None, out: object) -> int:
    """Write a table to a text stream; gives the number of rows. Raises NoBoard, NotExportable."""
    table = exporting.table_named(name)
    return exporting.write_csv(exporting.rows_of(_current(settings), table, since_ms), table, out)  # type: ignore[arg-type]


def export_parquet(settings: Settings, name: str, since_ms: int | None, path: Path) -> int:
    """Write a table to a file; gives the number of rows. Raises NoBoard, NotExportable,
    ModuleNotFoundError without pyarrow."""
    table = exporting.table_named(name)
    return exporting.write_parquet(
        exporting.rows_of(_current(settings), table, since_ms), table, path
    )


def exportable() -> list[Table]:
    """The tables that may leave."""
    return [TABLES[name] for name in exporting.EXPORTABLE]


def _current(settings: Settings) -> StorePlace:
    current = files_of(settings).current()
    if current is None:
        raise NoBoard("there is no board here yet; start one with: baton up")
    return current
