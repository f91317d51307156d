"""What is known about the lead: by field the latest value by event time; of the same moment, the
better source.

What a source says outranks what was concluded from something else, however old it is. These rules
know no order of arrival, and a retracted event takes its values with it: the former one is back
(:mod:`.field_history`). Personal data is not in the profile: the person has a book of its own,
filled likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any, Final, NamedTuple

from baton.contracts.intake import Consent, LeadEvent, Person
from baton.evolve import evolve
from services.scorer.lead.field_history import with_report, without_events
from services.scorer.lead.state import (
    ConsentAct,
    FieldReport,
    FormerConsent,
    PersonBook,
    ProfileBook,
    ProfileValue,
)

PRECEDENCE: Final = ("salesforce", "hubspot", "crm", "form", "segment", "http", "csv", "import")
"""Which source is believed where two reported a field at the same moment, best first; what is not
named comes last."""
MAX_FIELDS: Final = 100


class Repetition(NamedTuple):
    """An event that said what another one had said."""

    at_ms: int
    event_id: str


def with_values(book: ProfileBook, event: LeadEvent) -> ProfileBook:
    """``book`` with what an event reported; the same object where nothing changes."""
    values = dict(book.values)
    for name, value in event.profile.items():
        new = FieldReport(
            value=value,
            at_ms=event.occurred_at_ms,
            source=event.source,
            event_id=event.event_id,
            derived=name in event.derived,
        )
        known = reports_of(values[name]) if name in values else ()
        reports = with_report(known, new, _weight)
        if reports is not known:
            values[name] = _value_of(reports)
    if values == book.values:
        return book
    kept = list(values.items())
    if len(kept) > MAX_FIELDS:
        kept.sort(key=lambda item: (_weight(item[1]), item[0]), reverse=True)
    return ProfileBook(values=dict(sorted(kept[:MAX_FIELDS])))


def without_retracted(book: ProfileBook, gone: Collection[bytes]) -> ProfileBook:
    """``book`` as it would be had the retracted events reported nothing; the same object where
    nothing changes."""
    values: dict[str, ProfileValue] = {}
    for name, value in book.values.items():
        known = reports_of(value)
        reports = without_events(known, gone)
        if reports:
            values[name] = value if reports is known else _value_of(reports)
    return book if values == book.values else ProfileBook(values=values)


def has_profile(book: ProfileBook, event: LeadEvent) -> bool:
    """Whether every value that the event reported stands, and the book has its report."""
    return all(
        (known := book.values.get(name)) is not None
        and known.value == value
        and (
            known.event_id == event.event_id
            or any(report.event_id == event.event_id for report in known.former)
        )
        for name, value in event.profile.items()
    )


def profile_with_repeats(
    book: ProfileBook, base: str, repetitions: Iterable[Repetition]
) -> ProfileBook:
    """``book`` with the reports of the event ``base``, repeated by others; the same object where
    nothing changes."""
    values: dict[str, ProfileValue] = {}
    for name, value in book.values.items():
        known = reports_of(value)
        reports = _repeated(known, base, repetitions, _weight)
        values[name] = value if reports is known else _value_of(reports)
    return book if values == book.values else ProfileBook(values=values)


def _repeated(
    known: tuple[FieldReport, ...],
    base: str,
    repetitions: Iterable[Repetition],
    rank: Callable[[FieldReport], Any],
) -> tuple[FieldReport, ...]:
    said = next((report for report in known if report.event_id == base), None)
    if said is None:
        return known
    reports = known
    for at_ms, event_id in repetitions:
        reports = with_report(reports, evolve(said, at_ms=at_ms, event_id=event_id), rank)
    return reports


def reports_of(value: ProfileValue) -> tuple[FieldReport, ...]:
    """Every report of a field that is remembered, best first."""
    newest = FieldReport(
        value=value.value,
        at_ms=value.at_ms,
        source=value.source,
        event_id=value.event_id,
        derived=value.derived,
    )
    return (newest, *value.former)


def _value_of(reports: tuple[FieldReport, ...]) -> ProfileValue:
    best = reports[0]
    return ProfileValue(
        value=best.value,
        at_ms=best.at_ms,
        source=best.source,
        event_id=best.event_id,
        derived=best.derived,
        former=reports[1:],
    )


def _weight(report: FieldReport | ProfileValue) -> tuple[bool, int, int, str, str]:
    return not report.derived, report.at_ms, -_rank(report.source), report.value, report.event_id


@lru_cache(maxsize=256)
def _rank(source: str) -> int:
    family = source.split(":", 1)[0].lower()
    return PRECEDENCE.index(family) if family in PRECEDENCE else len(PRECEDENCE)


def with_person(
    book: PersonBook, person: Person, times: Mapping[str, int], *, event_id: str
) -> PersonBook:
    """``book`` with what an event reported of the person; ``times`` are the event times of its
    fields. Of the same moment the greater text holds. The same object where nothing changes."""
    reports = person_reports(book)
    for name in PERSON_FIELDS:
        value = getattr(person, name)
        if value is not None:
            new = FieldReport(value=value, at_ms=times.get(name, 0), source="", event_id=event_id)
            reports[name] = with_report(reports.get(name, ()), new, _person_weight)
    return _person_of(book, reports)


def person_without_retracted(book: PersonBook, gone: Collection[bytes]) -> PersonBook:
    """``book`` as it would be had the retracted events reported nothing; the same object where
    nothing changes."""
    return _person_of(
        book, {name: without_events(known, gone) for name, known in person_reports(book).items()}
    )


def has_person(book: PersonBook, person: Person, event_id: str) -> bool:
    """Whether everything that the event said of the person stands, and the book has its reports."""
    return all(
        (known := book.reports.get(name, ())) != ()
        and known[0].value == value
        and any(report.event_id == event_id for report in known)
        for name in PERSON_FIELDS
        if (value := getattr(person, name)) is not None
    )


def person_with_repeats(
    book: PersonBook, base: str, repetitions: Iterable[Repetition]
) -> PersonBook:
    """``book`` with the reports of the event ``base``, repeated by others; the same object where
    nothing changes."""
    reports = {
        name: _repeated(known, base, repetitions, _person_weight)
        for name, known in person_reports(book).items()
    }
    return _person_of(book, reports)


PERSON_FIELDS: Final = tuple(field.name for field in fields(Person))


def person_reports(book: PersonBook) -> dict[str, tuple[FieldReport, ...]]:
    """Every report of the person that is remembered, by field; of a book of before reports were
    kept, its fields as they stand."""
    reports = dict(book.reports)
    for name in PERSON_FIELDS:
        value = getattr(book.person, name)
        if value is not None and name not in reports:
            reports[name] = (
                FieldReport(value=value, at_ms=book.times.get(name, 0), source="", event_id=""),
            )
    return reports


def _person_of(book: PersonBook, reports: Mapping[str, tuple[FieldReport, ...]]) -> PersonBook:
    left = {name: known for name, known in sorted(reports.items()) if known}
    if left == book.reports:
        return book
    person = Person(**{name: known[0].value for name, known in left.items()})
    return PersonBook(
        person=person, times={name: known[0].at_ms for name, known in left.items()}, reports=left
    )


def _person_weight(report: FieldReport) -> tuple[int, str, str]:
    return report.at_ms, report.value, report.event_id


def newest_consent(known: ConsentAct | None, consent: Consent, event: LeadEvent) -> ConsentAct:
    """The newest explicit act for the purpose and channel; at the same moment the refusal, since
    the order is not known. ``known`` where nothing changes."""
    new = FormerConsent(
        granted=consent.granted,
        at_ms=event.occurred_at_ms,
        source=event.source,
        event_id=event.event_id,
    )
    before = consent_acts(known) if known is not None else ()
    acts = with_report(before, new, _consent_weight)
    return (
        known
        if known is not None and acts is before
        else _consent_of(consent.purpose, consent.channel, acts)
    )


def consent_without_retracted(known: ConsentAct, gone: Collection[bytes]) -> ConsentAct | None:
    """The newest act that was not retracted; None if there is none. ``known`` where nothing
    changes."""
    before = consent_acts(known)
    acts = without_events(before, gone)
    if acts is before:
        return known
    return _consent_of(known.purpose, known.channel, acts) if acts else None


def consent_acts(known: ConsentAct) -> tuple[FormerConsent, ...]:
    """Every act for the purpose and channel that is remembered, newest first."""
    newest = FormerConsent(
        granted=known.granted, at_ms=known.at_ms, source=known.source, event_id=known.event_id
    )
    return (newest, *known.former)


def _consent_of(purpose: str, channel: str, acts: tuple[FormerConsent, ...]) -> ConsentAct:
    newest = acts[0]
    return ConsentAct(
        purpose=purpose,
        channel=channel,
        granted=newest.granted,
        at_ms=newest.at_ms,
        source=newest.source,
        event_id=newest.event_id,
        former=acts[1:],
    )


def _consent_weight(act: FormerConsent) -> tuple[Any, ...]:
    return act.at_ms, not act.granted, act.event_id
