"""The deterministic state machine of one task (reducer x partition), its state and timers; no clock, no I/O, no asyncio.

A host (Kafka, the in-memory log, a rebuild) restores it from the changelog, hands it records and moments, writes what
:meth:`Core.seal` gives in one transaction and then calls :meth:`Core.commit`, or :meth:`Core.discard` where that failed. Between
the two the state proper is untouched: everything a batch does lies in an overlay, time and timers included, so after ``discard``
the same records can be tried again and give the same.

The protocol, always in this order::

    restore(key, value) ... restored()          the whole changelog, or what is new of it since the state was left
    while running:
        begin(made_at_ms, reference_offsets)
        process / pass_over / advance / fire_held / adopt_slice     in any order; False means: full, seal now, then offer it again
        batch = seal()                          None: nothing happened, nothing to commit (then discard)
        <one transaction>
        commit()  or  discard()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from baton.contracts.codec import codec_for
from baton.contracts.fact_metrics import Amount, Measures
from baton.contracts.topics import DEFAULT_NAMESPACE, TOPICS, TopicSpec
from baton.engine.batch import Batch, Limits, Record
from baton.engine.changelog import HEAD, POSITION_KEY, split_entry_key, timer_of
from baton.engine.errors import OutOfOrder
from baton.engine.held_timers import AdoptionSweep, HeldTimers
from baton.engine.open_batch import OpenBatch
from baton.engine.records import BatchJournal, Did, JournalLine, Position
from baton.engine.reducer import Reducer, ReferenceBook
from baton.engine.reducer_runner import ReducerRunner
from baton.engine.store import MemoryStore, Store


class Core:
    """One task. ``topics`` and ``codecs`` can be replaced for reducers that are not in the catalogue (tests).

    ``measures``: by topic, what a fact counts as; without it nothing is measured (simulations, rebuilds).
    """

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        book: ReferenceBook[Any],
        *,
        partition: int,
        partitions: int,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        topics: Mapping[str, TopicSpec] = TOPICS,
        codecs: Callable[[type], Any] = codec_for,
        namespace: str = DEFAULT_NAMESPACE,
        version: str = "0",
        measures: Measures = MappingProxyType({}),
        store: Store | None = None,
    ) -> None:
        self.reducer = reducer
        self.partition = partition
        self.number = 0
        """Number of the batch that was committed last; 0 before the first."""
        self.positions: dict[str, int] = {}
        """Next offset of each input."""
        self.adopted = ""
        """The agreement version that every key has adopted, as far as a sweep was finished."""
        self._book = book
        self._limits = limits
        self._store: Store = MemoryStore() if store is None else store
        self._held_timers = HeldTimers(holds=bool(reducer.upstream))
        self._own = {Position: codecs(Position), BatchJournal: codecs(BatchJournal)}
        self._run = ReducerRunner(
            reducer,
            book,
            self._store,
            self._held_timers,
            partition=partition,
            partitions=partitions,
            limits=limits,
            topics=topics,
            codecs=codecs,
            namespace=namespace,
            version=version,
            measures=measures,
        )
        self._sweep: AdoptionSweep | None = None
        self._position: Position | None = None
        self._open_batch: OpenBatch | None = None

    @property
    def now(self) -> int:
        """Log time of the task in ms; never runs backwards."""
        return self._run.now

    # ------------------------------------------------------------------ restoring

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the changelog, in offset order; a later one replaces an earlier one of the same key."""
        if key[0] == HEAD:
            name = key[1:].decode()
            self._store.set_head(name, value)
            self._held_timers.set(name, None if value is None else timer_of(value), self._run.now)
        elif key == POSITION_KEY:
            self._position = None if value is None else self._own[Position].decode(value)
        else:
            self._store.set_entry(*split_entry_key(key), value)

    def restored(self) -> Position | None:
        """The changelog has been read to its end. Gives the position record (None: this task never committed a batch), which
        the host compares with the committed offsets (:func:`baton.engine.position.disagreement`)."""
        found = self._position
        if found is not None:
            self._run.now, self.number, self.adopted = found.now_ms, found.batch, found.adopted
            self.positions = dict(found.offsets)
        if self.reducer.upstream:
            self._held_timers.hold(self.now)
        self._sweep = None
        return found

    # ------------------------------------------------------------------ what a host may ask

    def standing(self) -> list[Amount]:
        """What every key stands at, where the reducer tells it: for gauges after a restore."""
        return list(self._run.standing_of_all())

    @property
    def waits_for_reference(self) -> bool:
        """Nothing was ever published on the reference topics: the task must not take anything yet."""
        return self._book.at(self.now) is None

    @property
    def next_due(self) -> int | None:
        """When the next timer that is not held is due (ms), or None. May be in the past: then ``advance(now)`` fires it."""
        return self._held_timers.timers.next_due()

    @property
    def timers(self) -> int:
        """How many timers there are, the held ones included."""
        return len(self._held_timers.timers) + len(self._held_timers.held)

    @property
    def keys(self) -> int:
        """How many keys have a state."""
        return len(self._store)

    @property
    def held(self) -> int:
        """How many timers are due but wait for the proof of the upstream (reducers with ``upstream`` only)."""
        return len(self._held_timers.held)

    @property
    def oldest_held(self) -> int | None:
        """Due time of the oldest held timer; a proof up to :attr:`now` covers every held one."""
        return min(self._held_timers.held.values(), default=None)

    @property
    def adopting(self) -> bool:
        """Whether some key may still live under an older agreement: call :meth:`adopt_slice` in each batch."""
        if not self.reducer.adopts:
            return False
        reference = self._book.at(self.now)
        return reference is not None and self.reducer.editions(reference)[-1] != self.adopted

    def changes_by(self, now: int) -> bool:
        """Whether at log time ``now`` a timer would be due or another agreement in force: worth asking for the time."""
        due = self.next_due
        if due is not None and due <= now:
            return True
        before, then = self._book.at(self.now), self._book.at(now)
        if not self.reducer.adopts or before is None or then is None:
            return False
        return self.reducer.editions(before) != self.reducer.editions(then)

    def reached(self, ends: Mapping[str, int]) -> bool:
        """Whether this task has processed its inputs up to ``ends`` (next offsets), the open batch included."""
        return all(self.positions.get(topic, 0) >= end for topic, end in ends.items())

    @property
    def full(self) -> bool:
        """The open batch has reached its limits: seal it."""
        open_batch = self._opened()
        return len(open_batch.outgoing) + len(open_batch.key_states) >= self._limits.outputs

    # ------------------------------------------------------------------ one batch

    def begin(self, made_at_ms: int, reference_offsets: Mapping[str, int] | None = None) -> None:
        """Open a batch. ``made_at_ms``: the worker's clock, for the header of that name only. ``reference_offsets``: how far the
        reference topics were read when it began."""
        if self._open_batch is not None:
            raise RuntimeError("a batch is open: seal and commit it, or discard it, before the next begins")
        self._open_batch = OpenBatch(
            now=self.now,
            positions=self.positions,
            adopted=self.adopted,
            reference=reference_offsets or {},
            wakes_left=self._limits.wakes,
        )
        self._run.look_up(made_at_ms)

    def process(self, topic: str, record: Record) -> bool:
        """Process one record: fire what is due by then, adopt if its key lags, step.

        False: it was *not* taken because the batch is full; seal, commit, and offer it again. Raises :class:`ReducerFailed`
        (then only :meth:`discard` is allowed) and :class:`OutOfOrder` for a record behind the position."""
        open_batch = self._opened()
        if len(open_batch.outgoing) + len(open_batch.key_states) >= self._limits.outputs:
            return False
        if self._run.reference is None:
            raise RuntimeError("nothing is agreed yet: ask waits_for_reference before taking records")
        offset, at_ms = record.offset, record.timestamp
        if offset < self.positions.get(topic, 0):
            raise OutOfOrder(f"{self.reducer.name}[{self.partition}] was handed {topic}@{offset} a second time")
        if self._held_timers.timers.floor <= at_ms and not self._fire_due(open_batch, at_ms, None):
            return False
        self._run.move(at_ms)
        self._run.step(open_batch, topic, record)
        self.positions[topic] = offset + 1
        open_batch.notes.took(topic, offset)
        return True

    def pass_over(self, topic: str, position: int) -> None:
        """The input's position moved on over what holds no record (transaction markers), or this is a first start, there."""
        self._opened().notes.add(JournalLine(did=Did.PASS, topic=topic, last=position))
        self.positions[topic] = position

    def advance(self, to_ms: int, limit: int | None = None) -> bool:
        """Move time on without a record and fire what is due by then; False: not all of it, the batch is full.

        ``limit`` is for rebuilds: fire only so many, and leave time at the last of them."""
        open_batch = self._opened()
        before = open_batch.counts.wakes
        if not self._fire_due(open_batch, to_ms, limit):
            return False
        if to_ms > self.now or open_batch.counts.wakes != before:
            self._run.move(to_ms)
            open_batch.notes.add(JournalLine(did=Did.ADVANCE, at_ms=to_ms))
        return True

    def fire_held(self, up_to_ms: int, *, proven: bool, limit: int | None = None) -> bool:
        """Wake the held timers that are still due at or before ``up_to_ms``, in order of (due, key); False: the batch is full.

        To be called when every group upstream has committed past what was appended before ``up_to_ms`` and this task has itself
        reached the ends listed last; or after the limit with ``proven=False``. What a wake asks for again falls under the same
        proof, but is not asked again without one. ``limit`` is for rebuilds."""
        open_batch = self._opened()
        due_queue = self._held_timers.held_by(up_to_ms)
        fired = 0
        while (found := due_queue.pop()) is not None:
            if fired == limit or self._no_room(open_batch):
                due_queue.put_back(*found)
                break
            woke = self._run.wake(open_batch, *found, proven=proven)
            fired += 1
            if proven or not woke:
                due_queue.again(found[1])
        if fired:
            open_batch.notes.add(JournalLine(did=Did.FIRE, at_ms=up_to_ms, count=fired, proven=proven))
        return found is None

    def adopt_slice(self, limit: int) -> int:
        """Let the next keys (at most ``limit``) adopt the agreement in force; how many did."""
        open_batch = self._opened()
        if not self.adopting:
            return 0
        version = self._run.editions[-1]
        if self._sweep is None or self._sweep.version != version:
            keys = {*self._store.keys(), *open_batch.key_states}  # some may have come in this batch, before the change
            self._sweep = AdoptionSweep(
                version, keys, lambda key: self._run.lags(self._opened(), key), new=self._run.new_keys(open_batch)
            )
        adopted = 0
        while adopted < limit and not self.full and (key := self._sweep.next()) is not None:
            self._run.adopt(open_batch, key)
            adopted += 1
        if self._sweep.done:
            self.adopted = version
        if adopted or self.adopted == version:
            open_batch.notes.add(JournalLine(did=Did.ADOPT, count=adopted))
        return adopted

    def skip(self, place: str) -> None:
        """Leave out what runs at ``place`` (see :class:`ReducerFailed`) when it comes up; the journal will say so."""
        self._run.skips.add(place)

    def seal(self) -> Batch | None:
        """Close the batch and encode it. None where nothing happened."""
        open_batch = self._opened()
        if not len(open_batch.notes):
            return None
        changelog: list[tuple[bytes, bytes | None]] = []
        for key_state in open_batch.key_states.values():
            try:
                changelog.extend(key_state.seal())
            except Exception as error:  # noqa: BLE001 - whatever is wrong with the state, the key's last step made it so
                raise self._run.failed(key_state.place, error) from None
        for amount in self._run.standing(open_batch):
            open_batch.measure(amount)
        position = Position(
            batch=self.number + 1,
            now_ms=self.now,
            offsets=dict(self.positions),
            reference=open_batch.reference,
            adopted=self.adopted,
        )
        return open_batch.sealed(position, changelog, self._own)

    def commit(self) -> None:
        """The transaction is committed: the overlay becomes the state."""
        for key_state in self._opened().key_states.values():
            key_state.commit()
        self.number += 1
        self._open_batch = None

    def discard(self) -> None:
        """The transaction failed or will not be tried: forget the batch; the task is as it was before :meth:`begin`."""
        open_batch = self._opened()
        self._run.now, self.positions, self.adopted = open_batch.now, open_batch.positions, open_batch.adopted
        for key_state in open_batch.key_states.values():
            self._held_timers.set(key_state.key, key_state.base_wake, self.now)
        self._held_timers.release(self.now)
        self._sweep = None  # it may have been made from what this batch had changed
        self._open_batch = None

    # ------------------------------------------------------------------ inside

    def _opened(self) -> OpenBatch:
        if self._open_batch is None:
            raise RuntimeError("no batch is open: begin one first")
        return self._open_batch

    def _no_room(self, open_batch: OpenBatch) -> bool:
        return open_batch.wakes_left <= 0 or len(open_batch.outgoing) + len(open_batch.key_states) >= self._limits.outputs

    def _fire_due(self, open_batch: OpenBatch, to_ms: int, limit: int | None) -> bool:
        timers = self._held_timers.timers
        if self.reducer.upstream:
            self._held_timers.hold(to_ms)
            return True
        fired = 0
        while timers.floor <= to_ms:
            if fired == limit or self._no_room(open_batch):
                if fired:
                    open_batch.notes.add(JournalLine(did=Did.WAKE, at_ms=to_ms, count=fired))
                return False
            found = timers.pop(to_ms)
            if found is None:
                break
            self._run.move(found[0])
            self._run.wake(open_batch, *found, proven=True)
            fired += 1
        return True
