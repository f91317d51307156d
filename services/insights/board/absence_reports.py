"""An absence that somebody reports of themselves, or a manager of theirs, as the record that the
whole system reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.reference_records import PeopleRecord
from baton.derived_ids import derived_id
from services.insights.board.page_acts import NotDoable
from services.insights.reports.context import Role, Viewer

_LONGEST_DAYS: Final = 366


def absence_of(
    form: Mapping[str, str], viewer: Viewer, agreement: CompiledAgreement | None
) -> PeopleRecord:
    """The record for whole days in the person's own time zone, the last one included; raises
    NotDoable."""
    person = form.get("person") or viewer.person or ""
    if viewer.person is None or agreement is None or person not in agreement.people:
        raise NotDoable("An absence needs a person of the agreement.")
    if person != viewer.person and viewer.role is not Role.MANAGER:
        raise NotDoable("Only managers can report the absence of others.")
    try:
        first, last = (
            date.fromisoformat(form.get("from", "")),
            date.fromisoformat(form.get("until", "")),
        )
    except ValueError:
        raise NotDoable("Write both days as 2026-12-01.") from None
    if not first <= last or (last - first).days > _LONGEST_DAYS:
        raise NotDoable("The last day must not be before the first, nor more than a year after it.")
    zone = agreement.calendar_for(person=person).zone
    from_ms = int(datetime.combine(first, time(), zone).timestamp() * 1000)
    until_ms = int(datetime.combine(last + timedelta(days=1), time(), zone).timestamp() * 1000)
    record_id = derived_id("absence", person, from_ms, until_ms, "away")
    return PeopleRecord(record_id=record_id, person=person, from_ms=from_ms, until_ms=until_ms)
