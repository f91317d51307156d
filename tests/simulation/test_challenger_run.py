"""A challenger in the whole flow: a lead is scored by its arm's agreement, says so, and goes back
when the challenger ends; the audit finds nothing, and computes every task again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text
from baton.agreement.challengers import in_arm
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import SIDES
from baton.backtest.challenger_verdict import ArmLedger, Finding, verdict
from baton.cluster.decoded import as_document
from baton.contracts.reference_records import AgreementRecord
from baton.contracts.topic_names import BATON_AGREEMENTS
from baton.flow import all_reducers
from baton.proof.audit.audit import Audit
from baton.proof.audit.source import MemorySource
from baton.simulation.memory_records import as_record
from baton.simulation.simulation import Simulation
from tests.backtest.year import DAY_MS, Year, agreement_with

HALF_PPM = 500_000
LOWER = {"3: {enter: 20, exit: 12}": "3: {enter: 12, exit: 8}"}


class Run:
    """A year of which the challenger, with a lower threshold, has half the accounts between the
    60th day and the 200th."""

    def __init__(self, tmp: Path) -> None:
        self.year = Year(number=160)
        self.champion, self.challenger = agreement_with(tmp, {}), agreement_with(tmp, LOWER)
        begins_ms = self.year.arrivals[0].at_ms
        self.from_ms, self.until_ms = begins_ms + 60 * DAY_MS, begins_ms + 200 * DAY_MS
        simulation = Simulation(
            text=canonical_text(self.champion.raw),
            version=self.champion.version,
            start_ms=begins_ms,
            partitions=2,
        )
        for record in self._records(self.challenger):
            simulation.host.send(BATON_AGREEMENTS, record.record_id, record)
        stored = list(simulation.run(self.year.arrivals, self.year.until_ms))
        self.log = simulation.host.log
        self.documents: list[dict[str, Any]] = [as_document(as_record(one)) for one in stored]
        (self.challenge,) = simulation.host.book.challenges()  # type: ignore[attr-defined]

    def _records(self, agreement: CompiledAgreement) -> list[AgreementRecord]:
        version, text = agreement.version, canonical_text(agreement.raw)
        records = [
            AgreementRecord(
                record_id=f"{version}:{side}", kind="approved", version=version, side=side
            )
            for side in sorted(SIDES)
        ]
        challenger = AgreementRecord(
            record_id=f"{version}:challenger",
            kind="challenger",
            version=version,
            text=text,
            share_ppm=HALF_PPM,
            effective_at_ms=self.from_ms,
            until_ms=self.until_ms,
        )
        return [*records, challenger]

    def values(self, topic: str) -> list[dict[str, Any]]:
        return [one["value"] for one in self.documents if one["topic"] == topic]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("challenger"))


def test_each_decision_names_the_agreement_of_its_arm(run: Run) -> None:
    seen = set()
    for value in run.values("leads.qualified.v1"):
        unit = value["story"]["account_id"] or value["lead_id"]
        during = run.from_ms <= value["qualified_at_ms"] < run.until_ms
        theirs = during and in_arm(unit, run.challenger.version, HALF_PPM)
        wanted = run.challenger if theirs else run.champion
        assert value["agreement"] == wanted.version
        seen.add((during, theirs))
    assert seen == {(False, False), (True, False), (True, True)}


def test_a_lower_threshold_hands_over_only_leads_of_its_arm_and_time(run: Run) -> None:
    below = [
        value
        for value in run.values("leads.qualified.v1")
        if value["engagement_micro"] < 19_000_000
    ]
    assert below, "a form is twelve points"
    for value in below:
        assert value["agreement"] == run.challenger.version
        assert run.from_ms <= value["qualified_at_ms"] < run.until_ms


def test_routing_stays_with_the_agreement_in_force(run: Run) -> None:
    routed = [
        value
        for topic in ("leads.routed.sdr.v1", "leads.routed.sales.v1")
        for value in run.values(topic)
    ]
    assert routed
    assert {value["agreement"] for value in routed} == {run.champion.version}
    assert {value["qualified"]["agreement"] for value in routed} == {
        run.champion.version,
        run.challenger.version,
    }


def test_the_audit_finds_nothing_and_every_task_computes_to_the_same(run: Run) -> None:
    report = Audit(MemorySource(run.log), all_reducers(), grace_ms=2_000).run()
    assert report.findings == []


def test_the_verdict_reads_the_arms_from_the_facts(run: Run) -> None:
    ledger = ArmLedger(challenge=run.challenge, champion=run.champion.version)
    ledger.take_all(run.documents)
    window_ms = 30 * DAY_MS
    early = verdict(ledger, outcome="accepted", window_ms=window_ms, now_ms=run.until_ms)
    assert early.finding is Finding.NOT_YET
    handed = Counter(
        value["agreement"]
        for value in run.values("leads.qualified.v1")
        if run.from_ms <= value["qualified_at_ms"] < run.until_ms
    )
    assert (early.champion.handed, early.challenger.handed) == (
        handed[run.champion.version],
        handed[run.challenger.version],
    )
    end_ms = run.until_ms + window_ms
    found = verdict(ledger, outcome="accepted", window_ms=window_ms, now_ms=end_ms)
    assert found.finding is not Finding.UNEQUAL
    assert (found.champion.reached, found.challenger.reached) == (0, 0)
