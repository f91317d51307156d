"""Where several agreements were in force, each counts for its own time: the replay gives history's
qualifications only so."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from baton.agreement.canonical import canonical_text
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.reference import SIDES
from baton.backtest.backtest import Backtest, HistoryDiffers, backtest
from baton.backtest.history import History
from baton.backtest.in_force import AgreementRecords, as_written
from baton.backtest.question import Question
from baton.backtest.replayed_facts import facts_of_lines
from baton.backtest.report import report_of
from baton.cluster.decoded import as_document
from baton.contracts.reference_records import AgreementRecord
from baton.contracts.topic_names import BATON_AGREEMENTS
from baton.simulation.memory_records import as_record
from baton.simulation.simulation import Simulation
from tests.backtest.year import DAY_MS, Year, agreement_with, arrival

EVES = 3
"""Forms of 12 points on the eve of the change: a lower threshold makes them ready at once."""
ENTER_20 = "3: {enter: 20, exit: 12}"


def records_of(agreement: CompiledAgreement, from_ms: int | None) -> list[AgreementRecord]:
    version = agreement.version
    signed = [
        AgreementRecord(record_id=f"{version}:{side}", kind="approved", version=version, side=side)
        for side in sorted(SIDES)
    ]
    published = AgreementRecord(
        record_id=f"{version}:published",
        kind="published",
        version=version,
        text=canonical_text(agreement.raw),
        effective_at_ms=from_ms,
    )
    return [*signed, published]


class World:
    """A year in the middle of which another agreement comes into force."""

    def __init__(self, tmp: Path, enter: int) -> None:
        self.tmp, self.year, self.enter = tmp, Year(number=80), enter
        self.first = agreement_with(tmp, {})
        self.second = agreement_with(tmp, {ENTER_20: f"3: {{enter: {enter}, exit: 8}}"})
        begins_ms = self.year.arrivals[0].at_ms
        self.changes_ms = begins_ms + 150 * DAY_MS
        eve = datetime.fromtimestamp(self.changes_ms / 1000, UTC) - timedelta(hours=6)
        self.year.arrivals += [
            arrival(900 + number, 0, "form", eve, f"eve{number}@eve{number}.example")
            for number in range(EVES)
        ]
        self.year.arrivals.sort(key=lambda one: one.at_ms)
        simulation = Simulation(
            text=canonical_text(self.first.raw),
            version=self.first.version,
            start_ms=begins_ms,
            keep=False,
        )
        later = records_of(self.second, self.changes_ms)
        for record in later:
            simulation.host.send(BATON_AGREEMENTS, record.record_id, record)
        self.history = History()
        for stored in simulation.run(self.year.arrivals, self.year.until_ms):
            self.history.take(as_document(as_record(stored)))
        self.history.finish()
        both = [*records_of(self.first, None), *later]
        self.records: AgreementRecords = tuple((record, begins_ms) for record in both)

    def question(self) -> Question:
        return Question(
            old=self.second,
            new=self.second,
            since_ms=self.year.arrivals[0].at_ms,
            until_ms=self.year.until_ms,
            records=self.records,
        )


@pytest.fixture(scope="module", params=[22, 10])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("in-force"), request.param)


def test_each_agreement_counts_for_its_own_time(world: World) -> None:
    in_force = as_written(world.records, world.second)
    versions = [reference.version for _, reference in in_force.references]
    assert versions == [world.first.version, world.second.version]
    assert in_force.at(world.changes_ms - 1).version == world.first.version
    assert in_force.at(world.changes_ms).version == world.second.version


def test_the_replay_gives_history_only_with_what_was_in_force_then(world: World) -> None:
    def ask(asked: Question) -> Backtest:
        return backtest(
            asked,
            lambda: facts_of_lines(world.year.arrivals, world.first),
            world.history,
            world.tmp / "work",
            workers=1,
        )

    question = world.question()
    found = ask(question)
    assert found.check is not None
    assert found.check.passed
    assert found.check.adopted == (EVES if world.enter == 10 else 0)
    waited = any("waited their turn" in line for line in report_of(question, found).facts)
    assert waited == bool(found.check.adopted)
    with pytest.raises(HistoryDiffers):
        ask(replace(question, records=()))
    shutil.rmtree(world.tmp / "work", ignore_errors=True)
