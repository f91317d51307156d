"""Fills one batch of a task: records in order, positions, timers and adoption; then encodes it.

It computes in slices (:mod:`baton.engine.kafka.loop_share`), so that heartbeats go on whatever the
batch holds. It talks to no broker.
"""

from __future__ import annotations

from typing import Protocol

from baton.engine.batch import Batch, Record, append_time_ms
from baton.engine.core import Core
from baton.engine.kafka.loop_share import LoopShare

_RECORDS_A_LOOK = 16
"""After this many records the clock is read; one takes some tens of microseconds."""
_TIMERS_A_LOOK = 64
_KEYS_A_LOOK = 128


class Inputs(Protocol):
    """What it needs of :class:`~baton.engine.kafka.input_buffer.InputBuffer`."""

    def peek(self) -> tuple[str, Record] | None: ...
    def take(self, topic: str) -> bool: ...
    def behind(self, patience_s: float) -> float: ...
    def end_positions(self) -> dict[str, int]: ...


class Idle(Protocol):
    """What it needs of :class:`~baton.engine.kafka.idle_progress.IdleProgress`."""

    async def fill(self, share: LoopShare) -> bool: ...


class BatchFiller:
    """Fills the open batch of ``core``. ``more``: there was more that the next batch can do at
    once."""

    def __init__(
        self, core: Core, inputs: Inputs, idle: Idle, share: LoopShare, *, adopt_keys: int
    ) -> None:
        self._core, self._inputs, self._idle, self._share = core, inputs, idle, share
        self._adopt_keys = adopt_keys
        self.more = False

    async def fill(
        self,
        *,
        records: int,
        records_only: bool,
        decidable_ms: int,
        patience_s: float,
        recommits: bool = False,
    ) -> Batch | None:
        """Fill and seal; None: nothing happened.

        ``records``: at most. ``records_only``: neither timers nor adoption, because one of them or
        a later record is known to fail. ``decidable_ms``: up to which log time the reference is
        known. ``recommits``: commit the positions even if nothing moved them.
        """
        core = self._core
        async with self._share:
            self.more = not await self._take_records(records, decidable_ms, patience_s)
            for topic, position in self._inputs.end_positions().items():
                if position > core.positions.get(topic, -1):
                    core.pass_over(topic, position)
            if recommits:
                for topic, position in core.positions.items():
                    core.pass_over(topic, position)
            # even if more records wait: they must not starve timers and adoption
            if not records_only and not core.full:
                self.more = not await self._idle.fill(self._share) or self.more
                await self._adopt()
            while not core.encode_slice(_KEYS_A_LOOK):
                await self._share.rest()
            return core.seal()

    async def _take_records(self, limit: int, decidable_ms: int, patience_s: float) -> bool:
        """Process what has been fetched, in order. False: there is more that could be processed at
        once."""
        inputs, process, taken = self._inputs, self._core.process, 0
        while taken < limit:
            head = inputs.peek()
            if head is None:
                return True
            topic, record = head
            if append_time_ms(record) > decidable_ms:
                return False
            if process(topic, record, _TIMERS_A_LOOK):
                taken += 1
                if inputs.take(topic) and inputs.behind(patience_s) > 0:
                    return True
                if taken % _RECORDS_A_LOOK:
                    continue
            elif self._core.full or not self._core.room_for_wakes:
                return False
            await self._share.rest()
        return False

    async def _adopt(self) -> None:
        left = self._adopt_keys
        while left > 0 and self._core.adopting and not self._core.full:
            left -= self._core.adopt_slice(min(left, _TIMERS_A_LOOK)) or left
            await self._share.rest()
