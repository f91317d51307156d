"""``baton goals``: the goals of both sides with their pace."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from baton.agreement.publish import wall_ms
from baton.cli.cluster import cluster_settings
from baton.flow import board_commands
from baton.screens.goals import GoalRow, goals_of_board, goals_of_log
from baton.screens.live import live
from baton.settings import load_settings

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples:  baton goals        baton goals --json | jq 'select(.pace < 0.8)'")
def goals(
    from_log: bool = typer.Option(
        False, "--from-log", help="Read the cluster even where there is a board on this machine."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """Goals of marketing and of sales in their running period: achieved, pace, what this pace comes
    to, former periods.

    Answered from the board's file; where no board runs on this machine, from goals.progress.v1,
    read backwards in growing windows until every goal of the agreement has been found.
    """
    path = None if from_log else board_commands().files_of(load_settings()).current()
    if path is not None:
        found = goals_of_board(path)
    else:
        with live(cluster_settings(), now_ms=wall_ms()) as cluster:
            found = goals_of_log(cluster)
    if as_json:
        for row in found:
            typer.echo(json.dumps(asdict(row)))
    else:
        _show(found)


def _show(found: list[GoalRow]) -> None:
    console = Console()
    if not found:
        console.print("no goal has been reported yet")
        return
    table = Table(box=None, header_style="bold")
    headings = ("goal", "side", "period", "achieved", "pace", "at this pace", "days", "before")
    for heading in headings:
        table.add_column(heading)
    for row in found:
        table.add_row(*_row(row))
    console.print(table)


def _row(row: GoalRow) -> tuple[str, ...]:
    ended = row.state != "running"
    return (
        row.goal,
        row.side,
        row.period,
        f"{row.achieved} of {row.target}",
        "" if row.pace is None else f"{row.pace:.2f}",
        row.state if ended else "" if row.expected is None else str(row.expected),
        f"{row.working_days_gone} of {row.working_days}",
        ", ".join(f"{period} {achieved}" for period, achieved in row.former.items()),
    )
