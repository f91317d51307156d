"""One reducer on one partition, called directly: the rules of :mod:`baton.engine.core` about order,
time, timers and adoption.

What a batch publishes is handed on when it ends, so a task does not read in a batch what it wrote
in it.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, Final

from baton.engine.held_timers import AdoptionSweep
from baton.engine.memory import Stored
from baton.engine.reducer import Event
from baton.simulation.direct.direct_runner import DirectRunner

_RECORDS: Final = 500
"""Records and adoptions of one batch."""


class DirectTask(DirectRunner):
    """``waiting``: a heap of the records that were delivered and not taken."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.waiting: list[tuple[int, str, int, Event | Stored]] = []
        self._adopted = ""
        self._sweep: AdoptionSweep | None = None

    @property
    def next_due(self) -> int | None:
        """When the next timer that is not held is due (ms), or None."""
        return self.timers.timers.next_due()

    @property
    def held(self) -> int:
        """Number of timers that are due and wait for a proof."""
        return len(self.timers.held)

    # ------------------------------------------------------------------ what the host calls

    def deliver(self, record: Stored) -> None:
        """One record of bytes of an input."""
        heappush(self.waiting, (record.timestamp, record.topic, record.offset, record))

    def work(self) -> None:
        """One batch of what waits."""
        self.begin()
        waiting, timers = self.waiting, self.timers.timers
        left = _RECORDS
        while waiting and left and self.room_left > 0:
            at_ms, topic, offset, record = waiting[0]
            if timers.floor <= at_ms and not self._fire_due(at_ms):
                break
            heappop(waiting)
            if at_ms > self.now:
                self.move(at_ms)
            self.step(topic, offset, record)
            left -= 1
        if self.outbox.handed:
            self.outbox.hand_on()

    def advance(self, now: int) -> None:
        """Move time to ``now``, fire what is due, adopt."""
        self._move_to(now)
        while self._adopts and self.editions[-1] != self._adopted:
            self.begin()
            self._adopt_slice()
            self.outbox.hand_on()

    def fire_held(self, now: int) -> None:
        """Move time to ``now``, and fire every timer that is then held."""
        self._move_to(now)
        done = False
        while not done:
            self.begin()
            done = self._fire_held(now)
            if self.outbox.handed:
                self.outbox.hand_on()

    def changes_by(self, now: int) -> bool:
        """As :meth:`baton.engine.core.Core.changes_by`."""
        due = self.next_due
        if due is not None and due <= now:
            return True
        then = self.lags_at(now)
        if self.now <= 0:
            return now > 0 and then not in (None, self._adopted)
        return then != self.lags_at(self.now)

    @property
    def adopting(self) -> bool:
        """As :attr:`baton.engine.core.Core.adopting`."""
        return self.now > 0 and self.lags_at(self.now) not in (None, self._adopted)

    # ------------------------------------------------------------------ inside

    def _move_to(self, now: int) -> None:
        done = False
        while not done:
            self.begin()
            done = self._fire_due(now)
            if done:
                self.move(now)
            if self.outbox.handed:
                self.outbox.hand_on()

    def _fire_due(self, to_ms: int) -> bool:
        """Fire what is due; False: not all of it, the batch is full."""
        if self.judges:
            self.timers.hold(to_ms)
            return True
        timers = self.timers.timers
        while timers.floor <= to_ms:
            if self._full:
                return False
            if (found := timers.pop(to_ms)) is None:
                return True
            self.move(found[0])
            self.wake(*found)
        return True

    def _fire_held(self, now: int) -> bool:
        held = self.timers.held
        while not self._full:
            if (found := held.pop(now)) is None:
                return True
            self.wake(*found)
        return False

    @property
    def _full(self) -> bool:
        return self.wakes_left <= 0 or self.room_left <= 0

    def _adopt_slice(self) -> None:
        version = self.editions[-1]
        if self._sweep is None or self._sweep.version != version:
            keys = list(self.states.keys())
            self._sweep = AdoptionSweep(version, keys, self.lags, new=self.new_keys())
        left = _RECORDS
        while left and self.room_left > 0 and (key := self._sweep.next()) is not None:
            self.adopt(self.states.touch(key))
            left -= 1
        if self._sweep.done:
            self._adopted = version
