"""Many leads at once: the host in memory, batched in any way, and a rebuild by the journal come to
the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from baton.agreement.reference import reference_of
from baton.contracts.codec import codec_for
from baton.contracts.topics import changelog_topic, journal_topic
from baton.engine.batch import UNLIMITED, Limits
from baton.engine.core import Core
from baton.engine.memory import MemoryHost, Stored
from baton.engine.rebuild import final_changelog, rebuild
from baton.engine.records import BatchJournal
from baton.engine.reducer import Reducer
from baton.engine.task_config import TaskConfig
from services.scorer.app import SERVICE
from tests.services.scorer.scorer_crowd import busy
from tests.services.scorer.scorer_world import DAY, MONDAY_0900, Book, World, agreement

PARTITIONS = 2


class Crowd(World):
    """A world of several partitions whose host works only now and then, in batches of a given
    size."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self.host = MemoryHost(
            SERVICE.reducers,
            self.book,
            TaskConfig(partitions=PARTITIONS, limits=limits),
            start_ms=MONDAY_0900,
        )

    def work(self) -> None:
        """Not yet."""

    def catch_up(self) -> None:
        """Now."""
        self.host.settle()


def lived(leads: int, *, limits: Limits, seed: int = 7) -> Crowd:
    """A crowd that does all sorts of things for some weeks."""
    world = Crowd(limits)
    busy(world, leads, seed=seed)
    world.adopt(agreement(lifecycle={"bridge": "every lead", "drip": 2}))
    world.catch_up()
    world.host.advance(world.now + 30 * DAY)
    return world


def changelog(world: Crowd, reducer: str, partition: int) -> dict[bytes, bytes]:
    held: dict[bytes, bytes] = {}
    for record in world.host.log.records(changelog_topic(reducer), partition):
        assert record.key is not None
        if record.value is None:
            held.pop(record.key, None)
        else:
            held[record.key] = record.value
    return held


def rebuilt(world: Crowd, reducer: Reducer[Any, Any], partition: int) -> dict[bytes, bytes]:
    book = Book(reference_of(agreement()))
    book.held = list(world.book.held)
    core = Core(
        reducer, book, TaskConfig(partitions=PARTITIONS, limits=UNLIMITED), partition=partition
    )
    journal = [
        codec_for(BatchJournal).decode(record.value or b"")
        for record in world.host.log.records(journal_topic(reducer.name), partition)
    ]

    def inputs(topic: str, offset: int) -> Iterator[Stored]:
        return (
            record for record in world.host.log.records(topic, partition) if record.offset >= offset
        )

    return dict(final_changelog(rebuild(core, journal, inputs)))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("leads", [1_000, pytest.param(10_000, marks=pytest.mark.chaos)])
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
            {
                key: value
                for key, value in changelog(world, reducer.name, partition).items()
                if key[:1] != positions
            }
            for reducer in SERVICE.reducers
            for partition in range(PARTITIONS)
        ]

    assert states(Limits()) == states(Limits(outputs=3, wakes=1))
