"""The deterministic state machine of one task (reducer x partition): its state and timers; no
clock, no I/O, no asyncio.

A host (Kafka, the in-memory log, a rebuild) restores it from the changelog, passes in records and
moments, writes the sealed :class:`~baton.engine.batch.Batch` in one transaction and then calls
:meth:`Core.commit`, or :meth:`Core.discard` if that failed. Between the two the state itself is
untouched: everything that a batch does lies in an overlay, time and timers included, so after
``discard`` the same records can be tried again and give the same result.

The protocol, always in this order::

    restore(key, value) ... restored()    the whole changelog, or what is new since it was last held
    keep(at)                              state and log agree: a store on disk keeps what it read
    while running:
        begin(made_at_ms, reference_offsets)
        process / pass_over / advance / fire_held / adopt_slice    in any order; False: not all
        encode_slice() ... seal()         None: nothing happened, nothing to commit (then discard)
        <one transaction>
        commit()  or  discard()
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import merge
from itertools import islice

from baton.engine.batch import LOG_APPEND_TIME, Batch, Record
from baton.engine.changelog import HEAD, POSITION_KEY, split_entry_key, timer_of
from baton.engine.core_view import CoreView
from baton.engine.errors import OutOfOrder
from baton.engine.held_timers import AdoptionSweep
from baton.engine.open_batch import OpenBatch
from baton.engine.records import Did, JournalLine, Position
from baton.engine.store import Bookmark


class Core(CoreView):
    """One task: ``reducer`` on ``partition``."""

    # ------------------------------------------------------------------ restoring

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply one record of the changelog, in offset order; a later one replaces an earlier one
        of the same key."""
        if key == POSITION_KEY:
            self._position = value
            return
        if key[0] == HEAD:
            name = key[1:].decode()
            self._store.set_head(name, value)
            self._held_timers.set(name, None if value is None else timer_of(value), self._run.now)
        else:
            kind, name, item = split_entry_key(key)
            self._store.set_entry(kind, name, item, value)
        if self.reducer.has_gauge:
            self._store.set_gauged(name, True)

    def keep(self, at: int | None) -> None:
        """The restored state is that of the position record which lies at offset ``at`` of the
        changelog (None: there is none)."""
        if at is not None and self._position is not None:
            self._store.save(Bookmark(at=at, position=self._position))

    def restored(self) -> Position | None:
        """The changelog was read to its end. Gives the position record (None: this task never
        committed a batch), which the host compares with the committed offsets
        (:func:`baton.engine.position.disagreement`)."""
        value = self._position
        found: Position | None = None if value is None else self._own[Position].decode(value)
        if found is not None:
            self._run.now, self.number, self.adopted = found.now_ms, found.batch, found.adopted
            self.positions = dict(found.offsets)
        if self.reducer.upstream:
            self._held_timers.hold(self.now)
        self._sweep = None
        return found

    # ------------------------------------------------------------------ one batch

    def begin(self, made_at_ms: int, reference_offsets: Mapping[str, int] | None = None) -> None:
        """Open a batch. ``made_at_ms``: the worker's clock, for the header of that name only.
        ``reference_offsets``: how far the reference topics were read when it began."""
        if self._open_batch is not None:
            raise RuntimeError(
                "a batch is open: seal and commit it, or discard it, before the next begins"
            )
        self._open_batch = OpenBatch(
            now=self.now,
            positions=self.positions,
            adopted=self.adopted,
            reference=reference_offsets or {},
            wakes_left=self._limits.wakes,
        )
        self._run.refresh_reference(made_at_ms)

    def process(self, topic: str, record: Record, wakes: int | None = None) -> bool:
        """Process one record: fire what is due by then, adopt if its key lags, step.

        False: the record was *not* taken, because the batch is full, or because ``wakes`` timers
        fired first (the host may do something else meanwhile); offer it again. Raises
        :class:`ReducerFailed` (then only :meth:`discard` is allowed) and :class:`OutOfOrder` for a
        record behind the position. A record without log time does not move time."""
        open_batch = self._opened()
        if len(open_batch.outgoing) + len(open_batch.key_states) >= self._limits.outputs:
            return False
        if self._run.reference is None:
            raise RuntimeError(
                "nothing is agreed yet: ask waits_for_reference before processing records"
            )
        offset = record.offset
        if offset < self.positions.get(topic, 0):
            raise OutOfOrder(
                f"{self.reducer.name}[{self.partition}] was handed {topic}@{offset} a second time"
            )
        if record.timestamp_type == LOG_APPEND_TIME:
            at_ms = record.timestamp
            if self._held_timers.timers.floor <= at_ms and not self._fire_due(
                open_batch, at_ms, wakes
            ):
                return False
            self._run.move(at_ms)
        self._run.step(open_batch, topic, record)
        self.positions[topic] = offset + 1
        open_batch.journal.add_record(topic, offset)
        return True

    def pass_over(self, topic: str, position: int) -> None:
        """Set the input's position: it moved past transaction markers, or this is a first start, or
        a start after a loss."""
        self._opened().journal.add(JournalLine(did=Did.PASS, topic=topic, last=position))
        self.positions[topic] = position

    def advance(self, to_ms: int, limit: int | None = None) -> bool:
        """Move time on without a record and fire what is due by then; False: not all of it, the
        batch is full.

        After ``limit`` timers it returns False too, with time at the last of them; a rebuild stops
        at the same one."""
        open_batch = self._opened()
        before = open_batch.counts.wakes
        if not self._fire_due(open_batch, to_ms, limit):
            return False
        if to_ms > self.now or open_batch.counts.wakes != before:
            self._run.move(to_ms)
            open_batch.journal.add(JournalLine(did=Did.ADVANCE, at_ms=to_ms))
        return True

    def fire_held(self, up_to_ms: int, *, proven: bool, limit: int | None = None) -> bool:
        """Fire the held timers that are due at or before ``up_to_ms``, in order of (due, key);
        False: not all of them, the batch is full or ``limit`` of them fired.

        To be called when every group upstream has committed past what was appended before
        ``up_to_ms`` and this task has itself reached the ends listed last; or after the time limit
        with ``proven=False``. A time that a wake asks for falls under the same proof; without a
        proof it waits for the next call."""
        open_batch = self._opened()
        held = self._held_timers.held
        asked_again: list[tuple[str, int]] = []
        fired = 0
        while (found := held.pop(up_to_ms)) is not None:
            due, key = found
            if fired == limit or self._no_room(open_batch):
                held.set(key, due)
                break
            woke = self._run.wake(open_batch, due, key, proven=proven)
            fired += 1
            again = held.due(key)
            if woke and not proven and again is not None and again <= up_to_ms:
                held.set(key, None)
                asked_again.append((key, again))
        for key, again in asked_again:
            held.set(key, again)
        if fired:
            open_batch.journal.add(
                JournalLine(did=Did.FIRE, at_ms=up_to_ms, count=fired, proven=proven)
            )
        return found is None

    def adopt_slice(self, limit: int) -> int:
        """Let the next keys (at most ``limit``) adopt the agreement in force; gives how many
        did.

        A host asks :attr:`adopting` first; a rebuild follows journals in which a task adopted
        before it had a log time."""
        open_batch = self._opened()
        if not self._lags_at(self.now):
            return 0
        version = self._run.editions[-1]
        if self._sweep is None or self._sweep.version != version:
            new = self._run.new_keys(open_batch)
            # some may have come in this batch, before the change
            keys = merge(self._store.lagging(self._run.editions), sorted(open_batch.key_states))
            self._sweep = AdoptionSweep(
                version, keys, lambda key: self._run.lags(self._opened(), key), new=new
            )
        adopted = 0
        while adopted < limit and not self.full and (key := self._sweep.next()) is not None:
            self._run.adopt(open_batch, key)
            adopted += 1
        if self._sweep.done:
            self.adopted = version
        if adopted or self.adopted == version:
            open_batch.journal.add(JournalLine(did=Did.ADOPT, count=adopted))
        return adopted

    def skip(self, place: str) -> None:
        """Skip what runs at ``place`` (see :class:`ReducerFailed`) when it comes up; the journal
        records it."""
        self._run.skips.add(place)

    def encode_slice(self, limit: int) -> bool:
        """Encode the changed state of at most ``limit`` keys; True: all of it is encoded, and
        :meth:`seal` has little to do.

        Nothing else may happen in the batch from here on; only :meth:`seal`, :meth:`commit` and
        :meth:`discard` are allowed."""
        open_batch = self._begun()
        if open_batch.sealing is None:
            open_batch.sealing = iter(open_batch.key_states.values())
        count = 0
        for key_state in islice(open_batch.sealing, limit):
            count += 1
            try:
                open_batch.changelog.extend(key_state.seal())
                for amount in self._run.gauge_changes(key_state):
                    open_batch.measure(amount)
            except Exception as error:  # noqa: BLE001 - the key's last step made it so
                raise self._run.failed(key_state.place, error) from None
        return count < limit

    def seal(self) -> Batch | None:
        """Close the batch and encode what is left of it. None: nothing happened."""
        open_batch = self._begun()
        if not len(open_batch.journal):
            return None
        self.encode_slice(len(open_batch.key_states) + 1)
        position = Position(
            batch=self.number + 1,
            now_ms=self.now,
            offsets=dict(self.positions),
            reference=open_batch.reference,
            adopted=self.adopted,
        )
        return open_batch.sealed(position, self._own)

    def commit(self, at: int | None = None) -> None:
        """The transaction is committed: the overlay becomes the state. ``at``: the offset of the
        changelog at which the batch begins; a host whose stores may outlive it passes it."""
        open_batch = self._begun()
        for key_state in open_batch.key_states.values():
            key_state.commit()
            if key_state.gauged is not None:
                self._store.set_gauged(key_state.key, key_state.gauged)
        if open_batch.changelog and open_batch.changelog[-1][0] == POSITION_KEY:
            self._position = open_batch.changelog[-1][1]
        self.keep(at)
        self.number += 1
        self._open_batch = None

    def discard(self) -> None:
        """The transaction failed or will not be tried: forget the batch; the task is as it was
        before :meth:`begin`."""
        open_batch = self._begun()
        self._run.now, self.positions, self.adopted = (
            open_batch.now,
            open_batch.positions,
            open_batch.adopted,
        )
        for key_state in open_batch.key_states.values():
            self._held_timers.set(key_state.key, key_state.base_wake, self.now)
        self._held_timers.release(self.now)
        self._sweep = None  # it may have been made from what this batch had changed
        self._open_batch = None

    # ------------------------------------------------------------------ inside

    def _fire_due(self, open_batch: OpenBatch, to_ms: int, limit: int | None) -> bool:
        timers = self._held_timers.timers
        if self.reducer.upstream:
            self._held_timers.hold(to_ms)
            return True
        fired = 0
        # The limit is checked first: the floor is a guess that may differ between a restored task
        # and a rebuild of it.
        while fired != limit:
            if timers.floor > to_ms:
                return True
            if self._no_room(open_batch):
                break
            if (found := timers.pop(to_ms)) is None:
                return True
            self._run.move(found[0])
            self._run.wake(open_batch, *found, proven=True)
            fired += 1
        if fired:
            open_batch.journal.add(JournalLine(did=Did.WAKE, at_ms=to_ms, count=fired))
        return False
