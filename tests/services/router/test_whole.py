"""The three reducers together, under anything that can happen in any order: what each believes of a
hand-off agrees with the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from baton.agreement.reference import Absence
from baton.contracts.routing import LeadRouted
from services.router.assignment.turn_ledger import book_of
from tests.services.router.router_world import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY_0900,
    PEOPLE,
    World,
    action,
    agreement,
    command,
    qualified,
    staged,
)

LEADS = [f"l{number}" for number in range(8)]
SELLERS = ["ann", "bob", "cid", "rex", "sue"]
POOLS = {
    "bridge": {
        "kind": "sdr",
        "members": {"ann": {"weight": 2, "capacity": 2, "offers": 1}, "bob": {"capacity": 3}},
        "nobody": {"overflow": "second"},
        "absences": {"open_work": "deputy", "longer_than": "2 hours"},
    },
    "second": {
        "kind": "sdr",
        "members": {"cid": {"capacity": 2}},
        "nobody": {"overflow": "bridge"},
        "changing": "accrue",
    },
    "field": {
        "kind": "sales",
        "members": {"rex": {"capacity": 2}, "sue": {"offers": 2}},
        "nobody": {"watch": "olaf"},
        "owner_uses_turn": True,
        "absences": {"open_work": "release"},
        "relax": ["said_no", "skills", "let_pass"],
    },
}
STAND_INS = {**PEOPLE, "ann": {**PEOPLE["ann"], "deputy": "bob"}}
AGREEMENTS = [
    agreement(pools=POOLS, people=STAND_INS),
    agreement(pools=POOLS, people={**STAND_INS, "bob": {"name": "Bob", "active": False}}),
    agreement(
        pools={name: pool for name, pool in POOLS.items() if name != "second"}
        | {"bridge": {**POOLS["bridge"], "nobody": "hold"}}
    ),
    agreement(
        pools=POOLS,
        routing={"default": {"sdr": "second", "sales": "field"}, "keep_colleagues_together": False},
    ),
]


class Chaos:
    """Something that can happen, chosen at random."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = World(AGREEMENTS[0], at=MONDAY_0900 - HOUR)
        self.count = 0

    def step(self) -> None:
        self.count += 1
        lead = self.random.choice(LEADS)
        does = self.random.choice(
            (
                self.qualify,
                self.qualify,
                self.answer,
                self.answer,
                self.end,
                self.ladder,
                self.wish,
                self.time,
                self.change,
            )
        )
        does(lead)

    def qualify(self, lead: str) -> None:
        rejecters = tuple(self.random.sample(SELLERS, self.random.choice((0, 0, 0, 2))))
        self.world.qualify(
            qualified(
                lead,
                n=self.count,
                leg=self.random.choice(("sdr", "sales")),
                level=self.random.choice(("warm", "hot")),
                account=self.random.choice((None, "acme.example", "other.example")),
                at=self.world.now,
                raised=self.random.random() < 0.2,
                rejecters=rejecters,
                consents={"sales/any": "refused"} if self.random.random() < 0.1 else {},
            )
        )

    def answer(self, lead: str) -> None:
        known = self.known(lead)
        by = (
            known.owner
            if known is not None and self.random.random() < 0.8
            else self.random.choice(SELLERS)
        )
        event = self.random.choice(("accepted", "accepted", "rejected"))
        reason = self.random.choice(("not_icp", "misrouted"))
        self.stage(lead, event, by=by, reason=reason, handoff=known.handoff_id if known else None)

    def end(self, lead: str) -> None:
        event = self.random.choice(("recycled", "withdrawn", "disqualified", "won", "lost"))
        self.stage(
            lead, event, by=self.random.choice((None, *SELLERS)), reason="bad_data", handoff=None
        )

    def stage(
        self, lead: str, event: str, *, by: str | None, reason: str, handoff: str | None
    ) -> None:
        move = staged(lead, event, by=by, reason=reason, at=self.world.now)
        self.world.stage(replace(move, handoff_id=handoff, cycle=1))

    def ladder(self, lead: str) -> None:
        known = self.known(lead)
        kind = self.random.choice(("reassign", "reassign", "manager_queue", "restore"))
        wanted = action(lead, kind, at=self.world.now + self.random.choice((-1, 1)), n=self.count)
        self.world.act(replace(wanted, handoff_id=known.handoff_id if known else "none"))

    def wish(self, lead: str) -> None:
        kind = self.random.choice(("claim", "pass_on", "assign"))
        by = self.random.choice((*SELLERS, "mona", "olaf"))
        to = self.random.choice((None, *SELLERS))
        pool = self.random.choice((None, *POOLS))
        self.world.command(command(lead, kind, by, n=self.count, to_person=to, to_pool=pool))

    def time(self, lead: str) -> None:
        self.world.wait(self.random.choice((MINUTE, 20 * MINUTE, 3 * HOUR, DAY)))

    def change(self, lead: str) -> None:
        away = [
            Absence(
                person=person,
                from_ms=self.world.now,
                until_ms=self.world.now + self.random.choice((HOUR, DAY)),
            )
            for person in self.random.sample(SELLERS, self.random.choice((0, 1, 2)))
        ]
        self.world.adopt(self.random.choice(AGREEMENTS), absences=tuple(away))

    def known(self, lead: str) -> Any:
        """The hand-off of the lead that stands, or sometimes a former one."""
        head = self.world.state("dispatch")[0].get(lead)
        if head is None or head.current is None:
            return None
        return self.random.choice((head.current, head.current, head.current, *head.former[-2:]))


def check(world: World) -> None:
    leads, _ = world.state("dispatch")
    _, opens = world.state("matching")
    pools, entries = world.state("assignment")
    standing = {
        head.current.handoff_id: head.current
        for head in leads.values()
        if head.current is not None and head.current.state not in ("returned", "closed")
    }
    works = {(pool, item): work for (kind, pool, item), work in entries.items() if kind == "work"}
    held = {(pool, item): value for (kind, pool, item), value in entries.items() if kind == "held"}
    # Every hand-off that stands is where dispatch believes it is, and nothing else is anywhere.
    places = {
        item: (pool, work) for (pool, item), work in works.items() if work.state != "forwarded"
    }
    assert {item: work.state for item, (_, work) in places.items()} == {
        standing_of_one: value.state for standing_of_one, value in standing.items()
    }
    for item, (pool, work) in places.items():
        assert standing[item].pool == pool
        if work.state in ("offered", "accepted"):
            assert standing[item].owner == work.person
    assert {item for _, _, item in opens} == set(standing)
    # What is kept to hand accepted work over is of work that is accepted, by whoever has it.
    accepted = {
        (pool, f"{work.person}/{item}")
        for (pool, item), work in works.items()
        if work.state == "accepted"
    }
    tasks = {(pool, item) for kind, pool, item in entries if kind == "task"}
    assert tasks <= accepted
    # The queue and the books agree with the work.
    assert {(pool, work.queued) for (pool, _), work in works.items() if work.queued} == set(held)
    for pool, head in pools.items():
        counted: Counter[tuple[str, str]] = Counter()
        for (where, _), work in works.items():
            if where == pool and work.person is not None:
                counted[work.person, work.state] += 1
        loads = {(member.person, "offered"): member.offered for member in head.loads.values()} | {
            (member.person, "accepted"): member.accepted for member in head.loads.values()
        }
        assert counted == Counter({place: amount for place, amount in loads.items() if amount})
        for ledger in head.ledgers:
            book = book_of(ledger)
            assert sum(book.turns.values()) == sum(book.standing(who).target for who in book.people)
            assert all(turns >= 0 for turns in book.turns.values())


@pytest.mark.parametrize("seed", range(8))
def test_the_reducers_agree_on_every_hand_off_whatever_happens(seed: int) -> None:
    chaos = Chaos(seed)
    for _ in range(60):
        chaos.step()
        check(chaos.world)
    said = chaos.world.records()
    routed = [value for _, value in said if isinstance(value, LeadRouted)]
    ids = Counter(value.handoff_id for value in routed)
    assert not [counter for counter, times in ids.items() if times > 1]
    for value in routed:
        chosen = next(
            (candidate for candidate in value.candidates if candidate.person == value.owner), None
        )
        if "in_turn" in value.rule:
            assert chosen is not None
            assert chosen.excluded is None
            assert chosen.capacity is None or chosen.load < chosen.capacity
