"""Limits of a person over all pools, counted by the audit itself from what the router published:
silent on what the router decides, loud where it lets one lead through too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, cast

import pytest

from baton.agreement.reference import AgreementBook, AgreementReference, Term
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.topic_names import ROUTER_ANSWERS, ROUTER_QUEUE
from baton.contracts.topics import TOPICS
from baton.proof.audit.findings import Dated, Finding, Invariant, Place
from baton.proof.audit.limits_across_pools import Agreed, Given, check_person, given_of
from services.router.workload import reducer as workload
from tests.services.router.router_world import DAY, MONDAY_0900, World, staged
from tests.services.router.workload.test_limits_over_all_pools import both, leads, routed, started


class Held:
    """The agreements of a world as the audit asks for them."""

    def __init__(self, world: World) -> None:
        self._book = world.book

    def at(self, now: int) -> AgreementReference:
        return self._book.at(now)

    def terms(self) -> tuple[Term, ...]:
        return tuple(Term(version=made.version, from_ms=at) for at, made in self._book.held)


def _of_leads(world: World) -> Iterator[list[Dated]]:
    """What the router published about each lead, as the audit sorts it."""
    found: dict[str, list[Dated]] = {}
    for record in world.host.log.history:
        record_type = TOPICS[record.topic].record if record.topic in TOPICS else None
        if record.topic in (ROUTER_ANSWERS, ROUTER_QUEUE) and record_type is not None:
            value = codec_for(record_type).decode(record.value or b"")
            place = Place(topic=record.topic, partition=record.partition, offset=record.offset)
            dated = Dated(at_ms=record.timestamp, place=place, value=value)
            found.setdefault(getattr(value, "lead_id", ""), []).append(dated)
    yield from found.values()


def findings_of(world: World) -> list[Finding]:
    """What the audit finds in a world, from the records alone."""
    agreed = Agreed(cast(AgreementBook, Held(world)))
    given: dict[str, list[Given]] = {}
    for records in _of_leads(world):
        for person, one in given_of(records):
            if agreed.shared(person):
                given.setdefault(person, []).append(one)
    found: list[Finding] = []
    for person, all_of_them in given.items():
        check_person(person, all_of_them, agreed, found.append)
    return found


def random_history(limits: Mapping[str, int], seed: int) -> World:
    """Leads qualify, are accepted, rejected and withdrawn in two pools of one person, several
    before the router looks, over days."""
    draw = Random(seed)
    world = started(both(limits))
    fresh = {"sdr": 0, "sales": 0}
    known: list[str] = []
    for _ in range(60):
        world.host.log.now += draw.choice((0, 1, 5, DAY // 3, DAY))
        for _ in range(draw.randint(1, 4)):
            lead = draw.choice(known) if known else ""
            kind = draw.choice(("qualify", "qualify", "accepted", "withdrawn", "rejected"))
            if kind == "qualify" or not lead:
                leg = draw.choice(("sdr", "sales"))
                world.send(*leads(leg, 1, first=fresh[leg]))
                fresh[leg] += 1
            else:
                reason = "misrouted" if kind == "rejected" else None
                world.send(staged(lead, kind, by="ann", reason=reason, at=world.now))
        world.host.advance(world.now)
        known += [value.lead_id for value in routed(world)]
    assert len(known) > 5
    return world


LIMITS: list[dict[str, int]] = [
    {"capacity": 4},
    {"offers": 2},
    {"per_day": 2},
    {"per_week": 4},
    {"capacity": 6, "offers": 3, "per_day": 5, "per_week": 9},
]


@pytest.mark.parametrize("limits", LIMITS, ids=[" ".join(row) for row in LIMITS])
@pytest.mark.parametrize("seed", range(4))
def test_what_the_router_decides_keeps_the_limits(limits: dict[str, int], seed: int) -> None:
    assert findings_of(random_history(limits, seed)) == []


@pytest.mark.parametrize("limits", LIMITS[:4], ids=[" ".join(row) for row in LIMITS[:4]])
def test_a_router_that_lets_one_more_through_is_found_and_its_place_is_named(
    limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted bug: the sums of all pools are held against a limit that is larger by one."""
    right: Callable[..., Any] = workload.limit_reached
    monkeypatch.setattr(
        workload, "limit_reached", lambda *sums, more=0: right(*sums, more=more - 1)
    )
    world = started(both(limits))
    [limit] = limits.values()
    for number in range(limit + 2):
        world.qualify(*leads(("sdr", "sales")[number % 2], 1, first=number))
        world.wait(1_000)
    assert len(routed(world)) == limit + 1
    [finding] = findings_of(world)
    assert finding.invariant is Invariant.PERSON_LIMITS
    assert finding.place is not None
    assert finding.place.topic == ROUTER_ANSWERS
    assert finding.words.startswith(f"ann had {limit} ")


def test_who_assigns_a_lead_by_name_passes_the_limits() -> None:
    given = [
        Given(
            at_ms=MONDAY_0900 + number, place=("t", 0, number), handed_ms=MONDAY_0900, in_turn=turn
        )
        for number, turn in enumerate((True, True, False))
    ]
    world = started(both({"capacity": 2, "per_day": 2}))
    found: list[Finding] = []
    check_person("ann", given, Agreed(cast(AgreementBook, Held(world))), found.append)
    assert found == []


def test_a_limit_that_was_just_lowered_is_not_held_against_what_was_let_through_before() -> None:
    world = started(both({"capacity": 3}))
    world.qualify(*leads("sdr", 2), *leads("sales", 1))
    assert {type(value) for value in routed(world)} == {LeadRouted}
    world.host.log.now += 10
    world.adopt(both({"capacity": 1}))
    world.qualify(*leads("sales", 2, first=1))
    assert findings_of(world) == []
