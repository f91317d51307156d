"""A promise is not broken before its time; a goal that will be missed is said before its period
ends."""

from __future__ import annotations

import pytest

from baton.contracts.slas import SlaViolation
from baton.proof.audit.findings import Dated, Finding, Invariant, Place
from baton.proof.audit.lead_check import check_lead


@pytest.mark.parametrize(
    ("clock", "reason", "found"),
    [
        ("accept", None, [Invariant.CLOCKS]),
        ("goal", "missed", [Invariant.CLOCKS]),
        ("goal", "forecast", []),
    ],
)
def test_a_breach_before_its_deadline_is_found_but_not_a_forecast(
    clock: str, reason: str | None, found: list[Invariant]
) -> None:
    breach = SlaViolation(
        violation_id="v",
        kind="breach",
        clock=clock,
        side="sales",
        deadline_ms=2_000,
        at_ms=1_000,
        cause_id="c",
        agreement="a",
        reason=reason,
    )
    place = Place(topic="leads.sla-violations.v1", partition=0, offset=0)
    findings: list[Finding] = []
    check_lead(
        [Dated(at_ms=1_000, place=place, value=breach)],
        until_ms=1_500,
        grace_ms=0,
        add=findings.append,
    )
    assert [finding.invariant for finding in findings] == found
