"""``baton erasures``: the wishes to be forgotten since a moment, as lines that can be sent again to
a restored Baton."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import typer

from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.topic_names import INTAKE_KEYED, LEADS_ACCEPTED
from baton.lead_story.reports import Erasure, erasures, values_of

app = typer.Typer(add_completion=False)
_MODE = 0o600


_SINCE = typer.Option(
    ..., "--since", help="Since then, say the moment of a backup: an ISO time, or 1h, 7d ago."
)
_OUT = typer.Option(
    None,
    "--out",
    dir_okay=False,
    help="Write them there, readable by you alone, instead of standard output.",
)


@app.command(
    name="erasures", epilog="Example:  baton erasures --since 2026-11-22 --out erasures.jsonl"
)
def erasures_(
    since: str = _SINCE,
    out: Path | None = _OUT,
) -> None:
    """List the erasures since a backup, one event line each, to be sent again after it was
    restored: baton send FILE.

    The lines hold the identifiers of people who asked to be forgotten: keep them nowhere longer
    than needed. Intake keeps them for 30 days; of older ones only the lead is known, and they are
    named on standard error. Then the exit code is 1.
    """
    settings = cluster_settings()
    since_ms = moment_ms(since)
    with LogReader(confluent_options(settings), settings.namespace) as reader:
        keyed = (
            (record.at_ms, value) for record, value in values_of(reader, INTAKE_KEYED, since_ms)
        )
        accepted = (
            (record.at_ms, value) for record, value in values_of(reader, LEADS_ACCEPTED, since_ms)
        )
        found = erasures(keyed, accepted)
    lines = "".join(
        json.dumps(line_of(erasure), ensure_ascii=False) + "\n"
        for erasure in found
        if erasure.identifiers is not None
    )
    _write(lines, out)
    lost = [erasure for erasure in found if erasure.identifiers is None]
    for erasure in lost:
        typer.echo(
            f"the identifiers are no longer kept: lead {erasure.lead_id}, asked for by "
            f"{erasure.source}",
            err=True,
        )
    listed = len(found) - len(lost)
    typer.echo(f"{listed} erasure{'' if listed == 1 else 's'}", err=True)
    raise typer.Exit(1 if lost else 0)


def _write(lines: str, out: Path | None) -> None:
    """To a file that its owner alone can read, or to standard output."""
    if out is None:
        typer.echo(lines, nl=False)
        return
    with open(
        os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "w", encoding="utf-8"
    ) as file:
        os.fchmod(file.fileno(), _MODE)
        file.write(lines)


def line_of(erasure: Erasure) -> dict[str, object]:
    """The event line that asks for the erasure again."""
    identifiers = {
        scheme: values[0] if len(values) == 1 else list(values)
        for scheme, values in (erasure.identifiers or {}).items()
    }
    return {
        "id": f"again:{erasure.event_id}",
        "source": erasure.source,
        "kind": "erasure",
        "occurred_at": datetime.fromtimestamp(erasure.at_ms / 1000, UTC).isoformat(
            timespec="milliseconds"
        ),
        "identifiers": identifiers,
    }
