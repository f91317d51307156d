"""The hold-out in the whole flow: a share of the leads below the threshold is handed over, nobody
who works on one can read that it was, and who judges the score can."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from baton.agreement.canonical import canonical_text
from baton.agreement.compiled.holdout import Holdout
from baton.cluster.decoded import as_document
from baton.contracts.topics import TOPICS, Audience
from baton.flow import all_reducers
from baton.proof.audit.audit import Audit
from baton.proof.audit.source import MemorySource
from baton.simulation.memory_records import as_record
from baton.simulation.simulation import Simulation
from tests.backtest.year import Year, agreement_with

TENTH = {"lifecycle:\n": "lifecycle:\n  holdout: 10%\n"}
MARKS = "scorer.holdouts.v1"


class Run:
    """A year of forms of 12 points, where 20 are asked for, and of a few leads that are ready."""

    def __init__(self, tmp: Path) -> None:
        self.year, self.agreement = Year(number=480), agreement_with(tmp, TENTH)
        few = self.year.arrivals[::16]
        forms = {truth.email for truth in self.year.of_kind("forms")}
        self.year.arrivals = [
            one
            for one in self.year.arrivals
            if one in few or json.loads(one.line)["identifiers"]["email"] in forms
        ]
        simulation = Simulation(
            text=canonical_text(self.agreement.raw),
            version=self.agreement.version,
            start_ms=self.year.arrivals[0].at_ms,
        )
        for _ in simulation.run(self.year.arrivals, self.year.until_ms):
            pass
        self.log = simulation.host.log
        self.documents: list[dict[str, Any]] = [
            as_document(as_record(stored))
            for stored in self.log.history
            if stored.value and (TOPICS[stored.topic].record or stored.topic == MARKS)
        ]

    def values(self, topic: str) -> list[dict[str, Any]]:
        return [one["value"] for one in self.documents if one["topic"] == topic]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("holdout"))


def test_a_share_of_the_ids_is_held_out_evenly_below_the_threshold(run: Run) -> None:
    levels, number = run.agreement.levels, 50_000
    found = [
        at_micro
        for index in range(number)
        if (at_micro := Holdout(percent=2).enters_at_micro(f"lead-{index}", 100_000_000, levels))
    ]
    assert len(found) / number == pytest.approx(0.02, abs=4 * (0.02 * 0.98 / number) ** 0.5)
    quarters = Counter(at_micro // 5_000_000 for at_micro in found)
    assert quarters.keys() == {0, 1, 2, 3}
    assert min(quarters.values()) > len(found) / 4 - 4 * (len(found) * 0.25 * 0.75) ** 0.5
    none = Holdout().enters_at_micro("lead-1", 100_000_000, levels)
    assert none is None


def test_exactly_the_leads_that_the_hash_names_are_handed_over_as_warm(run: Run) -> None:
    forms = {
        value["lead_id"]
        for value in run.values("leads.scored.v1")
        if value["level"] == "cold" and value["engagement_micro"] == 12_000_000
    }
    assert len(forms) > 100
    wanted = {
        lead_id
        for lead_id in forms
        if (
            at_micro := Holdout(percent=10).enters_at_micro(
                lead_id, 100_000_000, run.agreement.levels
            )
        )
        and at_micro <= 12_000_000
    }
    below = [
        value
        for value in run.values("leads.qualified.v1")
        if value["engagement_micro"] < 19_000_000 and not value["hand_raised"]
    ]
    assert {value["lead_id"] for value in below} == wanted
    assert wanted
    assert {(value["level"], value["leg"]) for value in below} == {("warm", "sdr")}
    marks = {value["qualification_id"] for value in run.values(MARKS)}
    assert marks == {value["qualification_id"] for value in below}


def test_nobody_who_works_on_a_lead_can_read_the_mark(run: Run) -> None:
    held = {value["lead_id"] for value in run.values(MARKS)}
    routed = [value for value in run.values("leads.routed.sdr.v1") if value["lead_id"] in held]
    assert len(routed) >= len(held) > 0
    assert TOPICS[MARKS].audience is Audience.PRIVATE, "the board and delivery read public topics"
    public = [
        one
        for one in run.documents
        if TOPICS[one["topic"]].audience is Audience.PUBLIC
        and one["topic"] != "baton.agreements.v1"
    ]
    assert len(public) > 300
    for one in public:
        text = json.dumps(one["value"]).lower()
        assert "holdout" not in text
        assert "held_out" not in text
        assert "blind" not in text


def test_a_held_out_lead_stays_with_whoever_has_it_though_its_score_fades(run: Run) -> None:
    held = {value["lead_id"] for value in run.values(MARKS)}
    moved = {value["event"] for value in run.values("leads.stages.v1") if value["lead_id"] in held}
    assert "qualified" in moved
    assert "withdrawn" not in moved


def test_the_audit_finds_nothing_and_every_task_computes_to_the_same(run: Run) -> None:
    report = Audit(MemorySource(run.log), all_reducers(), grace_ms=2_000).run()
    assert report.findings == []
