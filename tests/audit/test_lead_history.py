"""Which of the accepted events a score may know, and which it must."""

from __future__ import annotations

from dataclasses import replace

import pytest

from baton.contracts.intake import Engagement, EventKind, LeadEvent, LeadInput
from baton.contracts.leads import LeadScored
from baton.proof.audit.findings import Dated, Finding, Invariant, Place
from baton.proof.audit.lead_history import check_history
from baton.proof.audit.scores import engagement_micro
from tests.services.scorer.score.test_laws import TERMS

ACCEPTED_AT = {"e1": 1_000, "e2": 2_000, "e3": 3_000}


def accepted(event_id: str) -> Dated:
    at_ms = ACCEPTED_AT[event_id]
    event = LeadEvent(
        event_id=event_id,
        lead_id="l1",
        source="s",
        kind=EventKind.ENGAGEMENT,
        occurred_at_ms=at_ms,
        received_at_ms=at_ms,
        engagement=Engagement(act="webinar"),
    )
    return Dated(place=Place.of(("leads.accepted.v1", 0, at_ms)), at_ms=at_ms, value=event)


EVENTS = [accepted(event_id) for event_id in ACCEPTED_AT]


def scored(cause: str, *, at_ms: int, knows: int) -> Dated:
    """A score of the first ``knows`` events, decided at ``at_ms``, on the log a second later."""
    known = [dated.value for dated in EVENTS[:knows]]
    value = LeadScored(
        lead_id="l1",
        cycle=1,
        scored_at_ms=at_ms,
        fit_micro=0,
        engagement_micro=engagement_micro(known, TERMS, at_ms),
        grade="D1",
        level="cold",
        level_reason="",
        contributions=(),
        criteria=(),
        next_change_at_ms=None,
        cause_id=cause,
        agreement="v",
    )
    return Dated(place=Place.of(("leads.scored.v1", 0, 0)), at_ms=at_ms + 1_000, value=value)


@pytest.mark.parametrize(
    ("cause", "at_ms", "knows", "right"),
    [
        ("e1", 1_000, 1, True),
        ("e1", 1_000, 0, False),  # not even its own cause
        ("e1", 1_000, 2, False),  # nobody knows at once what comes later
        ("e1", 2_500, 1, True),  # it waited, and what came meanwhile may not have reached it
        ("e1", 2_500, 2, True),  # it waited, and knows what came meanwhile
        ("e2", 2_500, 1, False),  # nor after a wait without its own cause
        ("e1", 1_500, 3, False),  # it waited, and knows what came after it was on the log
        ("a timer", 2_500, 2, True),
        ("a timer", 1_500, 3, False),
    ],
)
def test_a_score_knows_its_cause_and_nothing_that_came_later(
    cause: str, at_ms: int, knows: int, right: bool
) -> None:
    found: list[Finding] = []
    records = sorted(
        [*EVENTS, scored(cause, at_ms=at_ms, knows=knows)], key=lambda dated: dated.at_ms
    )
    check_history("l1", records, {"v": TERMS}.get, until_ms=10_000, grace_ms=0, add=found.append)
    assert [finding.invariant for finding in found] == ([] if right else [Invariant.SCORES])


def heard(event: LeadEvent, at_ms: int, offset: int) -> Dated:
    """The event on the lead's own stream."""
    value = LeadInput(lead_id="l1", cause_id=event.event_id, event=event)
    return Dated(place=Place.of(("intake.leads.v1", 0, offset)), at_ms=at_ms, value=value)


@pytest.mark.parametrize(("knows", "right"), [(["e1", "e3"], True), (["e1", "e2", "e3"], False)])
def test_the_order_is_that_of_the_lead_s_own_stream(knows: list[str], right: bool) -> None:
    """Two tasks of intake wrote at once: the public topic has e2 before e3, the stream after it."""
    first, second, third = (dated.value for dated in EVENTS)
    stream = [heard(first, 990, 5), heard(third, 1_950, 6), heard(second, 1_960, 7)]
    known = [dated.value for dated in EVENTS if dated.value.event_id in knows]
    score = scored("e3", at_ms=1_950, knows=0)
    said = engagement_micro(known, TERMS, 1_950)
    score = replace(score, at_ms=3_500, value=replace(score.value, engagement_micro=said))
    found: list[Finding] = []
    records = sorted([*EVENTS, *stream, score], key=lambda dated: dated.at_ms)
    check_history("l1", records, {"v": TERMS}.get, until_ms=10_000, grace_ms=0, add=found.append)
    assert [finding.invariant for finding in found] == ([] if right else [Invariant.SCORES])
