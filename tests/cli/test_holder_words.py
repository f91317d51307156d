"""Who has a lead now, in words: a row for every holder there can be."""

from __future__ import annotations

import pytest

from baton.contracts.custody import Holding, PlannedRest
from baton.contracts.handoff import ProjectedHandoff
from baton.lead_story.holder import holder_words

HANDOFF = ProjectedHandoff(
    handoff_id="h",
    qualification_id="q",
    attempt=1,
    phase="offered",
    since_ms=7,
    owner="rex",
    pool="sales",
)
WAITING = ProjectedHandoff(
    handoff_id="h", qualification_id="q", attempt=1, phase="waiting", since_ms=7, queue="sales"
)
RETURNED = ProjectedHandoff(
    handoff_id="h",
    qualification_id="q",
    attempt=1,
    phase="returned",
    since_ms=7,
    owner="rex",
    reason="bad_data",
)


@pytest.mark.parametrize(
    ("holding", "words"),
    [
        (
            Holding(stage="mql", qualification_id="q", handoff=HANDOFF),
            "now: rex has it, offered, since 7",
        ),
        (
            Holding(stage="mql", qualification_id="q", handoff=WAITING),
            "now: it waits in sales, since 7",
        ),
        (
            Holding(stage="mql", qualification_id="q", handoff=RETURNED),
            "now: nobody has it: rejected and nothing decided (the last hand-off ended: bad data)",
        ),
        (
            Holding(stage="mql", qualification_id="q"),
            "now: nobody has it: qualified and not routed",
        ),
        (
            Holding(
                stage="recycled",
                rest_cycle=1,
                rest=PlannedRest(rest_id="r", cycle=1, track="later", return_at_ms=9),
            ),
            "now: it rests in track later until 9",
        ),
        (
            Holding(stage="opportunity", taken_by="rex"),
            "now: rex has it",
        ),
        (Holding(stage="disqualified", reason="bad_data"), "now: ended, bad data"),
        (Holding(stage="customer"), "now: ended, customer"),
        (Holding(stage="mql", ended="merged"), "now: it continues as another lead"),
    ],
)
def test_the_holder_is_said_with_the_state_of_the_hand_off_and_why_nobody_has_it(
    holding: Holding, words: str
) -> None:
    assert holder_words(holding, str) == words
