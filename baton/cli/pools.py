"""``baton pools``: what waits in a pool, who holds how much, and whether turns are fair."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from baton.agreement.problems import did_you_mean
from baton.agreement.publish import wall_ms
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.screens.live import live
from baton.screens.pools import MemberState, PoolStateNow, pool_state

app = typer.Typer(add_completion=False)


@app.command(
    epilog="Examples:  baton pools        baton pools --pool emea_sdr        "
    "baton pools --json | jq 'select(.waiting > 0) | .pool'"
)
def pools(
    pool: str = typer.Option(None, "--pool", help="Only this one, with its queue."),
    listed: int = typer.Option(
        10, "--queue", min=0, help="How many waiting leads are named, with --pool or --json."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line, a pool each."),
) -> None:
    """Pools now: the queue, holders, shares against what is fair, who is at a limit, the next
    opening.

    A share reads `turns/fair`: turns had in the running period, and the exact share due. Reads
    assignment's compacted changelog (of one pool only its partition): its size is that of the open
    work, however many leads there are.
    """
    now_ms = wall_ms()
    with live(cluster_settings(), now_ms=now_ms) as cluster:
        known = cluster.reference.agreement.pools
        states = cluster.states("assignment", None if pool is None else [pool])
        names = sorted({*known, *states.keys()}) if pool is None else [pool]
        if pool is not None and pool not in {*known, *states.keys()}:
            raise typer.BadParameter(
                f'pool "{pool}" is not in the agreement in force{did_you_mean(pool, known)}'
            )
        found = [
            pool_state(states.view(name), cluster.reference, now_ms=now_ms, listed=listed)
            for name in names
        ]
    for state in found:
        if as_json:
            typer.echo(json.dumps(asdict(state)))
        else:
            _show(Console(), state, now_ms, queue=pool is not None)


def _show(console: Console, state: PoolStateNow, now_ms: int, *, queue: bool) -> None:
    console.print(headline(state, now_ms), highlight=False, soft_wrap=True)
    table = Table(box=None, header_style="dim", pad_edge=True)
    for heading in ("  person", "weight", "offers", "accepted", "turns/fair", "now"):
        table.add_column(heading)
    for member in state.members:
        table.add_row(*_row(member))
    console.print(table)
    for lead in state.queue if queue else ():
        raised = ", asked for a person" if lead.hand_raised else ""
        needs = f", needs {', '.join(lead.needs)}" if lead.needs else ""
        console.print(
            f"  waits  {lead.lead_id}  {lead.level or ''}{raised}{needs}  since "
            f"{written(lead.since_ms)[:19]}",
            highlight=False,
            soft_wrap=True,
        )


def headline(state: PoolStateNow, now_ms: int) -> str:
    """A pool in one line."""
    gone = "" if state.in_agreement else " (not in the agreement any more)"
    levels = ", ".join(f"{count} {level}" for level, count in state.waiting_by_level.items())
    waits = f"{state.waiting} waiting" + (f" ({levels})" if levels else "")
    if state.oldest_since_ms is not None:
        waits += f", the longest since {written(state.oldest_since_ms)[:19]}"
    match state.next_opening_ms:
        case None:
            opening = "nobody can say when somebody is free"
        case moment if moment <= now_ms:
            opening = "somebody is free now"
        case moment:
            opening = f"next opening {written(moment)[:19]} UTC"
    period = f"; turns of {state.period}" if state.period else ""
    return (
        f"{state.pool} [{state.kind}]{gone}: {waits}; {state.offered} offered, "
        f"{state.accepted} accepted; {opening}{period}"
    )


def _row(member: MemberState) -> tuple[str, ...]:
    shares = ", ".join(f"{share.level} {share.turns}/{share.fair:g}" for share in member.shares)
    free = "" if member.free_at_ms is None else f" until {written(member.free_at_ms)[:16]}"
    return (
        f"  {member.person}",
        str(member.weight),
        _of(member.offered, member.offers),
        _of(member.accepted, member.capacity),
        shares,
        f"{member.hindered.replace('_', ' ')}{free}" if member.hindered else "free",
    )


def _of(count: int, limit: int | None) -> str:
    return str(count) if limit is None else f"{count} of {limit}"
