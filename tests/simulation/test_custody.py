"""No lead without a holder and a next date, watched while it runs: none in a sound run, and each
that a planted bug makes, by its cause."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.source.read import read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.custody import IN_FLIGHT_MS, Missing
from baton.contracts.routing import HandoffRequest, LeadRouted
from baton.contracts.slas import LeadOrphan, LeadRecycled
from baton.contracts.streams import SlaDecision
from baton.engine.reducer import Event, Step, View
from baton.flow import all_reducers
from baton.local.demo.company import Way, visitors
from baton.local.demo.staff import deeds
from baton.proof.audit.audit import Audit
from baton.proof.audit.findings import Invariant
from baton.proof.audit.source import MemorySource
from baton.simulation.input_lines import Arrival
from baton.simulation.simulation import Simulation
from services.router.dispatch.reducer import Dispatch
from services.sla_watcher.clocks.reducer import Clocks

ROOT = Path(__file__).resolve().parents[2]
BEGINS_MS = 1_795_327_861_000
SPAN_MS = 10_000


def run() -> Simulation:
    """A demonstration's company, and the ten minutes after it in which what is lost would be
    missed."""
    text = canonical_text(read_agreement(ROOT / "examples" / "agreements" / "demo.yaml"))
    simulation = Simulation(text=text, version=version_of(text), start_ms=BEGINS_MS, partitions=2)
    script = visitors(leads=14, span_ms=SPAN_MS, seed=9, begins_ms=BEGINS_MS)
    waiting = [
        Arrival(at_ms=BEGINS_MS + arrival.after_ms, line=arrival.line)
        for arrival in script
        if arrival.way in Way
    ]
    while waiting:
        waiting.sort(key=lambda arrival: arrival.at_ms)
        first, *waiting = waiting
        for stored in simulation.run([first]):
            if stored.topic.startswith("leads.routed.") and stored.value is not None:
                routed = codec_for(LeadRouted).decode(stored.value)
                waiting += [
                    Arrival(at_ms=stored.timestamp + deed.after_ms, line=deed.encoded)
                    for deed in deeds(routed)
                ]
    list(simulation.run([], simulation.host.log.now + IN_FLIGHT_MS + 60_000))
    return simulation


def reported(simulation: Simulation) -> list[LeadOrphan]:
    """What custody said, in order."""
    log, codec = simulation.host.log, codec_for(LeadOrphan)
    return [
        codec.decode(record.value or b"")
        for record in log.history
        if record.topic == "leads.orphans.v1"
    ]


def counted(simulation: Simulation) -> float:
    """What ``baton_orphans`` would be after a restore of every task."""
    tasks = [task for (name, _), task in simulation.host.tasks.items() if name == "custody"]
    assert len(tasks) == 2
    return sum(amount.value for task in tasks for amount in task.core.gauges())


def without(
    kind: type | UnionType, step: Callable[..., Step[Any]], *, times: int = 1 << 30
) -> Callable[..., Step[Any]]:
    """The reducer's step, that drops what it has to say of ``kind``, so many times."""
    left = [times]

    def dropping(
        self: Any, view: View[Any], event: Event, *, now: int, reference: Any
    ) -> Step[Any]:
        said = step(self, view, event, now=now, reference=reference)
        kept = tuple(
            fact
            for fact in said.facts
            if not (isinstance(fact.value, kind) and _wanted(fact.value) and left[0])
        )
        left[0] -= len(kept) < len(said.facts)
        return replace(said, facts=kept)

    return dropping


def _wanted(value: Any) -> bool:
    if isinstance(value, SlaDecision):
        return value.recycled is not None
    return not isinstance(value, HandoffRequest) or value.kind == "request"


def held_findings(simulation: Simulation) -> list[str]:
    source = MemorySource(simulation.host.log)
    report = Audit(
        source, all_reducers(), grace_ms=60_000, recompute=False, until_ms=simulation.host.log.now
    ).run()
    return [finding.words for finding in report.findings if finding.invariant is Invariant.HELD]


def test_a_sound_run_has_no_orphan() -> None:
    simulation = run()
    assert reported(simulation) == []
    assert counted(simulation) == 0
    assert held_findings(simulation) == []


def test_a_router_that_drops_one_hand_off_makes_one_orphan_and_everybody_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Dispatch, "step", without(HandoffRequest, Dispatch.step, times=1))
    simulation = run()
    (orphan,) = reported(simulation)
    assert (orphan.kind, orphan.cause, orphan.holder) == ("found", Missing.ROUTE, None)
    assert orphan.at_ms == orphan.since_ms + IN_FLIGHT_MS
    assert counted(simulation) == 1
    assert held_findings(simulation) == ["nobody holds the lead: qualified and not routed"]


def test_an_sla_watcher_that_forgets_a_lead_s_return_makes_an_orphan_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It notifies neither the scorer nor the outside: custody reads the one stream, the audit the
    public topics, and both say so."""
    monkeypatch.setattr(Clocks, "step", without(SlaDecision | LeadRecycled, Clocks.step))
    simulation = run()
    causes = {orphan.cause for orphan in reported(simulation)}
    assert causes <= {Missing.TRACK, Missing.DECISION, Missing.ROUTE}
    assert Missing.TRACK in causes
    assert counted(simulation) == len(reported(simulation)) == len(held_findings(simulation)) > 0
