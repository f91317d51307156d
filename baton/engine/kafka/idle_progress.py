"""What a task does without records: moves its time on, fires held timers, commits offsets that
moved past markers only.

:meth:`IdleProgress.ask` sends the questions that are due to the brokers; :meth:`IdleProgress.fill`
adds to the open batch what the answers allow; :meth:`IdleProgress.wait_s` says when that is worth a
batch. None of it delays records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic

from aiokafka.errors import KafkaError

from baton.engine.core import Core
from baton.engine.kafka.broker_clock import GRACE_MS, Horizon, ask
from baton.engine.kafka.host_context import TaskContext
from baton.engine.kafka.input_buffer import InputBuffer
from baton.engine.kafka.loop_share import LoopShare
from baton.engine.metrics import TICKS

_LONGEST_LOOK_S = 1.0
_TIMERS_A_LOOK = 64
_PENDING_LOOK_S = 0.02
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Held timers due by ``up_to_ms`` may fire once the task has processed its inputs up to
    ``ends``.

    ``until`` (monotonic clock): after that they fire unproven.
    """

    up_to_ms: int
    ends: Mapping[str, int]
    proven: bool
    until: float


class IdleProgress:
    """Time and proofs of one task. ``wake`` is called when an answer has come."""

    def __init__(
        self,
        task: TaskContext,
        core: Core,
        inputs: InputBuffer,
        wake: Callable[[], None],
    ) -> None:
        self._task, self._host = task, task.host
        self._core, self._inputs = core, inputs
        self._wake = wake
        self._log = task.log(__name__)
        self._horizon: Horizon | None = None
        self._proof: Proof | None = None
        self._proving: asyncio.Task[None] | None = None
        self._done: list[Horizon | Proof] = []
        self._moved_since: float | None = None
        self._ask_after = 0.0

    async def ask(self) -> None:
        """Ask the brokers for the time, and for the proof that held timers need, if it is worth
        it."""
        if self._proving is not None and self._proving.done():
            self._proving.result()
        if self._core.held and self._proving is None:
            self._proving = asyncio.create_task(self._prove())
        if self._proof is not None and self._proof.proven and monotonic() > self._proof.until:
            self._proof = Proof(up_to_ms=self._proof.up_to_ms, ends={}, proven=False, until=0.0)
        if self._horizon is None and self._worth_asking():
            await self._ask_time()

    def wait_s(self) -> float:
        """How long to wait for something to commit while no record is here; 0: a batch is worth
        making."""
        if self._reached(self._horizon) or self._reached(self._proof):
            return 0.0
        moved_s = self._until_commit_s()
        if moved_s <= 0:
            return 0.0
        waits = [_LONGEST_LOOK_S, moved_s]
        if self._horizon is not None or self._proof is not None:
            waits.append(_PENDING_LOOK_S)
        elif (due := self._core.next_due) is not None:
            waits.append((due + GRACE_MS - self._host.clock.likely_ms()) / 1000)
        return max(_PENDING_LOOK_S, min(waits))

    async def fill(self, share: LoopShare) -> bool:
        """Add to the open batch what the answers allow. False: it is full, and there is more."""
        self._done = []
        core, horizon, proof = self._core, self._horizon, self._proof
        if horizon is not None and core.reached(horizon.ends):
            while not core.advance(horizon.to_ms, limit=_TIMERS_A_LOOK):
                if not core.room_for_wakes:
                    return False
                await share.rest()
            self._done.append(horizon)
        if proof is not None and core.reached(proof.ends):
            # Without a proof a wake may ask again for a time that has passed: one pass over them,
            # not one after the other.
            limit = _TIMERS_A_LOOK if proof.proven else None
            while not core.fire_held(proof.up_to_ms, proven=proof.proven, limit=limit):
                if not core.room_for_wakes:
                    return False
                await share.rest()
            self._done.append(proof)
        return True

    def commit(self) -> None:
        """The batch was committed: its answers are used up."""
        if self._horizon in self._done:
            self._horizon = None
        if self._proof in self._done:
            self._proof = self._proving = None
        self._moved_since = None

    def close(self) -> None:
        """Ask no more."""
        if self._proving is not None:
            self._proving.cancel()

    def _worth_asking(self) -> bool:
        # In a task that has records the time moves with them; what has not been processed yet would
        # only delay the answer.
        if self._inputs.count or monotonic() < self._ask_after:
            return False
        clock = self._host.clock
        if not clock.calibrated and self._core.next_due is not None:
            return True
        return self._core.changes_by(clock.likely_ms() - GRACE_MS)

    async def _ask_time(self) -> None:
        host = self._host
        TICKS.labels(self._task.reducer.name).inc()
        try:
            reducer, partition = self._task.reducer, self._task.partition
            horizon = await ask(host.cluster, host.clock, reducer.name, reducer.inputs, partition)
            await host.reference.wait_until_known(horizon.to_ms)
        except KafkaError as error:
            self._log.warning("cannot get the broker's time: %s; retrying", type(error).__name__)
            self._ask_after = monotonic() + _RETRY_S
            return
        if horizon.to_ms > self._core.now:
            self._horizon = horizon

    async def _prove(self) -> None:
        upstream = self._task.upstream
        assert upstream is not None
        limit_s = self._host.settings.upstream_limit_s
        until, up_to_ms = monotonic() + limit_s, self._core.now
        try:
            async with asyncio.timeout(limit_s):
                await upstream.prove(up_to_ms)
                ends = await self._own_ends()
        except TimeoutError:
            self._proof = Proof(up_to_ms=up_to_ms, ends={}, proven=False, until=0.0)
        else:
            self._proof = Proof(up_to_ms=up_to_ms, ends=ends, proven=True, until=until)
        self._wake()

    async def _own_ends(self) -> dict[str, int]:
        while True:
            try:
                ends = await self._host.cluster.ends(self._task.places)
                return {topic: end for (topic, _), end in ends.items()}
            except KafkaError as error:
                self._log.warning(
                    "cannot list the ends of the inputs: %s; retrying", type(error).__name__
                )
                await asyncio.sleep(_RETRY_S)

    def _reached(self, goal: Horizon | Proof | None) -> bool:
        if goal is None:
            return False
        positions = self._core.positions | self._inputs.end_positions()
        return all(positions.get(topic, 0) >= end for topic, end in goal.ends.items())

    def _until_commit_s(self) -> float:
        """How long until offsets that moved past markers only are to be committed: groups
        downstream wait for them."""
        positions = self._core.positions
        if all(
            end <= positions.get(topic, -1) for topic, end in self._inputs.end_positions().items()
        ):
            self._moved_since = None
            return _LONGEST_LOOK_S
        if self._moved_since is None:
            self._moved_since = monotonic()
        return self._moved_since + self._host.settings.idle_commit_ms / 1000 - monotonic()
