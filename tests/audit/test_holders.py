"""One person holds a lead at a time: what lies in one moment of the log has no order between
topics."""

from __future__ import annotations

import pytest

from baton.contracts.leads import LeadQualified, Story
from baton.contracts.routing import HandoffKind, HandoffNoted, LeadRouted
from baton.proof.audit.findings import Dated, Finding, Invariant, Place
from baton.proof.audit.lead_check import check_lead

MOMENT = 1_000


def routed(name: str, leg: str, at_ms: int = MOMENT) -> Dated:
    """Hand-off ``name`` to somebody of ``leg``."""
    qualified = LeadQualified(
        qualification_id=f"q-{name}",
        lead_id="l1",
        cycle=1,
        leg=leg,
        level="hot",
        grade="A1",
        fit_micro=0,
        engagement_micro=0,
        hand_raised=True,
        cause_id="c",
        qualified_at_ms=at_ms,
        received_at_ms=at_ms,
        segment=None,
        story=Story(),
        agreement="v",
    )
    value = LeadRouted(
        handoff_id=name,
        qualification_id=f"q-{name}",
        attempt=1,
        lead_id="l1",
        cycle=1,
        leg=leg,
        pool=leg,
        owner=f"owner-of-{name}",
        level="hot",
        segment=None,
        hand_raised=True,
        routed_at_ms=at_ms,
        qualified_at_ms=at_ms,
        path=(),
        candidates=(),
        rule="in_turn",
        turn_used=True,
        qualified=qualified,
        agreement="v",
    )
    return Dated(place=Place.of((f"leads.routed.{leg}.v1", 0, 0)), at_ms=at_ms, value=value)


def withdrawn(name: str, leg: str, at_ms: int = MOMENT) -> Dated:
    """Hand-off ``name`` is taken back."""
    note = HandoffNoted(
        handoff_id=name,
        qualification_id=f"q-{name}",
        attempt=1,
        lead_id="l1",
        kind=HandoffKind.WITHDRAWN,
        reason="withdrawn",
        cause_id="c",
        at_ms=at_ms,
        owner=f"owner-of-{name}",
        pool=leg,
        leg=leg,
    )
    return Dated(place=Place.of(("leads.handoffs.v1", 0, 0)), at_ms=at_ms, value=note)


HELD_TWICE = ["routed to owner-of-b while owner-of-a holds the lead by leads.routed.sales.v1/0/0"]


@pytest.mark.parametrize(
    ("records", "words"),
    [
        # the log does not say which of the two was first
        ([withdrawn("b", "sdr"), routed("a", "sales"), routed("b", "sdr")], []),
        ([withdrawn("a", "sales"), routed("a", "sales"), routed("b", "sdr")], []),
        ([routed("a", "sales"), routed("b", "sdr")], HELD_TWICE),
        ([routed("a", "sales"), routed("b", "sdr"), withdrawn("b", "sdr", MOMENT + 1)], HELD_TWICE),
        (
            [routed("a", "sales"), routed("b", "sdr", 1_001), withdrawn("b", "sdr", 1_001)],
            HELD_TWICE,
        ),
        (
            [routed("a", "sales"), routed("b", "sdr", 1_001), withdrawn("a", "sales", 1_002)],
            HELD_TWICE,
        ),
    ],
)
def test_of_two_hand_offs_in_one_moment_the_one_that_ended_in_it_was_the_first(
    records: list[Dated], words: list[str]
) -> None:
    found: list[Finding] = []
    check_lead(records, until_ms=2_000, grace_ms=0, add=found.append)
    assert [one.words for one in found if one.invariant is Invariant.ONE_HOLDER] == words
