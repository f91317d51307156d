"""A lead's book as it travels to the lead it was merged into, and back into a book."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from baton.contracts.intake import Consent, EventKind, LeadEvent, LeadPerson, Person
from baton.contracts.leads import Stage
from baton.contracts.topic_names import SCORER_TRANSFERS
from baton.contracts.transfers import LeadTransfer, StageReached
from baton.evolve import evolve
from services.scorer.lead.deal_book import known_deals
from services.scorer.lead.profile import consent_acts, person_reports, reports_of
from services.scorer.lead.repeated_reports import enter_repeats
from services.scorer.lead.state import (
    CONSENT,
    CYCLE,
    DATES,
    NO_PROFILE,
    NOBODY,
    ONLY,
    PERSON,
    PROFILE,
    FieldReport,
    StageDates,
    transfer_id_of,
)
from services.scorer.lead.step import LeadStep
from services.scorer.lead.transitions import OPEN
from services.scorer.score.ledger import SIZE

_TAKEN: Final = frozenset(stage.value for stage in OPEN) - {Stage.MQL.value}
PART_ENTRIES: Final = 4_000
"""Entries of the ledger in one part: a part stays well below the longest value of the topic."""


def send_book(step: LeadStep, survivor: str, *, merge_id: str) -> None:
    """Publish the whole book, in as many parts as the ledger needs; the last one says where the
    lead stood."""
    head = step.head
    book = LeadTransfer(
        transfer_id=transfer_id_of(merge_id, step.lead_id),
        loser=step.lead_id,
        survivor=survivor,
        part=0,
        parts=0,
        events=(),
        cycles=(),
        at_ms=step.now,
        cycle=head.cycle,
        retractions=head.retracted,
        since_ms=head.since_ms,
        path=(step.lead_id,),
    )
    for part in transfer_parts(_with_cycle_state(step, book), head.ledger):
        last = part.part == part.parts
        step.publish(SCORER_TRANSFERS, _with_history(step, part) if last else part, survivor)


def transfer_parts(book: LeadTransfer, ledger: bytes) -> Iterator[LeadTransfer]:
    """``book`` with the ledger, in as many parts as that needs."""
    size = PART_ENTRIES * SIZE
    chunks = [ledger[at : at + size] for at in range(0, len(ledger), size)] or [b""]
    for number, chunk in enumerate(chunks, start=1):
        yield evolve(book, part=number, parts=len(chunks), ledger=chunk)


def _with_cycle_state(step: LeadStep, book: LeadTransfer) -> LeadTransfer:
    """``book`` with what sales did with the lead."""
    head, cycle_state, work = step.head, step.cycle_state, step.cycle_state.work
    raised_by = work.raised_by if head.settling is None else head.settling.raised_by
    raised_by = raised_by or head.hands_held
    return evolve(
        book,
        recycles=cycle_state.recycles,
        owner=cycle_state.owner,
        hand_raised=bool(raised_by),
        raised_by=raised_by,
        settling=head.settling is not None or bool(head.hands_held),
        leg=work.leg,
        level=work.level,
        accepted=work.kept or head.stage in _TAKEN,
        rejecters=cycle_state.rejecters,
        heard=cycle_state.heard,
        rest_reason=cycle_state.rest.reason if cycle_state.rest else None,
    )


def _with_history(step: LeadStep, part: LeadTransfer) -> LeadTransfer:
    """The last part: with all that is not the ledger."""
    head = step.head
    return evolve(
        part,
        events=tuple(events_of(step)),
        cycles=tuple(cycle for _, cycle in step.items(CYCLE)),
        persons=tuple(persons_of(step)),
        recent=head.recent,
        origins=head.origins,
        stage=head.stage,
        dates=tuple(_dates(step)),
        deals=known_deals(step),
    )


def persons_of(step: LeadStep) -> Iterator[LeadPerson]:
    """What is known of the person, one record an event that reported it."""
    enter_repeats(step)
    by_event: dict[tuple[str, int], dict[str, str]] = {}
    for name, reports in person_reports(step.get(PERSON, ONLY) or NOBODY).items():
        for report in reports:
            by_event.setdefault((report.event_id, report.at_ms), {})[name] = report.value
    for (event_id, at_ms), values in sorted(by_event.items()):
        yield LeadPerson(
            lead_id=step.lead_id, event_id=event_id, occurred_at_ms=at_ms, person=Person(**values)
        )


def events_of(step: LeadStep) -> Iterator[LeadEvent]:
    """The events that profile and consents came from, as far as they still matter."""
    enter_repeats(step)
    by_event: dict[tuple[str, int, str], dict[str, FieldReport]] = {}
    for name, value in (step.get(PROFILE, ONLY) or NO_PROFILE).values.items():
        for report in reports_of(value):
            by_event.setdefault((report.event_id, report.at_ms, report.source), {})[name] = report
    for (event_id, at_ms, source), reports in sorted(by_event.items()):
        yield LeadEvent(
            event_id=event_id,
            lead_id=step.lead_id,
            source=source,
            kind=EventKind.PROFILE.value,
            occurred_at_ms=at_ms,
            received_at_ms=step.now,
            profile={name: report.value for name, report in reports.items()},
            derived=tuple(name for name, report in reports.items() if report.derived),
        )
    for _, known in step.items(CONSENT):
        for act in consent_acts(known):
            yield LeadEvent(
                event_id=act.event_id,
                lead_id=step.lead_id,
                source=act.source,
                kind=EventKind.CONSENT.value,
                occurred_at_ms=act.at_ms,
                received_at_ms=step.now,
                consent=Consent(purpose=known.purpose, channel=known.channel, granted=act.granted),
            )


def _dates(step: LeadStep) -> Iterator[StageReached]:
    for stage, dates in step.items(DATES):
        yield StageReached(
            stage=stage,
            first_ms=dates.first_ms,
            latest_ms=dates.latest_ms,
            first_inferred=dates.first_inferred,
            latest_inferred=dates.latest_inferred,
        )


def take_dates(step: LeadStep, dates: tuple[StageReached, ...]) -> None:
    """The earlier first date and the later latest one of each stage."""
    for date in dates:
        theirs = StageDates(
            first_ms=date.first_ms,
            latest_ms=date.latest_ms,
            first_inferred=date.first_inferred,
            latest_inferred=date.latest_inferred,
        )
        ours = step.get(DATES, date.stage) or theirs
        first = min((ours.first_ms, ours.first_inferred), (theirs.first_ms, theirs.first_inferred))
        latest = max(
            (ours.latest_ms, not ours.latest_inferred),
            (theirs.latest_ms, not theirs.latest_inferred),
        )
        step.put(
            DATES,
            date.stage,
            StageDates(
                first_ms=first[0],
                first_inferred=first[1],
                latest_ms=latest[0],
                latest_inferred=not latest[1],
            ),
        )
