"""Calling the reducer: one step, one wake, one adoption, and what each of them leaves in the open batch.

Whatever a reducer raises becomes a :class:`~baton.engine.errors.ReducerFailed` here, with the place and without the data. Which of the
three comes next, and at what time, is the core's affair (:mod:`baton.engine.core`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from baton.contracts.fact_metrics import Amount, Measures
from baton.contracts.topics import TopicSpec, consumer_group
from baton.engine.batch import Limits, Record
from baton.engine.changelog import version_of
from baton.engine.dead_letters import Refuser, dead_letter
from baton.engine.errors import EngineError, ReducerFailed, adopt_place, record_place, wake_place
from baton.engine.held_timers import Agenda
from baton.engine.key_state import Cell, Shape
from baton.engine.open_batch import Draft
from baton.engine.record_headers import Inlet, Outlet, Stamp, fact_ids
from baton.engine.records import Did, JournalLine
from baton.engine.reducer import Reducer, ReferenceBook, Step
from baton.engine.store import Store
from baton.ids import derived_id


class Stuck(RuntimeError):
    """A wake asked again and again to be woken in the past."""


class Runner:
    """Runs one reducer on one partition. ``now`` is the task's log time, ``reference`` what holds then.

    ``skips``: the places that are left out when they come up.
    """

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        book: ReferenceBook[Any],
        store: Store,
        agenda: Agenda,
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
        self.skips: set[str] = set()
        self._reducer, self._partition = reducer, partition
        self._book, self._store, self._agenda, self._limits = book, store, agenda, limits
        self._shape = Shape(reducer, codecs)
        self._inlets = {topic: Inlet(topics[topic], partition, codecs) for topic in reducer.inputs}
        self._outlets = {topic: Outlet(topics[topic], reducer.name, partition, partitions, codecs) for topic in reducer.outputs}
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
            self._stamp.at(self.now, self.version)

    # ------------------------------------------------------------------ the three calls

    def step(self, draft: Draft, topic: str, record: Record) -> None:
        """One input record."""
        if self.skips and self._skipped(draft, record_place(topic, record.offset)):
            return
        inlet = self._inlets[topic]
        try:
            event = inlet.event(record)
            cell = self._cell(draft, event.key)
            if cell.exists and cell.version != self.version and self._reducer.adopts:
                self._adopt(draft, cell)
            cell.cause, cell.proven, cell.place = event.id, True, (topic, record.offset)
            step = self._reducer.step(cell, event, now=self.now, reference=self.reference)
            if inlet.outside:
                self._judge(draft, topic, record, step)
            elif step.rejected is not None:
                raise TypeError("a record of our own cannot be rejected")
            self._absorb(draft, cell, step, event.received_at_ms, event.traceparent)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - a reducer that raises is our bug, whatever it raises
            raise self.failed((topic, record.offset), error) from None

    def wake(self, draft: Draft, due: int, key: str, *, proven: bool) -> bool:
        """One timer. False: the key adopted instead, and may have set another time; if it is due by now it comes up again."""
        cell = self._cell(draft, key)
        draft.wakes_left -= 1
        draft.counts.wakes += 1
        if cell.version != self.version and self._reducer.adopts:
            self._adopt(draft, cell)
            return False
        place = wake_place(key, due)
        if self.skips and self._skipped(draft, place):
            cell.mute(cell.version, place)
            return True
        draft.counts.late_ms = max(draft.counts.late_ms, self.now - due)
        draft.counts.unproven += not proven
        cell.cause = derived_id("wake", self._reducer.name, key, due, cell.revision)
        cell.proven, cell.place = proven, place
        try:
            step = self._reducer.wake(cell, now=self.now, reference=self.reference)
            cell.spins = cell.spins + 1 if proven and step.wake_at is not None and step.wake_at <= self.now else 0
            if cell.spins > self._limits.spins:
                raise Stuck
            self._absorb(draft, cell, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see step
            raise self.failed(place, error) from None
        return True

    def adopt(self, draft: Draft, key: str) -> None:
        """One key that lags."""
        self._adopt(draft, self._cell(draft, key))

    def lags(self, draft: Draft, key: str) -> bool:
        """Whether the key lives under another agreement than the one in force."""
        cell = draft.cells.get(key)
        if cell is not None:
            return cell.exists and cell.version != self.version
        raw = self._store.head(key)
        return raw is not None and version_of(raw) != self.version

    def standing(self, draft: Draft) -> Iterator[Amount]:
        """What the keys of the batch stand at; of a sum over keys, by how much each of them changes it."""
        if not self._reducer.stands:
            return
        for cell in draft.cells.values():
            amount = self._reducer.standing(cell)
            if amount is not None and amount.sets:
                yield amount
                continue
            before = self._reducer.standing(Cell(cell.key, self._store, self._shape))
            if before is not None:
                yield replace(before, value=-before.value)
            if amount is not None:
                yield amount

    def standing_of_all(self) -> Iterator[Amount]:
        """What every key stands at."""
        if self._reducer.stands:
            keys = self._store.keys()
            cells = (Cell(key, self._store, self._shape) for key in keys)
            yield from filter(None, map(self._reducer.standing, cells))

    def failed(self, place: str | tuple[str, int], error: Exception) -> ReducerFailed:
        """The error that stops the task."""
        named = place if isinstance(place, str) else record_place(*place)
        return ReducerFailed(self._reducer.name, self._partition, named, error)

    # ------------------------------------------------------------------ inside

    def _cell(self, draft: Draft, key: str) -> Cell:
        cell = draft.cells.get(key)
        if cell is None:
            cell = Cell(key, self._store, self._shape)
            if not self._shape.stateless:
                draft.cells[key] = cell
        return cell

    def _skipped(self, draft: Draft, place: str) -> bool:
        if place not in self.skips:
            return False
        draft.notes.add(JournalLine(did=Did.SKIP, place=place))
        draft.counts.skipped += 1
        return True

    def _adopt(self, draft: Draft, cell: Cell) -> None:
        place = adopt_place(cell.key, self.version)
        draft.counts.adopted += 1
        if self.skips and self._skipped(draft, place):
            cell.mute(self.version, place)
            return
        cell.cause = derived_id("adopt", self._reducer.name, cell.key, self.version)
        cell.proven, cell.place = True, place
        try:
            step = self._reducer.adopt(cell, old=cell.version, new=self.reference, now=self.now)
            self._absorb(draft, cell, step, self.now, None, forced=True)
        except Exception as error:  # noqa: BLE001 - see step
            raise self.failed(place, error) from None

    def _judge(self, draft: Draft, topic: str, record: Record, step: Step[Any]) -> None:
        draft.verdicts.append(step.rejected is not None)
        if step.rejected is not None:
            draft.counts.dead += 1
            draft.outgoing.append(dead_letter(topic, self._partition, record, step.rejected, self._refuser, self.now))

    def _absorb(
        self, draft: Draft, cell: Cell, step: Step[Any], received_at_ms: int, traceparent: str | None, *, forced: bool = False
    ) -> None:
        if not self._shape.stateless:
            before = cell.wake_at
            cell.absorb(step, self.version, forced=forced)
            if forced or cell.wake_at != before:
                self._agenda.set(cell.key, cell.wake_at, self.now)
        elif step.head is not None or step.wake_at is not None or step.put:
            raise TypeError("a reducer without head_type and entry_kinds has no state to change")
        facts = step.facts
        if facts:
            shared = self._stamp.headers(cell.cause, received_at_ms, traceparent)
            for fact, fact_id in zip(facts, fact_ids(cell.cause, facts, self._outlets), strict=True):
                draft.outgoing.append(self._outlets[fact.topic].outgoing(fact, fact_id, cell.key, shared))
                if (measure := self._measures.get(fact.topic)) and (amount := measure(fact.value)):
                    draft.measure(amount)
