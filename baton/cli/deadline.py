"""``baton deadline``: when a promise is due, with the arithmetic."""

import json
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.calendars import AnyCalendar, NeverOpenError
from baton.agreement.problems import did_you_mean
from baton.agreement.publish import wall_ms
from baton.agreement.source.read import read_agreement
from baton.agreement.wall_time import local_datetime, zone_named
from baton.cli.cluster import cluster_settings
from baton.screens.business_time import (
    BusinessTime,
    Stretch,
    deadline_of,
    open_words,
    sum_words,
    target_from,
)
from baton.screens.live import live
from baton.screens.moments import local_moment_ms

app = typer.Typer(add_completion=False)

CALENDAR = typer.Option(None, "--calendar", help="A calendar of the agreement; else the house's.")
PERSON = typer.Option(
    None, "--person", help="The hours of this person, less their absences as they are known."
)
FILE = typer.Option(
    None,
    "--agreement",
    "-a",
    exists=True,
    dir_okay=False,
    help="Take the calendars of this file; without it those in force on the cluster.",
)
FROM = typer.Option(
    ..., "--from", help="2026-11-27T15:00, in the calendar's time zone unless it has an offset."
)
JSON = typer.Option(False, "--json", help="One JSON document on standard output; times in ms, UTC.")


@app.command(
    no_args_is_help=True,
    epilog="Examples:  baton deadline --calendar berlin --from 2026-11-27T15:00 --target 6h"
    "        baton deadline --person ae-greta --from 2026-12-23T16:00 --target '2 working days'",
)
def deadline(
    starts: str = FROM,
    target: str = typer.Option(
        ...,
        "--target",
        help="As in the agreement: '4 business hours', '2 working days', '30 minutes elapsed', "
        "'by end of day'; 6h or 90m is open time.",
    ),
    calendar: str = CALENDAR,
    person: str = PERSON,
    agreement: Path = FILE,
    as_json: bool = JSON,
) -> None:
    """When a clock that starts then is due: each stretch of open hours that counts, and the days
    that do not.

    The computation is the one that judges the promises. It reads the agreement and the absences,
    and no lead.
    """
    hours = hours_of(agreement, calendar, person)
    try:
        wanted = target_from(target, hours)
        found = deadline_of(hours, local_moment_ms(starts, hours.zone), wanted)
    except NeverOpenError as error:
        raise typer.BadParameter(str(error)) from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    show(found, as_json)


def hours_of(agreement: Path | None, calendar: str | None, person: str | None) -> AnyCalendar:
    """The calendar that was asked for; raises BadParameter with the names there are, and where both
    are given."""
    if calendar is not None and person is not None:
        raise typer.BadParameter(
            "--calendar and --person are given; a person's hours are those of their own calendar, "
            "less their absences: give one of the two"
        )
    if agreement is not None:
        return _named(compiled_of(read_agreement(agreement)), (), calendar, person)
    with live(cluster_settings(), now_ms=wall_ms()) as cluster:
        reference = cluster.reference
        absences = reference.away(person) if person else ()
        return _named(reference.agreement, absences, calendar, person)


def _named(
    agreement: CompiledAgreement,
    absences: tuple[tuple[int, int], ...],
    calendar: str | None,
    person: str | None,
) -> AnyCalendar:
    if person is not None:
        if person not in agreement.people:
            raise typer.BadParameter(
                f'person "{person}" is not in the agreement{did_you_mean(person, agreement.people)}'
            )
        return agreement.calendar_for(person=person, absences=absences)
    if calendar is None:
        return agreement.calendar
    if calendar not in agreement.calendars:
        raise typer.BadParameter(
            f'calendar "{calendar}" is not in the agreement; there are '
            f"{', '.join(sorted(agreement.calendars))}"
        )
    return agreement.calendars[calendar]


def show(found: BusinessTime, as_json: bool) -> None:
    """Print the arithmetic, and the result last."""
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    for line in lines_of(found):
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def lines_of(found: BusinessTime) -> list[str]:
    """The arithmetic for people, in the order of time."""
    zone = found.zone
    lines = [f"calendar {found.calendar}, {zone}; from {_at(found.from_ms, zone)}"]
    lines += [_stretch_line(stretch, zone) for stretch in found.stretches]
    if found.days_off:
        lines.append(
            "  without " + ", ".join(f"{off.day} ({off.reason})" for off in found.days_off)
        )
    if found.cut:
        lines.append("  ... and more")
    if found.target is None:
        lines.append(
            f"{open_words(found.open_ms)} of open time, {sum_words(found.elapsed_ms)} elapsed"
        )
    else:
        lines.append(
            f"{found.target}: due {_at(found.until_ms, zone)}, {sum_words(found.elapsed_ms)} later"
        )
    return lines


def _stretch_line(stretch: Stretch, zone: str) -> str:
    length = sum_words(stretch.until_ms - stretch.from_ms)
    opens, closes = _at(stretch.from_ms, zone), _at(stretch.until_ms, zone)[-5:]
    return f"  {opens} - {closes}  {length:>20}  sum {open_words(stretch.sum_ms)}"


def _at(at_ms: int, zone: str) -> str:
    return local_datetime(at_ms, zone_named(zone)).strftime("%a %Y-%m-%d %H:%M")
