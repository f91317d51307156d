"""A service upstream is down over a deadline, and the act that would have met it waits there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import SlaClock, SlaViolation
from baton.contracts.topics import TOPICS
from baton.intake.fields import instant_ms
from baton.simulation.simulation import Simulation

ROOT = Path(__file__).resolve().parents[2]
AGREEMENT = ROOT / "examples" / "agreements" / "first.yaml"
ASKS = "2026-03-03T10:00:00Z"
MINUTE = 60_000
IDENTIFIERS = {"email": "ann@acme.example"}


class Firm:
    """The whole system, one lead in it that somebody was offered."""

    def __init__(self) -> None:
        text = canonical_text(read_agreement(AGREEMENT))
        begins = instant_ms(ASKS)
        self.simulation = Simulation(text=text, version=version_of(text), start_ms=begins)
        self.host = self.simulation.host
        self.send("demo", "engagement", engagement={"act": "demo_request"}, person=PERSON)
        self.host.advance(begins + MINUTE)
        (self.routed,) = self.of(LeadRouted)
        (accept,) = (clock for clock in self.of(SlaClock) if clock.clock == "accept")
        self.deadline: int = accept.deadline_ms

    def send(self, name: str, kind: str, **parts: Any) -> None:
        line = {"id": name, "source": "site", "kind": kind, "identifiers": IDENTIFIERS}
        line |= {"occurred_at": self.host.log.now} | parts
        key = json.dumps(IDENTIFIERS).encode()
        self.host.log.append("leads.inbox.v1", 0, key, json.dumps(line).encode())

    def accept(self) -> None:
        """The holder takes the lead now; nobody processes it."""
        act = {"kind": "accepted", "by": self.routed.owner, "handoff_id": self.routed.handoff_id}
        self.send("accepted", "act", act=act)

    def of(self, kind: type[Any]) -> list[Any]:
        return [
            codec_for(kind).decode(record.value)
            for record in self.host.log.history
            if TOPICS[record.topic].record is kind and record.value is not None
        ]

    def violations(self) -> list[tuple[str, str, bool]]:
        """Of the promise to accept, without warnings: kind, clock, whether it is unproven."""
        return [
            (said.kind, said.clock, said.unproven)
            for said in self.of(SlaViolation)
            if said.clock == "accept" and said.kind != "warning"
        ]


PERSON = {"first_name": "Ann", "phone": "+49 30 1234567"}


@pytest.mark.parametrize("service", ["admit", "identify", "lead"])
def test_an_act_that_waits_upstream_over_the_deadline_is_in_time_once_it_comes_through(
    service: str,
) -> None:
    firm = Firm()
    down = firm.host.tasks[service, 0]
    firm.host.advance(firm.deadline - MINUTE)
    down.crash()
    firm.accept()
    firm.host.advance(firm.deadline + 2 * MINUTE)
    assert firm.violations() == []
    down.start()
    firm.host.advance(firm.deadline + 60 * MINUTE)
    assert firm.violations() == []


@pytest.mark.parametrize("service", ["admit", "identify", "lead"])
def test_after_five_minutes_the_breach_is_said_unproven_and_taken_back_when_the_act_comes_through(
    service: str,
) -> None:
    firm = Firm()
    down = firm.host.tasks[service, 0]
    firm.host.advance(firm.deadline - MINUTE)
    down.crash()
    firm.accept()
    firm.host.advance(firm.deadline + 8 * MINUTE)
    assert firm.violations() == [("breach", "accept", True)]
    down.start()
    firm.host.advance(firm.deadline + 60 * MINUTE)
    assert firm.violations() == [("breach", "accept", True), ("withdrawn", "accept", False)]


def test_without_any_act_the_breach_is_proven_once_upstream_is_back() -> None:
    firm = Firm()
    down = firm.host.tasks["identify", 0]
    firm.host.advance(firm.deadline - MINUTE)
    down.crash()
    firm.send("view", "engagement", engagement={"act": "page_view"})
    firm.host.advance(firm.deadline + 2 * MINUTE)
    assert firm.violations() == []
    down.start()
    firm.host.advance(firm.deadline + 3 * MINUTE)
    assert firm.violations() == [("breach", "accept", False)]
