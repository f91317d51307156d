"""Speed to lead of hands that were raised after the hand-over, whatever arrives first."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

from baton.contracts.acts import Act
from baton.contracts.intake import Engagement, LeadAct, LeadEvent
from baton.contracts.public_record import PublicRecord
from baton.contracts.topic_names import LEADS_ACCEPTED, LEADS_ACTS
from services.insights.reports.clocks import Speed, speed_to_lead
from tests.services.insights.test_deals import DAY_MS, HOUR, context_of, move, shown

LEAD = "l1"


def record(topic: str, value: LeadEvent | LeadAct, at: int) -> PublicRecord:
    return PublicRecord(
        topic=topic,
        partition=0,
        offset=at,
        id=f"{topic}-{at}",
        key=LEAD,
        value=value,
        at_ms=at * HOUR,
    )


ASKED = record(
    LEADS_ACCEPTED,
    LeadEvent(
        event_id="asked",
        lead_id=LEAD,
        kind="engagement",
        source="website",
        occurred_at_ms=2 * HOUR,
        received_at_ms=2 * HOUR,
        engagement=Engagement(act="demo_request"),
    ),
    2,
)


def raised(cause: str, at: int) -> PublicRecord:
    found = move("hand_raised", "mql", at, segment="mid", qualification_id="q1")
    return replace(found, value=replace(found.value, cause_id=cause))


RAISED, TAKEN_OVER = raised("asked", 2), raised("merge", 3)
CALLED = record(
    LEADS_ACTS,
    LeadAct(
        event_id="called",
        lead_id=LEAD,
        source="crm",
        occurred_at_ms=5 * HOUR,
        received_at_ms=5 * HOUR,
        act=Act(kind="call", by="ae-greta", outcome="reached"),
    ),
    5,
)


def speed(folder: Path, records: list[PublicRecord]) -> Speed:
    context = context_of(shown(folder, records))
    return speed_to_lead(context, 0, 40 * DAY_MS)


def test_a_hand_that_is_raised_after_the_hand_over_waits_for_a_person_too(tmp_path: Path) -> None:
    for number, arrived in enumerate(permutations((ASKED, RAISED, CALLED))):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = speed(folder, list(arrived))
        assert (found.hands, found.untouched) == (1, 0)
        assert found.attempt.quantile(0.5) == found.contact.quantile(0.5) == 3 * HOUR


def test_one_that_was_never_called_is_in_the_figure(tmp_path: Path) -> None:
    found = speed(tmp_path, [ASKED, RAISED])
    assert (found.hands, found.untouched) == (1, 1)
    assert found.attempt.quantile(0.5) is None


def test_a_hand_that_is_taken_over_with_a_merged_lead_counts_where_it_was_raised(
    tmp_path: Path,
) -> None:
    assert speed(tmp_path, [ASKED, RAISED, TAKEN_OVER]).hands == 1
