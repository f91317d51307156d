"""The deadline that a routed record names is the one that the clock of the hand-off keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from baton.agreement.reference import Absence, reference_of
from baton.contracts.codec import codec_for
from baton.contracts.leads import LeadQualified
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import ClockState, SlaClock
from baton.engine.memory import MemoryHost
from services.router.app import SERVICE as ROUTER
from services.sla_watcher.app import SERVICE as WATCHER
from tests.services.router.router_world import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY_0900,
    POOLS,
    Book,
    agreement,
    qualified,
)
from tests.streams import stream_of

PROMISES = [
    {"clock": "accept", "source": "webinar", "within": "15 business minutes"},
    {"clock": "accept", "campaign": "autumn", "within": "30 business minutes"},
    {"clock": "accept", "queue": "sales", "within": "2 business hours"},
    {"clock": "accept", "within": "1 business hour"},
]
TUESDAY_OFF = (Absence(person="ann", from_ms=MONDAY_0900 + DAY, until_ms=MONDAY_0900 + 2 * DAY),)


def from_where(lead: LeadQualified, **story: Any) -> LeadQualified:
    return replace(lead, story=replace(lead.story, **story))


CASES: dict[str, tuple[LeadQualified, Mapping[str, Any], int]] = {
    "by nothing in particular": (qualified("l1"), {}, HOUR),
    "by source": (from_where(qualified("l1"), source="webinar"), {}, 15 * MINUTE),
    "by campaign": (from_where(qualified("l1"), latest_campaign="autumn"), {}, 30 * MINUTE),
    "by queue": (qualified("l1", leg="sales"), {}, 2 * HOUR),
    "a pool of the other kind, by its own kind": (
        qualified("l1"),
        {"routing": {"default": {"sales": "field"}}},
        2 * HOUR,
    ),
}


def promised_and_kept(lead: LeadQualified, absences: tuple[Absence, ...], **more: Any) -> list[int]:
    """What the routed record says and what the clock says, after the moment of routing."""
    slas = {"ladders": {"none": [{"do": "notify", "to": "owner"}]}, "promises": more["promises"]}
    sections = {name: section for name, section in more.items() if name != "promises"}
    reference = reference_of(agreement(slas=slas, **sections), absences)
    reducers = (*ROUTER.reducers, *WATCHER.reducers)
    host = MemoryHost(reducers, Book(reference), start_ms=MONDAY_0900)
    topic, record = stream_of(lead)
    host.send(topic, lead.lead_id, record)
    host.settle()
    found: list[int] = []
    for stored in host.log.history:
        if stored.topic.startswith("leads.routed.") and stored.value is not None:
            routed = codec_for(LeadRouted).decode(stored.value)
            assert routed.accept_by_ms is not None
            found.append(routed.accept_by_ms - MONDAY_0900)
        if stored.topic == "leads.sla-clocks.v1" and stored.value is not None:
            clock = codec_for(SlaClock).decode(stored.value)
            if (clock.clock, clock.state) == ("accept", ClockState.RUNNING):
                found.append(clock.deadline_ms - MONDAY_0900)
    return sorted(found)


@pytest.mark.parametrize("name", CASES)
def test_the_routed_record_names_the_deadline_that_the_clock_keeps(name: str) -> None:
    lead, sections, promised = CASES[name]
    promises = [{**promise, "use_ladder": "none"} for promise in PROMISES]
    found = promised_and_kept(lead, (), promises=promises, **sections)
    assert found == [promised, promised]


@pytest.mark.parametrize(("counts", "days"), [(False, 3), (True, 2)])
def test_an_absence_moves_both_deadlines_only_where_the_promise_waits_for_it(
    counts: bool, days: int
) -> None:
    promises = [{"clock": "accept", "within": "2 working days", "use_ladder": "none"}]
    if counts:
        promises[0]["absence"] = "counts"
    found = promised_and_kept(
        qualified("l1"),
        TUESDAY_OFF,
        promises=promises,
        pools={**POOLS, "bridge": {"kind": "sdr", "members": {"ann": {}}}},
    )
    assert found == [days * DAY, days * DAY]
