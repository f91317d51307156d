"""``baton import``: lists that people bring, as CSV or XLSX, or events as JSON lines."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

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
from baton.cli.ways_in import Via, opened, progress, reporting, sender_for
from baton.importing.columns import IGNORED, MapWrong, read_wishes
from baton.importing.dry_run import Rehearsal, rehearse
from baton.importing.lists import PeopleList, open_list
from baton.importing.mappings import SavedMapping, load_mapping, mapping_of, save_mapping
from baton.importing.sending import lines_of, send_all
from baton.importing.tables import FileTerms, FileWrong
from baton.importing.terms import ImportTerms

app = typer.Typer(add_completion=False)

EPILOG = (
    "Examples:  baton import people.csv --dry-run        "
    "baton import people.csv --map 'E-mail=email' --map 'Size=employees'        "
    "baton import fair.xlsx --act webinar --campaign fair-2026 --map 'OK to "
    "mail=consent:marketing/email'        "
    "baton import --jsonl events.jsonl"
)


@app.command(no_args_is_help=True, epilog=EPILOG)
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
    """Read a list of people, and report what became of each row.

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
    if dry_run and jsonl:
        raise typer.BadParameter(
            "shows lists; `baton simulate` shows what events would do", param_hint="--dry-run"
        )
    saved = _saved(mapping)
    terms = ImportTerms(
        source=source,
        at_ms=time.time_ns() // 1_000_000,
        act=act,
        campaign=campaign,
        backfill=not fresh,
        fill_empty=fill_empty,
        update_only=update_only,
        dates=dates or saved.dates,
        zone=_zone(zone or saved.zone),
    )
    asked = FileTerms(encoding=encoding, delimiter=delimiter, sheet=sheet)
    request = _Request(terms, asked, saved, _wishes(saved, wishes), guess=guess and mapping is None)
    if dry_run:
        with opened(file) as content:
            _show(rehearse(request.open(content, save, zone)), as_json=as_json)
        return
    with (
        opened(file) as found,
        reporting(file, ledger, as_json=as_json) as tally,
        sender_for(via, to=to, key=key, source=source, patience_s=patience) as sender,
        progress(found, quiet=as_json) as content,
    ):
        if jsonl:
            send_all(lines_of(content), sender, tally)
            return
        people = request.open(content, save, zone)
        _remark(people)
        send_all(people.lines(), sender, tally)


class _Request:
    """A list as it was asked for."""

    def __init__(
        self,
        terms: ImportTerms,
        asked: FileTerms,
        saved: SavedMapping,
        wishes: dict[str, str],
        *,
        guess: bool,
    ) -> None:
        self._terms, self._saved, self._wishes, self._guess = terms, saved, wishes, guess
        self._reads = FileTerms(
            encoding=asked.encoding or saved.encoding,
            delimiter=asked.delimiter or saved.delimiter,
            sheet=asked.sheet or saved.sheet,
        )

    def open(self, content: BinaryIO, save: Path | None, zone: str | None) -> PeopleList:
        """Read its header; save the mapping that was found, where that was asked for."""
        reads = self._reads
        people = _list(content, self._terms, reads, self._wishes, guess=self._guess)
        if save is not None:
            found = mapping_of(
                people.table.header,
                people.columns,
                dates=people.terms.dates,
                zone=zone or self._saved.zone,
                encoding=reads.encoding,
                delimiter=reads.delimiter,
                sheet=reads.sheet,
            )
            save_mapping(save, found)
        return people


def _saved(path: Path | None) -> SavedMapping:
    try:
        return load_mapping(path) if path else SavedMapping(columns={})
    except MapWrong as error:
        raise typer.BadParameter(str(error), param_hint="--mapping") from None


def _zone(name: str | None) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (KeyError, ValueError, OSError):
        raise typer.BadParameter(
            f"{name!r} is no time zone; zones are named like Europe/Berlin", param_hint="--zone"
        ) from None


def _wishes(saved: SavedMapping, wishes: Sequence[str]) -> dict[str, str]:
    try:
        return {**saved.columns, **read_wishes(wishes)}
    except MapWrong as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None


def _list(
    content: BinaryIO, terms: ImportTerms, reads: FileTerms, wishes: dict[str, str], *, guess: bool
) -> PeopleList:
    try:
        return open_list(content, terms, file=reads, wishes=wishes, guess=guess)
    except MapWrong as error:
        raise typer.BadParameter(str(error), param_hint="--map") from None
    except FileWrong as error:
        raise typer.BadParameter(str(error), param_hint="FILE") from None


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


def _show(found: Rehearsal, *, as_json: bool) -> None:
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
