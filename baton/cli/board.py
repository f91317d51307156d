"""``baton board``: a one-time link into the board, a rebuild of it, a copy of it."""

import json
import sys
from enum import StrEnum
from pathlib import Path

import typer

from baton.flow import board_commands
from baton.settings import Settings, load_settings

app = typer.Typer(add_completion=False)


class PackForm(StrEnum):
    """Forms of a pack."""

    TXT = "txt"
    HTML = "html"
    CSV = "csv"


@app.callback()
def board() -> None:
    """The board: what both teams look at. `baton up` starts it; its pages are entered by a one-time
    link."""


@app.command(epilog="Example:  baton board link --as ae-greta")
def link(
    person: str = typer.Option(
        None,
        "--as",
        help=(
            "Enter as this person of the agreement, who can then accept, reject, claim ... Without "
            "it: look only."
        ),
    ),
) -> None:
    """Print a link that opens the board once, within an hour."""
    settings = load_settings()
    typer.echo(entrance_to(settings, person) or board_commands().entrance(settings, person, None))


@app.command()
def rebuild() -> None:
    """Build the board anew from the topics, beside the one in use, which stays until the new one
    has caught up."""
    board_commands().want_rebuild(load_settings())
    typer.echo(
        "asked for; a running board begins within seconds, else the next to start. The page Data "
        "says since when it is complete"
    )


@app.command(epilog="Example:  baton board backup board.sqlite")
def backup(
    path: Path = typer.Argument(help="The file to write; it must not exist."),
) -> None:
    """Write a whole copy of the board to one file, while it goes on. Keep it as carefully as the
    topics: it has names."""
    try:
        board_commands().backup(load_settings(), path)
    except FileExistsError as error:
        raise typer.BadParameter(str(error), param_hint="path") from None
    typer.echo(str(path))


@app.command(epilog="Example:  baton board costs costs.csv")
def costs(
    path: Path = typer.Argument(
        exists=True, dir_okay=False, help="CSV: campaign,month,amount,currency[,channel,owner]"
    ),
) -> None:
    """Report what campaigns cost, by month: the board then shows cost and return beside what they
    brought. A line for the same campaign and month replaces the earlier one."""
    try:
        count = board_commands().report_costs(load_settings(), path)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="path") from None
    typer.echo(f"{count} costs reported")


@app.command(epilog="Example:  baton board pack --week 2026-W48 --format csv > week.csv")
def pack(
    week: str = typer.Option(None, "--week", help="The week, as 2026-W48; without it the last."),
    form: PackForm = typer.Option(PackForm.TXT, "--format", help="txt, html or csv."),
    mail: bool = typer.Option(False, "--mail", help="Mail it to those who have not got it."),
    again: bool = typer.Option(False, "--again", help="With --mail: to all, once more."),
    compare: bool = typer.Option(
        False, "--compare", help="What the week would say now; late events restate it."
    ),
) -> None:
    """Write the pack of a week: the figures of the meeting, frozen as they were known. A pack is
    made once; asking again gives the same."""
    commands, settings = board_commands(), load_settings()
    try:
        found = commands.weekly_pack(settings, week)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--week") from None
    if mail:
        typer.echo(f"mailed to {len(commands.mail_pack(settings, found, again=again))}")
    elif compare:
        changes = commands.restated(settings, found)
        typer.echo("\n".join(changes) or "as it was frozen")
    else:
        sys.stdout.write(commands.written(found, form.value))


@app.command(epilog="Example:  baton backtest new.yaml --json | baton board trial -")
def trial(
    file: typer.FileText = typer.Argument(help="What --json printed; - for standard input."),
) -> None:
    """Put what a backtest, a shadow, a challenger or a calibration found on the board, beside the
    agreement's versions: for both teams to read before they sign."""
    try:
        found = json.loads(file.read())["trial"]
        page = board_commands().keep_trial(load_settings(), found)
    except (ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(
            "is not what baton backtest, shadow status, challenger or calibrate print with --json",
            param_hint="file",
        ) from error
    typer.echo(f"on the board: {page}")


def entrance_to(settings: Settings, person: str | None = None) -> str | None:
    """A one-time link into the board of the run of this home; None where none runs."""
    from baton.local.up.run_record import read_run

    run = read_run(settings.home)
    addresses = (process.addresses.get("board") for process in run.processes) if run else ()
    address = next((candidate for candidate in addresses if candidate), None)
    return None if address is None else str(board_commands().entrance(settings, person, address))
