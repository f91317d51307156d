"""What a task does although no record comes: moves its time on, fires held timers, commits positions that moved over nothing.

:meth:`IdleProgress.look` asks the brokers what has to be asked; :meth:`IdleProgress.fill` adds to the open batch what the answers allow; and
:meth:`IdleProgress.wait_s` says when it is worth making a batch for it. None of it keeps records waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from aiokafka.errors import KafkaError

from baton.engine.core import Core
from baton.engine.kafka.clock import GRACE_MS, Horizon, ask
from baton.engine.kafka.host_context import HostContext
from baton.engine.kafka.input_buffer import InputBuffer
from baton.engine.kafka.upstream_proof import UpstreamProof
from baton.engine.metrics import TICKS
from baton.engine.reducer import Reducer
from baton.logs import log_of

_LONGEST_LOOK_S = 1.0
_PENDING_LOOK_S = 0.02
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Held timers due by ``up_to_ms`` may fire once the task has processed its inputs up to ``ends``.

    ``until``: when (monotonic clock) it is given up and they fire unproven.
    """

    up_to_ms: int
    ends: Mapping[str, int]
    proven: bool
    until: float


class IdleProgress:
    """The time of one task. ``wake`` is called when an answer has come."""

    def __init__(
        self,
        context: HostContext,
        reducer: Reducer[Any, Any],
        partition: int,
        core: Core,
        inputs: InputBuffer,
        upstream: UpstreamProof | None,
        wake: Callable[[], None],
    ) -> None:
        self._context, self._reducer, self._partition = context, reducer, partition
        self._core, self._inputs, self._upstream = core, inputs, upstream
        self._wake = wake
        self._log = log_of(__name__, reducer=reducer.name, partition=partition)
        self._horizon: Horizon | None = None
        self._proof: Proof | None = None
        self._proving: asyncio.Task[None] | None = None
        self._done: list[Horizon | Proof] = []
        self._moved_since: float | None = None
        self._ask_after = 0.0

    async def look(self) -> None:
        """Ask for the time, and for the proof that held timers need, if it is worth it."""
        if self._proving is not None and self._proving.done():
            self._proving.result()
        if self._core.held and self._proving is None:
            self._proving = asyncio.create_task(self._prove())
        if self._proof is not None and self._proof.proven and monotonic() > self._proof.until:
            self._proof = Proof(up_to_ms=self._proof.up_to_ms, ends={}, proven=False, until=0.0)
        if self._horizon is None and self._worth_asking():
            await self._ask()

    def wait_s(self) -> float:
        """How long until there is something to commit or to look at, while no record is here; 0: a batch is worth making."""
        if self._reached(self._horizon) or self._reached(self._proof):
            return 0.0
        moved_s = self._until_moves_count()
        if moved_s <= 0:
            return 0.0
        waits = [_LONGEST_LOOK_S, moved_s]
        if self._horizon is not None or self._proof is not None:
            waits.append(_PENDING_LOOK_S)
        elif (due := self._core.next_due) is not None:
            waits.append((due + GRACE_MS - self._context.clock.likely_ms()) / 1000)
        return max(_PENDING_LOOK_S, min(waits))

    def fill(self) -> bool:
        """Add to the open batch what the answers allow. False: it is full, and there is more."""
        self._done = []
        horizon, proof = self._horizon, self._proof
        if horizon is not None and self._core.reached(horizon.ends):
            if not self._core.advance(horizon.to_ms):
                return False
            self._done.append(horizon)
        if proof is not None and self._core.reached(proof.ends):
            if not self._core.fire_held(proof.up_to_ms, proven=proof.proven):
                return False
            self._done.append(proof)
        return True

    def settle(self) -> None:
        """The batch was committed."""
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
        # In a task that has records the time moves with them; what has not been processed yet would only delay the answer.
        if self._inputs.count or monotonic() < self._ask_after:
            return False
        clock = self._context.clock
        if not clock.calibrated and self._core.next_due is not None:
            return True
        return self._core.changes_by(clock.likely_ms() - GRACE_MS)

    async def _ask(self) -> None:
        context = self._context
        TICKS.labels(self._reducer.name).inc()
        try:
            horizon = await ask(context.cluster, context.clock, self._reducer.name, self._reducer.inputs, self._partition)
            await context.reference.know(horizon.to_ms)
        except KafkaError as error:
            self._log.warning("asking for the time: %s; trying again", type(error).__name__)
            self._ask_after = monotonic() + _RETRY_S
            return
        if horizon.to_ms > self._core.now:
            self._horizon = horizon

    async def _prove(self) -> None:
        assert self._upstream is not None
        limit_s = self._context.settings.upstream_limit_s
        until, up_to_ms = monotonic() + limit_s, self._core.now
        try:
            async with asyncio.timeout(limit_s):
                await self._upstream.prove(up_to_ms)
                ends = await self._own_ends()
        except TimeoutError:
            self._proof = Proof(up_to_ms=up_to_ms, ends={}, proven=False, until=0.0)
        else:
            self._proof = Proof(up_to_ms=up_to_ms, ends=ends, proven=True, until=until)
        self._wake()

    async def _own_ends(self) -> dict[str, int]:
        while True:
            try:
                ends = await self._context.cluster.ends([(topic, self._partition) for topic in self._reducer.inputs])
                return {topic: end for (topic, _), end in ends.items()}
            except KafkaError as error:
                self._log.warning("listing ends: %s; trying again", type(error).__name__)
                await asyncio.sleep(_RETRY_S)

    def _reached(self, goal: Horizon | Proof | None) -> bool:
        if goal is None:
            return False
        stands = self._core.positions | self._inputs.stands()
        return all(stands.get(topic, 0) >= end for topic, end in goal.ends.items())

    def _until_moves_count(self) -> float:
        """How long until positions that moved over no record are to be committed: others wait for them to be."""
        positions = self._core.positions
        if all(stands <= positions.get(topic, -1) for topic, stands in self._inputs.stands().items()):
            self._moved_since = None
            return _LONGEST_LOOK_S
        if self._moved_since is None:
            self._moved_since = monotonic()
        return self._moved_since + self._context.settings.idle_commit_ms / 1000 - monotonic()
