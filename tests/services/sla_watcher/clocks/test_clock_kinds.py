"""The table of clock kinds: total, without contradictions, and what the handlers really go by."""

import ast
from pathlib import Path

import pytest

from baton.contracts.clock_kinds import CLOCK_KINDS, Clock, ClockKind, Occasion, Scope, kind_of
from baton.contracts.slas import ClockState, SlaClock
from services.sla_watcher.clocks.clock import start_clock
from services.sla_watcher.clocks.evidence import Evidence
from services.sla_watcher.clocks.occasions import apply_occasion
from services.sla_watcher.clocks.state import OpenClock
from services.sla_watcher.clocks.step import ClockStep
from tests.services.sla_watcher.sla_scene import Desk, Scene, agreement, ms, promises

PACKAGE = Path("services/sla_watcher/clocks")
ALL = "".join(f"  - {{clock: {clock.value}, within: 1 hour elapsed}}\n" for clock in Clock)


def test_each_clock_has_a_row_that_starts_it_and_one_that_meets_it() -> None:
    assert set(CLOCK_KINDS) == {clock.value for clock in Clock}
    assert [
        kind.clock for kind in CLOCK_KINDS.values() if not (kind.starts_on and kind.met_by)
    ] == []


@pytest.mark.parametrize("kind", CLOCK_KINDS.values(), ids=lambda kind: kind.clock.value)
def test_no_occasion_means_two_things_to_a_clock(kind: ClockKind) -> None:
    relations = (kind.met_by, kind.inferred_by, kind.ended_by)
    assert sum(map(len, relations)) == len(frozenset().union(*relations))
    assert not kind.paused_by & (kind.met_by | kind.resumed_by)
    assert bool(kind.paused_by) is bool(kind.resumed_by)


@pytest.mark.parametrize("kind", CLOCK_KINDS.values(), ids=lambda kind: kind.clock.value)
@pytest.mark.parametrize("occasion", Occasion)
def test_every_pair_of_kind_and_occasion_ends_as_its_row_says(
    kind: ClockKind, occasion: Occasion
) -> None:
    step = _step_with(kind)
    apply_occasion(
        step,
        occasion,
        Evidence(evidence_id="e", at_ms=ms("Mon 10:30"), acted_at_ms=ms("Mon 10:30")),
    )
    reported = [fact.value for fact in step.finish().facts if isinstance(fact.value, SlaClock)][1:]
    said = [(fact.state, fact.inferred) for fact in reported]
    if occasion in kind.inferred_by:
        assert said == [(ClockState.MET, True)]
    elif occasion in kind.met_by:
        assert said == [(ClockState.MET, False)]
    elif occasion in kind.ended_by:
        assert said == [(ClockState.CANCELLED, False)]
    else:
        assert said == []
        assert len(step.head.clocks) == 1


def _step_with(kind: ClockKind) -> ClockStep:
    terms = Scene(agreement(slas=promises(ALL, grace="{}"))).terms.at(0)
    step = ClockStep(Desk(terms), now=ms("Mon 10:00"), reference=terms)
    start_clock(
        step,
        OpenClock(
            clock_id="c",
            clock=kind.clock.value,
            state=ClockState.RUNNING,
            started_at_ms=ms("Mon 10:00"),
            deadline_ms=0,
            cause_id="c",
            side="",
            target="",
            stage="sql" if kind.scope is Scope.STAGE else None,
        ),
    )
    return step


def test_a_clock_of_a_rest_cannot_be_taken_from_anybody() -> None:
    assert [kind.clock.value for kind in CLOCK_KINDS.values() if not kind.can_be_taken_away] == [
        "nurture_start",
        "nurture",
        "advance",
        "return",
    ]
    assert kind_of("accept").can_be_taken_away


def test_no_handler_knows_a_kind_by_name() -> None:
    """A new kind is a row: whoever asks for one by its word would have to be changed too."""
    words = {clock.value for clock in Clock}
    assert _named(PACKAGE, words) == []


def test_the_search_for_names_finds_one(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_text(
        'def f(clock):\n    """route"""\n    return clock.clock == "route"\n'
    )
    assert _named(tmp_path, {"route"}) == ["handler.py:3 route"]


def _named(folder: Path, words: set[str]) -> list[str]:
    found = []
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text())
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and node.value in words
                and id(node) not in docstrings
            ):
                found.append(f"{path.relative_to(folder)}:{node.lineno} {node.value}")
    return found
