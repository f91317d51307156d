"""Calling the reducer: one step, one wake, one adoption, and what each of them leaves in the open batch.

Whatever a reducer raises becomes a :class:`~baton.engine.errors.ReducerFailed` here, with the place and without the data. Which of the
three comes next, and at what time, is the core's affair (:mod:`baton.engine.core`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from baton.contracts.fact_metrics import Amount, Measures
from baton.contracts.partitioner import partition_of
from baton.contracts.topics import TopicSpec, consumer_group
from baton.engine.batch import Limits, Record
from baton.engine.changelog import version_of
from baton.engine.dead_letters import Refuser, dead_letter
from baton.engine.errors import EngineError, ReducerFailed, adopt_place, record_place, wake_place
from baton.engine.held_timers import HeldTimers
from baton.engine.key_state import KeyState, Shape
from baton.engine.open_batch import OpenBatch
from baton.engine.record_headers import RecordDecoder, RecordEncoder, Stamp, fact_ids
from baton.engine.records import Did, JournalLine
from baton.engine.reducer import Reducer, ReferenceBook, Step
from baton.engine.store import Store
from baton.ids import derived_id


class Stuck(RuntimeError):
    """A wake asked again and again to be woken in the past."""


class ReducerRunner:
    """Runs one reducer on one partition. ``now`` is the task's log time, ``reference`` what holds then.

    ``skips``: the places that are left out when they come up.
    """

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        book: ReferenceBook[Any],
        store: Store,
        held_timers: HeldTimers,
        *,
        partition: int,
        partitions: int,
        limits: Limits,
        topics: Mapping[str, TopicSpec],
        codecs: Callable[[type], Any],
        namespace: str,
        version: str,
        measures: Measures,
    ) -> None:
        self.now = 0
        self.reference: Any = None
        self.version = ""
        self.editions: tuple[str, ...] = ()
        self.skips: set[str] = set()
        self._reducer, self._partition, self._partitions = reducer, partition, partitions
        self._book, self._store, self._held_timers, self._limits = book, store, held_timers, limits
        self._shape = Shape(reducer, codecs)
        self._decoders = {topic: RecordDecoder(topics[topic], partition, codecs) for topic in reducer.inputs}
        self._encoders = {
            topic: RecordEncoder(topics[topic], reducer.name, partition, partitions, codecs) for topic in reducer.outputs
        }
        self._stamp = Stamp(reducer)
        self._measures = {topic: measures[topic] for topic in reducer.outputs if topic in measures}
        self._refuser = Refuser(
            group=consumer_group(namespace, reducer.name), service=reducer.service, stage=reducer.name, version=version
        )

    # ------------------------------------------------------------------ time

    def move(self, now: int) -> None:
        """Log time is ``now``, unless it is past that already."""
        if now > self.now:
            self.now = now
            self.look_up()

    def look_up(self, made_at_ms: int | None = None) -> None:
        """Look up what holds now; ``made_at_ms``: the worker's clock, for the facts from here on."""
        if made_at_ms is not None:
            self._stamp.made_at(made_at_ms)
        self.reference = self._book.at(self.now)
        if self.reference is not None:
            self.version = self.reference.version
            self.editions = self._reducer.editions(self.reference)
            self._stamp.at(self.now, self.version)

    # ------------------------------------------------------------------ the three calls

    def step(self, open_batch: OpenBatch, topic: str, record: Record) -> None:
        """One input record."""
        if self.skips and self._skipped(open_batch, record_place(topic, record.offset)):
            return
        decoder = self._decoders[topic]
        try:
            event = decoder.event(record)
            key_state = self._key_state(open_batch, event.key)
            if key_state.exists and key_state.version not in self.editions and self._reducer.adopts:
                self._adopt(open_batch, key_state)
            key_state.cause, key_state.proven, key_state.place = event.id, True, (topic, record.offset)
            step = self._reducer.step(key_state, event, now=self.now, reference=self.reference)
            if decoder.outside:
                self._judge(open_batch, topic, record, step)
            elif step.rejected is not None:
                raise TypeError("a record of our own cannot be rejected")
            self._absorb(open_batch, key_state, step, event.received_at_ms, event.traceparent)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - a reducer that raises is our bug, whatever it raises
            raise self.failed((topic, record.offset), error) from None

    def wake(self, open_batch: OpenBatch, due: int, key: str, *, proven: bool) -> bool:
        """One timer. False: the key adopted instead, and may have set another time; if it is due by now it comes up again."""
        key_state = self._key_state(open_batch, key)
        open_batch.wakes_left -= 1
        open_batch.counts.wakes += 1
        if key_state.version not in self.editions and self._reducer.adopts:
            self._adopt(open_batch, key_state)
            return False
        place = wake_place(key, due)
        if self.skips and self._skipped(open_batch, place):
            key_state.mute(key_state.version, place)
            return True
        open_batch.counts.late_ms = max(open_batch.counts.late_ms, self.now - due)
        open_batch.counts.unproven += not proven
        key_state.cause = derived_id("wake", self._reducer.name, key, due, key_state.revision)
        key_state.proven, key_state.place = proven, place
        try:
            step = self._reducer.wake(key_state, now=self.now, reference=self.reference)
            key_state.spins = key_state.spins + 1 if proven and step.wake_at is not None and step.wake_at <= self.now else 0
            if key_state.spins > self._limits.spins:
                raise Stuck
            self._absorb(open_batch, key_state, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see step
            raise self.failed(place, error) from None
        return True

    def adopt(self, open_batch: OpenBatch, key: str) -> None:
        """One key that lags."""
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

    def standing(self, open_batch: OpenBatch) -> Iterator[Amount]:
        """What the keys of the batch stand at; of a sum over keys, by how much each of them changes it."""
        if not self._reducer.stands:
            return
        for key_state in open_batch.key_states.values():
            amount = self._reducer.standing(key_state)
            if amount is not None and amount.sets:
                yield amount
                continue
            before = self._reducer.standing(KeyState(key_state.key, self._store, self._shape))
            if before is not None:
                yield replace(before, value=-before.value)
            if amount is not None:
                yield amount

    def standing_of_all(self) -> Iterator[Amount]:
        """What every key stands at."""
        if self._reducer.stands:
            keys = self._store.keys()
            key_states = (KeyState(key, self._store, self._shape) for key in keys)
            yield from filter(None, map(self._reducer.standing, key_states))

    def failed(self, place: str | tuple[str, int], error: Exception) -> ReducerFailed:
        """The error that stops the task."""
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
        open_batch.notes.add(JournalLine(did=Did.SKIP, place=place))
        open_batch.counts.skipped += 1
        return True

    def _adopt(self, open_batch: OpenBatch, key_state: KeyState) -> None:
        edition = self.editions[-1]
        place = adopt_place(key_state.key, edition)
        open_batch.counts.adopted += 1
        if self.skips and self._skipped(open_batch, place):
            key_state.mute(self.editions[-1], place)
            return
        # What holds may come to hold again: the revision tells the two adoptions apart.
        key_state.cause = derived_id("adopt", self._reducer.name, key_state.key, edition, key_state.revision)
        key_state.proven, key_state.place = True, place
        try:
            step = self._reducer.adopt(key_state, old=key_state.version, new=self.reference, now=self.now)
            self._absorb(open_batch, key_state, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see step
            raise self.failed(place, error) from None

    def _judge(self, open_batch: OpenBatch, topic: str, record: Record, step: Step[Any]) -> None:
        open_batch.verdicts.append(step.rejected is not None)
        if step.rejected is not None:
            open_batch.counts.dead += 1
            open_batch.outgoing.append(dead_letter(topic, self._partition, record, step.rejected, self._refuser, self.now))

    def _absorb(
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
            key_state.absorb(step, self._reducer.edition_of(step.head, self.reference), forced=forced)
            if forced or key_state.wake_at != before:
                self._held_timers.set(key_state.key, key_state.wake_at, self.now)
        elif step.head is not None or step.wake_at is not None or step.put:
            raise TypeError("a reducer without head_type and entry_kinds has no state to change")
        facts = step.facts
        if facts:
            shared = self._stamp.headers(key_state.cause, received_at_ms, traceparent)
            for fact, fact_id in zip(facts, fact_ids(key_state.cause, facts, self._encoders), strict=True):
                open_batch.outgoing.append(self._encoders[fact.topic].outgoing(fact, fact_id, key_state.key, shared))
                if (measure := self._measures.get(fact.topic)) and (amount := measure(fact.value)):
                    open_batch.measure(amount)
