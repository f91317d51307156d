"""``baton export``: a table of the board as CSV or Parquet, for a warehouse or a spreadsheet."""

import contextlib
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from baton.cli.moments import moment_ms
from baton.flow import board_commands
from baton.settings import load_settings

app = typer.Typer(add_completion=False)


class Format(StrEnum):
    """Formats of an export."""

    CSV = "csv"
    PARQUET = "parquet"


class NoParquet(RuntimeError):
    """The library that writes Parquet is not installed; the text says how to have it."""


@app.command(
    no_args_is_help=True,
    epilog="Example:  baton export --table touch --since 2026-11-01 > touches.csv",
)
def export(
    table: str = typer.Option(None, "--table", help="The table; `--list` says which there are."),
    form: Format = typer.Option(Format.CSV, "--format", help="csv or parquet."),
    since: str = typer.Option(
        None,
        "--since",
        help="Only rows appended, or of a moment, from then on: a day or an ISO time.",
    ),
    out: Path = typer.Option(
        None, "--out", help="The file to write; without it CSV goes to standard output."
    ),
    listed: bool = typer.Option(
        False, "--list", help="The tables with their columns, and nothing else."
    ),
) -> None:
    """Write a table of the board. Names and addresses never leave it; leads are ids. Text that a
    spreadsheet would run is defused."""
    if listed or table is None:
        _list()
        return
    since_ms = moment_ms(since) if since else None
    count = _parquet(table, since_ms, out) if form is Format.PARQUET else _csv(table, since_ms, out)
    Console(stderr=True).print(f"{count} rows of {table}", highlight=False)


def _parquet(table: str, since_ms: int | None, out: Path | None) -> int:
    if out is None:
        raise typer.BadParameter("Parquet goes to a file", param_hint="--out")
    try:
        with _replacing(out) as part:
            return int(board_commands().export_parquet(load_settings(), table, since_ms, part))
    except ModuleNotFoundError:
        raise NoParquet(
            "Parquet needs pyarrow: pip install 'baton[parquet]'; CSV needs nothing"
        ) from None


def _csv(table: str, since_ms: int | None, out: Path | None) -> int:
    if out is None:
        return int(board_commands().export_csv(load_settings(), table, since_ms, sys.stdout))
    with _replacing(out) as part, part.open("w", encoding="utf-8", newline="") as file:
        return int(board_commands().export_csv(load_settings(), table, since_ms, file))


@contextlib.contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A file beside ``out`` that takes its place once it is whole: what was there before stays
    where the export fails."""
    part = out.with_name(f"{out.name}.part")
    try:
        yield part
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _list() -> None:
    shown = Table(box=None, header_style="bold")
    for heading in ("table", "column", "says"):
        shown.add_column(heading)
    for table in board_commands().exportable():
        shown.add_row(f"[bold]{table.name}[/]", "", table.says)
        for column in table.columns:
            shown.add_row("", column.name, column.says)
    Console().print(shown)
