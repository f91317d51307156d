"""assignment: who is eligible and why not; the queue's bounded passes; numbers and sizes of what is
published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from random import Random
from typing import Any

import pytest

from baton.agreement.compiled.calendars import NeverOpenError
from baton.agreement.reference import reference_of
from baton.contracts.codec import codec_for
from baton.contracts.routing import LeadRouted, LeadUnrouted, QueueItem, RoutingStep
from baton.contracts.streams import RoutingAnswer
from baton.contracts.topics import TOPICS
from baton.engine.reducer import EntryKind, Event, Step
from services.router.assignment.availability import Availability
from services.router.assignment.eligibility import Need, screen
from services.router.assignment.next_chance import next_chance
from services.router.assignment.open_loads import Load
from services.router.assignment.person_selection import Chosen, Room, choose
from services.router.assignment.pool_view import PoolMember, PoolView, period_of, pool_view_of
from services.router.assignment.queue import PASS
from services.router.assignment.reducer import Assignment
from services.router.assignment.state import (
    HELD,
    LANE,
    PoolHeld,
    PoolState,
    place_in_queue,
)
from services.router.assignment.turn_ledger import book_of
from services.router.assignment.turn_order import Book
from tests.services.router.router_world import (
    HOUR,
    MINUTE,
    MONDAY_0900,
    POOLS,
    agreement,
    qualified,
)


@dataclass
class Pool:
    """One key of assignment: a view over plain values, to which steps are applied."""

    key: str = "bridge"
    head: PoolState | None = None
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
        found = sorted(item for name, item in self.entries if name == kind.name and item >= first)
        return [(item, self.entries[kind.name, item]) for item in found[:limit]]

    def count(self, kind: EntryKind[Any]) -> int:
        return len([item for name, item in self.entries if name == kind.name])

    def apply(self, step: Step[PoolState]) -> list[Any]:
        self.head, self.wake_at = step.head, step.wake_at
        for put in step.put:
            self.entries[put.kind.name, put.item] = put.value
        for drop in step.drop:
            del self.entries[drop.kind.name, drop.item]
        values = (fact.value for fact in step.facts)
        return [
            value.routed or value.unrouted if isinstance(value, RoutingAnswer) else value
            for value in values
        ]


def item(lead: str, kind: str = "request", **more: Any) -> QueueItem:
    who = qualified(lead)
    base = QueueItem(
        kind=kind,
        handoff_id=f"h-{lead}",
        qualification_id=who.qualification_id,
        attempt=1,
        lead_id=lead,
        pool="bridge",
        cause_id="c",
        at_ms=MONDAY_0900,
        qualified=who if kind == "request" else None,
        rule="default",
    )
    return replace(base, **more)


REFERENCE = reference_of(agreement())


def take(pool: Pool, value: QueueItem, *, now: int = MONDAY_0900) -> list[Any]:
    event = Event(
        topic="router.queue.v1",
        partition=0,
        offset=0,
        key=pool.key,
        value=value,
        id="e",
        at_ms=now,
        received_at_ms=now,
    )
    return pool.apply(Assignment().step(pool, event, now=now, reference=REFERENCE))


def test_a_step_hands_out_a_bounded_number_and_the_next_one_goes_on() -> None:
    pool = Pool()
    for number in range(2 * PASS + 50):
        take(pool, item(f"l{number}"), now=MONDAY_0900 - HOUR)
    assert (pool.count(HELD), pool.count(LANE), pool.wake_at) == (2 * PASS + 50, 1, MONDAY_0900)
    handed_out = []
    now = MONDAY_0900
    while pool.wake_at is not None:
        now = max(now, pool.wake_at)
        handed_out.append(len(pool.apply(Assignment().wake(pool, now=now, reference=REFERENCE))))
    assert handed_out == [PASS, PASS, 50]
    assert (pool.count(HELD), pool.count(LANE), now) == (0, 0, MONDAY_0900 + 2)


def test_a_repeat_of_any_item_changes_nothing() -> None:
    pool = Pool()
    for queued in (
        item("l1"),
        item("l1", "accepted", person="ann"),
        item("l1", "release", person="ann"),
    ):
        take(pool, queued)
        before = (pool.head, dict(pool.entries))
        assert take(pool, queued) == []
        if queued.kind != "release":
            assert (pool.head, dict(pool.entries)) == before
        else:
            assert pool.head == before[0]


@pytest.mark.parametrize(
    ("story", "why"),
    [
        ({"exclude": ("ann",)}, "had_it_before"),
        ({"exclude": ("ann",), "rejecters": ("ann",)}, "rejected_before"),
    ],
)
def test_a_lead_does_not_go_back_by_name_to_whom_it_was_taken_from(
    story: dict[str, Any], why: str
) -> None:
    (routed,) = (
        value
        for value in take(Pool(), item("l1", person="ann", rule="named_account", **story))
        if isinstance(value, LeadRouted)
    )
    assert routed.owner != "ann"
    assert routed.rule == f"named_account:ann:{why};in_turn"


def test_it_looks_again_at_the_next_opening_and_not_before() -> None:
    pool = Pool()
    take(pool, item("l1"), now=MONDAY_0900 - 40 * HOUR)
    assert pool.wake_at == MONDAY_0900
    free = Pool()
    take(free, item("l1"))
    assert free.wake_at is None


class Closed:
    """Hours of somebody who never works."""

    def is_open(self, at_ms: int) -> bool:
        return False

    def next_open(self, at_ms: int) -> int:
        raise NeverOpenError("never")

    def next_close(self, at_ms: int) -> int | None:
        return None


class Away:
    """Who is away until when."""

    def __init__(self, **until: int) -> None:
        self.until = until

    def absent(self, person: str, at_ms: int) -> bool:
        return at_ms < self.until.get(person, 0)

    def back_at(self, person: str, at_ms: int) -> int:
        return max(at_ms, self.until.get(person, 0))

    def away_at(self, at_ms: int) -> frozenset[str]:
        return frozenset(person for person in self.until if self.absent(person, at_ms))

    def leaves_at(self, person: str, at_ms: int) -> int | None:
        return None


def room_of(view: PoolView, loads: dict[str, Load], away: Away) -> Room:
    return Room(pool_view=view, availability=Availability(view, loads, away, 5), book=Book())


SCREENED = [
    (PoolMember(person="p"), {}, Need(), None),
    (PoolMember(person="p", active=False), {}, Need(), "inactive"),
    (PoolMember(person="p", weight=0), {}, Need(), "no_weight"),
    (
        PoolMember(person="p", skills=frozenset({"english"})),
        {},
        Need(skills=frozenset({"english", "german"})),
        "lacks_skill:german",
    ),
    (
        PoolMember(person="p"),
        {},
        Need(not_to=frozenset({"p"}), rejecters=frozenset({"p"})),
        "rejected_before",
    ),
    (PoolMember(person="p"), {}, Need(not_to=frozenset({"p"})), "had_it_before"),
    (PoolMember(person="away"), {}, Need(), "absent"),
    (
        PoolMember(person="p", capacity=2),
        {"p": Load(person="p", offered=1, accepted=1)},
        Need(),
        "full",
    ),
    (PoolMember(person="p", capacity=2), {"p": Load(person="p", offered=1)}, Need(), None),
    (PoolMember(person="p", offers=1), {"p": Load(person="p", offered=1)}, Need(), "offers_open"),
    (PoolMember(person="p", offers=1), {"p": Load(person="p", accepted=1)}, Need(), None),
    (PoolMember(person="p", capacity=0), {}, Need(), "full"),
    (PoolMember(person="p", hours=Closed()), {}, Need(), "closed"),
    (
        PoolMember(person="p", per_day=2),
        {"p": Load(person="p", day="2026-11-03", today=2, this_week=2)},
        Need(),
        "day_limit",
    ),
    (
        PoolMember(person="p", per_day=2),
        {"p": Load(person="p", day="2026-11-02", today=2, this_week=2)},
        Need(),
        None,
    ),
    (
        PoolMember(person="p", per_week=3),
        {"p": Load(person="p", day="2026-11-02", today=1, this_week=3)},
        Need(),
        "week_limit",
    ),
    (
        PoolMember(person="p", per_week=3),
        {"p": Load(person="p", day="2026-11-01", today=1, this_week=3)},
        Need(),
        None,
    ),
]


@pytest.mark.parametrize(("member", "loads", "need", "reason"), SCREENED)
def test_why_somebody_is_not_eligible(
    member: PoolMember, loads: dict[str, Load], need: Need, reason: str | None
) -> None:
    view = PoolView(pool="p", kind="sdr", members=(member,), day="2026-11-03", monday="2026-11-02")
    (found,) = screen(Availability(view, loads, Away(away=9), 5), need)
    assert found.reason == reason


def test_a_pool_that_ignores_hours_has_nobody_who_is_closed() -> None:
    view = PoolView(
        pool="p", kind="sdr", members=(PoolMember(person="p", hours=Closed()),), any_hour=True
    )
    (found,) = screen(Availability(view, {}, Away(), 5), Need())
    assert found.reason is None


def test_a_calendar_that_never_opens_is_no_chance() -> None:
    pool_view = PoolView(pool="p", kind="sdr", members=(PoolMember(person="p", hours=Closed()),))
    assert next_chance(Availability(pool_view, {}, Away(), 5)) is None


def test_the_end_of_an_absence_is_a_chance() -> None:
    pool_view = PoolView(
        pool="p", kind="sdr", members=(PoolMember(person="p"), PoolMember(person="q", active=False))
    )
    assert next_chance(Availability(pool_view, {}, Away(p=9, q=6), 5)) == 9


def test_a_limit_by_day_or_by_week_ends_with_the_day_or_the_week() -> None:
    spent = {"p": Load(person="p", day="2026-11-03", today=1, this_week=1)}
    for member, chance in (
        (PoolMember(person="p", per_day=1), 70),
        (PoolMember(person="p", per_week=1), 90),
    ):
        view = PoolView(
            pool="p",
            kind="sdr",
            members=(member,),
            day="2026-11-03",
            monday="2026-11-02",
            next_day=70,
            next_week=90,
        )
        assert next_chance(Availability(view, spent, Away(), 5)) == chance


OWNERS = [
    ("free", {}, Away(), True, "own", "colleague"),
    ("full", {"capacity": 1}, Away(), True, "own", "colleague"),
    ("closed", {"hours": Closed()}, Away(), True, "other", "colleague:own:closed;in_turn"),
    ("closed, passed", {"hours": Closed()}, Away(), False, "own", "colleague"),
    (
        "full and closed",
        {"capacity": 1, "hours": Closed()},
        Away(),
        True,
        "other",
        "colleague:own:closed;in_turn",
    ),
    (
        "full, and offers open",
        {"capacity": 1, "offers": 1},
        Away(),
        True,
        "other",
        "colleague:own:offers_open;in_turn",
    ),
    ("without a weight", {"weight": 0}, Away(), True, "own", "colleague"),
    (
        "without a weight, and away",
        {"weight": 0},
        Away(own=9),
        True,
        "other",
        "colleague:own:absent;in_turn",
    ),
    (
        "without a weight, and closed",
        {"weight": 0, "hours": Closed()},
        Away(),
        True,
        "other",
        "colleague:own:closed;in_turn",
    ),
    ("offers open", {"offers": 1}, Away(), True, "other", "colleague:own:offers_open;in_turn"),
    ("offers open, passed", {"offers": 1}, Away(), False, "own", "colleague"),
    ("away", {}, Away(own=9), False, "other", "colleague:own:absent;in_turn"),
]


@pytest.mark.parametrize(
    ("limits", "away", "keeps", "who", "rule"),
    [row[1:] for row in OWNERS],
    ids=[row[0] for row in OWNERS],
)
def test_an_owner_gets_it_within_the_limits_that_the_pool_keeps(
    limits: dict[str, Any], away: Away, keeps: bool, who: str, rule: str
) -> None:
    loads = {"own": Load(person="own", accepted=9, offered=9)}
    members = (PoolMember(person="own", **limits), PoolMember(person="other"))
    view = PoolView(pool="p", kind="sdr", members=members, keeps_limits=keeps)
    found = choose(item("l", rule="colleague"), room_of(view, loads, away), preferred="own")
    assert isinstance(found, Chosen)
    assert (found.person, found.rule, bool(found.share)) == (who, rule, who == "other")


def test_an_owner_match_uses_a_turn_only_if_the_agreement_says_so() -> None:
    members = (PoolMember(person="own"), PoolMember(person="other"))
    for uses in (False, True):
        pool_view = PoolView(pool="p", kind="sdr", members=members, owner_uses_turn=uses)
        found = choose(item("l", rule="colleague"), room_of(pool_view, {}, Away()), preferred="own")
        assert isinstance(found, Chosen)
        assert bool(found.share) is uses


QUEUE = [
    ("raised", {"raised": True, "at": 9}),
    ("hot", {"level": "hot", "at": 9}),
    ("warm early", {"at": 1}),
    ("warm late", {"at": 2}),
    ("cold", {"level": "cold", "at": 1}),
]


def test_the_queue_is_in_order_of_urgency_then_of_waiting() -> None:
    places = [place_in_queue(item(name, qualified=qualified(name, **more))) for name, more in QUEUE]
    assert places == sorted(places)


def test_a_trace_that_would_be_too_long_is_cut_and_says_so_and_keeps_whom_it_went_to() -> None:
    people = {f"a-rather-long-name-of-a-person-{number:03d}": {} for number in range(300)}
    known = {person: {"name": person} for person in people}
    reference = reference_of(
        agreement(
            people=known,
            pools={
                **POOLS,
                "bridge": {"kind": "sdr", "members": people},
                "field": {"kind": "sales", "members": people},
            },
        )
    )
    path = tuple(
        RoutingStep(rule=f"a rule with quite a long name, number {number}", outcome="unknown")
        for number in range(400)
    )
    event = Event(
        topic="",
        partition=0,
        offset=0,
        key="bridge",
        value=item("l", path=path),
        id="e",
        at_ms=0,
        received_at_ms=0,
    )
    (routed,) = Pool().apply(Assignment().step(Pool(), event, now=MONDAY_0900, reference=reference))
    assert isinstance(routed, LeadRouted)
    assert routed.trace_cut
    assert routed.owner in {candidate.person for candidate in routed.candidates}
    assert len(codec_for(LeadRouted).encode(routed)) < TOPICS["leads.routed.sdr.v1"].max_bytes


def test_a_change_of_state_is_published_once() -> None:
    pool = Pool()
    said = take(pool, item("l1"), now=MONDAY_0900 - HOUR)
    for minutes in (45, 30, 15):
        said += pool.apply(
            Assignment().wake(pool, now=MONDAY_0900 - minutes * MINUTE, reference=REFERENCE)
        )
    assert [(type(fact), fact.outcome, fact.next_try_at_ms) for fact in said] == [
        (LeadUnrouted, "held", MONDAY_0900)
    ]


def test_a_held_lead_is_an_entry_of_its_own() -> None:
    pool = Pool()
    take(pool, item("l1"), now=MONDAY_0900 - HOUR)
    assert pool.head == PoolState(pool="bridge")
    (held,) = (value for (kind, _), value in pool.entries.items() if kind == "held")
    assert held == PoolHeld(item=item("l1"), since_ms=MONDAY_0900 - HOUR)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("week", "2026-W45"), ("month", "2026-11"), ("quarter", "2026-Q4"), ("ever", "ever")],
)
def test_a_period_has_a_name_in_the_agreements_own_time(kind: str, name: str) -> None:
    assert period_of(kind, date(2026, 11, 2)) == name


def test_a_period_begins_at_midnight_of_the_agreements_own_zone() -> None:
    midnight = MONDAY_0900 - 9 * HOUR
    weekly = reference_of(
        agreement(
            pools={**POOLS, "bridge": {"kind": "sdr", "members": {"ann": {}}, "period": "week"}}
        )
    )
    assert [pool_view_of(weekly, "bridge", now=midnight + late).period for late in (-1, 0)] == [
        "2026-W44",
        "2026-W45",
    ]


class Counted(Pool):
    """A pool that counts what is read of its entries."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def get(self, kind: EntryKind[Any], item: str) -> Any:
        self.reads += 1
        return super().get(kind, item)

    def scan(
        self,
        kind: EntryKind[Any],
        *,
        first: str = "",
        below: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Sequence[tuple[str, Any]]:
        found = super().scan(kind, first=first, below=below, limit=limit, reverse=reverse)
        self.reads += len(found)
        return found


def test_a_decision_reads_the_same_however_many_wait() -> None:
    reads = []
    for waiting in (1, 300):
        pool = Counted()
        for number in range(waiting):
            take(pool, item(f"l{number}"), now=MONDAY_0900 - HOUR)
        pool.reads = 0
        take(pool, item("another"), now=MONDAY_0900 - HOUR)
        reads.append(pool.reads)
    assert reads[1] <= reads[0] + 2
    assert reads[1] < 20


def test_nothing_is_decided_anew_for_those_who_wait_when_another_one_comes() -> None:
    pool = Pool()
    for number in range(50):
        said = take(pool, item(f"l{number}"), now=MONDAY_0900 - HOUR)
        assert [fact.lead_id for fact in said] == [f"l{number}"]
        assert pool.count(LANE) == 1


@pytest.mark.parametrize("seed", range(6))
def test_lanes_keep_the_order_of_the_whole_queue(seed: int) -> None:
    """Whoever a free person can take comes in the order of urgency, whatever lanes the leads wait
    in."""
    random = Random(seed)
    pool = Pool()
    waiting = []
    for number in range(60):
        lead = qualified(
            f"l{number}", level=random.choice(("hot", "warm", "cold")), at=random.randrange(1000)
        )
        exclude = tuple(random.sample(["ann", "bob", "cid"], random.choice((0, 0, 1, 2))))
        waiting.append(item(f"l{number}", qualified=lead, exclude=exclude))
        take(pool, waiting[-1], now=MONDAY_0900 - HOUR)
    handed: list[str] = []
    now = MONDAY_0900
    while pool.wake_at is not None and len(handed) < len(waiting):
        now = max(now, pool.wake_at)
        handed += [
            fact.lead_id
            for fact in pool.apply(Assignment().wake(pool, now=now, reference=REFERENCE))
        ]
    assert handed == [value.lead_id for value in sorted(waiting, key=place_in_queue)]
    assert (pool.count(HELD), pool.count(LANE)) == (0, 0)


def test_a_turn_that_a_large_pool_shared_can_be_given_back() -> None:
    people = {f"p{number:03d}": {"name": f"P {number}"} for number in range(90)}
    pools = {
        **POOLS,
        "bridge": {"kind": "sdr", "members": {person: {} for person in people}},
        "field": {"kind": "sales", "members": {"p001": {}}},
    }
    reference = reference_of(agreement(people=people, pools=pools))
    pool = Pool()

    def step(value: QueueItem) -> list[Any]:
        event = Event(
            topic="",
            partition=0,
            offset=0,
            key="bridge",
            value=value,
            id="e",
            at_ms=0,
            received_at_ms=0,
        )
        return pool.apply(Assignment().step(pool, event, now=MONDAY_0900, reference=reference))

    (routed,) = step(item("l1"))
    assert len(routed.candidates) == 60
    assert routed.trace_cut
    step(item("l1", "release", person=routed.owner, fault="no_fault"))
    assert pool.head is not None
    (ledger,) = pool.head.ledgers
    book = book_of(ledger)
    assert {book.standing(person)[:2] for person in people} == {(0, 0)}
