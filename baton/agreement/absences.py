"""Absences, folded from their records: the newest record of an id counts, and an absence that is
called off or put right counts, for the time until that is known, as it had been announced. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from baton.contracts.reference_records import PeopleRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A person is away in ``[from_ms, until_ms)``."""

    person: str
    from_ms: int
    until_ms: int
    reason: str = "away"


def absences_known(records: Sequence[tuple[int, int, PeopleRecord]]) -> tuple[Absence, ...]:
    """What the records, with the moments from which they count, come to: the newest one of an id,
    less what was cancelled; and of what was replaced or cancelled the part that went by while it
    was announced."""
    newest: dict[str, tuple[int, PeopleRecord]] = {}
    past: set[Absence] = set()
    for since_ms, _, record in records:
        replaced = [name for name, kept in newest.items() if _replaces(record, kept[1])]
        past.update(
            filter(None, (_announced(*newest.pop(name), until_ms=since_ms) for name in replaced))
        )
        if not record.cancelled:
            newest[record.record_id] = (since_ms, record)
    absences = {
        _absence(absence, absence.from_ms, absence.until_ms) for _, absence in newest.values()
    } | past
    return tuple(
        sorted(
            absences,
            key=lambda absence: (absence.person, absence.from_ms, absence.until_ms, absence.reason),
        )
    )


def _absence(record: PeopleRecord, from_ms: int, until_ms: int) -> Absence:
    return Absence(person=record.person, from_ms=from_ms, until_ms=until_ms, reason=record.reason)


def _announced(since_ms: int, record: PeopleRecord, *, until_ms: int) -> Absence | None:
    """What went by of an absence that was known from ``since_ms`` to ``until_ms``."""
    start, end = max(record.from_ms, since_ms), min(record.until_ms, until_ms)
    return _absence(record, start, end) if start < end else None


def _replaces(news: PeopleRecord, kept: PeopleRecord) -> bool:
    return _same_absence(kept, news) if news.cancelled else kept.record_id == news.record_id


def _same_absence(one: PeopleRecord, other: PeopleRecord) -> bool:
    return one.record_id == other.record_id or (
        (one.person, one.from_ms, one.until_ms) == (other.person, other.from_ms, other.until_ms)
    )
