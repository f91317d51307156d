"""Rows of a list as event lines: which column is what, and one or more events from each row. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from baton.ids import derived_id
from baton.intake.reading import Problem

IGNORED = "-"
IDENTIFIERS = ("email", "user", "anonymous", "lead", "crm")
PERSON = ("phone", "first_name", "last_name", "company", "stated_problem", "current_supplier", "note")
PROFILE = (
    "title",
    "role",
    "seniority",
    "department",
    "country",
    "region",
    "industry",
    "employees",
    "domain",
    "website",
    "language",
)
ENGAGEMENT = ("act", "content_id", "content_title", "content_stage", "campaign")
PLAIN = ("id", "occurred_at", "name")

_ALSO = {
    "e_mail": "email",
    "mail": "email",
    "email_address": "email",
    "firstname": "first_name",
    "given_name": "first_name",
    "lastname": "last_name",
    "surname": "last_name",
    "family_name": "last_name",
    "full_name": "name",
    "phone_number": "phone",
    "telephone": "phone",
    "mobile": "phone",
    "company_name": "company",
    "organisation": "company",
    "organization": "company",
    "job_title": "title",
    "state": "region",
    "number_of_employees": "employees",
    "employee_count": "employees",
    "url": "website",
}
_KNOWN = frozenset({*IDENTIFIERS, *PERSON, *PROFILE, *ENGAGEMENT, *PLAIN})
_FIELD = re.compile(r"(?:profile\.)?([a-z][a-z0-9_]{0,47})\Z")
_CRM = re.compile(r"crm:([a-z][a-z0-9_-]{0,31})\Z")
_CONSENT = re.compile(r"consent:([a-z0-9][a-z0-9_]{0,63})(?:/([a-z0-9][a-z0-9_]{0,63}))?\Z")
_YES = frozenset({"yes", "y", "true", "1", "x", "on", "granted", "opt-in"})
_NO = frozenset({"no", "n", "false", "0", "off", "refused", "opt-out"})
_NOT_CONTENT = ("occurred_at",)


class MapWrong(ValueError):
    """A ``--map`` that cannot be followed; the text says which and why."""


class RowWrong(ValueError):
    """A row that cannot be an event; ``problem`` names the field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(field, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """For each column the field it fills, None for those that are left out; ``left_out`` are their names."""

    fields: tuple[str | None, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTerms:
    """What holds for all rows. ``act``: what the people on the list did, if it is a list of who did something."""

    source: str
    at_ms: int
    act: str | None = None
    campaign: str | None = None
    backfill: bool = True


def column_map(header: Sequence[str], wishes: Sequence[str], *, guess: bool = True) -> ColumnMap:
    """Which column fills which field: as wished (``column=field``), else by the column's name where that is known."""
    wished = dict(_wish(each) for each in wishes)
    names = [each.strip() for each in header]
    missing = [column for column in wished if column not in names]
    if missing:
        raise MapWrong(f"--map: the file has no column {missing[0]!r}; it has {', '.join(names[:30])}")
    fields = [wished.get(name) or (_guessed(name) if guess else None) for name in names]
    taken = [field for field in fields if field not in (None, IGNORED)]
    twice = next((field for field in taken if taken.count(field) > 1), None)
    if twice:
        raise MapWrong(f"two columns are meant to be {twice}; leave one out with --map column={IGNORED}")
    if not any(field in IDENTIFIERS or (field or "").startswith("crm:") for field in taken):
        raise MapWrong("no column says who is meant; map one, as in --map 'E-mail=email' or --map 'Contact ID=crm:salesforce'")
    found = tuple(None if field == IGNORED else field for field in fields)
    return ColumnMap(fields=found, left_out=tuple(name for name, field in zip(names, fields, strict=True) if field is None))


def lines_of_row(row: Sequence[str], columns: ColumnMap, terms: ImportTerms) -> list[dict[str, Any]]:
    """The event lines of one row: a profile or an engagement, and one for each consent; raises :class:`RowWrong`."""
    if len(row) > len(columns.fields):
        raise RowWrong("", f"has {len(row)} columns, the header {len(columns.fields)}")
    cells = {field: cell.strip() for field, cell in zip(columns.fields, row, strict=False) if field and cell.strip()}
    if any("\udc80" <= letter <= "\udcff" for cell in cells.values() for letter in cell):
        raise RowWrong("", "is not written in the file's encoding; try --encoding")
    line = _line(cells, terms)
    line["id"] = cells.get("id") or derived_id("row", to_json({k: v for k, v in line.items() if k not in _NOT_CONTENT}).decode())
    if "occurred_at" in cells:
        line["occurred_at"] = _moment(cells["occurred_at"])
    return [line, *(_consent(line, field, cell) for field, cell in cells.items() if field.startswith("consent:"))]


def _line(cells: Mapping[str, str], terms: ImportTerms) -> dict[str, Any]:
    identifiers: dict[str, Any] = {name: cells[name] for name in IDENTIFIERS if name in cells}
    crm = [f"{field[4:]}:{cell}" for field, cell in cells.items() if field.startswith("crm:")]
    if crm:
        identifiers["crm"] = [*crm, *([identifiers["crm"]] if "crm" in identifiers else [])]
    if not identifiers:
        raise RowWrong("identifiers", "are empty: nobody is meant")
    person = {name: cells[name] for name in PERSON if name in cells}
    if "name" in cells:
        first, _, last = cells["name"].partition(" ")
        person = {"first_name": first, **({"last_name": last} if last else {}), **person}
    special = {*IDENTIFIERS, *PERSON, *ENGAGEMENT, *PLAIN}
    profile = {
        field.removeprefix("profile."): cell
        for field, cell in cells.items()
        if field not in special and not field.startswith(("crm:", "consent:"))
    }
    line: dict[str, Any] = {"source": terms.source, "kind": "profile", "occurred_at": terms.at_ms, "identifiers": identifiers}
    act = cells.get("act") or terms.act
    if act:
        part = {name: cells[name] for name in ENGAGEMENT if name in cells} | {"act": act}
        if terms.campaign:
            part.setdefault("campaign", terms.campaign)
        line |= {"kind": "engagement", "engagement": part, "backfill": terms.backfill}
    return line | ({"person": person} if person else {}) | ({"profile": profile} if profile else {})


def _consent(line: Mapping[str, Any], field: str, cell: str) -> dict[str, Any]:
    found = _CONSENT.match(field)
    assert found is not None
    word = cell.casefold()
    if word not in _YES and word not in _NO:
        raise RowWrong(field, "must be yes or no")
    purpose, channel = found[1], found[2] or "any"
    return {
        "id": f"{line['id']}/{purpose}/{channel}",
        "source": line["source"],
        "kind": "consent",
        "occurred_at": line["occurred_at"],
        "identifiers": line["identifiers"],
        "consent": {"purpose": purpose, "channel": channel, "granted": word in _YES},
    }


def _moment(cell: str) -> Any:
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        raise RowWrong("occurred_at", "is not a date or time of ISO 8601, as 2026-03-02 or 2026-03-02T10:00:00Z") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()


def _wish(text: str) -> tuple[str, str]:
    column, separator, field = text.rpartition("=")
    field = field.strip()
    if not separator or not column.strip():
        raise MapWrong(f"--map {text!r}: write column=field")
    if field != IGNORED and not (_FIELD.match(field) or _CRM.match(field) or _CONSENT.match(field)):
        raise MapWrong(
            f"--map {text!r}: {field!r} is no field; there are {', '.join((*IDENTIFIERS, *PERSON, *PLAIN, *ENGAGEMENT))}, crm:SYSTEM, "
            f"consent:PURPOSE/CHANNEL, any name of a profile field, and {IGNORED} for none"
        )
    return column.strip(), field


def _guessed(name: str) -> str | None:
    word = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    word = _ALSO.get(word, word)
    return word if word in _KNOWN else None
