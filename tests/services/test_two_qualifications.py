"""A law over what meets in one batch: two qualifications of one lead, every end between and after,
cut into batches in every way.

The scorer's word is scripted; router and SLA watcher run as they are. Afterwards no lead is without
a holder, a date or an end.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from baton.agreement.reference import reference_of
from baton.contracts.codec import codec_for
from baton.contracts.custody import HolderKind, Holding, holder_of, updated
from baton.contracts.streams import LeadDecision, LeadMove
from baton.contracts.topics import TOPICS
from baton.derived_ids import derived_id
from baton.engine.memory import MemoryHost
from services.router.app import SERVICE as ROUTER
from services.sla_watcher.app import SERVICE as WATCHER
from tests.services.router.router_world import (
    MONDAY_0900,
    Book,
    agreement,
    qualification_id,
    qualified,
    staged,
)
from tests.streams import decision_of, stream_of

LEAD = "l1"
REFERENCE = reference_of(agreement())
ROUNDS = (0, 1, 2, 3, 5, 9)
"""How far the others may have come between two records; after nine all is quiet."""
STREAMS = ("scorer.leads.v1", "router.handoffs.v1", "sla.leads.v1")


def _q(n: int) -> LeadDecision:
    return decision_of(qualified(LEAD, n=n))


def _end(event: str, n: int, to: str = "inquiry", **more: Any) -> LeadDecision:
    about = {
        "qualification_id": qualification_id(LEAD, n=n),
        "handoff_id": derived_id("handoff", qualification_id(LEAD, n=n), 1),
    }
    record: LeadDecision = stream_of(
        staged(LEAD, event, to_stage=to, actor="system", **about, **more)
    )[1]
    return record


def _both(first: LeadDecision, second: LeadDecision) -> LeadDecision:
    """Two decisions of one step."""
    return replace(first, moves=(*first.moves, *second.moves))


STORIES: dict[str, tuple[list[LeadDecision], set[HolderKind]]] = {
    "withdrawn and again": (
        [_q(0), _end("withdrawn", 0), _q(1)],
        {HolderKind.PERSON, HolderKind.QUEUE},
    ),
    "in one step": (
        [_q(0), _both(_end("withdrawn", 0), _q(1))],
        {HolderKind.PERSON, HolderKind.QUEUE},
    ),
    "accepted, then again": (
        [_q(0), _end("accepted", 0, "sal", by="ann"), _q(1)],
        {HolderKind.PERSON},
    ),
    "withdrawn twice": (
        [_q(0), _end("withdrawn", 0), _q(1), _end("withdrawn", 1)],
        {HolderKind.NURTURE},
    ),
    "withdrawn and merged": (
        [_q(0), _end("withdrawn", 0), _q(1), _end("merged", 1, "mql")],
        {HolderKind.LEAD},
    ),
    "merged and lives again": (
        [_q(0), _end("merged", 0, "mql"), _q(1)],
        {HolderKind.PERSON, HolderKind.QUEUE},
    ),
    "withdrawn and erased": (
        [_q(0), _end("withdrawn", 0), _q(1), _end("erased", 1, "mql")],
        {HolderKind.END},
    ),
    "the former end again": (
        [_q(0), _q(1), _end("recycled", 0, "mql")],
        {HolderKind.PERSON, HolderKind.QUEUE},
    ),
}


def _play(story: list[LeadDecision], cuts: tuple[int, ...]) -> MemoryHost:
    """``cuts[i]``: how many rounds the reducers have after the i-th record; many: until all is
    quiet."""
    host = MemoryHost((*ROUTER.reducers, *WATCHER.reducers), Book(REFERENCE), start_ms=MONDAY_0900)
    for record, rounds in zip(story, cuts, strict=True):
        host.send("scorer.leads.v1", LEAD, record)
        for _ in range(rounds):
            for task in [task for task in host.tasks.values() if task.unread()]:
                task.work(1)
    host.advance(MONDAY_0900 + 60_000)
    return host


def _holding(host: MemoryHost) -> Holding:
    holding = Holding()
    for stored in host.log.history:
        if stored.topic in STREAMS and stored.value is not None:
            record: Any = TOPICS[stored.topic].record
            holding = updated(holding, codec_for(record).decode(stored.value))
    return holding


@pytest.mark.parametrize("name", STORIES)
def test_two_qualifications_in_one_batch_and_over_its_boundaries_leave_the_lead_with_a_holder_or_an_end(
    name: str,
) -> None:
    story, kinds = STORIES[name]
    assert LeadMove in {type(move) for record in story for move in record.moves}
    for cuts in product(ROUNDS, repeat=len(story) - 1):
        host = _play(story, (*cuts, 0))
        holder = holder_of(_holding(host))
        assert holder.kind in kinds, (cuts, holder)
