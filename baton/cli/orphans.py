"""``baton orphans``: the leads that nobody holds, each with its cause."""

import json
from dataclasses import asdict

import typer
from rich.console import Console

from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.slas import LeadOrphan, OrphanKind
from baton.contracts.topic_names import LEADS_ORPHANS

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples:  baton orphans        baton orphans --json | jq -r .lead_id")
def orphans(
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """List the leads without a holder or a next date, and why. Exit 1 if there is one: there should
    be none.

    A lead on its way between two services is none; one that has been so for ten minutes is. `baton
    explain` shows its story.
    """
    settings = cluster_settings()
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        found = orphans_in(reader)
    if as_json:
        for orphan in found:
            typer.echo(json.dumps(asdict(orphan)))
    else:
        _show(Console(), found)
    raise typer.Exit(1 if found else 0)


def orphans_in(reader: LogReader) -> list[LeadOrphan]:
    """Those of which the last word is that they are orphans, the longest so first."""
    last: dict[str, LeadOrphan] = {}
    codec = codec_for(LeadOrphan)
    for record in reader.read({LEADS_ORPHANS: list(range(reader.partitions(LEADS_ORPHANS)))}):
        if record.value is not None:
            orphan: LeadOrphan = codec.decode(record.value)
            last[orphan.lead_id] = orphan
    return sorted(
        (orphan for orphan in last.values() if orphan.kind == OrphanKind.FOUND),
        key=lambda fact: (fact.since_ms, fact.lead_id),
    )


def _show(console: Console, found: list[LeadOrphan]) -> None:
    if not found:
        console.print("every lead has a holder and a next date")
        return
    for orphan in found:
        where = f"cycle {orphan.cycle}, at {orphan.stage}"
        line = (
            f"{orphan.lead_id}  since {written(orphan.since_ms)}  {where}: "
            f"{orphan.cause.replace('_', ' ')}"
        )
        console.print(line, soft_wrap=True, highlight=False)
