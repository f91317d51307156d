"""identify: one lead a person, whatever order the news come in; conflicts reported; the erased stay
erased."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baton.contracts.intake import (
    AliasKind,
    Identifier,
    IdentityAlias,
    IntakeRecord,
    LeadEvent,
    LeadInput,
    LeadMerge,
    Person,
)
from baton.derived_ids import derived_id
from baton.engine.reducer import Drop, EntryKind, Event, Put
from baton.intake.identifiers import identity_key
from baton.intake.keyed_records import key_of, to_intake
from baton.intake.line_reading import read_line
from services.ingest.identify.reducer import Identify
from services.ingest.identify.state import Identity, IdentityMark, clash, covers, together

T0 = 1_772_000_000_000
DAY = 86_400_000


@dataclass
class Key:
    """A View over plain dictionaries."""

    key: str
    head: Identity | None = None
    wake_at: int | None = None
    cause: str = "cause"
    proven: bool = True
    entries: dict[tuple[str, str], Any] = field(default_factory=dict)

    def get(self, kind: EntryKind[Any], item: str) -> Any:
        return self.entries.get((kind.name, item))

    def scan(
        self,
        kind: EntryKind[Any],
        *,
        first: str = "",
        below: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Sequence[tuple[str, Any]]:
        return [
            (item, value)
            for (name, item), value in sorted(self.entries.items())
            if name == kind.name
        ][:limit]

    def count(self, kind: EntryKind[Any]) -> int:
        return sum(name == kind.name for name, _ in self.entries)


class World:
    """Runs ``identify`` over all keys. Messages between two keys keep their order, as a partition
    does; all else is shuffled."""

    def __init__(self, seed: int = 0) -> None:
        self.keys: dict[str, Key] = {}
        self.facts: list[tuple[str, str, Any]] = []
        self.now = T0
        self._random = random.Random(seed)
        self._waiting: dict[tuple[str, str], deque[tuple[str, Any, int]]] = defaultdict(deque)

    def send(self, *lines: Mapping[str, Any], settle: bool = True) -> World:
        for line in lines:
            self.take(to_intake(read_line(line), source="test"))
            if settle:
                self.settle()
        return self

    def take(self, record: IntakeRecord) -> None:
        """A record as the gateway publishes it; it is processed when the world settles."""
        self.now += 1
        self._waiting[("outside", key_of(record))].append(("intake.keyed.v1", record, self.now))

    def settle(self) -> None:
        while self._waiting:
            lane = self._random.choice(sorted(self._waiting))
            topic, value, received = self._waiting[lane].popleft()
            if not self._waiting[lane]:
                del self._waiting[lane]
            self._deliver(lane[1], topic, value, received)

    def _deliver(self, key: str, topic: str, value: Any, received: int) -> None:
        view = self.keys.setdefault(key, Key(key))
        self.now += 1
        event = Event(
            topic=topic,
            partition=0,
            offset=0,
            key=key,
            value=value,
            id="x",
            at_ms=self.now,
            received_at_ms=received,
        )
        step = Identify().step(view, event, now=self.now, reference=None)  # type: ignore[type-var]
        apply(view, step.head, step.wake_at, step.put, step.drop)
        for fact in step.facts:
            self.facts.append((fact.topic, fact.key, fact.value))
            if fact.topic in Identify.inputs:
                self._waiting[(key, fact.key)].append((fact.topic, fact.value, received))

    def of(self, kind: type) -> list[Any]:
        return [value for _, _, value in self.facts if isinstance(value, kind)]

    def reports(self, kind: AliasKind) -> list[IdentityAlias]:
        return [alias for alias in self.of(IdentityAlias) if alias.kind == kind]

    def leads(self, *identifiers: tuple[str, str]) -> list[str | None]:
        """The lead each identifier belongs to, after merges."""
        merged = {merge.loser: merge.survivor for merge in self.of(LeadMerge)}
        found = []
        for scheme, value in identifiers:
            key = self.keys.get(key_for(scheme, value))
            lead_id = key.head.lead_id if key and key.head else None
            for _ in range(1000):
                lead_id = merged.get(lead_id, lead_id) if lead_id else None
            found.append(lead_id)
        return found

    def current(self, scheme: str, value: str) -> str | None:
        head = self.keys[key_for(scheme, value)].head
        return head.lead_id if head else None


def apply(
    view: Key, head: Any, wake_at: int | None, put: Iterable[Put[Any]], drop: Iterable[Drop]
) -> None:
    view.head, view.wake_at = head, wake_at
    for key in drop:
        view.entries.pop((key.kind.name, key.item), None)
    for one in put:
        view.entries[(one.kind.name, one.item)] = one.value


def key_for(scheme: str, value: str) -> str:
    return identity_key(Identifier(scheme=scheme, value=value))


def view_of(act: str, number: int = 0, *, at: int = T0, **identifiers: Any) -> dict[str, Any]:
    return {
        "id": f"{act}-{number}-{sorted(identifiers.items())}"[:200],
        "kind": "engagement",
        "occurred_at": at,
        "identifiers": identifiers,
        "engagement": {"act": act},
    }


def link(**identifiers: Any) -> dict[str, Any]:
    return {
        "id": f"link-{sorted(identifiers.items())}",
        "kind": "link",
        "occurred_at": T0,
        "identifiers": identifiers,
    }


def erasure(*, at: int = T0, **identifiers: Any) -> dict[str, Any]:
    return {"id": f"erase-{at}", "kind": "erasure", "occurred_at": at, "identifiers": identifiers}


ANN, BOB = "ann@acme.example", "bob@acme.example"
ANN_KEY = key_for("email", ANN)
ANN_LEAD = derived_id("lead", ANN_KEY)
CRM = "salesforce:00Q5g00000AbCdEEAV"
CRM2 = "salesforce:00Q5g00000AbCdFEAV"


def test_a_new_identity_begins_a_lead_and_its_event_is_accepted_once_and_without_the_person() -> (
    None
):
    line = view_of("form", email=ANN) | {
        "person": {"first_name": "Ann", "stated_problem": "late leads"},
        "profile": {"seniority": "director"},
    }
    world = World().send(line)
    record = to_intake(read_line(line), source="test")
    accepted = LeadEvent(
        event_id=record.event_id,
        lead_id=ANN_LEAD,
        source="test",
        kind="engagement",
        occurred_at_ms=T0,
        received_at_ms=T0 + 1,
        engagement=record.engagement,
        profile={"seniority": "director", "domain": "acme.example", "email_kind": "company"},
        derived=("domain", "email_kind"),
    )
    whole = LeadInput(
        lead_id=ANN_LEAD,
        cause_id=record.event_id,
        event=accepted,
        person=Person(email=ANN, first_name="Ann", stated_problem="late leads"),
        occurred_at_ms=T0,
    )
    named = world.facts.pop(0)[2]
    assert (named.kind, named.identity) == (AliasKind.NAMED, key_for("lead", ANN_LEAD))
    assert world.facts == [
        ("intake.leads.v1", ANN_LEAD, whole),
        ("leads.accepted.v1", ANN_LEAD, accepted),
    ]


def test_the_same_event_again_is_reported_and_changes_nothing() -> None:
    world = World().send(view_of("form", email=ANN))
    before = (len(world.of(LeadEvent)), world.keys[ANN_KEY].head)
    world.send(view_of("form", email=ANN))
    assert (len(world.of(LeadEvent)), world.keys[ANN_KEY].head) == before
    assert [report.cause_id for report in world.reports(AliasKind.DUPLICATE)] == [
        to_intake(read_line(view_of("form", email=ANN)), source="test").event_id
    ]


def test_a_future_date_is_clamped_to_the_time_of_receipt_and_said_so() -> None:
    (event,) = [
        lead_event
        for lead_event in World().send(view_of("form", at=T0 + DAY, email=ANN)).of(LeadEvent)
        if lead_event.kind == "engagement"
    ]
    assert (event.occurred_at_ms, event.clamped) == (T0 + 1, True)


@pytest.mark.parametrize(
    ("kind", "part", "topic"),
    [
        ("consent", {"consent": {"purpose": "marketing", "granted": False}}, "leads.accepted.v1"),
        ("retraction", {"retracts": "form-1"}, "leads.accepted.v1"),
        ("link", {"identifiers": {"email": ANN, "anonymous": "n1"}}, "leads.accepted.v1"),
        ("profile", {"profile": {"role": "cto"}}, "leads.accepted.v1"),
        ("act", {"act": {"kind": "accepted", "by": "ben"}}, "leads.acts.v1"),
        ("command", {"command": {"kind": "claim", "by": "ben"}}, "leads.commands.v1"),
    ],
)
def test_each_kind_goes_to_its_topic_exactly_once(
    kind: str, part: dict[str, Any], topic: str
) -> None:
    line = {"id": "1", "kind": kind, "occurred_at": T0, "identifiers": {"email": ANN}} | part
    world = World().send(line)
    event_id = to_intake(read_line(line), source="test").event_id
    assert [
        (where, key)
        for where, key, value in world.facts
        if getattr(value, "event_id", None) == event_id
    ] == [(topic, ANN_LEAD)]


def test_an_act_that_reports_a_profile_is_an_act_and_an_event_in_one_record() -> None:
    line = {
        "id": "1",
        "kind": "act",
        "occurred_at": T0,
        "identifiers": {"email": ANN},
        "act": {"kind": "call", "by": "ben"},
    }
    (reported,) = World().send(line | {"profile": {"industry": "retail"}}).of(LeadInput)
    assert (reported.act.act.kind, reported.event.kind, reported.event.profile["industry"]) == (
        "call",
        "profile",
        "retail",
    )
    assert reported.event.event_id == derived_id(reported.act.event_id, "profile")


def test_a_lead_learns_how_many_identities_were_asked_to_join_and_hears_what_came_of_each() -> None:
    world = World().send(
        view_of("view", anonymous="n1"), view_of("form", email=ANN, user="u1", anonymous="n1")
    )
    (form,) = [lead_input for lead_input in world.of(LeadInput) if lead_input.joins]
    answers = [lead_input for lead_input in world.of(LeadInput) if lead_input.answers]
    assert (form.lead_id, form.joins) == (ANN_LEAD, 2)
    assert [(fact.lead_id, fact.answers) for fact in answers] == [(ANN_LEAD, form.cause_id)] * 2
    assert [answer.merge.loser for answer in answers if answer.merge] == [
        derived_id("lead", key_for("anonymous", "n1"))
    ]
    world.facts.clear()
    world.send(view_of("form", 2, email=ANN, user="u1", anonymous="n1"))
    assert [(lead_input.joins, lead_input.answers) for lead_input in world.of(LeadInput)] == [
        (0, None)
    ]


def test_a_join_that_cannot_be_is_answered_too() -> None:
    world = World().send(
        view_of("form", email=ANN),
        view_of("form", 2, email=BOB),
        view_of("form", 3, email=ANN, user="u1"),
    )
    world.facts.clear()
    world.send(view_of("form", 4, email=BOB, user="u1"))
    assert [report.subject for report in world.reports(AliasKind.CONFLICT)] != []
    asked = [lead_input for lead_input in world.of(LeadInput) if lead_input.joins]
    answered = [lead_input.answers for lead_input in world.of(LeadInput) if lead_input.answers]
    assert answered == [question.cause_id for question in asked]


# --- coming together


def test_an_anonymous_lead_ends_in_the_known_one_and_its_later_events_follow() -> None:
    world = World().send(
        view_of("view", anonymous="n1"),
        view_of("form", email=ANN, anonymous="n1"),
        view_of("view", 2, anonymous="n1"),
    )
    anonymous = derived_id("lead", key_for("anonymous", "n1"))
    assert {(merge.loser, merge.survivor) for merge in world.of(LeadMerge)} == {
        (anonymous, ANN_LEAD)
    }
    assert [key for topic, key, _ in world.facts if topic == "leads.merges.v1"] == [
        anonymous,
        ANN_LEAD,
    ]
    assert [event.lead_id for event in world.of(LeadEvent) if event.kind == "engagement"] == [
        anonymous,
        ANN_LEAD,
        ANN_LEAD,
    ]


def test_a_stronger_identifier_that_turns_up_later_joins_the_lead_that_is_there_without_a_merge() -> (
    None
):
    world = World().send(
        view_of("form", email=ANN),
        view_of("sync", crm=CRM, email=ANN),
        view_of("call", crm=CRM),
        view_of("form", 2, email=ANN),
    )
    assert world.of(LeadMerge) == []
    assert {event.lead_id for event in world.of(LeadEvent)} == {ANN_LEAD}
    assert [report.identity for report in world.reports(AliasKind.RESOLVED)] == [
        key_for("crm", CRM)
    ]


@pytest.mark.parametrize("seed", range(10))
def test_what_comes_while_others_are_asked_for_the_lead_goes_the_same_way_and_begins_no_lead_of_its_own(
    seed: int,
) -> None:
    world = World(seed).send(view_of("form", user="u1"))
    first = world.leads(("user", "u1"))[0]
    world.send(
        view_of("sync", crm=CRM, email=ANN, user="u1"),
        view_of("call", 1, crm=CRM),
        view_of("call", 2, crm=CRM),
        settle=False,
    ).settle()
    assert world.of(LeadMerge) == []
    assert [event.lead_id for event in world.of(LeadEvent) if event.kind == "engagement"] == [
        first
    ] * 4


def test_a_record_with_several_new_identifiers_begins_one_lead_under_the_strongest() -> None:
    world = World().send(view_of("form", crm=CRM, email=ANN, user="u1", anonymous="n1"))
    lead = derived_id("lead", key_for("crm", CRM))
    assert (
        world.leads(("crm", CRM), ("email", ANN), ("user", "u1"), ("anonymous", "n1")) == [lead] * 4
    )
    assert world.of(LeadMerge) == []
    assert len([event for event in world.of(LeadEvent) if event.kind == "engagement"]) == 1


def test_two_known_leads_that_are_one_person_become_the_older_one() -> None:
    world = World().send(
        view_of("form", email=ANN), view_of("call", crm=CRM), view_of("sync", crm=CRM, email=ANN)
    )
    crm_lead = derived_id("lead", key_for("crm", CRM))
    assert {(merge.loser, merge.survivor) for merge in world.of(LeadMerge)} == {
        (crm_lead, ANN_LEAD)
    }
    assert [world.current("crm", CRM), world.current("email", ANN)] == [ANN_LEAD, ANN_LEAD]


def test_whoever_names_the_ended_lead_by_its_id_reaches_the_survivor() -> None:
    world = World().send(
        view_of("view", anonymous="n1"), view_of("form", email=ANN, anonymous="n1")
    )
    ended = derived_id("lead", key_for("anonymous", "n1"))
    act = {
        "id": "a",
        "kind": "act",
        "occurred_at": T0,
        "identifiers": {"lead": ended},
        "act": {"kind": "call", "by": "ben"},
    }
    world.send(act)
    assert [key for topic, key, _ in world.facts if topic == "leads.acts.v1"] == [ANN_LEAD]


CONFLICTS = {
    "two addresses share a user id": (
        view_of("a", email=ANN, user="u"),
        view_of("b", email=BOB, user="u"),
    ),
    "two addresses share a browser": (
        view_of("a", email=ANN, anonymous="n"),
        view_of("b", email=BOB, anonymous="n"),
    ),
    "two CRM records share an address": (
        view_of("a", crm=CRM, email=ANN),
        view_of("b", crm=CRM2, email=ANN),
    ),
    "a CRM record names two people who are known": (
        view_of("a", email=ANN),
        view_of("b", email=BOB),
        view_of("c", crm=CRM, email=ANN),
        view_of("d", crm=CRM, email=BOB),
    ),
    "a link of two known people": (
        view_of("a", email=ANN),
        view_of("b", email=BOB),
        link(email=[ANN, BOB]),
    ),
    "a lead id and the address of another lead": (
        view_of("a", email=ANN),
        view_of("b", email=BOB),
        view_of("c", lead=derived_id("lead", key_for("email", BOB)), email=ANN),
    ),
}


@pytest.mark.parametrize("lines", CONFLICTS.values(), ids=CONFLICTS)
def test_two_known_people_are_reported_and_not_merged(lines: tuple[dict[str, Any], ...]) -> None:
    world = World().send(*lines)
    assert world.of(LeadMerge) == []
    assert world.reports(AliasKind.CONFLICT) != []
    events = [event for event in world.of(LeadEvent) if event.kind in ("engagement", "link")]
    assert len(events) == len(lines)
    assert len({event.lead_id for event in events}) == 2


def test_a_conflict_is_reported_once_however_often_it_is_repeated() -> None:
    world = World().send(
        view_of("a", email=ANN, anonymous="n"),
        *(view_of("b", i, email=BOB, anonymous="n") for i in range(5)),
    )
    assert len(world.reports(AliasKind.CONFLICT)) == 1


def test_a_second_address_that_is_nobody_yet_joins_the_crm_record() -> None:
    world = World().send(
        view_of("a", crm=CRM, email=ANN), view_of("b", crm=CRM, email=BOB), view_of("c", email=BOB)
    )
    assert world.reports(AliasKind.CONFLICT) == []
    assert len({event.lead_id for event in world.of(LeadEvent)}) == 1


def test_a_salesforce_contact_made_from_a_lead_is_the_same_person() -> None:
    world = World().send(
        view_of("a", crm=CRM, email=ANN), view_of("b", crm="salesforce:0035g00000AbCdE", email=ANN)
    )
    assert world.reports(AliasKind.CONFLICT) == []
    assert len({event.lead_id for event in world.of(LeadEvent)}) == 1


def test_a_salesforce_id_of_15_characters_is_the_one_of_18() -> None:
    world = World().send(
        view_of("a", crm=CRM),
        view_of("b", crm=CRM[:-3]),
        view_of("c", crm="salesforce:" + CRM[11:].upper()),
    )
    assert len({event.lead_id for event in world.of(LeadEvent)}) == 1


def test_the_name_of_a_group_changes_down_the_chain() -> None:
    world = World().send(
        view_of("v", anonymous="n1"),
        view_of("w", user="u1", anonymous="n1"),
        view_of("call", crm=CRM),
        view_of("form", email=ANN),
        view_of("x", email=ANN, user="u1"),
        view_of("y", crm=CRM, email=ANN),
    )
    found = [
        world.current(*identifier)
        for identifier in (("anonymous", "n1"), ("user", "u1"), ("email", ANN), ("crm", CRM))
    ]
    assert len(set(found)) == 1
    assert found[0] == derived_id("lead", key_for("user", "u1"))


# --- forgetting


def test_an_erasure_reaches_every_identity_and_every_lead_that_was_merged() -> None:
    world = World().send(
        view_of("v", anonymous="n1"),
        view_of("form", email=ANN, anonymous="n1"),
        view_of("sync", crm=CRM, email=ANN),
    )
    world.facts.clear()
    world.send(erasure(at=T0 + 50, email=ANN))
    anonymous = derived_id("lead", key_for("anonymous", "n1"))
    assert {event.lead_id for event in world.of(LeadEvent)} == {ANN_LEAD, anonymous}
    reported = {
        (fact.lead_id, fact.event and fact.event.kind, fact.person) for fact in world.of(LeadInput)
    }
    assert reported == {(ANN_LEAD, "erasure", None), (anonymous, "erasure", None)}
    for view in world.keys.values():
        assert (
            view.head is None or view.head.lead_id is None or view.key == key_for("lead", anonymous)
        )
        assert not any(name == "person" for name, _ in view.entries)


def test_an_erasure_is_reported_once_by_each_identity_that_knew_the_lead_as_its_own() -> None:
    anonymous = derived_id("lead", key_for("anonymous", "n1"))
    world = World().send(
        view_of("v", anonymous="n1"),
        view_of("call", lead=anonymous),
        view_of("form", email=ANN, anonymous="n1"),
    )
    world.facts.clear()
    world.send(erasure(at=T0 + 50, email=ANN, anonymous="n1"))
    reported = [event.event_id for event in world.of(LeadEvent)]
    assert {event.lead_id for event in world.of(LeadEvent)} == {ANN_LEAD, anonymous}
    assert len(reported) == len(set(reported)) == 2


def test_a_late_event_does_not_bring_an_erased_lead_back_whichever_identifier_it_has() -> None:
    world = World().send(view_of("form", email=ANN, anonymous="n1"), erasure(at=T0, email=ANN))
    world.facts.clear()
    world.send(
        view_of("late", 1, email=ANN),
        view_of("late", 2, anonymous="n1"),
        view_of("late", 3, crm=CRM, email=ANN),
        view_of("late", 4, email=ANN, user="u9"),
        link(email=ANN, anonymous="n2"),
        {
            "id": "p",
            "kind": "profile",
            "occurred_at": T0 + DAY,
            "identifiers": {"email": ANN},
            "profile": {"role": "cto"},
        },
    )
    assert {type(value) for _, _, value in world.facts} == {IdentityAlias, IntakeRecord}
    assert len(world.reports(AliasKind.DROPPED)) == 6


def test_an_erasure_that_comes_before_the_first_event_holds() -> None:
    world = World().send(erasure(at=T0, email=ANN))
    assert [lead_input.event and lead_input.event.kind for lead_input in world.of(LeadInput)] == [
        "erasure"
    ]
    world.facts.clear()
    assert World.of(world.send(view_of("form", email=ANN)), LeadEvent) == []


def test_who_comes_back_by_an_act_of_their_own_is_a_new_lead() -> None:
    world = World().send(view_of("form", email=ANN), erasure(at=T0, email=ANN))
    world.facts.clear()
    world.now = T0 + DAY
    world.send(view_of("form", 2, at=T0 + DAY, email=ANN))
    again = derived_id("lead", ANN_KEY, 1)
    assert {event.lead_id for event in world.of(LeadEvent)} == {again}
    assert [report.lead_id for report in world.reports(AliasKind.RESOLVED)] == [again]


def row(number: int, **identifiers: Any) -> dict[str, Any]:
    """What a system that still has the person on its list sends a day later."""
    return {
        "id": f"row-{number}",
        "kind": "profile",
        "occurred_at": T0 + DAY + number,
        "identifiers": identifiers,
        "profile": {"role": "cto"},
    }


def forgotten_ann() -> World:
    world = World().send(view_of("form", email=ANN), erasure(at=T0, email=ANN))
    world.facts.clear()
    world.now = T0 + DAY
    return world


def test_rows_that_name_a_forgotten_address_after_an_id_of_their_own_bring_nobody_back() -> None:
    world = forgotten_ann().send(row(1, crm=CRM), row(2, crm=CRM, email=ANN))
    (first, second, forgotten) = world.of(LeadEvent)
    assert {first.lead_id, second.lead_id, forgotten.lead_id} == {
        derived_id("lead", key_for("crm", CRM))
    }
    assert forgotten.kind == "erasure"
    answers = [lead_input.answers for lead_input in world.of(LeadInput)]
    assert second.event_id in answers
    world.facts.clear()
    world.send(row(3, crm=CRM), row(4, crm=CRM, email=ANN), row(5, email=ANN))
    assert world.of(LeadEvent) == []
    assert len(world.reports(AliasKind.DROPPED)) == 3


def test_a_row_that_is_older_than_the_erasure_brings_nobody_back_either() -> None:
    world = World().send(view_of("form", email=ANN))
    world.now = T0 + 9 * DAY
    world.send(erasure(at=T0 + 9 * DAY, email=ANN))
    world.facts.clear()
    world.send(row(1, crm=CRM), row(2, crm=CRM, email=ANN))
    assert [event.kind for event in world.of(LeadEvent)] == ["profile", "profile", "erasure"]


def test_who_acted_before_a_row_names_a_forgotten_address_stays_and_an_act_joins_the_two() -> None:
    world = forgotten_ann().send(
        view_of("form", 2, at=T0 + DAY, crm=CRM), row(2, crm=CRM, email=ANN)
    )
    lead_id = derived_id("lead", key_for("crm", CRM))
    assert [event.kind for event in world.of(LeadEvent)] == ["engagement", "profile"]
    assert world.keys[ANN_KEY].head.lead_id is None
    world.send(view_of("form", 3, at=T0 + DAY + 9, crm=CRM, email=ANN))
    assert {event.lead_id for event in world.of(LeadEvent)} == {lead_id}
    assert world.keys[ANN_KEY].head.lead_id == lead_id


def test_of_two_identities_of_which_more_is_known_a_row_forgets_neither() -> None:
    world = forgotten_ann().send(
        row(1, crm=CRM), link(crm=CRM, anonymous="n7"), row(2, crm=CRM, email=ANN)
    )
    assert {event.kind for event in world.of(LeadEvent)} == {"profile", "link"}
    assert world.keys[ANN_KEY].head.lead_id is None


# --- bounds


def test_what_was_seen_is_forgotten_after_45_days_and_the_key_asks_to_be_woken_for_it() -> None:
    world = World().send(view_of("a", email=ANN))
    view = world.keys[ANN_KEY]
    (seen,) = [mark.at_ms for (kind, _), mark in view.entries.items() if kind == "seen"]
    assert view.wake_at == seen + 45 * DAY
    step = Identify().wake(view, now=view.wake_at, reference=None)  # type: ignore[type-var]
    assert ([key.kind.name for key in step.drop], step.wake_at, step.head) == (
        ["seen"],
        None,
        view.head,
    )


def test_what_was_seen_is_bounded_by_count_the_oldest_go_first() -> None:
    world = World().send(view_of("a", email=ANN))
    view = world.keys[ANN_KEY]
    view.entries |= {
        ("seen", f"{number:05}"): IdentityMark(at_ms=T0 + number) for number in range(2_000)
    }
    world.send(view_of("b", email=ANN))
    left = {item for name, item in view.entries if name == "seen"}
    assert len(left) == 1_002
    assert "00000" not in left
    assert "01999" in left


# --- laws

PEOPLE = 3
IDS = [
    ("crm", "crm:r{}"),
    ("email", "p{}@x.example"),
    ("user", "u{}"),
    ("anonymous", "n{}"),
    ("anonymous", "m{}"),
]


@st.composite
def _of_some_people(draw: st.DrawFn) -> list[dict[str, Any]]:
    lines = []
    for number in range(draw(st.integers(1, 10))):
        person = draw(st.integers(0, PEOPLE - 1))
        chosen = draw(st.lists(st.sampled_from(IDS), min_size=1, max_size=3, unique=True))
        identifiers: dict[str, list[str]] = {}
        for scheme, pattern in chosen:
            identifiers.setdefault(scheme, []).append(pattern.format(person))
        lines.append(view_of(f"act{number}", **identifiers))
    return lines


def _components(lines: list[dict[str, Any]]) -> list[set[tuple[str, str]]]:
    groups: list[set[tuple[str, str]]] = []
    for line in lines:
        new = {
            (scheme, value) for scheme, values in line["identifiers"].items() for value in values
        }
        touching = [group for group in groups if group & new]
        groups = [group for group in groups if not group & new] + [new.union(*touching)]
    return groups


@settings(max_examples=150, deadline=None)
@given(_of_some_people(), st.randoms(use_true_random=False), st.booleans())
def test_any_order_and_any_repetition_gives_the_same_people(
    lines: list[dict[str, Any]], order: random.Random, settle: bool
) -> None:
    shuffled = lines + order.choices(lines, k=len(lines))
    order.shuffle(shuffled)
    world = World(seed=order.randrange(1 << 30)).send(*shuffled, settle=settle)
    world.settle()
    taken = [event.event_id for event in world.of(LeadEvent) if event.kind == "engagement"]
    assert sorted(taken) == sorted(
        to_intake(read_line(line), source="test").event_id for line in lines
    )
    leads = []
    for group in _components(lines):
        found = {world.keys[key_for(*member)].head.lead_id for member in group}  # type: ignore[union-attr]
        assert len(found) == 1, "one person, one lead, and every identifier knows it"
        leads += found
    assert len(set(leads)) == len(leads), "two people, two leads"
    assert world.reports(AliasKind.CONFLICT) == []
    _known_ids_survive(world)


def _known_ids_survive(world: World) -> None:
    known = {
        view.head.own_lead_id
        for key, view in world.keys.items()
        if view.head and key in _known_keys(world)
    }
    for merge in world.of(LeadMerge):
        assert merge.survivor in known or merge.loser not in known


def _known_keys(world: World) -> set[str]:
    return {
        key_for(scheme, pattern.format(p)) for scheme, pattern in IDS[:3] for p in range(PEOPLE)
    }


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from([(s, p.format(n)) for s, p in IDS for n in range(2)]),
            min_size=1,
            max_size=3,
            unique=True,
        ),
        max_size=10,
    ),
    st.integers(0, 1 << 30),
)
def test_whatever_contradicting_news_come_no_lead_ever_has_two_crm_records_and_no_cycle_arises(
    news: list[list[tuple[str, str]]], seed: int
) -> None:
    lines = []
    for number, chosen in enumerate(news):
        identifiers: dict[str, list[str]] = {}
        for scheme, value in chosen:
            if scheme not in ("crm", "email") or scheme not in identifiers:
                identifiers.setdefault(scheme, []).append(value)
        lines.append(view_of(f"act{number}", **identifiers))
    world = World(seed).send(*lines, settle=False)
    world.settle()
    by_lead: dict[str, set[str]] = defaultdict(set)
    for n in range(2):
        view = world.keys.get(key_for("crm", f"crm:r{n}"))
        if view and view.head and view.head.lead_id:
            by_lead[view.head.lead_id].add(view.key)
    assert all(len(keys) == 1 for keys in by_lead.values())
    assert len([event for event in world.of(LeadEvent) if event.kind == "engagement"]) == len(lines)
    merges = {merge.loser: merge.survivor for merge in world.of(LeadMerge)}
    for start in merges:
        seen, at = {start}, start
        while at in merges:
            at = merges[at]
            assert at not in seen
            seen.add(at)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({}, {}, False),
        ({"email": ("a",)}, {}, False),
        ({"email": ("a",)}, {"email": ("a", "b")}, False),
        ({"email": ("a",)}, {"email": ("b",)}, True),
        ({"email": ("a",)}, {"crm:x": ("b",)}, False),
        ({"email": ("a",), "crm:x": ("b",)}, {"email": ("a",), "crm:x": ("c",)}, True),
        ({"lead": ("a",)}, {"email": ("a",)}, True),
        ({"lead": ("a",)}, {"lead": ("a",)}, False),
    ],
)
def test_two_groups_are_two_people_if_a_slot_differs(
    ours: Any, theirs: Any, expected: bool
) -> None:
    assert clash(ours, theirs) is expected
    assert clash(theirs, ours) is expected


def test_slots_add_up_and_are_covered() -> None:
    both = together({"email": ("a",)}, {"email": ("b",), "crm:x": ("c",)})
    assert both == {"crm:x": ("c",), "email": ("a", "b")}
    assert covers(both, {"email": ("b",)})
    assert not covers({"email": ("a",)}, both)


# --- only for those who are known


def update(number: int = 0, **identifiers: Any) -> dict[str, Any]:
    return {
        "id": f"row-{number}",
        "kind": "profile",
        "occurred_at": T0,
        "identifiers": identifiers,
        "profile": {"role": "cto"},
        "update_only": True,
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "identifiers",
    [{"email": ANN}, {"crm": CRM, "email": ANN}, {"crm": CRM, "email": ANN, "user": "u1"}],
)
def test_an_update_about_a_stranger_begins_no_lead_and_says_so(
    identifiers: dict[str, str], seed: int
) -> None:
    world = World(seed).send(update(**identifiers))
    assert (world.of(LeadEvent), world.of(LeadInput)) == ([], [])
    assert world.leads(*identifiers.items()) == [None] * len(identifiers)
    assert len(world.reports(AliasKind.DROPPED)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_an_update_about_somebody_known_by_any_of_its_identifiers_is_theirs(seed: int) -> None:
    world = World(seed).send(view_of("form", email=ANN), update(crm=CRM, email=ANN))
    assert [event.profile.get("role") for event in world.of(LeadEvent)] == [None, "cto"]
    assert world.leads(("crm", CRM), ("email", ANN)) == [ANN_LEAD, ANN_LEAD]
    assert world.reports(AliasKind.DROPPED) == []


def test_an_update_that_found_nobody_counts_when_it_comes_again_and_the_person_is_known() -> None:
    world = World().send(
        update(email=ANN), view_of("form", email=ANN), update(email=ANN), update(email=ANN)
    )
    assert [event.profile.get("role") for event in world.of(LeadEvent)] == [None, "cto"]
    assert (len(world.reports(AliasKind.DROPPED)), len(world.reports(AliasKind.DUPLICATE))) == (
        1,
        1,
    )
