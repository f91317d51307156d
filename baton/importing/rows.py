"""A row of a list as event lines: a profile or an engagement, and one for each of its consents.
Pure.

What cannot be read costs as little as it can: an optional cell is left out and noted, a row that
names nobody or whose yes and no contradict each other is refused. What has no date counts as older
than everything that has one wherever that is the careful reading: an undated yes never overrules a
dated no, and with ``fill_empty`` a list never overrules what is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from baton.contracts.identity import IDENTIFIER_KINDS, IdentifierScheme, identifier_kind
from baton.derived_ids import derived_id
from baton.importing.cells import CellWrong, addresses_in, came, moment_ms
from baton.importing.columns import CONSENT, ENGAGEMENT, IDENTIFIERS, PERSON, PLAIN, ColumnMap
from baton.importing.listed_consents import consents_of
from baton.importing.names import split_name
from baton.importing.spreadsheet_losses import note_lost_plus, restored_postal
from baton.importing.terms import UNDATED_MS, Cells, ImportTerms, RowWrong
from baton.intake.fields import profile_fields
from baton.intake.identifiers import CANONICAL
from baton.intake.line_reading import Problem
from baton.intake.placeholders import is_no_id
from baton.intake.unknown import says_nothing

_CONSENT_FIELDS = ("consent:", "optout:", "consent_at:", "optout_at:")
_SPECIAL = frozenset({*IDENTIFIERS, *PERSON, *ENGAGEMENT, *PLAIN})
_IDS = frozenset(IDENTIFIER_KINDS) - {IdentifierScheme.EMAIL.value}
"""Schemes whose cell is one id; a cell of addresses may hold several."""
_MAX_ADDRESSES = 8
_SEPARATORS = re.compile(r"\s*[;,]\s*")
_MAX_OWN_ID = 128
_MAX_TEXT = {"stated_problem": 2_000, "note": 2_000}


@dataclass(slots=True, kw_only=True)
class Understood:
    """The event lines of a row, and what of it was left out or put right (field and reason, never a
    value)."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def understood(row: Sequence[str], columns: ColumnMap, terms: ImportTerms) -> Understood:
    """What a row says; raises :class:`RowWrong`."""
    if any(cell.strip() for cell in row[len(columns.fields) :]):
        raise RowWrong("", f"has {len(row)} columns, the header {len(columns.fields)}")
    cells = _cells(row, columns)
    found = Understood()
    line: dict[str, Any] = {"source": terms.source, "identifiers": _identifiers(cells, found.notes)}
    if terms.update_only:
        line["update_only"] = True
    said = _person_and_profile(cells, line["identifiers"], found.notes)
    engagement = _engagement(cells, terms)
    dated_ms = _moment(cells, "occurred_at", terms)
    own = _own_id(cells, {**line, **said, **engagement, "at": dated_ms}, found.notes)
    found.lines = _lines(line, said, engagement, own, dated_ms, terms)
    found.lines += consents_of(cells, line, own, dated_ms, terms, found.notes)
    return found


def _cells(row: Sequence[str], columns: ColumnMap) -> dict[str, list[str]]:
    """For each field what its columns say, in their order; cells that say nothing are none."""
    cells: dict[str, list[str]] = {}
    for name, cell in zip(columns.fields, row, strict=False):
        if not name or not cell.strip():
            continue
        if any("\udc80" <= letter <= "\udcff" for letter in cell):
            raise RowWrong("", "is not written in the file's encoding; try --encoding")
        if not says_nothing(cell) or CONSENT.match(name):
            cells.setdefault(name, []).append(cell.strip())
    return cells


def _first(cells: Cells, name: str) -> str | None:
    return cells[name][0] if name in cells else None


# --- who is meant


def _identifiers(cells: Cells, notes: list[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    emails = _emails(cells, notes)
    if emails:
        found["email"] = emails if len(emails) > 1 else emails[0]
    for name, texts in cells.items():
        scheme, _, system = name.partition(":")
        if scheme in _IDS:
            ids = [text for cell in texts if (text := _id(scheme, system, cell, name, notes))]
            found[scheme] = [*found.get(scheme, []), *ids]
    found = {scheme: values for scheme, values in found.items() if values}
    if not found:
        wrong = next((note for note in notes if note.field.startswith("identifiers")), None)
        raise (
            RowWrong(wrong.field, wrong.reason)
            if wrong
            else RowWrong("identifiers", "are empty: nobody is meant")
        )
    return found


def _emails(cells: Cells, notes: list[Problem]) -> list[str]:
    """Of a cell with several addresses the first: the others may be somebody else's. A column of
    further addresses is the same person's."""
    found: list[str] = []
    for name in ("email", "other_emails"):
        for cell in cells.get(name, ()):
            addresses, wrong = addresses_in(cell)
            if wrong:
                notes.append(Problem("identifiers.email", "is not an e-mail address"))
            if len(addresses) > 1 and name == "email":
                notes.append(
                    Problem(
                        "identifiers.email",
                        f"has {len(addresses)} addresses; only the first was taken",
                    )
                )
                addresses = addresses[:1]
            found += addresses
    return list(dict.fromkeys(found))[:_MAX_ADDRESSES]


def _id(scheme: str, system: str, cell: str, name: str, notes: list[Problem]) -> str | None:
    place = f"identifiers.{scheme}"
    if identifier_kind(scheme).names_its_system:
        cell = _first_id(cell, place, notes)
    if is_no_id(cell):
        notes.append(
            Problem(place, "is a placeholder, or a number that a spreadsheet has rewritten")
        )
        return None
    text = (
        f"{system}:{cell.removeprefix('zcrm_') if system == 'zoho' else cell}" if system else cell
    )
    try:
        return CANONICAL[IdentifierScheme(scheme)](text)
    except ValueError as error:
        notes.append(Problem(place, str(error)))
        return None


def _first_id(cell: str, place: str, notes: list[Problem]) -> str:
    several = [part for part in _SEPARATORS.split(cell) if part]
    if len(several) > 1:
        notes.append(Problem(place, f"has {len(several)} ids; only the first was taken"))
    return several[0] if several else cell


# --- what it says


def _person_and_profile(
    cells: Cells, identifiers: Mapping[str, Any], notes: list[Problem]
) -> dict[str, Any]:
    person = {name: text for name in PERSON if (text := _person_text(cells, name, notes))}
    if full := _first(cells, "name"):
        person = {**split_name(full), **person}
    if isinstance(identifiers.get("email"), list):
        person["email"] = identifiers["email"][0]
    profile: dict[str, str] = {}
    for name, texts in cells.items():
        if name in _SPECIAL or name.startswith(("crm:", *_CONSENT_FIELDS)):
            continue
        try:
            profile |= profile_fields({name.removeprefix("profile."): texts[0]})
        except ValueError as error:
            notes.append(Problem("profile", str(error)))
    profile = restored_postal(profile, notes)
    note_lost_plus(person, profile, notes)
    return ({"person": person} if person else {}) | ({"profile": profile} if profile else {})


def _person_text(cells: Cells, name: str, notes: list[Problem]) -> str | None:
    text = _first(cells, name)
    limit = _MAX_TEXT.get(name, 200)
    if text is not None and len(text) > limit:
        notes.append(
            Problem(f"person.{name}", f"has more than {limit} characters and was left out")
        )
        return None
    return text


def _engagement(cells: Cells, terms: ImportTerms) -> dict[str, Any]:
    act = _first(cells, "act") or terms.act
    attended = _first(cells, "attended")
    if not act or (attended is not None and not came(attended)):
        return {}
    part = {name: cells[name][0] for name in ENGAGEMENT if name in cells} | {"act": act}
    if terms.campaign:
        part.setdefault("campaign", terms.campaign)
    return {"engagement": part}


def _moment(cells: Cells, name: str, terms: ImportTerms) -> int | None:
    cell = _first(cells, name)
    try:
        return None if cell is None else moment_ms(cell, terms.dates, terms.zone)
    except CellWrong as error:
        raise RowWrong(name, str(error)) from None


def _own_id(cells: Cells, content: Mapping[str, Any], notes: list[Problem]) -> str:
    """The list's own id of the event, else one that follows from what the row says: the same row is
    the same event."""
    own = _first(cells, "id")
    if own is not None and is_no_id(own):
        notes.append(
            Problem("id", "is a placeholder, or a number that a spreadsheet has rewritten")
        )
        own = None
    return (
        own
        if own and len(own) <= _MAX_OWN_ID
        else derived_id("row", own or to_json(content).decode())
    )


# --- event lines


def _lines(
    line: Mapping[str, Any],
    said: Mapping[str, Any],
    engagement: Mapping[str, Any],
    own: str,
    dated_ms: int | None,
    terms: ImportTerms,
) -> list[dict[str, Any]]:
    at_ms = terms.at_ms if dated_ms is None else dated_ms
    profile = {
        **line,
        **said,
        "id": own,
        "kind": "profile",
        "occurred_at": UNDATED_MS if terms.fill_empty else at_ms,
    }
    if not engagement:
        return [profile]
    happened = {
        **line,
        **engagement,
        "id": own,
        "kind": "engagement",
        "occurred_at": at_ms,
        "backfill": terms.backfill,
    }
    if not terms.fill_empty:
        return [{**happened, **said}]
    return [{**profile, "id": f"{own}/profile"}, happened] if said else [happened]
