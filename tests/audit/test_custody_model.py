"""Who holds a lead that a person took up where it rested, without being handed it."""

from __future__ import annotations

from typing import Any

import pytest

from baton.contracts.leads import LeadStaged
from baton.proof.audit.custody import check_custody
from baton.proof.audit.findings import Dated, Finding, Place

HOUR = 3_600_000


def move(event: str, before: str, to: str, at_ms: int, **more: Any) -> Dated:
    staged = LeadStaged(
        lead_id="l1",
        cycle=1,
        from_stage=before,
        to_stage=to,
        event=event,
        actor="sales" if more.get("by") else "system",
        cause_id=event,
        at_ms=at_ms,
        occurred_at_ms=at_ms,
        evidence_at_ms=at_ms,
        agreement="v",
        **more,
    )
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
