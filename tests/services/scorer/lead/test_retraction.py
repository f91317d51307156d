"""Retraction means that it never happened: of profile, person, content and consent as of points, in
any order of arrival, and through merges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.agreement.reference import reference_of
from baton.contracts.intake import (
    Consent,
    Engagement,
    LeadEvent,
    LeadInput,
    LeadMerge,
    LeadPerson,
    Person,
)
from baton.contracts.leads import LeadQualified, LeadStaged
from baton.derived_ids import derived_id
from services.scorer.lead.consents import consents_from
from services.scorer.lead.field_history import KEPT
from services.scorer.lead.state import CONSENT, NOBODY, ONLY, PERSON, PROFILE, ProfileBook
from tests.services.scorer.scorer_view import Shelf
from tests.services.scorer.scorer_world import (
    DAY,
    HOUR,
    MONDAY_0900,
    World,
    agreement,
    person_reported,
)

REFERENCE = reference_of(agreement())
NOW = MONDAY_0900 + DAY


@dataclass(frozen=True)
class Report:
    """What one event reports of the lead, beside what it did."""

    number: int
    at_ms: int
    profile: tuple[tuple[str, str], ...] = ()
    person: tuple[tuple[str, str], ...] = ()
    granted: bool | None = None
    acts: bool = False

    @property
    def event_id(self) -> str:
        return derived_id("report", self.number)

    def reported(self) -> LeadInput:
        kind = "consent" if self.granted is not None else "engagement" if self.acts else "profile"
        event = LeadEvent(
            event_id=self.event_id,
            lead_id="l1",
            source="http",
            kind=kind,
            occurred_at_ms=self.at_ms,
            received_at_ms=NOW,
            profile=dict(self.profile),
            consent=None
            if self.granted is None
            else Consent(purpose="sales", channel="email", granted=self.granted),
            engagement=Engagement(act="demo_request", campaign=f"c{self.number}", content_title="t")
            if kind == "engagement"
            else None,
        )
        person = Person(**dict(self.person)) if self.person else None
        return LeadInput(
            lead_id="l1",
            cause_id=self.event_id,
            event=event,
            person=person,
            occurred_at_ms=self.at_ms,
        )


def taken_back(event_id: str) -> LeadEvent:
    return LeadEvent(
        event_id=derived_id("back", event_id),
        lead_id="l1",
        source="http",
        kind="retraction",
        occurred_at_ms=NOW,
        received_at_ms=NOW,
        retracts=event_id,
    )


def visible(shelf: Shelf) -> dict[str, Any]:
    """All that anybody can see of what was reported."""
    head = shelf.head
    return {
        "profile": (shelf.get(PROFILE, ONLY) or ProfileBook()).plain(),
        "person": (shelf.get(PERSON, ONLY) or NOBODY).person,
        "consents": consents_from([act for _, act in shelf.scan(CONSENT, limit=9)]),
        "account": head.account_id if head else None,
        "fit": head.fit_micro if head else 0,
    }


def after(values: list[Any]) -> dict[str, Any]:
    shelf = Shelf(REFERENCE)
    for value in values:
        shelf.take(value, now=NOW)
    return visible(shelf)


words = st.sampled_from(["NO", "DE", "acme.example", ""])
fields = st.sampled_from(["country", "domain", "industry"])
reports = st.builds(
    Report,
    number=st.integers(0, 1_000),
    at_ms=st.integers(0, 3).map(lambda hour: MONDAY_0900 + hour * HOUR),
    profile=st.lists(st.tuples(fields, words), max_size=2, unique_by=lambda pair: pair[0]).map(
        tuple
    ),
    person=st.lists(
        st.tuples(st.sampled_from(["email", "phone"]), st.sampled_from(["a", "b"])), max_size=1
    ).map(tuple),
    granted=st.sampled_from([None, None, True, False]),
    acts=st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(reports, max_size=KEPT, unique_by=lambda report: report.number), st.data())
def test_what_was_retracted_never_happened_in_any_order(
    reported: list[Report], data: st.DataObject
) -> None:
    gone = data.draw(st.sets(st.sampled_from(reported)) if reported else st.just(set()))
    kept = after([report.reported() for report in reported if report not in gone])
    everything = [report.reported() for report in reported] + [
        taken_back(report.event_id) for report in gone
    ]
    assert after(data.draw(st.permutations(everything))) == kept


@settings(max_examples=40, deadline=None)
@given(st.lists(reports, max_size=KEPT, unique_by=lambda report: report.number), st.data())
def test_the_same_through_a_merge(reported: list[Report], data: st.DataObject) -> None:
    gone = data.draw(st.sets(st.sampled_from(reported)) if reported else st.just(set()))
    sides = {report.number: data.draw(st.sampled_from(["l1", "l2"])) for report in reported}
    kept = merged(
        [(sides[report.number], report.reported()) for report in reported if report not in gone]
    )
    back = [
        (data.draw(st.sampled_from(["l1", "l2"])), taken_back(report.event_id)) for report in gone
    ]
    order = data.draw(
        st.permutations(
            [*((sides[report.number], report.reported()) for report in reported), *back]
        )
    )
    assert merged(order) == kept


def merged(values: list[tuple[str, Any]]) -> dict[str, Any]:
    """The values come to two leads, and one of the leads ends in the other."""
    shelves = {"l1": Shelf(REFERENCE, "l1"), "l2": Shelf(REFERENCE, "l2")}
    for lead, value in values:
        shelves[lead].take(value, now=NOW)
    merge = LeadMerge(merge_id="m", loser="l2", survivor="l1", cause_id="m", occurred_at_ms=NOW)
    for fact in shelves["l2"].take(merge, now=NOW):
        if fact.topic == "scorer.transfers.v1":
            shelves["l1"].take(fact.value, now=NOW, topic=fact.topic)
    return visible(shelves["l1"])


def test_the_value_before_is_lost_only_where_more_than_are_kept_were_retracted() -> None:
    reported = [
        Report(number=n, at_ms=MONDAY_0900 + n * HOUR, profile=(("industry", str(n)),))
        for n in range(KEPT + 1)
    ]
    back = [taken_back(report.event_id) for report in reported[1:]]
    assert after([*(report.reported() for report in reported), *back[1:]])["profile"] == {
        "industry": "1"
    }
    assert after([*(report.reported() for report in reported), *back])["profile"] == {}
    assert after([*back, *(report.reported() for report in reported)])["profile"] == {
        "industry": "0"
    }


def test_what_a_source_says_outranks_what_was_concluded_however_old_it_is() -> None:
    world = World()
    world.report("l1", "profile", ago=DAY, profile={"domain": "harborlight.example"})
    said = world.report(
        "l1", "profile", profile={"domain": "hl-group.example"}, derived=("domain",)
    )
    world.does("l1", "demo_request")
    (qualified,) = world.facts(LeadQualified)
    assert qualified.story.account_id == "harborlight.example"
    assert said


def test_a_retracted_saying_leaves_what_was_concluded() -> None:
    world = World()
    said = world.report("l1", "profile", ago=DAY, profile={"domain": "harborlight.example"})
    world.report("l1", "profile", profile={"domain": "hl-group.example"}, derived=("domain",))
    world.retract("l1", said)
    world.does("l1", "demo_request")
    (qualified,) = world.facts(LeadQualified)
    assert qualified.story.account_id == "hl-group.example"


@pytest.mark.parametrize("granted", [True, False])
def test_the_consent_before_a_retracted_one_is_back_and_published(granted: bool) -> None:
    world = World()
    world.fits("l1")
    world.does("l1", "form")
    world.consent("l1", "sales", granted, ago=HOUR)
    event = world.consent("l1", "sales", not granted)
    world.said()
    world.retract("l1", event)
    (staged,) = world.facts(LeadStaged)
    assert (staged.event, staged.consents) == (
        "consent_changed",
        {"sales/email": "granted" if granted else "refused"},
    )


def test_a_person_that_rode_on_a_retracted_event_is_taken_out_of_the_topic() -> None:
    world = World()
    world.send(person_reported("l1", at_ms=world.now - HOUR, n=1, email="ann@acme.example"))
    world.send(person_reported("l1", at_ms=world.now, n=2, email="bot@spam.example", phone="+47 1"))
    world.retract("l1", derived_id("person", "l1", 2))
    assert [fact.person for fact in world.facts(LeadPerson)][-1] == Person(email="ann@acme.example")


def test_a_level_that_a_retracted_profile_raised_falls_at_once() -> None:
    world = World(agreement(dwell="3 days"))
    world.does("l1", "form")
    event = world.fits("l1")
    world.route("l1", "ann")
    world.said()
    world.retract("l1", event)
    assert world.said() == ["l1/1 withdrawn by system: mql -> inquiry: retracted", "l1 cold D2 35"]


def test_an_mql_that_fitted_by_a_retracted_profile_is_withdrawn_at_once_as_retracted() -> None:
    world = World(agreement(dwell="30 days"))
    profile = world.fits("l1")
    world.does("l1", "form")
    world.route("l1", "ann")
    world.facts()
    world.retract("l1", profile)
    (withdrawn,) = world.facts(LeadStaged)
    assert (withdrawn.event, withdrawn.reason) == ("withdrawn", "retracted")


def test_a_retracted_profile_that_leaves_the_band_of_fit_leaves_the_level() -> None:
    world = World(agreement(dwell="30 days"))
    world.fits("l1")
    later = world.report("l1", "profile", profile={"industry": "software"})
    world.does("l1", "form")
    world.wait(20 * DAY)
    world.facts()
    world.retract("l1", later)
    assert world.facts(LeadStaged) == []
