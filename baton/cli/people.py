"""``baton people``: who there is, who is away, what somebody holds; absences as they come."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from baton.agreement.publish import wall_ms
from baton.cli.absence import absence_of, cancelling, publish_absence
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.screens.live import live
from baton.screens.people import CapacityOf, PersonNow, capacities, person_now
from baton.screens.pools import pool_state

app = typer.Typer(
    add_completion=False,
    help="Who there is and who is away; record an absence or its end; what somebody holds.",
)

_JSON = typer.Option(False, "--json", help="One JSON object a line.")


@app.command(
    "list", epilog="Examples:  baton people list        baton people list --pool emea_sales --json"
)
def list_(
    pool: str = typer.Option(None, "--pool", help="Only the members of this pool."),
    as_json: bool = _JSON,
) -> None:
    """Everybody of the agreement: there, off hours or away, and when they are there next.

    Reads the agreement and the absences, which are small whatever the number of leads.
    """
    now_ms = wall_ms()
    with live(cluster_settings(), now_ms=now_ms) as cluster:
        reference = cluster.reference
    found = [person_now(reference, person, now_ms=now_ms) for person in reference.agreement.people]
    found = [person for person in found if pool is None or pool in person.pools]
    if as_json:
        for person in found:
            typer.echo(json.dumps(asdict(person)))
        return
    table = _table("person", "name", "state", "there next (UTC)", "hours", "pools", "away (UTC)")
    for person in found:
        table.add_row(*_person_row(person))
    Console().print(table)


@app.command(
    epilog="Example:  baton people away sdr-anna --from 2026-12-21 --until 2027-01-04 "
    "--reason holiday"
)
def away(
    person: str = typer.Argument(..., help="Who, by the id in the agreement."),
    starts: str = typer.Option(
        ..., "--from", help="From this day or moment on, in the person's time zone."
    ),
    ends: str = typer.Option(..., "--until", help="Back on this day or at this moment."),
    reason: str = typer.Option("away", "--reason", help="Why; for people to read."),
    cancel: bool = typer.Option(
        False, "--cancel", help="It is not so after all: takes back this very absence."
    ),
) -> None:
    """Record an absence: no new leads in that time, and it does not count in their deadlines.

    It counts ten seconds after it was recorded. Unanswered offers go to somebody else then.
    """
    settings = cluster_settings()
    with live(settings, now_ms=wall_ms()) as cluster:
        agreement = cluster.reference.agreement
    record = absence_of(
        agreement, person, starts=starts, ends=ends, reason=reason, cancelled=cancel
    )
    publish_absence(settings, record)
    span = f"{written(record.from_ms)} until {written(record.until_ms)} UTC"
    typer.echo(f"{person} is {'not ' if cancel else ''}away from {span}")


@app.command(epilog="Example:  baton people back sdr-anna")
def back(person: str = typer.Argument(..., help="Who, by the id in the agreement.")) -> None:
    """Somebody is back before time: the absence that runs ends now. Without one, the next absence
    is cancelled."""
    settings, now_ms = cluster_settings(), wall_ms()
    with live(settings, now_ms=now_ms) as cluster:
        records = cancelling(cluster.reference, person, now_ms=now_ms)
    for record in records:
        publish_absence(settings, record)
    taken = records[0]
    typer.echo(
        f"{person} is back: the absence {written(taken.from_ms)} - {written(taken.until_ms)} UTC "
        "is cancelled; counts in ten seconds"
    )


@app.command(epilog="Examples:  baton people capacity        baton people capacity ae-greta --json")
def capacity(
    person: str = typer.Argument(None, help="Only this person."),
    as_json: bool = _JSON,
) -> None:
    """What everybody holds over all pools, beside their limits, and how much room is left.

    Reads assignment's compacted changelog: its size is that of the open work, not of the leads.
    """
    now_ms = wall_ms()
    with live(cluster_settings(), now_ms=now_ms) as cluster:
        reference, states = cluster.reference, cluster.states("assignment")
    wanted = [person] if person else list(reference.agreement.people)
    if person is not None and person not in reference.agreement.people:
        raise typer.BadParameter(f'person "{person}" is not in the agreement in force')
    pools = sorted({*reference.agreement.pools, *states.keys()})
    found = capacities(
        (pool_state(states.view(pool), reference, now_ms=now_ms) for pool in pools),
        wanted,
        reference.agreement.people,
    )
    if as_json:
        for load in found:
            typer.echo(json.dumps(asdict(load)))
        return
    table = _table("person", "offered", "accepted", "room", "by pool")
    for load in found:
        table.add_row(*_capacity_row(load))
    Console().print(table)


def _person_row(person: PersonNow) -> tuple[str, ...]:
    there = "" if person.there_at_ms is None else written(person.there_at_ms)[:16]
    absences = "; ".join(
        f"{written(span.from_ms)[:16]} - {written(span.until_ms)[:16]} {span.reason}"
        for span in person.absences
    )
    return (
        person.person,
        person.name,
        person.state.replace("_", " "),
        "now" if person.state == "there" else there or "nobody can say",
        f"{person.calendar}, {person.zone}",
        ", ".join(person.pools),
        absences,
    )


def _capacity_row(found: CapacityOf) -> tuple[str, ...]:
    pools = "; ".join(
        f"{load.pool} {load.state.offered + load.state.accepted}"
        f"{'' if load.state.capacity is None else f'/{load.state.capacity}'}"
        f"{f' ({load.state.hindered})' if load.state.hindered else ''}"
        for load in found.pools
    )
    room = "no limit" if found.room is None else str(found.room)
    if found.limits.capacity is not None:
        room += f" of {found.limits.capacity} over all pools"
    return found.person, str(found.offered), str(found.accepted), room, pools.replace("_", " ")


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
