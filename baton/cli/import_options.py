"""The options of the commands that send: what each is called and what its help says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from baton.cli.ways_in import Via
from baton.importing.cells import DateOrder

ViaOption = Annotated[
    Via, typer.Option("--via", help="Through the gateway, or straight to the inbox topic.")
]
ToOption = Annotated[
    str | None,
    typer.Option(
        "--to",
        help="The gateway's address; without it BATON_GATEWAY_URL, else the one that runs here.",
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key", help="The write key; better in BATON_WRITE_KEY, where no process list shows it."
    ),
]
LedgerOption = Annotated[
    Path | None,
    typer.Option(
        "--ledger", help="Append the id of each acknowledged event to this file, one a line."
    ),
]
PatienceOption = Annotated[
    float,
    typer.Option("--patience", min=0, help="Seconds to wait for a system that is busy or away."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="The summary as JSON.")]
SendSource = Annotated[
    str,
    typer.Option(
        "--source", help="Who the events are from, where a line does not say (with --via kafka)."
    ),
]
ListSource = Annotated[
    str,
    typer.Option(
        "--source", help="Who the list is from: part of what makes an event the same event."
    ),
]
MapOption = Annotated[
    list[str],
    typer.Option("--map", help="COLUMN=FIELD; may be repeated. COLUMN=- leaves a column out."),
]
DryRunOption = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Send nothing: show the mapping, ten rows as understood, and every row that is not.",
    ),
]
MappingOption = Annotated[
    Path | None,
    typer.Option("--mapping", help="A mapping that was saved; --map goes before it."),
]
SaveOption = Annotated[
    Path | None,
    typer.Option(
        "--save-mapping", help="Save the mapping to this file, for the next list like it."
    ),
]
JsonlOption = Annotated[
    bool, typer.Option("--jsonl", help="The file has event lines, as for `baton send`.")
]
ActOption = Annotated[
    str | None,
    typer.Option(
        "--act",
        help="What the people on the list did, a word of the agreement; without it only who they "
        "are.",
    ),
]
CampaignOption = Annotated[
    str | None, typer.Option("--campaign", help="The campaign they did it in.")
]
FreshOption = Annotated[
    bool,
    typer.Option(
        "--fresh", help="It has just happened: let it fast-track. Without it, it is history."
    ),
]
UpdateOnlyOption = Annotated[
    bool,
    typer.Option(
        "--update-only", help="Rows about people whom Baton knows; the others begin no lead."
    ),
]
FillEmptyOption = Annotated[
    bool,
    typer.Option("--fill-empty", help="Add only what is not known yet; overwrite nothing."),
]
GuessOption = Annotated[
    bool,
    typer.Option(
        "--guess/--no-guess",
        help="Take columns without --map by their names (email, phone, country ...).",
    ),
]
DelimiterOption = Annotated[
    str | None, typer.Option("--delimiter", help="Between columns; without it found out.")
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", help="Of the file, such as cp1252; without it found out."),
]
SheetOption = Annotated[
    str | None,
    typer.Option("--sheet", help="Of a workbook; without it the first that is visible."),
]
DatesOption = Annotated[
    DateOrder | None,
    typer.Option("--dates", help="What 3/2/2026 means, where no other date of the list shows it."),
]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--zone",
        help="Where its times are that name no zone, such as Europe/Berlin; without it UTC.",
    ),
]
