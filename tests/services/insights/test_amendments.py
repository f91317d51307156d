"""What becomes known after a hand-off: in the lead's row, its brief and its timeline, whatever came
first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from baton.contracts.intake import Person
from baton.contracts.leads import LeadAmended, LeadQualified, LeadStaged, StageEvent, Story
from baton.contracts.public_record import PublicRecord
from services.insights.projection.dialect import StorePlace, reader
from services.insights.reports.context import Context, Role, Viewer, filters_of
from services.insights.reports.lead import lead
from tests.services.insights.stores import fill

LEAD = "a" * 32
QUALIFIED = LeadQualified(
    qualification_id="q1",
    lead_id=LEAD,
    cycle=1,
    leg="sales",
    level="warm",
    grade="B2",
    fit_micro=0,
    engagement_micro=0,
    hand_raised=False,
    cause_id="c1",
    qualified_at_ms=10,
    received_at_ms=10,
    segment="mid",
    story=Story(profile={"country": "DE"}, first_campaign="fair"),
    agreement="v",
)
STAGED = LeadStaged(
    lead_id=LEAD,
    cycle=1,
    from_stage="inquiry",
    to_stage="mql",
    event=StageEvent.QUALIFIED.value,
    actor="baton",
    cause_id="c1",
    at_ms=10,
    occurred_at_ms=10,
    evidence_at_ms=10,
    agreement="v",
    qualification_id="q1",
)
AMENDED = LeadAmended(
    amendment_id="m1",
    lead_id=LEAD,
    cycle=1,
    qualification_id="q1",
    handoff_id=None,
    changed=("profile.country", "person.phone", "hand_raised", "level"),
    brief=Story(person=Person(phone="+49 40 123456"), profile={"country": "AT"}),
    leg="sales",
    level="hot",
    grade="B2",
    fit_micro=0,
    hand_raised=True,
    segment="large",
    at_ms=20,
    cause_id="c2",
    agreement="v",
)


def taken(topic: str, at_ms: int, value: object, name: str) -> PublicRecord:
    return PublicRecord(
        topic=topic, partition=0, offset=at_ms, id=name, key=LEAD, value=value, at_ms=at_ms
    )


RECORDS = (
    taken("leads.qualified.v1", 11, QUALIFIED, "q1"),
    taken("leads.stages.v1", 11, STAGED, "s1"),
    taken("leads.amendments.v1", 21, AMENDED, "m1"),
)


def page(place: StorePlace) -> dict[str, object]:
    context = Context(
        db=reader(place),
        now_ms=100,
        viewer=Viewer(role=Role.MANAGER),
        filters=filters_of({}, date(2026, 1, 5)),
    )
    return lead(context, LEAD)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_an_amendment_changes_urgency_and_segment_whatever_came_first(
    place: StorePlace, order: tuple[int, ...]
) -> None:
    fill(place, [RECORDS[number] for number in order], at_once=1)
    rows = reader(place).execute("SELECT level, hand_raised, segment, qualified_at_ms FROM lead")
    assert rows.fetchall() == [("hot", 1, "large", 10)]


def test_an_amendment_of_a_former_qualification_changes_nothing_of_the_present_one(
    place: StorePlace,
) -> None:
    former = replace(AMENDED, qualification_id="q0")
    records = (*RECORDS[:2], taken("leads.amendments.v1", 21, former, "m0"))
    fill(place, records)
    rows = reader(place).execute("SELECT level, hand_raised, segment FROM lead").fetchall()
    assert rows == [("warm", 0, "mid")]
    brief = page(place)["brief"]
    assert (brief.content.profile, brief.changed) == ({"country": "DE"}, ())  # type: ignore[attr-defined]


def test_the_brief_is_the_amended_one_and_names_what_changed(place: StorePlace) -> None:
    found = page(fill(place, RECORDS))
    brief = found["brief"]
    assert brief.content.profile == {"country": "AT"}  # type: ignore[attr-defined]
    assert brief.changed == AMENDED.changed  # type: ignore[attr-defined]
    assert brief.amended_ms == 20  # type: ignore[attr-defined]
    texts = [(event.text, event.detail) for event in found["events"]]  # type: ignore[attr-defined]
    assert (
        "the brief was amended",
        "profile country, person phone, hand raised, level",
    ) in texts


def test_the_telephone_number_of_an_amendment_is_nowhere_in_the_file(tmp_path: Path) -> None:
    path = fill(tmp_path / "board.sqlite", RECORDS)
    files = [part for part in tmp_path.iterdir() if part.name.startswith(path.name)]
    assert not any(b"123456" in part.read_bytes() for part in files)
