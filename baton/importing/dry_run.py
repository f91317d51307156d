"""What an import would do, without a running system: the mapping, some rows as they would be
understood, and every row that is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from baton.contracts.intake import IntakeRecord
from baton.importing.lists import PeopleList
from baton.importing.rows import Understood
from baton.importing.sending import UNREAD, Trouble
from baton.importing.terms import UNDATED_MS
from baton.intake.keyed_records import to_intake
from baton.intake.line_reading import LineRefused, Problem, read_line

SHOWN_ROWS = 10


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """The outcome. ``rows``: the first ones, with their line and their events as Baton would take
    them."""

    remarks: list[str]
    mapping: list[tuple[str, str]]
    read: int = 0
    understood: int = 0
    events: int = 0
    rows: list[tuple[int, list[dict[str, Any]]]] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[Trouble] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "remarks": self.remarks,
            "mapping": [{"column": column, "field": meant} for column, meant in self.mapping],
            "read": self.read,
            "understood": self.understood,
            "events": self.events,
            "rows": [{"line": number, "events": events} for number, events in self.rows],
            "errors": [_listed(trouble) for trouble in self.troubles],
            "notes": [_listed(note) for note in self.notes],
        }


def rehearse(people: PeopleList) -> Rehearsal:
    """Read the whole list and send nothing."""
    found = Rehearsal(remarks=people.remarks, mapping=list(_mapping(people)))
    for row in people.rows():
        found.read += 1
        if isinstance(row, Trouble):
            found.troubles.append(row)
            continue
        number, made = row
        records = _records(number, made, found)
        if records is None:
            continue
        found.understood += 1
        found.events += len(records)
        found.notes += [Trouble(number=number, problem=problem) for problem in made.notes]
        if len(found.rows) < SHOWN_ROWS:
            found.rows.append((number, [_as_understood(record) for record in records]))
    return found


def _records(number: int, made: Understood, found: Rehearsal) -> list[IntakeRecord] | None:
    try:
        records = [to_intake(read_line(line)) for line in made.lines]
    except LineRefused as refused:
        found.troubles += [Trouble(number=number, problem=problem) for problem in refused.problems]
        return None
    paths = dict.fromkeys(path for record in records for path in record.unread)
    found.notes += [Trouble(number=number, problem=Problem(path, UNREAD)) for path in paths]
    return records


def _mapping(people: PeopleList) -> Iterator[tuple[str, str]]:
    ignored = set(people.columns.ignored)
    for name, meant in zip(people.table.header, people.columns.fields, strict=True):
        if name:
            yield (
                name,
                meant or ("left out on purpose" if name in ignored else "left out: not known"),
            )


def _as_understood(record: IntakeRecord) -> dict[str, Any]:
    at_ms = record.occurred_at_ms
    shown: dict[str, Any] = {
        "kind": record.kind,
        "occurred_at": "undated"
        if at_ms == UNDATED_MS
        else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(),
        "identifiers": [
            f"{identifier.scheme}: {identifier.value}" for identifier in record.identifiers
        ],
    }
    parts = {
        "person": record.person and _known(asdict(record.person)),
        "profile": dict(record.profile),
        "engagement": record.engagement and _known(asdict(record.engagement)),
        "consent": record.consent and asdict(record.consent),
    }
    return shown | {name: part for name, part in parts.items() if part}


def _known(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value not in (None, (), {}, False)}


def _listed(trouble: Trouble) -> dict[str, Any]:
    return {
        "line": trouble.number,
        "field": trouble.problem.field,
        "reason": trouble.problem.reason,
    }
