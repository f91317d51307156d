"""A lead whose end a service never heard of is an orphan with its cause, the audit names it too,
and the word of a manager puts it in order."""

import json
from functools import cache
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.slas import LeadOrphan
from baton.contracts.streams import HandoffChange
from baton.contracts.topic_names import LEADS_ORPHANS, ROUTER_HANDOFFS
from baton.engine.errors import record_place
from baton.flow import all_reducers
from baton.local.up.preparing import example_agreement
from baton.proof.audit.audit import Audit
from baton.proof.audit.source import MemorySource
from baton.simulation.input_lines import Arrival, arrivals_of
from baton.simulation.simulation import Simulation

ANN = {"email": "ann@acme.example"}
BUYER = {"country": "DE", "employees": 250, "role": "CTO", "industry": "software"}
DAY_MS = 86_400_000


def _line(own_id: str, at: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": own_id,
        "source": "web",
        "kind": kind,
        "occurred_at": f"2026-03-{at}Z",
        "identifiers": ANN,
    } | more


REFUSED_AND_WARM = [
    _line("no", "02T08:00", "consent", consent={"purpose": "sales", "granted": False}),
    _line("1", "02T09:00", "engagement", engagement={"act": "webinar"}, profile=BUYER),
    _line("2", "02T09:10", "engagement", engagement={"act": "pricing_view"}),
    _line("3", "02T09:12", "engagement", engagement={"act": "form"}),
]


def _arrivals(*more: dict[str, Any]) -> list[Arrival]:
    lines = [*REFUSED_AND_WARM, *more]
    return arrivals_of([(json.dumps(line).encode(), line) for line in lines])


def _simulation(arrivals: list[Arrival]) -> Simulation:
    text = canonical_text(read_agreement(example_agreement()))
    return Simulation(text=text, version=version_of(text), start_ms=arrivals[0].at_ms)


@cache
def _suppressed_at() -> int:
    """Where the word of the suppression stands."""
    arrivals = _arrivals()
    simulation = _simulation(arrivals)
    list(simulation.run(arrivals))
    changes = [
        codec_for(HandoffChange).decode(stored.value or b"")
        for stored in simulation.host.log.records(ROUTER_HANDOFFS, 0)
    ]
    (offset,) = [
        offset
        for offset, change in enumerate(changes)
        if change.unrouted is not None and change.unrouted.outcome == "suppressed"
    ]
    return offset


def _stuck(*more: dict[str, Any]) -> tuple[list[LeadOrphan], list[str]]:
    """What is said of a lead whose suppression the clocks never heard of, and what the audit
    finds."""
    arrivals = _arrivals(*more)
    simulation = _simulation(arrivals)
    simulation.host.tasks["clocks", 0].core.skip(record_place(ROUTER_HANDOFFS, _suppressed_at()))
    facts = list(simulation.run(arrivals, arrivals[0].at_ms + 2 * DAY_MS))
    log = simulation.host.log
    report = Audit(
        MemorySource(log), all_reducers(), grace_ms=1_000, buckets=1, until_ms=log.now
    ).run()
    orphans = [
        codec_for(LeadOrphan).decode(stored.value)
        for stored in facts
        if stored.topic == LEADS_ORPHANS and stored.value is not None
    ]
    return orphans, [str(finding) for finding in report.findings]


def test_a_lead_whose_end_was_lost_is_named() -> None:
    orphans, findings = _stuck()
    assert [(one.kind, one.cause) for one in orphans] == [("found", "qualified_and_not_routed")]
    (finding,) = findings
    assert "nobody holds the lead" in finding


@pytest.mark.parametrize(
    ("verdict", "reason"), [("disqualified", "not_icp"), ("recycled", "not_ready")]
)
def test_a_managers_word_ends_a_lead_that_is_stuck(verdict: str, reason: str) -> None:
    word = {"kind": verdict, "by": "mgr-ines", "reason": reason}
    orphans, findings = _stuck(_line("word", "03T10:00", "act", act=word))
    assert orphans[-1].kind == "held"
    assert findings == []
