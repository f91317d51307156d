"""``baton send``: events of the outside, one JSON object a line."""

from __future__ import annotations

import typer

from baton.cli.import_options import (
    JsonOption,
    KeyOption,
    LedgerOption,
    PatienceOption,
    SendSource,
    ToOption,
    ViaOption,
)
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
    via: ViaOption = Via.HTTP,
    to: ToOption = None,
    key: KeyOption = None,
    source: SendSource = "send",
    ledger: LedgerOption = None,
    patience: PatienceOption = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Send events as an outside system would, and report what became of them.

    A line that cannot be taken is reported by its number and field; the rest goes on. Sending the
    same file again is safe: an event is known by its source and id (or by its content). Exit code 1
    if anything was not accepted.
    """
    with (
        opened(file) as found,
        reporting(file, ledger, as_json=as_json) as tally,
        sender_for(via, to=to, key=key, source=source, patience_s=patience) as sender,
        progress(found, quiet=as_json) as lines,
    ):
        send_all(lines_of(lines), sender, tally)
