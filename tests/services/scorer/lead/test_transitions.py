"""The revenue cycle's table, whole: every stage, every move, every actor."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from baton.contracts.leads import Actor, Stage, StageEvent
from services.scorer.lead.transitions import OPEN, REST, Refused, may_say, moved, skipped

TABLE = Path(__file__).with_name("lifecycle_table.txt")


def as_text() -> str:
    """Each row: stage, move, then what it comes to for each actor, where not all refuse alike."""
    rows = []
    for stage, move in product(Stage, StageEvent):
        by_outcome: dict[str, list[str]] = {}
        for actor in Actor:
            found = moved(stage, move, actor)
            outcome = (
                f"refused({found.reason})" if isinstance(found, Refused) else f"-> {found.value}"
            )
            by_outcome.setdefault(outcome, []).append(actor.value)
        for outcome, actors in by_outcome.items():
            rows.append(f"{stage.value:13} {move.value:13} {outcome:32} {', '.join(actors)}")
    return "\n".join(rows) + "\n"


def test_the_table_is_the_recorded_one() -> None:
    """A changed rule shows as a diff of the file; write it anew with ``python -m
    tests.services.scorer.lead.test_transitions``."""
    assert as_text() == TABLE.read_text()


@pytest.mark.parametrize(("stage", "move", "actor"), list(product(Stage, StageEvent, Actor)))
def test_every_triple_gives_a_stage_or_a_reason(
    stage: Stage, move: StageEvent, actor: Actor
) -> None:
    found = moved(stage, move, actor)
    assert isinstance(found, Stage) or found.reason
    assert isinstance(found, Refused) or actor in may_say(move)


@pytest.mark.parametrize("stage", list(Stage))
def test_from_every_stage_there_is_a_way_back_to_nurture(stage: Stage) -> None:
    ways = [moved(stage, StageEvent.RECYCLED, actor) for actor in Actor]
    assert stage is Stage.RECYCLED or Stage.RECYCLED in ways


def test_only_the_receiving_side_accepts_and_rejects() -> None:
    for move in (StageEvent.ACCEPTED, StageEvent.REJECTED):
        assert set(may_say(move)) == {Actor.SDR, Actor.SALES, Actor.MANAGER}
    assert moved(Stage.TQL, StageEvent.ACCEPTED, Actor.SDR) == Refused("waits_for_sales")


def test_only_the_system_makes_an_mql_and_only_before_acceptance_it_withdraws_one() -> None:
    makers = {
        actor
        for stage, actor in product(Stage, Actor)
        if moved(stage, StageEvent.QUALIFIED, actor) is Stage.MQL
    }
    assert makers == {Actor.SYSTEM}
    withdrawn = {
        stage
        for stage in Stage
        if not isinstance(moved(stage, StageEvent.WITHDRAWN, Actor.SYSTEM), Refused)
    }
    assert withdrawn == {Stage.MQL}


def test_no_stage_is_a_high_water_mark() -> None:
    """Each stage of sales can be left for an earlier one."""
    for stage in OPEN:
        earlier = {moved(stage, move, actor) for move, actor in product(StageEvent, Actor)}
        assert earlier & {*REST, Stage.MQL} - {stage, Stage.CUSTOMER}


@pytest.mark.parametrize(
    ("stage", "to", "by_bridge", "between"),
    [
        (Stage.INQUIRY, Stage.MQL, False, ()),
        (Stage.MQL, Stage.SAL, False, ()),
        (Stage.MQL, Stage.SQL, False, ("sal",)),
        (Stage.MQL, Stage.TQL, True, ("tal",)),
        (Stage.MQL, Stage.SQL, True, ("tal", "tql", "sal")),
        (Stage.TAL, Stage.SQL, False, ("tql", "sal")),
        (Stage.TQL, Stage.SQL, False, ("sal",)),
        (Stage.INQUIRY, Stage.OPPORTUNITY, False, ("mql", "sal", "sql")),
        (Stage.RECYCLED, Stage.OPPORTUNITY, False, ("mql", "sal", "sql")),
        (Stage.CUSTOMER, Stage.SQL, False, ("mql", "sal")),
        (Stage.SQL, Stage.CUSTOMER, False, ("opportunity",)),
        (Stage.SAL, Stage.MQL, False, ()),
        (Stage.SQL, Stage.RECYCLED, False, ()),
        (Stage.OPPORTUNITY, Stage.OPPORTUNITY, False, ()),
    ],
)
def test_skipped_stages_are_inferred(
    stage: Stage, to: Stage, by_bridge: bool, between: tuple[str, ...]
) -> None:
    assert tuple(record.value for record in skipped(stage, to, by_bridge=by_bridge)) == between


if __name__ == "__main__":
    TABLE.write_text(as_text())
