"""Calls the reducer and applies what it returns in place: :mod:`baton.engine.reducer_runner`,
without an overlay that could be taken back.

The one place that catches what a reducer raises; it ends the simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from baton.contracts.partitioner import partition_of
from baton.derived_ids import derived_id
from baton.engine.errors import EngineError, ReducerFailed, adopt_place, record_place, wake_place
from baton.engine.held_timers import HeldTimers
from baton.engine.memory import Stored
from baton.engine.reducer import Event, Reducer, Step, editions_by_head
from baton.engine.reducer_runner import WakeLoop
from baton.engine.task_config import TaskConfig
from baton.engine.timers import TimerWheel
from baton.engine.wiring import wiring_of
from baton.simulation.direct.counting_log import DirectLog
from baton.simulation.direct.fact_outbox import FactOutbox
from baton.simulation.direct.key_values import KeyStates, KeyValues


class DirectRunner:
    """``reducer`` on ``partition``: its state, timers and log time. ``at``: the reference in force
    at a log time; ``book_changed``: whether that may have become another for the same time."""

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        partition: int,
        log: DirectLog,
        at: Callable[[int], Any],
        woken: set[int],
        config: TaskConfig,
    ) -> None:
        self.reducer, self.partition = reducer, partition
        self.now = 0
        self.judges, self.book_changed = bool(reducer.upstream), True
        self.timers = HeldTimers(self.judges, TimerWheel())
        self.states = KeyStates(reducer, config.codecs)
        self.editions: tuple[str, ...] = ()
        self.wakes_left = self.room_left = 0
        self._adopts = reducer.adopts
        self._by_head = editions_by_head(reducer)
        self._at, self._limits, self._partitions = at, config.limits, config.partitions
        self._reference: Any = None
        wiring = wiring_of(reducer, partition, config)
        self._decoders = wiring.decoders
        self.outbox = FactOutbox(reducer, partition, log, woken, config, wiring)

    # ------------------------------------------------------------------ time

    def begin(self) -> None:
        """A batch begins."""
        self.wakes_left, self.room_left = self._limits.wakes, self._limits.outputs
        if self.book_changed:
            self._refresh()

    def move(self, now: int) -> None:
        """Set log time to ``now``, unless it is later already."""
        if now > self.now:
            self.now = self.outbox.now = now
            self._refresh()

    def lags_at(self, now: int) -> str | None:
        """The edition that keys are to adopt at ``now``; None where this reducer adopts nothing."""
        if not self.reducer.adopts:
            return None
        reference = self._at(now)
        return None if reference is None else self.reducer.editions(reference)[-1]

    def _refresh(self) -> None:
        self.book_changed = False
        reference = self._at(self.now)
        if reference is not self._reference:
            self._reference, self.outbox.version = reference, reference.version
            self.editions = self.reducer.editions(reference)

    # ------------------------------------------------------------------ the three calls

    def step(self, topic: str, offset: int, record: Event | Stored) -> None:
        """Process one record."""
        try:
            event = record if isinstance(record, Event) else self._decoders[topic].event(record)
            state = self.states.touch(event.key)
            if self._adopts and state.exists and state.version not in self.editions:
                self.adopt(state)
            state.cause, state.proven = event.id, True
            step = self.reducer.step(state, event, now=self.now, reference=self._reference)
            if step.rejected is not None:
                if not isinstance(record, Stored) or not self._decoders[topic].outside:
                    raise TypeError("an internal record cannot be rejected")
                self.outbox.reject(topic, record, step.rejected)
            self._apply(state, step, event.received_at_ms, event.traceparent, forced=False)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a reducer raises is a bug of ours
            raise self._failed(record_place(topic, offset), error) from None

    def wake(self, due: int, key: str) -> None:
        """Fire one timer, or let its key adopt."""
        state = self.states.touch(key)
        self.wakes_left -= 1
        if self._adopts and state.version not in self.editions:
            self.adopt(state)
            return
        state.cause = derived_id("wake", self.reducer.name, key, due, state.revision)
        state.proven = True
        try:
            step = self.reducer.wake(state, now=self.now, reference=self._reference)
            again = step.wake_at is not None and step.wake_at <= self.now
            state.spins = state.spins + 1 if again else 0
            if state.spins > self._limits.spins:
                raise WakeLoop
            self._apply(state, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see step
            raise self._failed(wake_place(key, due), error) from None

    def adopt(self, state: KeyValues) -> None:
        """Let one key adopt the agreement in force."""
        edition = self.editions[-1]
        state.cause = derived_id("adopt", self.reducer.name, state.key, edition, state.revision)
        state.proven = True
        try:
            step = self.reducer.adopt(state, old=state.version, new=self._reference, now=self.now)
            self._apply(state, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see step
            raise self._failed(adopt_place(state.key, edition), error) from None

    def lags(self, key: str) -> bool:
        """Whether the key lives under another agreement than the one in force."""
        version = self.states.version_of(key)
        return version is not None and version not in self.editions

    def new_keys(self) -> list[str]:
        """Keys of this partition that the reference wants and nothing has made yet."""
        return [
            key
            for key in self.reducer.keys_of(self._reference)
            if partition_of(key.encode(), self._partitions) == self.partition
            and self.states.version_of(key) is None
        ]

    # ------------------------------------------------------------------ inside

    def _apply(
        self,
        state: KeyValues,
        step: Step[Any],
        received_at_ms: int,
        trace: str | None,
        *,
        forced: bool,
    ) -> None:
        facts, states = step.facts, self.states
        self.room_left -= 1 + len(facts)
        if not states.stateless:
            before, existed = state.wake_at, state.exists
            edition = (
                self.reducer.edition_of(step.head, self._reference)
                if self._by_head
                else self.editions[-1]
            )
            state.apply(step, edition, forced=forced)
            if state.exists is not existed:
                states.settle(state)
            if forced or state.wake_at != before:
                self.timers.set(state.key, state.wake_at, self.now)
        elif step.head is not None or step.wake_at is not None or step.put:
            raise TypeError("a reducer without head_type and entry_kinds has no state to change")
        if facts:
            self.outbox.publish(facts, state, received_at_ms, trace)

    def _failed(self, place: str, error: Exception) -> ReducerFailed:
        return ReducerFailed(self.reducer.name, self.partition, place, error)
