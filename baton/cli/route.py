"""``baton route``: what would happen to a lead now, without its happening."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from baton.agreement.canonical import compiled_of
from baton.agreement.publish import wall_ms
from baton.agreement.reference import AgreementReference, reference_of
from baton.agreement.source.read import read_agreement
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.screens.dry_run import DryRun, States, Stop, dry_run
from baton.screens.live import EmptyStates, live
from baton.simulation.input_lines import Arrival, read_lines

app = typer.Typer(add_completion=False)

_MOST_CANDIDATES = 12


@app.command(
    no_args_is_help=True,
    epilog="Example:  baton route --dry-run lead.json   where lead.json is an event line as `baton "
    "send` takes it, or several: "
    '{"source": "web", "kind": "engagement", "identifiers": {"email": "ann@acme.example"}, '
    '"engagement": {"act": "demo_request"}, "profile": {"country": "DE"}}',
)
def route(
    lead: Path = typer.Argument(
        ..., exists=True, dir_okay=False, help="Events of one lead; without occurred_at: now."
    ),
    dry: bool = typer.Option(
        False, "--dry-run", help="Required: nothing is published and no turn is taken."
    ),
    agreement: Path | None = typer.Option(
        None,
        "--agreement",
        "-a",
        exists=True,
        dir_okay=False,
        help="Under this agreement and with empty pools, without a cluster.",
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
) -> None:
    """What would happen to a lead now: its score, every rule that was looked at, every candidate
    with their numbers, and who would have it or when somebody can.

    The events are scored in memory. The pools are those of the cluster: read are one partition of
    the accounts, and the partition of each pool on the way, from compacted changelogs.
    """
    if not dry:
        raise typer.BadParameter(
            "leads are routed by events (baton send); what would happen is shown with --dry-run"
        )
    now_ms = wall_ms()
    arrivals = _arrivals(lead, now_ms)
    if agreement is not None:
        reference = reference_of(compiled_of(read_agreement(agreement)))
        found = _run(arrivals, reference, EmptyStates(), now_ms)
    else:
        with live(cluster_settings(), now_ms=now_ms) as cluster:
            found = _run(arrivals, cluster.reference, cluster, now_ms)
    _show(found, as_json)


def _show(found: DryRun, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))
        return
    console = Console()
    for line in lines_of(found):
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _run(
    arrivals: list[Arrival], reference: AgreementReference, states: States, now_ms: int
) -> DryRun:
    return dry_run(arrivals, reference, states, now_ms=now_ms)


def _arrivals(path: Path, now_ms: int) -> list[Arrival]:
    """The events of the file, those without a moment now; raises BadParameter."""
    text = path.read_bytes()
    try:
        documents = _documents(json.loads(text))
    except ValueError:
        documents = None
    if documents is not None:
        now = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
        text = json.dumps([{"occurred_at": now, **document} for document in documents]).encode()
    found = [arrival for arrival in read_lines(text, str(path)) if arrival.at_ms <= now_ms]
    if not found:
        raise typer.BadParameter(f"{path}: no event in it has happened yet")
    return found


def _documents(found: Any) -> list[dict[str, Any]] | None:
    documents = found if isinstance(found, list) else [found]
    return documents if all(isinstance(document, dict) for document in documents) else None


def lines_of(found: DryRun) -> list[str]:
    """The whole path for people."""
    lines = [f"under agreement {found.agreement[:12]}"]
    if found.score is not None:
        score = found.score
        lines.append(
            f"score   {score.grade} {score.level}: fit {score.fit_micro / 1e6:g}, engagement "
            f"{score.engagement_micro / 1e6:g}"
        )
    if not found.qualified:
        return [*lines, f"nobody gets it: {found.reason}"]
    cause = "it asks for a person" if found.cause == "raised_hand" else "its score is high enough"
    lines.append(f"queue   {found.queue}: {cause}")
    for stop in found.stops:
        lines += _stop_lines(stop)
    return [*lines, _conclusion(found)]


def _stop_lines(stop: Stop) -> list[str]:
    lines = [f"rule    {step.rule}: {step.outcome}" for step in stop.path]
    lines.append(f"pool    {stop.pool or 'none'}: {stop.outcome}, {stop.reason.replace('_', ' ')}")
    for person in stop.candidates[:_MOST_CANDIDATES]:
        limit = "" if person.capacity is None else f" of {person.capacity}"
        state = person.excluded.replace("_", " ") if person.excluded else f"score {person.score}"
        lines.append(
            f"        {person.person}: turns {person.turns}, load {person.load}{limit}, {state}"
        )
    if len(stop.candidates) > _MOST_CANDIDATES:
        lines.append(f"        ... and {len(stop.candidates) - _MOST_CANDIDATES} more")
    return lines


def _conclusion(found: DryRun) -> str:
    match found.outcome:
        case "routed":
            by = "" if found.accept_by_ms is None else f", to answer by {_utc(found.accept_by_ms)}"
            return f"{found.owner} would have it now, in {found.pool}{by}"
        case "held":
            when = (
                "nobody can say when somebody is free"
                if found.next_try_at_ms is None
                else f"somebody is free at {_utc(found.next_try_at_ms)}"
            )
            return f"it would wait in {found.pool}: {when}"
        case "watch":
            return f"it would go to the fallback queue of {found.owner}"
    return f"nobody would have it: {found.outcome}, {found.reason.replace('_', ' ')}"


def _utc(at_ms: int) -> str:
    return f"{written(at_ms)[:16]} UTC"
