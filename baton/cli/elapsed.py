"""``baton elapsed``: how much open time lies between two moments, with the arithmetic."""

from pathlib import Path

import typer

from baton.agreement.publish import wall_ms
from baton.cli.deadline import CALENDAR, FILE, FROM, JSON, PERSON, hours_of, show
from baton.screens.business_time import between
from baton.screens.moments import local_moment_ms

app = typer.Typer(add_completion=False)


@app.command(
    no_args_is_help=True,
    epilog="Examples:  baton elapsed --calendar berlin --from 2026-11-27T15:00 --until "
    "2026-11-30T11:00        baton elapsed --person ae-greta --from 2026-11-27T15:00",
)
def elapsed(
    starts: str = FROM,
    ends: str = typer.Option(None, "--until", help="To this moment; without it until now."),
    calendar: str = CALENDAR,
    person: str = PERSON,
    agreement: Path = FILE,
    as_json: bool = JSON,
) -> None:
    """How much open time lies between two moments: what a promise counts, beside what a wall clock
    does.

    It reads the agreement and the absences, and no lead.
    """
    hours = hours_of(agreement, calendar, person)
    try:
        first = local_moment_ms(starts, hours.zone)
        last = local_moment_ms(ends, hours.zone) if ends else wall_ms()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if last < first:
        raise typer.BadParameter("--until is before --from")
    show(between(hours, first, last), as_json)
