"""What a separation must take along, by the records of one lead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from baton.contracts.intake import Consent, LeadEvent, LeadInput, LeadMerge, LeadSeparation
from baton.contracts.transfers import LeadTransfer
from baton.derived_ids import derived_id
from baton.proof.audit.findings import Dated, Finding, Invariant, Place
from baton.proof.audit.partings import check_partings

LEFT, LEAVER = "left", "leaver"
INPUT, BOOKS = "intake.leads.v1", "scorer.transfers.v1"
LOST = f"{LEAVER} leaves without a refusal of sales/any"


def dated(topic: str, offset: int, value: Any, at_ms: int = 5) -> Dated:
    return Dated(at_ms=at_ms, place=Place(topic=topic, partition=0, offset=offset), value=value)


def heard(event_id: str, *, granted: bool = False, retracts: str | None = None) -> LeadEvent:
    said = None if retracts else Consent(purpose="sales", channel="any", granted=granted)
    return LeadEvent(
        event_id=event_id,
        lead_id=LEFT,
        source="web",
        kind="retraction" if retracts else "consent",
        occurred_at_ms=1,
        received_at_ms=1,
        consent=said,
        retracts=retracts,
    )


def came(offset: int, event: LeadEvent) -> Dated:
    value = LeadInput(lead_id=LEFT, cause_id=event.event_id, event=event, occurred_at_ms=1)
    return dated(INPUT, offset, value)


def parts(offset: int) -> Dated:
    separation = LeadSeparation(separation_id="s", lead_id=LEFT, leaver=LEAVER, occurred_at_ms=5)
    value = LeadInput(lead_id=LEFT, cause_id="s", separation=separation, occurred_at_ms=5)
    return dated(INPUT, offset, value)


def book(*events: LeadEvent) -> Dated:
    value = LeadTransfer(
        transfer_id=derived_id("parted", "s", LEAVER),
        loser=LEFT,
        survivor=LEAVER,
        part=1,
        parts=1,
        events=events,
        cycles=(),
        at_ms=5,
    )
    return dated(BOOKS, 3, value)


def findings(*records: Dated, until_ms: int = 100) -> list[tuple[str, str]]:
    found: list[Finding] = []
    check_partings(LEFT, records, until_ms=until_ms, add=found.append)
    assert all(finding.invariant is Invariant.PARTED for finding in found)
    return [(finding.words, str(finding.place)) for finding in found]


NO, YES = heard("no"), heard("yes", granted=True)


def test_a_refusal_that_goes_along_is_right() -> None:
    assert findings(came(0, NO), parts(1), book(NO)) == []


def test_a_refusal_that_does_not_go_along_is_found_in_the_book() -> None:
    assert findings(came(0, NO), came(1, YES), parts(2), book(YES)) == [(LOST, f"{BOOKS}/0/3")]


def test_a_refusal_that_became_a_grant_on_the_way_is_found() -> None:
    assert findings(came(0, NO), parts(1), book(heard("no", granted=True)))


def test_a_refusal_is_lost_too_where_there_is_no_book() -> None:
    assert findings(came(0, NO), parts(1)) == [(LOST, f"{INPUT}/0/1")]


def test_what_came_after_the_separation_what_was_granted_and_what_was_retracted_stays() -> None:
    retracted = heard("r", retracts="no")
    assert findings(parts(0), came(1, NO)) == []
    assert findings(came(0, YES), parts(1)) == []
    assert findings(came(0, retracted), came(1, NO), parts(2)) == []


def test_what_may_be_on_its_way_is_no_finding() -> None:
    assert findings(came(0, NO), parts(1), until_ms=5) == []


def test_the_refusals_of_a_lead_that_ended_in_another_are_there() -> None:
    merge = LeadMerge(merge_id="m", loser=LEFT, survivor="other", cause_id="c", occurred_at_ms=2)
    assert findings(came(0, NO), parts(1), dated(INPUT, 2, merge)) == []
    stays = replace(merge, loser="other", survivor=LEFT)
    assert findings(came(0, NO), parts(1), dated(INPUT, 2, stays))
