"""``baton conflicts``: people that were said to be one and were not merged."""

import json

import typer
from rich.console import Console

from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms, written
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.topic_names import INTAKE_ALIASES
from baton.lead_story.reports import Conflict, conflicts, values_of

app = typer.Typer(add_completion=False)


@app.command(
    name="conflicts",
    epilog="Examples:  baton conflicts --since 7d        baton conflicts --json | jq -r '.leads[]'",
)
def conflicts_(
    since: str = typer.Option(
        None, "--since", help="Only those since: an ISO time, or 1h, 7d ago."
    ),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """List the conflicts of identity: two known people an event said to be one. They were left as
    two; a person decides.

    `baton explain LEAD` shows the story of each. Where they are one, `baton lead merge` joins them
    (no event does, a further `link` neither); where they had been joined and are two, `baton lead
    unmerge` parts them. What is settled so is not listed any more.
    """
    settings = cluster_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        aliases = ((record.at_ms, value) for record, value in values_of(reader, INTAKE_ALIASES))
        found = conflicts(aliases, moment_ms(since) if since else 0)
    if as_json:
        for conflict in found:
            typer.echo(json.dumps(conflict._asdict()))
        return
    console = Console()
    for conflict in found:
        console.print(_words(conflict), soft_wrap=True, highlight=False)
    console.print(f"{len(found)} conflicts" if found else "no conflicts of identity")


def _words(conflict: Conflict) -> str:
    return (
        f"{written(conflict.at_ms)}  {' and '.join(conflict.leads)}  by event {conflict.cause_id}"
    )
