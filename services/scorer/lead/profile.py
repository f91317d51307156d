"""What is known about the lead: per field the latest value by event time; of the same moment, the better source.

Both rules know no order of arrival. Personal data is not here: the person has a book of its own, filled likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Final

from baton.contracts.intake import Consent, LeadEvent, Person
from services.scorer.lead.state import ConsentAct, PersonBook, ProfileBook, ProfileValue

PRECEDENCE: Final = ("salesforce", "hubspot", "crm", "form", "segment", "http", "csv", "import")
"""Which source is believed where two told a field at the same moment, best first; what is not named comes last."""
MAX_FIELDS: Final = 100


def with_values(book: ProfileBook, profile: Mapping[str, str], *, at_ms: int, source: str, event_id: str) -> ProfileBook:
    """``book`` with what an event told; the same object where nothing changes."""
    values = dict(book.values)
    for name, value in profile.items():
        new = ProfileValue(value=value, at_ms=at_ms, source=source, event_id=event_id)
        known = values.get(name)
        if known is None or _weight(new) > _weight(known):
            values[name] = new
    if values == book.values:
        return book
    kept = sorted(values.items(), key=lambda each: (_weight(each[1]), each[0]), reverse=True)[:MAX_FIELDS]
    return ProfileBook(values=dict(sorted(kept)))


def _weight(each: ProfileValue) -> tuple[int, int, str, str]:
    return each.at_ms, -_rank(each.source), each.value, each.event_id


def _rank(source: str) -> int:
    family = source.split(":", 1)[0].lower()
    return PRECEDENCE.index(family) if family in PRECEDENCE else len(PRECEDENCE)


def with_person(book: PersonBook, person: Person, times: Mapping[str, int]) -> PersonBook:
    """``book`` with what was told of the person; ``times`` are the event times of its fields. Of the same moment the greater text."""
    changes: dict[str, str] = {}
    moments = dict(book.times)
    for each in fields(Person):
        new, old = getattr(person, each.name), getattr(book.person, each.name)
        if new is not None and (times.get(each.name, 0), new) > (moments.get(each.name, -1), old or ""):
            changes[each.name] = new
            moments[each.name] = times.get(each.name, 0)
    return PersonBook(person=replace(book.person, **changes), times=dict(sorted(moments.items()))) if changes else book


def newest_consent(known: ConsentAct | None, consent: Consent, event: LeadEvent) -> ConsentAct:
    """The newest explicit act for the purpose and channel; at the same moment the refusal, since the order is not known."""
    new = ConsentAct(
        purpose=consent.purpose,
        channel=consent.channel,
        granted=consent.granted,
        at_ms=event.occurred_at_ms,
        source=event.source,
        event_id=event.event_id,
    )
    if known is None or (new.at_ms, not new.granted, new.event_id) > (known.at_ms, not known.granted, known.event_id):
        return new
    return known
