"""A law over what meets in one batch of a pool: a request, its release, and the next request, cut
into batches in every way.

At no moment of the log do two people read that a lead is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from baton.agreement.reference import reference_of
from baton.contracts.codec import codec_for
from baton.contracts.routing import HandoffKind, HandoffNoted, LeadRouted
from baton.contracts.topics import TOPICS
from baton.engine.memory import MemoryHost
from baton.engine.task_config import TaskConfig
from services.router.app import SERVICE
from services.router.assignment.state import PoolState
from services.router.assignment.turn_ledger import book_of
from tests.services.router.router_world import (
    MONDAY_0900,
    OUTPUTS,
    Book,
    World,
    action,
    agreement,
    qualified,
    staged,
)
from tests.streams import stream_of

LEAD = "l1"
SHARED = {"ann": {}, "bob": {}}
TWO_POOLS = {
    "bridge": {"kind": "sdr", "members": SHARED},
    "field": {"kind": "sales", "members": SHARED},
}
REFERENCE = reference_of(agreement(pools=TWO_POOLS))
APART = TaskConfig(partitions=3)
"""So that the two pools are in the hands of two tasks."""
ROUNDS = (0, 1, 2, 3, 5, 9)
"""How far the router may have come between two records; after nine all is quiet."""

_FIRST = qualified(LEAD)
_WITHDRAWN = staged(LEAD, "withdrawn", attempt=None)
_AGAIN = qualified(LEAD, n=1)
_FOR_SALES = qualified(LEAD, n=1, leg="sales")
_REASSIGN = action(LEAD, "reassign", at=MONDAY_0900 + 1)
_REQUALIFIED = (qualified(LEAD), qualified(LEAD, n=1), qualified(LEAD, n=2, leg="sales"))

STORIES: dict[str, tuple[Any, ...]] = {
    "withdrawn, and again in the same pool": (_FIRST, _WITHDRAWN, _AGAIN),
    "withdrawn, and again in the other pool": (_FIRST, _WITHDRAWN, _FOR_SALES),
    "another qualification takes its place": (_FIRST, _AGAIN),
    "another one, for the other pool": (_FIRST, _FOR_SALES),
    "three qualifications": _REQUALIFIED,
    "reassigned before it is answered": (_FIRST, _REASSIGN),
    "reassigned, withdrawn, and again": (_FIRST, _REASSIGN, _WITHDRAWN, _FOR_SALES),
    "rejected by somebody before it is answered": (
        _FIRST,
        staged(LEAD, "rejected", by="bob", reason="misrouted"),
        _FOR_SALES,
    ),
    "accepted before it is answered": (_FIRST, staged(LEAD, "accepted", by="bob", attempt=None)),
    "merged and lives again": (_FIRST, staged(LEAD, "merged", attempt=None), _FOR_SALES),
}


def play(story: tuple[Any, ...], cuts: tuple[int, ...], order: int) -> MemoryHost:
    """``cuts[i]``: how many rounds the router has after the i-th record. ``order``: whether the
    tasks work in the order of the flow or against it."""
    host = MemoryHost(SERVICE.reducers, Book(REFERENCE), APART, start_ms=MONDAY_0900)
    for value, rounds in zip(story, cuts, strict=True):
        host.send(stream_of(value)[0], LEAD, stream_of(value)[1])
        for _ in range(rounds):
            for task in [task for task in host.tasks.values() if task.unread()][::order]:
                task.work()
    host.advance(MONDAY_0900 + 60_000)
    return host


def published(host: MemoryHost) -> Iterator[Any]:
    for stored in host.log.history:
        if stored.topic in OUTPUTS and stored.value is not None:
            record = TOPICS[stored.topic].record
            assert record is not None
            yield codec_for(record).decode(stored.value)


def holders_at_any_moment(host: MemoryHost) -> list[set[str]]:
    """Who had read, and not yet read the opposite, that the lead is theirs, after every record."""
    theirs: dict[str, str] = {}
    found: list[set[str]] = []
    for value in published(host):
        match value:
            case LeadRouted():
                theirs[value.handoff_id] = value.owner
            case HandoffNoted(kind=HandoffKind.WITHDRAWN):
                theirs.pop(value.handoff_id, None)
            case HandoffNoted(kind=HandoffKind.NOTED) if value.owner is not None:
                theirs[value.handoff_id] = value.owner
            case _:
                pass
        found.append(set(theirs))
    return found


def turns_and_load(host: MemoryHost) -> tuple[int, int]:
    """How many turns the pools have counted, and how much they believe somebody has open."""
    world = World(agreement(pools=TWO_POOLS))
    world.host = host
    heads: dict[str, PoolState] = world.state("assignment")[0]
    ledgers = [ledger for head in heads.values() for ledger in head.ledgers]
    turns = sum(sum(book_of(ledger).turns.values()) for ledger in ledgers)
    return turns, sum(load.total for head in heads.values() for load in head.loads.values())


@pytest.mark.parametrize("name", STORIES)
def test_at_no_moment_do_two_people_read_that_a_lead_is_theirs_and_nobody_loses_a_turn_by_it(
    name: str,
) -> None:
    story = STORIES[name]
    for *cuts, order in product(*[ROUNDS] * (len(story) - 1), (1, -1)):
        host = play(story, (*cuts, 0), order)
        moments = holders_at_any_moment(host)
        assert all(len(holders) <= 1 for holders in moments), (cuts, order, list(published(host)))
        routed = sum(isinstance(value, LeadRouted) for value in published(host))
        turns, load = turns_and_load(host)
        assert (turns <= max(routed, 1), load <= 1) == (True, True), (cuts, order)


def test_what_was_asked_released_and_asked_again_before_the_pool_looked_is_published_once() -> None:
    said = World(agreement(pools=TWO_POOLS))
    said.send(_FIRST, _WITHDRAWN, _AGAIN)
    said.host.settle()
    routed = [line for line in said.said() if "routed" in line]
    assert len(routed) == 1
