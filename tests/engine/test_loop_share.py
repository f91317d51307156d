"""Reducers and heartbeats share one event loop: however slow the reducers, a heartbeat gets through
in time.

Time here is a counter that the reducers advance, so the tests say the same on a busy machine.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from baton.engine.batch import Batch, Record
from baton.engine.core import Core
from baton.engine.kafka.batch_filler import BatchFiller
from baton.engine.kafka.loop_share import SLICE_S, LoopShare
from baton.engine.reducer import Event, Step, View
from baton.engine.task_config import TaskConfig
from tests.engine.test_core import record
from tests.engine.toys import TOY_TOPICS, Counter, ToyBook, ToyNumber, ToyTerms, ToyTotal

TASKS = 12
RECORDS = 400
RECORD_S = 0.005
"""What one record costs: a hundred times the usual, as under heavy CPU pressure."""
HEARTBEAT_ROUNDS = 8
"""Rounds of the loop that one heartbeat takes: write, wait for the socket, read, wake up the
waiter, and so on."""
SESSION_S = 6.0


class Time:
    """A clock that only the reducers move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Slow(Counter):
    """The counter of numbers, which burns time."""

    def __init__(self, time: Time) -> None:
        self._time = time

    def step(
        self, view: View[ToyTotal], event: Event, *, now: int, reference: ToyTerms
    ) -> Step[ToyTotal]:
        self._time.now += RECORD_S
        return super().step(view, event, now=now, reference=reference)


class Fetched:
    """The inputs of one task: records that have been fetched."""

    def __init__(self, records: list[Record]) -> None:
        self._records, self._next = records, 0

    def peek(self) -> tuple[str, Record] | None:
        return (
            ("toy.numbers.v1", self._records[self._next])
            if self._next < len(self._records)
            else None
        )

    def take(self, topic: str) -> bool:
        self._next += 1
        return self._next == len(self._records)

    def behind(self, patience_s: float) -> float:
        return 0.0

    def end_positions(self) -> dict[str, int]:
        return {}


class NothingIdle:
    """No timers and no proofs."""

    async def fill(self, share: LoopShare) -> bool:
        return True


async def fill(share: LoopShare, time: Time) -> Batch | None:
    """One batch of a slow reducer."""
    core = Core(Slow(time), ToyBook("v1"), TaskConfig(topics=TOY_TOPICS))
    records = [
        record(offset, 1_000 + offset, f"k{offset % 50}", ToyNumber(amount=1))
        for offset in range(RECORDS)
    ]
    core.begin(0)
    filler = BatchFiller(core, Fetched(records), NothingIdle(), share, adopt_keys=10)
    return await filler.fill(
        records=10_000, records_only=False, decidable_ms=1 << 60, patience_s=0.0
    )


async def longest_heartbeat(share: Callable[[Time], LoopShare]) -> tuple[float, list[Any]]:
    """How long the slowest heartbeat took while a dozen tasks filled their batches, and these
    batches."""
    time = Time()
    shared = share(time)
    batches = [asyncio.create_task(fill(shared, time)) for _ in range(TASKS)]
    longest = 0.0
    while not all(batch.done() for batch in batches):
        began = time.now
        for _ in range(HEARTBEAT_ROUNDS):
            await asyncio.sleep(0)
        longest = max(longest, time.now - began)
    return longest, [batch.result() for batch in batches]


async def test_a_heartbeat_gets_through_although_a_dozen_tasks_are_slow() -> None:
    longest, batches = await longest_heartbeat(lambda time: LoopShare(clock=time))
    assert [len(batch.outgoing) for batch in batches] == [RECORDS] * TASKS
    # In each round one task at most, for a slice and the few records until it looks at the clock.
    assert 0 < longest <= HEARTBEAT_ROUNDS * (SLICE_S + 16 * RECORD_S)
    assert longest < SESSION_S / 6


class Selfish(LoopShare):
    """The planted fault: every task goes on in every round, with a slice of its own."""

    async def __aenter__(self) -> LoopShare:
        self._end_at = self._clock() + 1.0
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def rest(self) -> None:
        if self._clock() >= self._end_at:
            await asyncio.sleep(0)
            self._end_at = self._clock() + 1.0


async def test_without_turns_the_session_would_end() -> None:
    longest, _ = await longest_heartbeat(lambda time: Selfish(clock=time))
    assert longest > SESSION_S


async def test_turns_are_first_come_first_served() -> None:
    time, order = Time(), []
    share = LoopShare(clock=time)

    async def work(name: str) -> None:
        async with share:
            for _ in range(3):
                order.append(name)
                time.now += 1.0
                await share.rest()

    async with share:
        tasks = [asyncio.create_task(work(name)) for name in "abc"]
        await asyncio.sleep(0)  # now all three wait
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c"] * 3


async def test_a_task_that_is_cancelled_while_it_rests_leaves_the_turn_to_the_others() -> None:
    time = Time()
    share = LoopShare(clock=time)

    async def work() -> None:
        async with share:
            time.now += 1.0
            await share.rest()
            raise AssertionError("it was cancelled")

    async with share:
        resting = asyncio.create_task(work())
        await asyncio.sleep(0)
        other = asyncio.create_task(share.__aenter__())
        await asyncio.sleep(0)
    await other  # it has the turn, and the first one rests
    resting.cancel()
    await asyncio.sleep(0)
    assert not resting.done()  # leaving its block would give away a turn that is not its own
    await share.__aexit__(None, None, None)
    with pytest.raises(asyncio.CancelledError):
        await resting
    async with asyncio.timeout(60), share:
        pass
