"""``baton import``: lists that people bring, as CSV or XLSX, or events as JSON lines."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table as Grid

from baton.cli.import_options import (
    ActOption,
    CampaignOption,
    DatesOption,
    DelimiterOption,
    DryRunOption,
    EncodingOption,
    FillEmptyOption,
    FreshOption,
    GuessOption,
    JsonlOption,
    JsonOption,
    KeyOption,
    LedgerOption,
    ListSource,
    MapOption,
    MappingOption,
    PatienceOption,
    SaveOption,
    SheetOption,
    ToOption,
    UpdateOnlyOption,
    ViaOption,
    ZoneOption,
)
from baton.cli.list_request import ListRequest, MappingOptions, list_request
from baton.cli.ways_in import Via, opened, progress, reporting, sender_for
from baton.importing.columns import IGNORED
from baton.importing.dry_run import Rehearsal, rehearse
from baton.importing.list_tables import FileTerms
from baton.importing.lists import PeopleList
from baton.importing.sending import lines_of, send_all
from baton.importing.terms import ImportTerms

app = typer.Typer(add_completion=False)

HELP = """\
Read a list of people, and report what became of each row.

A row that cannot be taken is reported by its line and field; the rest goes on. Importing the
same list again changes nothing: a row is known by its content, or by the column mapped to `id`;
a changed row is an update. Exit code 1 if anything was not accepted.

The columns of HubSpot, Salesforce, Pipedrive, LinkedIn, Mailchimp, Google and Outlook contacts,
Facebook lead ads, Zoom, Eventbrite, Typeform, Marketo and Zoho are known, in English and
German. `--dry-run` shows what would be made of a list.

Fields: email, other_emails, user, anonymous, lead, crm:SYSTEM (who is meant); name, first_name,
last_name, phone, company, stated_problem, current_supplier, note; country, role, employees,
industry or any other field of the agreement's profile; consent:PURPOSE/CHANNEL and
optout:PURPOSE/CHANNEL (yes or no), consent_at: and optout_at: (when); attended (no: did not
come); act, content_title, campaign; id, occurred_at. A yes without a date never overrules a no
with one.
"""
EPILOG = (
    "Examples:  baton import people.csv --dry-run        "
    "baton import people.csv --map 'E-mail=email' --map 'Size=employees'        "
    "baton import fair.xlsx --act webinar --campaign fair-2026 --map 'OK to "
    "mail=consent:marketing/email'        "
    "baton import --jsonl events.jsonl"
)
_EVENTS_ARE_SIMULATED = "shows lists; `baton simulate` shows what events would do"


@app.command(no_args_is_help=True, help=HELP, epilog=EPILOG)
def import_(
    file: str = typer.Argument(help="The list; - reads standard input."),
    wishes: MapOption = [],  # noqa: B006 - typer's own way to say none
    dry_run: DryRunOption = False,
    mapping: MappingOption = None,
    save: SaveOption = None,
    jsonl: JsonlOption = False,
    act: ActOption = None,
    campaign: CampaignOption = None,
    fresh: FreshOption = False,
    update_only: UpdateOnlyOption = False,
    fill_empty: FillEmptyOption = False,
    guess: GuessOption = True,
    delimiter: DelimiterOption = None,
    encoding: EncodingOption = None,
    sheet: SheetOption = None,
    dates: DatesOption = None,
    zone: ZoneOption = None,
    via: ViaOption = Via.HTTP,
    to: ToOption = None,
    key: KeyOption = None,
    source: ListSource = "import",
    ledger: LedgerOption = None,
    patience: PatienceOption = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Read a list, and send it or show what would be sent."""
    if dry_run and jsonl:
        raise typer.BadParameter(_EVENTS_ARE_SIMULATED, param_hint="--dry-run")
    terms = ImportTerms(source=source, at_ms=time.time_ns() // 1_000_000, dates=dates)
    terms = replace(terms, act=act, campaign=campaign, backfill=not fresh)
    terms = replace(terms, fill_empty=fill_empty, update_only=update_only)
    reads = FileTerms(encoding=encoding, delimiter=delimiter, sheet=sheet)
    columns = MappingOptions(mapping=mapping, wishes=wishes, zone=zone, guess=guess, save=save)
    request = list_request(terms, reads, columns)
    if dry_run:
        _show(file, request, as_json=as_json)
        return
    way = _Way(via=via, to=to, key=key, source=source, patience_s=patience)
    _send(file, None if jsonl else request, way, ledger, as_json=as_json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """How the events go to Baton."""

    via: Via
    to: str | None
    key: str | None
    source: str
    patience_s: float


def _send(
    file: str, request: ListRequest | None, way: _Way, ledger: Path | None, *, as_json: bool
) -> None:
    """Send the list; without a request the file has event lines."""
    with (
        opened(file) as found,
        reporting(file, ledger, as_json=as_json) as tally,
        sender_for(
            way.via, to=way.to, key=way.key, source=way.source, patience_s=way.patience_s
        ) as sender,
        progress(found, quiet=as_json) as content,
    ):
        if request is None:
            send_all(lines_of(content), sender, tally)
            return
        people = request.open(content)
        _remark(people)
        send_all(people.lines(), sender, tally)


def _remark(people: PeopleList) -> None:
    console = Console(stderr=True, soft_wrap=True)
    for remark in people.remarks:
        console.print(remark, highlight=False, markup=False)
    for words, names in (
        ("left out", people.columns.left_out),
        ("left out on purpose", people.columns.ignored),
    ):
        if names:
            console.print(f"{words}: {', '.join(names)}", highlight=False, markup=False)


def _show(file: str, request: ListRequest, *, as_json: bool) -> None:
    with opened(file) as content:
        found = rehearse(request.open(content))
    if as_json:
        typer.echo(json.dumps(found.document(), ensure_ascii=False))
    else:
        _print(found)
    if found.troubles:
        raise typer.Exit(1)


def _print(found: Rehearsal) -> None:
    console = Console(soft_wrap=True)
    for remark in found.remarks:
        console.print(remark, highlight=False, markup=False)
    grid = Grid(box=None, header_style="bold")
    for heading in ("column", "is"):
        grid.add_column(heading)
    for column, meant in found.mapping:
        grid.add_row(column, meant if meant != IGNORED else "left out")
    console.print(grid)
    for number, events in found.rows:
        for event in events:
            words = "  ".join(
                f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in event.items()
            )
            console.print(f"line {number}: {words}", highlight=False, markup=False)
    for kind, listed in (("not understood", found.troubles), ("noted", found.notes)):
        for trouble in listed:
            console.print(
                f"line {trouble.number}: {kind}: {trouble.problem}", highlight=False, markup=False
            )
    words = (
        f"{found.read} rows: {found.understood} understood as {found.events} events, "
        f"{len(found.troubles)} problems, "
    )
    console.print(f"{words}{len(found.notes)} values noted; nothing was sent", highlight=False)
