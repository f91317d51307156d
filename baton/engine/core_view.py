"""What a task holds, and what its host may ask of it: the half of :mod:`baton.engine.core` that
changes nothing.

Asked between any two calls of the core; what lies in an open batch counts as held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from baton.contracts.amounts import Amount
from baton.engine.held_timers import AdoptionSweep, HeldTimers
from baton.engine.open_batch import OpenBatch
from baton.engine.records import BatchJournal, Position
from baton.engine.reducer import Reducer, ReferenceBook
from baton.engine.reducer_runner import ReducerRunner
from baton.engine.store import MemoryStore, Store
from baton.engine.task_config import TaskConfig

_DEFAULTS = TaskConfig()


class CoreView:
    """State, time and timers of one task: ``reducer`` on ``partition``."""

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        book: ReferenceBook[Any],
        config: TaskConfig = _DEFAULTS,
        *,
        partition: int = 0,
        store: Store | None = None,
    ) -> None:
        self.reducer = reducer
        self.partition = partition
        self.number = 0
        """Number of the batch that was committed last; 0 before the first."""
        self.positions: dict[str, int] = {}
        """Next offset of every input."""
        self.adopted = ""
        """The agreement version that every key has adopted, as far as a sweep was finished."""
        self._book = book
        self._limits = config.limits
        self._store: Store = MemoryStore() if store is None else store
        self._held_timers = HeldTimers(bool(reducer.upstream), self._store.timers())
        self._own = {Position: config.codecs(Position), BatchJournal: config.codecs(BatchJournal)}
        self._run = ReducerRunner(reducer, book, self._store, self._held_timers, config, partition)
        self._sweep: AdoptionSweep | None = None
        bookmark = self._store.bookmark
        self._position: bytes | None = None if bookmark is None else bookmark.position
        self._open_batch: OpenBatch | None = None

    @property
    def now(self) -> int:
        """Log time of the task in ms; never runs backwards."""
        return self._run.now

    def gauges(self) -> Iterator[Amount]:
        """The reducer's gauge of every key, after a restore; to be consumed before anything
        changes."""
        return self._run.gauges()

    @property
    def waits_for_reference(self) -> bool:
        """Nothing was ever published on the reference topics: the task must not process anything
        yet."""
        return self._book.at(self.now) is None

    @property
    def next_due(self) -> int | None:
        """When the next timer that is not held is due (ms), or None. May be in the past: then
        ``advance(now)`` fires it."""
        return self._held_timers.timers.next_due()

    @property
    def timers(self) -> int:
        """Number of timers, the held ones included."""
        return len(self._held_timers)

    @property
    def keys(self) -> int:
        """Number of keys that have a state."""
        return len(self._store)

    @property
    def store(self) -> Store:
        """Where its state lies."""
        return self._store

    @property
    def held(self) -> int:
        """Number of timers that are due but wait for the proof of the upstream (reducers with
        ``upstream`` only)."""
        return len(self._held_timers.held)

    @property
    def oldest_held(self) -> int | None:
        """Due time of the oldest held timer; a proof up to :attr:`now` covers every held one."""
        return self._held_timers.held.next_due()

    @property
    def adopting(self) -> bool:
        """Whether some key may still live under an older agreement: call :meth:`adopt_slice` in
        every batch. False as long as a new task has no log time: a key that adopted then would
        exist since 1970."""
        return self.now > 0 and self._lags_at(self.now)

    def changes_by(self, now: int) -> bool:
        """Whether at log time ``now`` a timer would be due or another agreement in force, or a new
        task could adopt its first one: worth asking for the time."""
        due = self.next_due
        if due is not None and due <= now:
            return True
        if self.now <= 0:
            return now > 0 and self._lags_at(now)
        if not self.reducer.adopts:
            return False
        before, then = self._book.at(self.now), self._book.at(now)
        if before is then or before is None or then is None:
            return False
        return self.reducer.editions(before) != self.reducer.editions(then)

    def reached(self, ends: Mapping[str, int]) -> bool:
        """Whether this task has processed its inputs up to ``ends`` (next offsets), the open batch
        included."""
        return all(self.positions.get(topic, 0) >= end for topic, end in ends.items())

    @property
    def full(self) -> bool:
        """The open batch has reached its limits: seal it."""
        open_batch = self._opened()
        return len(open_batch.outgoing) + len(open_batch.key_states) >= self._limits.outputs

    @property
    def room_for_wakes(self) -> bool:
        """Whether another timer may fire in the open batch."""
        return not self._no_room(self._opened())

    def _lags_at(self, now: int) -> bool:
        """Whether the agreement in force at ``now`` is another than every key has adopted."""
        if not self.reducer.adopts:
            return False
        reference = self._book.at(now)
        return reference is not None and self.reducer.editions(reference)[-1] != self.adopted

    def _begun(self) -> OpenBatch:
        if self._open_batch is None:
            raise RuntimeError("no batch is open: begin one first")
        return self._open_batch

    def _opened(self) -> OpenBatch:
        """The open batch, for what changes it: once a key is encoded, a change to it would be
        committed in memory alone."""
        open_batch = self._begun()
        if open_batch.sealing is not None:
            raise RuntimeError("the batch is being sealed: commit or discard it first")
        return open_batch

    def _no_room(self, open_batch: OpenBatch) -> bool:
        return (
            open_batch.wakes_left <= 0
            or len(open_batch.outgoing) + len(open_batch.key_states) >= self._limits.outputs
        )
