"""Calls the reducer (one step, one wake, one adoption) and writes the results into the open batch.

The one place that catches what a reducer raises: it becomes a
:class:`~baton.engine.errors.ReducerFailed` with the place and without the data. Which of the three
calls comes next, and at what time, the core decides (:mod:`baton.engine.core`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from baton.contracts.amounts import Amount
from baton.contracts.partitioner import partition_of
from baton.derived_ids import derived_id
from baton.engine.batch import LOG_APPEND_TIME, Record
from baton.engine.changelog import version_of
from baton.engine.dead_letters import dead_letter
from baton.engine.errors import (
    EngineError,
    ReducerFailed,
    UnusableRecord,
    adopt_place,
    record_place,
    wake_place,
)
from baton.engine.held_timers import HeldTimers
from baton.engine.key_state import KeyState, Shape
from baton.engine.open_batch import OpenBatch
from baton.engine.record_headers import Stamp, fact_ids
from baton.engine.records import Did, JournalLine
from baton.engine.reducer import Reducer, ReferenceBook, Rejection, Step, editions_by_head
from baton.engine.store import Store, StoreFailed
from baton.engine.task_config import TaskConfig
from baton.engine.wiring import wiring_of


class WakeLoop(RuntimeError):
    """The wake of a key asked too many times in a row to be woken in the past."""


_NOT_LOG_TIME = Rejection(
    "not_log_time",
    "the record does not carry the broker's append time: message.timestamp.type of its topic must "
    "be LogAppendTime",
)


class ReducerRunner:
    """Runs one reducer on one partition. ``now``: log time of the task; ``reference``: the
    reference in force then. ``skips``: the places to skip when they come up."""

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        book: ReferenceBook[Any],
        store: Store,
        held_timers: HeldTimers,
        config: TaskConfig,
        partition: int,
    ) -> None:
        self.now = 0
        self.reference: Any = None
        self.version = ""
        self.editions: tuple[str, ...] = ()
        self.skips: set[str] = set()
        self._reducer, self._partition, self._partitions = reducer, partition, config.partitions
        self._by_head = editions_by_head(reducer)
        self._book, self._limits = book, config.limits
        self._store, self._held_timers = store, held_timers
        self._shape, self._stamp = Shape(reducer, config.codecs), Stamp(reducer)
        wiring = wiring_of(reducer, partition, config)
        self._decoders, self._encoders = wiring.decoders, wiring.encoders
        self._measures, self._origin = wiring.measures, wiring.origin

    # ------------------------------------------------------------------ time

    def move(self, now: int) -> None:
        """Set log time to ``now``, unless it is later already."""
        if now > self.now:
            self.now = now
            self.refresh_reference()

    def refresh_reference(self, made_at_ms: int | None = None) -> None:
        """Look up the reference in force; ``made_at_ms``: the worker's clock, for the following
        facts."""
        if made_at_ms is not None:
            self._stamp.made_at(made_at_ms)
        former, self.reference = self.reference, self._book.at(self.now)
        if self.reference is not None:
            if self.reference is not former:
                self.version = self.reference.version
                self.editions = self._reducer.editions(self.reference)
            self._stamp.at(self.now, self.version)

    # ------------------------------------------------------------------ the three calls

    def step(self, open_batch: OpenBatch, topic: str, record: Record) -> None:
        """Process one input record.

        An external record without log time becomes a dead letter; an internal one that breaks the
        rules of its topic, or whose key belongs to another partition, stops the task before any of
        it is in the state."""
        if self.skips and self._skipped(open_batch, record_place(topic, record.offset)):
            return
        decoder = self._decoders[topic]
        try:
            if record.timestamp_type != LOG_APPEND_TIME:
                if not decoder.outside:
                    raise UnusableRecord(_NOT_LOG_TIME.code, _NOT_LOG_TIME.reason)
                self._judge(open_batch, topic, record, _NOT_LOG_TIME)
                return
            event = decoder.event(record)
            key_state = self._key_state(open_batch, event.key)
            if not key_state.exists:  # a key that has a state was checked when it got it
                decoder.check_partition(event.key)
            if key_state.exists and key_state.version not in self.editions and self._reducer.adopts:
                self._adopt(open_batch, key_state)
            place = topic, record.offset
            key_state.cause, key_state.proven, key_state.place = event.id, True, place
            step = self._reducer.step(key_state, event, now=self.now, reference=self.reference)
            if decoder.outside:
                self._judge(open_batch, topic, record, step.rejected)
            elif step.rejected is not None:
                raise TypeError("an internal record cannot be rejected")
            self._apply(open_batch, key_state, step, event.received_at_ms, event.traceparent)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a reducer raises is a bug of ours
            raise self.failed((topic, record.offset), error) from None

    def wake(self, open_batch: OpenBatch, due: int, key: str, *, proven: bool) -> bool:
        """Fire one timer. False: the key adopted instead, and may have set another time; if that is
        due, it comes up again."""
        key_state = self._key_state(open_batch, key)
        open_batch.wakes_left -= 1
        open_batch.counts.wakes += 1
        if key_state.version not in self.editions and self._reducer.adopts:
            self._adopt(open_batch, key_state)
            return False
        place = wake_place(key, due)
        if self.skips and self._skipped(open_batch, place):
            key_state.skip(key_state.version, place)
            return True
        open_batch.counts.late_ms = max(open_batch.counts.late_ms, self.now - due)
        open_batch.counts.unproven += not proven
        key_state.cause = derived_id("wake", self._reducer.name, key, due, key_state.revision)
        key_state.proven, key_state.place = proven, place
        try:
            step = self._reducer.wake(key_state, now=self.now, reference=self.reference)
            key_state.spins = (
                key_state.spins + 1
                if proven and step.wake_at is not None and step.wake_at <= self.now
                else 0
            )
            if key_state.spins > self._limits.spins:
                raise WakeLoop
            self._apply(open_batch, key_state, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see step
            raise self.failed(place, error) from None
        return True

    def adopt(self, open_batch: OpenBatch, key: str) -> None:
        """Let one key adopt the agreement in force."""
        self._adopt(open_batch, self._key_state(open_batch, key))

    def lags(self, open_batch: OpenBatch, key: str) -> bool:
        """Whether the key lives under another agreement than the one in force."""
        key_state = open_batch.key_states.get(key)
        if key_state is not None:
            return key_state.exists and key_state.version not in self.editions
        raw = self._store.head(key)
        return raw is not None and version_of(raw) not in self.editions

    def new_keys(self, open_batch: OpenBatch) -> list[str]:
        """Keys of this partition that the reference wants and nothing has made yet."""
        wanted = (key for key in self._reducer.keys_of(self.reference) if self._is_here(key))
        return [key for key in wanted if not self._key_state(open_batch, key).exists]

    def _is_here(self, key: str) -> bool:
        return partition_of(key.encode(), self._partitions) == self._partition

    def gauge_changes(self, key_state: KeyState) -> Iterator[Amount]:
        """What a key of the batch does to the reducer's gauge: its new value, or the change of a
        sum over keys."""
        if not self._reducer.has_gauge:
            return
        amount = self._reducer.gauge(key_state)
        if amount is not None and amount.sets:
            key_state.gauged = True
            yield amount
            return
        before = self._reducer.gauge(KeyState(key_state.key, self._store, self._shape))
        if (before is None) != (amount is None):
            key_state.gauged = amount is not None
        if before is not None:
            yield replace(before, value=-before.value)
        if amount is not None:
            yield amount

    def gauges(self) -> Iterator[Amount]:
        """The reducer's gauge, of every key; the state must not change meanwhile."""
        if self._reducer.has_gauge:
            for key in self._store.gauged():
                amount = self._reducer.gauge(KeyState(key, self._store, self._shape))
                if amount is not None:
                    yield amount
                else:
                    self._store.set_gauged(key, False)

    def failed(self, place: str | tuple[str, int], error: Exception) -> EngineError:
        """The error that stops the task."""
        if isinstance(error, StoreFailed):
            return error  # neither the reducer's fault nor the place's
        named = place if isinstance(place, str) else record_place(*place)
        return ReducerFailed(self._reducer.name, self._partition, named, error)

    # ------------------------------------------------------------------ inside

    def _key_state(self, open_batch: OpenBatch, key: str) -> KeyState:
        key_state = open_batch.key_states.get(key)
        if key_state is None:
            key_state = KeyState(key, self._store, self._shape)
            if not self._shape.stateless:
                open_batch.key_states[key] = key_state
        return key_state

    def _skipped(self, open_batch: OpenBatch, place: str) -> bool:
        if place not in self.skips:
            return False
        open_batch.journal.add(JournalLine(did=Did.SKIP, place=place))
        open_batch.counts.skipped += 1
        return True

    def _adopt(self, open_batch: OpenBatch, key_state: KeyState) -> None:
        edition = self.editions[-1]
        place = adopt_place(key_state.key, edition)
        open_batch.counts.adopted += 1
        if self.skips and self._skipped(open_batch, place):
            key_state.skip(edition, place)
            self._held_timers.set(key_state.key, key_state.wake_at, self.now)  # it may have come up
            return
        # What holds may come to hold again: the revision distinguishes the two adoptions.
        key_state.cause = derived_id(
            "adopt", self._reducer.name, key_state.key, edition, key_state.revision
        )
        key_state.proven, key_state.place = True, place
        try:
            step = self._reducer.adopt(
                key_state, old=key_state.version, new=self.reference, now=self.now
            )
            self._apply(open_batch, key_state, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see step
            raise self.failed(place, error) from None

    def _judge(
        self, open_batch: OpenBatch, topic: str, record: Record, rejected: Rejection | None
    ) -> None:
        open_batch.verdicts.append(rejected is not None)
        if rejected is not None:
            open_batch.counts.dead += 1
            open_batch.outgoing.append(
                dead_letter(topic, self._partition, record, rejected, self._origin, self.now)
            )

    def _apply(
        self,
        open_batch: OpenBatch,
        key_state: KeyState,
        step: Step[Any],
        received_at_ms: int,
        traceparent: str | None,
        *,
        forced: bool = False,
    ) -> None:
        if not self._shape.stateless:
            before = key_state.wake_at
            edition = (
                self._reducer.edition_of(step.head, self.reference)
                if self._by_head
                else self.editions[-1]
            )
            key_state.apply(step, edition, forced=forced)
            if forced or key_state.wake_at != before:
                self._held_timers.set(key_state.key, key_state.wake_at, self.now)
        elif step.head is not None or step.wake_at is not None or step.put:
            raise TypeError("a reducer without head_type and entry_kinds has no state to change")
        facts = step.facts
        if facts:
            shared = self._stamp.headers(key_state.cause, received_at_ms, traceparent)
            for fact, fact_id in zip(
                facts, fact_ids(key_state.cause, facts, self._encoders), strict=True
            ):
                open_batch.outgoing.append(
                    self._encoders[fact.topic].outgoing(fact, fact_id, key_state.key, shared)
                )
                if (measure := self._measures.get(fact.topic)) and (amount := measure(fact.value)):
                    open_batch.measure(amount)
