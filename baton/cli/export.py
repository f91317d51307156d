"""``baton export``: a table of the board as CSV or Parquet, for a warehouse or a spreadsheet."""

import sys
from enum import StrEnum
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from baton.cli.board import NoBoard, _part, _place
from baton.cli.moments import moment_ms

app = typer.Typer()


class Format(StrEnum):
    """Formats of an export."""

    CSV = "csv"
    PARQUET = "parquet"


class NoParquet(RuntimeError):
    """The library that writes Parquet is not installed; the text says how to have it."""


@app.command(no_args_is_help=True, epilog="Example:  baton export --table touch --since 2026-11-01 --format csv > touches.csv")
def export(
    table: str = typer.Option(None, "--table", help="The table; `--list` says which there are."),
    form: Format = typer.Option(Format.CSV, "--format", help="csv or parquet."),
    since: str = typer.Option(None, "--since", help="Only rows appended, or of a moment, from then on: a day or an ISO time."),
    out: Path = typer.Option(None, "--out", help="The file to write; without it CSV goes to standard output."),
    listed: bool = typer.Option(False, "--list", help="The tables with their columns, and nothing else."),
) -> None:
    """Write a table of the board. Names and addresses never leave it; leads are ids. Text that a spreadsheet would run is defused."""
    exporting = _part("exporting")
    if listed or table is None:
        _list(exporting)
        return
    asked = exporting.table_named(table)
    _, files, _ = _place()
    path = files.current()
    if path is None:
        raise NoBoard("there is no board to export from yet; start one with: baton up")
    rows = exporting.rows_of(path, asked, moment_ms(since) if since else None)
    count = _written(exporting, rows, asked, form, out)
    Console(stderr=True).print(f"{count} rows of {table}", highlight=False)


def _written(exporting: object, rows: object, asked: object, form: Format, out: Path | None) -> int:
    if form is Format.PARQUET:
        if out is None:
            raise typer.BadParameter("Parquet goes to a file", param_hint="--out")
        try:
            return int(exporting.write_parquet(rows, asked, out))  # type: ignore[attr-defined]  # found by name
        except ModuleNotFoundError:
            raise NoParquet("Parquet needs pyarrow: pip install 'baton[parquet]'; CSV needs nothing") from None
    if out is None:
        return int(exporting.write_csv(rows, asked, sys.stdout))  # type: ignore[attr-defined]
    with out.open("w", encoding="utf-8", newline="") as file:
        return int(exporting.write_csv(rows, asked, file))  # type: ignore[attr-defined]


def _list(exporting: object) -> None:
    tables = _part("facts.tables").TABLES
    shown = Table(box=None, header_style="bold")
    for heading in ("table", "column", "says"):
        shown.add_column(heading)
    for name in exporting.EXPORTABLE:  # type: ignore[attr-defined]
        shown.add_row(f"[bold]{name}[/]", "", tables[name].says)
        for column in tables[name].columns:
            shown.add_row("", column.name, column.says)
    Console().print(shown)
