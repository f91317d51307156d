"""``baton refusals``: acts and commands that were not carried out, and why."""

import json
from dataclasses import asdict

import typer
from rich.console import Console

from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms, written
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.topic_names import LEADS_REFUSALS
from baton.lead_story.reports import Refusal, count_reasons, values_of

app = typer.Typer(add_completion=False)


@app.command(
    name="refusals",
    epilog="Examples:  baton refusals --since 1d        baton refusals --event 5adf3936... --json",
)
def refusals_(
    since: str = typer.Option(
        None, "--since", help="Only those since: an ISO time, or 1h, 7d ago."
    ),
    event: str = typer.Option(
        None,
        "--event",
        help="Only the refusal of this event, by its id as the gateway answered it.",
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """List the acts and commands that were refused: which, in which stage, by whom, and the
    reason."""
    settings = cluster_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        read = values_of(reader, LEADS_REFUSALS, moment_ms(since) if since else None)
        found = [
            Refusal(record.at_ms, value)
            for record, value in read
            if event in (None, value.cause_id)
        ]
    found.sort(key=lambda refusal: (refusal.at_ms, refusal.refused.cause_id))
    if as_json:
        for refusal in found:
            typer.echo(json.dumps({"at_ms": refusal.at_ms, **asdict(refusal.refused)}))
        return
    console = Console()
    for refusal in found:
        console.print(_words(refusal), soft_wrap=True, highlight=False)
    counted = ", ".join(
        f"{reason}: {count}" for reason, count in count_reasons(found).most_common()
    )
    console.print(counted or "no act was refused")


def _words(refusal: Refusal) -> str:
    refused = refusal.refused
    who = refused.by or refused.actor
    why = f" ({refused.detail})" if refused.detail else ""
    return (
        f"{written(refusal.at_ms)}  {refused.lead_id}  {refused.event} by {who} in "
        f"{refused.stage}: {refused.reason}{why}"
    )
