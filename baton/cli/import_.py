"""``baton import``: lists that people bring, as CSV, or events as JSON lines."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import typer
from rich.console import Console

from baton.cli.columns import ColumnMap, ImportTerms, MapWrong, RowWrong, column_map, lines_of_row
from baton.cli.sending import Numbered, Trouble, lines_of, numbered, send_all
from baton.cli.ways_in import Via, opened, progress, reporting, sender_for
from baton.intake.reading import Problem

app = typer.Typer()

_MAX_CELL = 32_768
_DELIMITERS = ",;\t|"

EPILOG = (
    "Examples:  baton import people.csv --map 'E-mail=email' --map 'Size=employees'        "
    "baton import fair.csv --act webinar --campaign fair-2026 --map 'OK to mail=consent:marketing/email'        "
    "baton import --jsonl events.jsonl"
)


@app.command(no_args_is_help=True, epilog=EPILOG)
def import_(
    file: str = typer.Argument(help="The list; - reads standard input."),
    wishes: list[str] = typer.Option([], "--map", help="COLUMN=FIELD; may be repeated. COLUMN=- leaves a column out."),
    jsonl: bool = typer.Option(False, "--jsonl", help="The file has event lines, as for `baton send`."),
    act: str = typer.Option(
        None, "--act", help="What the people on the list did, a word of the agreement; without it only who they are."
    ),
    campaign: str = typer.Option(None, "--campaign", help="The campaign they did it in."),
    fresh: bool = typer.Option(False, "--fresh", help="It has just happened: let it fast-track. Without it, it is history."),
    guess: bool = typer.Option(
        True, "--guess/--no-guess", help="Take columns without --map by their names (email, phone, country ...)."
    ),
    delimiter: str = typer.Option(
        None, "--delimiter", help="Between columns; without it , ; tab or |, whichever the header has."
    ),
    encoding: str = typer.Option("utf-8-sig", "--encoding", help="Of the file, such as cp1252."),
    via: Via = typer.Option(Via.HTTP, "--via", help="Through the gateway, or straight to the inbox topic."),
    to: str = typer.Option(
        None, "--to", help="The gateway's address; without it BATON_GATEWAY_URL, else the one that runs here."
    ),
    key: str = typer.Option(None, "--key", help="The write key; better in BATON_WRITE_KEY."),
    source: str = typer.Option("import", "--source", help="Who the list is from: part of what makes an event the same event."),
    ledger: Path = typer.Option(None, "--ledger", help="Append the id of each acknowledged event to this file, one a line."),
    patience: float = typer.Option(60.0, "--patience", min=0, help="Seconds to wait for a system that is busy or away."),
    as_json: bool = typer.Option(False, "--json", help="The summary as JSON."),
) -> None:
    """Read a list of people, and say what became of each row.

    A row that cannot be taken is told by its line and field; the rest goes on. Importing the same list again changes nothing: a row is known by
    its content, or by the column mapped to `id`. Exit code 1 if anything was not accepted.

    Fields: email, user, anonymous, lead, crm:SYSTEM (who is meant); name, first_name, last_name, phone, company, stated_problem,
    current_supplier, note; country, role, employees, industry or any other field of the agreement's profile; consent:PURPOSE/CHANNEL
    (yes or no); act, content_title, campaign; id, occurred_at.
    """
    terms = ImportTerms(source=source, at_ms=time.time_ns() // 1_000_000, act=act, campaign=campaign, backfill=not fresh)
    with (
        opened(file) as found,
        reporting(file, ledger, as_json=as_json) as tally,
        sender_for(via, to=to, key=key, source=source, patience_s=patience) as sender,
        progress(found, quiet=as_json) as content,
    ):
        if jsonl:
            send_all(lines_of(content), sender, tally)
            return
        rows = _Rows(content, encoding, delimiter)
        columns = _columns(rows.header, wishes, guess=guess)
        send_all(rows.lines(columns, terms), sender, tally)


def _columns(header: Sequence[str], wishes: Sequence[str], *, guess: bool) -> ColumnMap:
    try:
        columns = column_map(header, wishes, guess=guess)
    except MapWrong as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None
    if columns.left_out:
        Console(stderr=True, soft_wrap=True).print(f"left out: {', '.join(columns.left_out)}", highlight=False, markup=False)
    return columns


class _Rows:
    """The rows of a CSV file, one bad row at a time."""

    def __init__(self, content: BinaryIO, encoding: str, delimiter: str | None) -> None:
        csv.field_size_limit(_MAX_CELL)
        try:
            text = io.TextIOWrapper(content, encoding, errors="surrogateescape", newline="")
        except LookupError:
            raise typer.BadParameter(f"{encoding!r} is not known", param_hint="--encoding") from None
        first = text.readline(_MAX_CELL)
        self._text = text
        self._offset = 1
        chosen = delimiter or max(_DELIMITERS, key=first.count)
        if len(chosen) != 1:
            raise typer.BadParameter("must be one character", param_hint="--delimiter")
        self.header = next(csv.reader([first], delimiter=chosen), [])
        self._rows = csv.reader(text, delimiter=chosen)
        if not any(each.strip() for each in self.header):
            raise typer.BadParameter("the file has no header line", param_hint="FILE")

    def lines(self, columns: ColumnMap, terms: ImportTerms) -> Iterator[Numbered | Trouble]:
        """Event lines, or what is wrong, with the line of the file where the row ends."""
        while True:
            try:
                row = next(self._rows)
            except StopIteration:
                self._text.detach()  # whoever opened the file closes it
                return
            except csv.Error as error:
                yield Trouble(number=self._number, problem=Problem("", f"is no row of CSV ({error})"))
                continue
            if not any(cell.strip() for cell in row):
                continue
            try:
                made = lines_of_row(row, columns, terms)
            except RowWrong as error:
                yield Trouble(number=self._number, problem=error.problem)
                continue
            yield from (numbered(self._number, line) for line in made)

    @property
    def _number(self) -> int:
        return self._rows.line_num + self._offset
