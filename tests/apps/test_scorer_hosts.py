"""Many leads at once: the host in memory, batched in any way, and a rebuild by the journal come to the same bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from baton.agreement.reference import reference_of
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadMerge
from baton.contracts.levels import LeadRecycled
from baton.contracts.topics import changelog_topic, journal_topic
from baton.engine.batch import UNLIMITED, Limits
from baton.engine.core import Core
from baton.engine.memory import MemoryHost, Stored
from baton.engine.rebuild import final_changelog, rebuild
from baton.engine.records import BatchJournal
from baton.engine.reducer import Reducer
from baton.ids import derived_id
from services.scorer.app import SERVICE
from tests.apps.scorer_world import DAY, HOUR, MINUTE, MONDAY_0900, Book, World, agreement

PARTITIONS = 2


class Crowd(World):
    """A world of several partitions whose host works only now and then, in batches of a given size."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.host = MemoryHost(SERVICE.reducers, self.book, partitions=PARTITIONS, start_ms=MONDAY_0900, limits=limits)

    def work(self) -> None:
        """Not yet."""

    def catch_up(self) -> None:
        """Now."""
        self.host.settle()


def lived(leads: int, *, limits: Limits, seed: int = 7) -> Crowd:
    """A crowd that does all sorts of things for some weeks."""
    world, draw = Crowd(limits), random.Random(seed)
    acts = ("page_view", "webinar", "form", "demo_request", "unsubscribe", "email_click")
    said: list[str] = []
    for number in range(leads * 4):
        lead = f"l{draw.randrange(leads)}"
        match draw.randrange(20):
            case 0 | 1 | 2:
                world.fits(lead, domain=f"firm{draw.randrange(leads // 4 + 1)}.example")
            case 3:
                if said:
                    world.retract(lead, draw.choice(said))
            case 4:
                world.act(
                    lead,
                    draw.choice(("accepted", "rejected", "qualified", "won")),
                    actor=draw.choice(("sdr", "sales")),
                    reason="not_ready",
                )
            case 5:
                world.send(_merge(lead, f"l{draw.randrange(leads)}"))
            case 6:
                world.send(_recycled(lead))
            case 7:
                world.consent(lead, "sales", draw.random() < 0.5, ago=draw.randrange(HOUR))
            case 8 if number % 50 == 0:
                world.tell(lead, "erasure")
            case _:
                said.append(
                    world.does(lead, draw.choice(acts), ago=draw.randrange(2 * DAY), content_title="Title", campaign="spring")
                )
        world.host.log.now += draw.randrange(2 * MINUTE)
        if draw.random() < 0.1:
            world.catch_up()
    world.adopt(agreement(lifecycle={"bridge": "every lead", "drip": 2}))
    world.catch_up()
    world.host.advance(world.now + 30 * DAY)
    return world


def _merge(loser: str, survivor: str) -> LeadMerge:
    return LeadMerge(merge_id=derived_id(loser, survivor), loser=loser, survivor=survivor, cause_id="c", occurred_at_ms=0)


def _recycled(lead: str) -> LeadRecycled:
    return LeadRecycled(
        recycle_id=derived_id("r", lead),
        lead_id=lead,
        cycle=1,
        outcome="recycle",
        reason="not_ready",
        at_ms=0,
        cause_id="c",
        agreement="v",
    )


def changelog(world: Crowd, reducer: str, partition: int) -> dict[bytes, bytes]:
    held: dict[bytes, bytes] = {}
    for each in world.host.log.records(changelog_topic(reducer), partition):
        assert each.key is not None
        if each.value is None:
            held.pop(each.key, None)
        else:
            held[each.key] = each.value
    return held


def rebuilt(world: Crowd, reducer: Reducer[Any, Any], partition: int) -> dict[bytes, bytes]:
    book = Book(reference_of(agreement()))
    book.held = list(world.book.held)
    core = Core(reducer, book, partition=partition, partitions=PARTITIONS, limits=UNLIMITED)
    journal = [
        codec_for(BatchJournal).decode(each.value or b"")
        for each in world.host.log.records(journal_topic(reducer.name), partition)
    ]

    def inputs(topic: str, offset: int) -> Iterator[Stored]:
        return (each for each in world.host.log.records(topic, partition) if each.offset >= offset)

    return dict(final_changelog(rebuild(core, journal, inputs)))


@pytest.mark.parametrize("leads", [150, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_rebuild_by_the_journal_gives_every_byte_of_the_state(leads: int) -> None:
    world = lived(leads, limits=Limits(outputs=500))
    for reducer in SERVICE.reducers:
        for partition in range(PARTITIONS):
            assert rebuilt(world, reducer, partition) == changelog(world, reducer.name, partition)


def test_where_batches_end_makes_no_difference_to_the_state() -> None:
    def states(limits: Limits) -> list[dict[bytes, bytes]]:
        world = lived(80, limits=limits)
        positions = b"p"
        return [
            {key: value for key, value in changelog(world, reducer.name, partition).items() if key[:1] != positions}
            for reducer in SERVICE.reducers
            for partition in range(PARTITIONS)
        ]

    assert states(Limits()) == states(Limits(outputs=3, wakes=1))
