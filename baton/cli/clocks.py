"""``baton clocks``: promises that run or are broken, the earliest deadline first."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from baton.agreement.publish import wall_ms
from baton.agreement.quantities import parse_duration_ms
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.flow import board_commands
from baton.screens.business_time import sum_words
from baton.screens.clocks import (
    ClockQuestion,
    ClocksFound,
    clocks_of_board,
    clocks_of_log,
)
from baton.settings import Settings, load_settings

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Examples:  baton clocks --due 4h        baton clocks --person ae-greta        "
    "baton clocks --pool emea_sdr --due 0m --json | jq .lead_id"
)
def clocks(
    due: str = typer.Option(
        None,
        "--due",
        help="Only those due within this time (elapsed), and what is overdue: 4h, 2 days; 0m: "
        "overdue only.",
    ),
    pool: str = typer.Option(None, "--pool", help="Only those of this pool."),
    person: str = typer.Option(None, "--person", help="Only those this person owes."),
    limit: int = typer.Option(200, "--limit", min=1, max=100_000, help="The first so many."),
    from_log: bool = typer.Option(
        False, "--from-log", help="Read the cluster even where there is a board on this machine."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """Open clocks of both sides: what is due, to whom, and what is overdue.

    Answered from the board's file by its index, in milliseconds at a million leads. Where no board
    runs on this machine, from the clocks' compacted changelog: one record a lead, read as a stream.
    """
    now_ms = wall_ms()
    question = ClockQuestion(
        until_ms=None if due is None else now_ms + _duration_ms(due),
        pool=pool,
        person=person,
        limit=limit,
    )
    settings = load_settings()
    path = None if from_log else board_commands().files_of(settings).current()
    found = (
        _from_log(question, now_ms)
        if path is None
        else clocks_of_board(path, question, now_ms=now_ms)
    )
    if as_json:
        for row in found.rows:
            typer.echo(json.dumps(asdict(row)))
    else:
        _show(found)


def _duration_ms(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--due") from None


def _from_log(question: ClockQuestion, now_ms: int) -> ClocksFound:
    settings: Settings = cluster_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        return clocks_of_log(reader, question, now_ms=now_ms)


def _show(found: ClocksFound) -> None:
    console = Console()
    if not found.rows:
        console.print("no open clock is as asked for")
        return
    table = Table(box=None, header_style="bold")
    for heading in ("due (UTC)", "left", "clock", "side", "person", "pool", "level", "lead"):
        table.add_column(heading)
    for row in found.rows:
        left = sum_words(abs(row.left_ms) - abs(row.left_ms) % 60_000)
        table.add_row(
            written(row.deadline_ms)[:16],
            f"[red]overdue {left}[/]" if row.left_ms < 0 else left,
            row.clock,
            row.side.replace("_", " "),
            row.owner or "",
            row.pool or "",
            row.level or "",
            row.lead_id,
        )
    console.print(table)
    if found.total > len(found.rows):
        console.print(f"the first {len(found.rows)} of {found.total}; more with --limit")
