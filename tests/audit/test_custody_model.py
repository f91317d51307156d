"""Who holds a lead that a person took up where it rested, without being handed it, and one that was
passed on to sales before anybody had accepted it."""

from __future__ import annotations

from typing import Any

import pytest

from baton.contracts.leads import LeadQualified, Story
from baton.contracts.routing import HandoffKind, HandoffNoted, LeadUnrouted
from baton.proof.audit.custody_check import check_custody
from baton.proof.audit.findings import Dated, Finding, Place
from tests.streams import move_of

HOUR = 3_600_000


def move(event: str, before: str, to: str, at_ms: int, **more: Any) -> Dated:
    actor = "sales" if more.get("by") else "system"
    more = {"actor": actor, "cause_id": event} | more
    staged = move_of("l1", event, before=before, after=to, at_ms=at_ms, **more)
    return Dated(place=Place.of(("leads.stages.v1", 0, at_ms)), at_ms=at_ms, value=staged)


@pytest.mark.parametrize(
    ("event", "by", "words"),
    [
        ("reopened", "rex", []),
        ("opportunity", "rex", []),
        ("opportunity", None, ["nobody holds the lead: qualified and not routed"]),
        ("qualified", None, ["nobody holds the lead: qualified and not routed"]),
    ],
)
def test_who_takes_a_resting_lead_up_by_themselves_holds_it(
    event: str, by: str | None, words: list[str]
) -> None:
    to = "mql" if event == "qualified" else "opportunity"
    records = [
        move("qualified", "inquiry", "mql", 1, qualification_id="q1"),
        move("recycled", "mql", "recycled", 2, by="rex", reason="not_ready"),
        move(event, "recycled", to, 3, by=by),
    ]
    found: list[Finding] = []
    check_custody(records, until_ms=2 * HOUR, grace_ms=HOUR, add=found.append)
    assert [finding.words for finding in found] == words


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("held", []),
        ("suppressed", ["nobody holds the lead: taken back and not routed again"]),
        (None, ["nobody holds the lead: qualified and not routed"]),
    ],
)
def test_a_verdict_that_passes_a_lead_on_begins_a_qualification_of_its_own(
    outcome: str | None, words: list[str]
) -> None:
    records = [
        move("qualified", "inquiry", "mql", 1, qualification_id="q1"),
        _dated("leads.unrouted.v1", 1, _unrouted("q1", "held")),
        _dated("leads.handoffs.v1", 2, _requalified("q1")),
        move("qualified", "mql", "tql", 2, by="sue", qualification_id="q1"),
        _dated("leads.qualified.v1", 2, _qualified("q2", cause_id="qualified")),
    ]
    if outcome is not None:
        records.append(_dated("leads.unrouted.v1", 3, _unrouted("q2", outcome)))
    found: list[Finding] = []
    check_custody(records, until_ms=2 * HOUR, grace_ms=HOUR, add=found.append)
    assert [finding.words for finding in found] == words


def _dated(topic: str, at_ms: int, value: Any) -> Dated:
    return Dated(place=Place.of((topic, 0, at_ms)), at_ms=at_ms, value=value)


def _unrouted(qualification_id: str, outcome: str) -> LeadUnrouted:
    return LeadUnrouted(
        handoff_id=f"{qualification_id}/1",
        qualification_id=qualification_id,
        attempt=1,
        lead_id="l1",
        cycle=1,
        outcome=outcome,
        reason="full",
        pool="reps",
        at_ms=1,
        path=(),
        candidates=(),
        agreement="v",
    )


def _requalified(qualification_id: str) -> HandoffNoted:
    return HandoffNoted(
        handoff_id=f"{qualification_id}/1",
        qualification_id=qualification_id,
        attempt=1,
        lead_id="l1",
        kind=HandoffKind.WITHDRAWN,
        reason="requalified",
        cause_id="qualified",
        at_ms=2,
    )


def _qualified(qualification_id: str, *, cause_id: str) -> LeadQualified:
    return LeadQualified(
        qualification_id=qualification_id,
        lead_id="l1",
        cycle=1,
        leg="sales",
        level="warm",
        grade="A2",
        fit_micro=0,
        engagement_micro=0,
        hand_raised=False,
        cause_id=cause_id,
        qualified_at_ms=2,
        received_at_ms=2,
        segment=None,
        story=Story(),
        agreement="v",
        stage="tql",
        qualified_by="sue",
    )
