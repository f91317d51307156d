"""``baton send``: events of the outside, one JSON object a line."""

from __future__ import annotations

from pathlib import Path

import typer

from baton.cli.ways_in import Via, opened, progress, reporting, sender_for
from baton.importing.sending import lines_of, send_all

app = typer.Typer(add_completion=False)

EPILOG = (
    "The format: schemas/event-line.schema.json, with an example of every kind in "
    "schemas/examples/events.jsonl. "
    "Examples:  baton send events.jsonl        jq -c .[] export.json | baton send - --via kafka "
    "--source export"
)


@app.command(no_args_is_help=True, epilog=EPILOG)
def send(
    file: str = typer.Argument(help="Events, one JSON object a line; - reads standard input."),
    via: Via = typer.Option(
        Via.HTTP, "--via", help="Through the gateway, or straight to the inbox topic."
    ),
    to: str = typer.Option(
        None,
        "--to",
        help="The gateway's address; without it BATON_GATEWAY_URL, else the one that runs here.",
    ),
    key: str = typer.Option(
        None,
        "--key",
        help="The write key; better in BATON_WRITE_KEY, where no process list shows it.",
    ),
    source: str = typer.Option(
        "send",
        "--source",
        help="Who the events are from, where a line does not say (with --via kafka).",
    ),
    ledger: Path = typer.Option(
        None, "--ledger", help="Append the id of each acknowledged event to this file, one a line."
    ),
    patience: float = typer.Option(
        60.0, "--patience", min=0, help="Seconds to wait for a system that is busy or away."
    ),
    as_json: bool = typer.Option(False, "--json", help="The summary as JSON."),
) -> None:
    """Send events as an outside system would, and say what became of them.

    A line that cannot be taken is told by its number and field; the rest goes on. Sending the same
    file again is safe: an event is known by its source and id (or by its content). Exit code 1 if
    anything was not accepted.
    """
    with (
        opened(file) as found,
        reporting(file, ledger, as_json=as_json) as tally,
        sender_for(via, to=to, key=key, source=source, patience_s=patience) as sender,
        progress(found, quiet=as_json) as lines,
    ):
        send_all(lines_of(lines), sender, tally)
