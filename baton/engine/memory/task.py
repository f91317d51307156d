"""One task on the log in memory, in the same order as on Kafka: fence, restore, check, batches; it
can crash anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from baton.contracts.topics import changelog_topic, consumer_group, journal_topic
from baton.engine.batch import Batch
from baton.engine.core import Core
from baton.engine.errors import EngineError, ReducerFailed, StateMismatch
from baton.engine.input_merge import InputMerge
from baton.engine.memory.crashes import Aborted, Moment
from baton.engine.memory.kept_state import StaleStore, read_changelog_into
from baton.engine.memory.log import MemoryLog, Stored
from baton.engine.position import disagreement
from baton.engine.reducer import Reducer, ReferenceBook
from baton.engine.task_config import TaskConfig

T = TypeVar("T")

_FETCH = 500


class MemoryTask:
    """A reducer on one partition. ``hook`` is called at every :class:`Moment` and may raise
    :class:`Crash` or :class:`Aborted`.

    ``sees``: a bound on the offsets it can see of an input, to delay one partition against another;
    absent: all.
    """

    def __init__(
        self,
        reducer: Reducer[Any, Any],
        partition: int,
        log: MemoryLog,
        book: ReferenceBook[Any],
        config: TaskConfig,
        *,
        hook: Callable[[Moment], None] = lambda moment: None,
    ) -> None:
        self.reducer, self.partition, self.hook = reducer, partition, hook
        self.sees: dict[str, int] = {}
        self.skips: set[str] = set()
        self.failed: Exception | None = None
        self._log, self._book = log, book
        self._config = config
        self._group = consumer_group(config.namespace, reducer.name)
        self._own = {
            "changelog": changelog_topic(reducer.name),
            "journal": journal_topic(reducer.name),
        }
        self._core: Core | None = None
        self._merge = InputMerge(reducer.inputs)
        self._inputs = {topic: log.records(topic, partition) for topic in reducer.inputs}
        self._changelog = log.records(self._own["changelog"], partition)
        self._reference = {topic: log.records(topic, 0) for topic in book.topics}
        self._fetched: dict[str, int] = {}
        self._epoch = 0
        self._agreed = False

    @property
    def alive(self) -> bool:
        """Whether it has a memory."""
        return self._core is not None

    @property
    def running(self) -> bool:
        """Whether it has a memory and no failure."""
        return self._core is not None and self.failed is None

    @property
    def ready(self) -> bool:
        """Whether it is running and a reference was published."""
        if self._core is None or self.failed is not None:
            return False
        if not self._agreed:
            self._agreed = not self._core.waits_for_reference
        return self._agreed

    @property
    def core(self) -> Core:
        """Its core; raises RuntimeError while it is down."""
        if self._core is None:
            raise RuntimeError(f"{self.reducer.name}[{self.partition}] is not running")
        return self._core

    # ------------------------------------------------------------------ start and crash

    def start(self) -> None:
        """Fence former owners, restore, check. Raises :class:`StateMismatch`."""
        self.failed, self._agreed = None, False
        self._epoch = self._log.fence(f"{self._group}-{self.partition}")
        core = self._restored(self.new_core())
        self._core, self._merge = core, InputMerge(self.reducer.inputs)
        self._fetched = dict(core.positions)
        new = [topic for topic in self.reducer.inputs if topic not in core.positions]
        if new:
            self._batch(lambda: self._begin_at_zero(new))

    def _restored(self, core: Core) -> Core:
        try:
            self._restore(core)
        except StaleStore:
            core.store.close(erase=True)
            return self._restored(self.new_core())
        except BaseException:
            core.store.close()
            raise
        return core

    def _restore(self, core: Core) -> None:
        position_at = read_changelog_into(
            core, self._changelog, lambda: self.hook(Moment.RESTORING)
        )
        position = core.restored()
        committed, metadata = self._log.committed(self._group, self.partition)
        wrong = disagreement(
            position, self.reducer.inputs, dict(committed), dict.fromkeys(committed, metadata)
        )
        if wrong is not None:
            raise StateMismatch(f"{self.reducer.name}[{self.partition}]: {wrong}")
        for place in self.skips:
            core.skip(place)
        core.keep(position_at)

    def new_core(self) -> Core:
        """The state machine, before its state is restored."""
        return Core(
            self.reducer,
            self._book,
            self._config,
            partition=self.partition,
            store=self._config.open_store(self.reducer, self.partition),
        )

    def _begin_at_zero(self, topics: list[str]) -> None:
        for topic in topics:
            self.core.pass_over(topic, 0)
            self._fetched[topic] = 0

    def crash(self) -> None:
        """Lose the memory, the open batch included; what is committed stays."""
        if self._core is not None:
            self._core.store.close()
        self._core = None

    # ------------------------------------------------------------------ work

    def unread(self) -> bool:
        """Whether there are records it can see and has not processed."""
        positions = self.core.positions
        for topic, records in self._inputs.items():
            if len(records) > positions[topic] and (
                not self.sees or self._end(topic) > positions[topic]
            ):
                return True
        return False

    def next_records(self) -> Iterator[Stored]:
        """The first unread record of every input that has one."""
        for topic, records in self._inputs.items():
            yield from records[self.core.positions[topic] :][:1]

    def changes_by(self, now: int) -> bool:
        """As :meth:`baton.engine.core.Core.changes_by`."""
        return self.core.changes_by(now)

    def drained(self) -> bool:
        """Whether it has committed past everything in its inputs, seen or not."""
        committed, _ = self._log.committed(self._group, self.partition)
        return all(
            committed.get(topic, 0) >= len(records) for topic, records in self._inputs.items()
        )

    def work(self, limit: int = _FETCH) -> None:
        """One batch of at most ``limit`` records. A reducer that raises leaves the task
        :attr:`failed`, what was before it done."""
        self._fetch()
        self.hook(Moment.FETCHED)
        taken = 0

        def take() -> None:
            nonlocal taken
            taken = 0
            while (
                taken < limit
                and (found := self._merge.peek()) is not None
                and self.core.process(*found)
            ):
                self._merge.take()
                taken += 1

        while True:
            try:
                self._batch(take)
                return
            except ReducerFailed as error:
                if not taken:
                    self.failed = error
                    return
                limit = taken

    def advance(self) -> None:
        """Move its time to the log's, fire what is due, adopt; all of it, in as many batches as
        that takes."""
        now = self._log.now
        self._all(lambda: self.core.advance(now))
        if self.failed is None and self.core.adopting:
            self._all(lambda: self.core.adopt_slice(_FETCH) >= 0 and not self.core.adopting)

    def fire_held(self, *, proven: bool) -> None:
        """Move its time to the log's, and fire every timer that is then held."""
        now = self._log.now
        self._all(lambda: self.core.advance(now) and self.core.fire_held(now, proven=proven))

    def _all(self, act: Callable[[], bool]) -> None:
        """Run batches until ``act`` returns True; the task has :attr:`failed` if a reducer
        raises."""
        try:
            while self.failed is None and not self._batch(act):
                pass
        except ReducerFailed as error:
            self.failed = error

    def _batch(self, act: Callable[[], T]) -> T:
        """Run one batch of what ``act`` does, until it is committed."""
        core = self.core
        while True:
            core.begin(
                self._log.now, {topic: len(records) for topic, records in self._reference.items()}
            )
            at = len(self._changelog)
            try:
                done = act()
                batch = core.seal()
                self.hook(Moment.SEALED)
                if batch is not None:
                    self._commit(batch)
            except (ReducerFailed, Aborted) as error:
                core.discard()
                self._merge.rewind()
                if isinstance(error, ReducerFailed):
                    raise
                continue
            if batch is None:
                core.discard()
            else:
                self.hook(Moment.COMMITTED)
                core.commit(at)
            self._merge.commit()
            return done

    def _commit(self, batch: Batch) -> None:
        self._log.commit(self._group, self.partition, self._epoch, batch, **self._own)

    def _fetch(self) -> None:
        waiting = self._merge.count
        for topic in self.reducer.inputs:
            start, end = self._fetched[topic], self._end(topic)
            if not waiting and start != self.core.positions[topic]:
                raise EngineError(
                    f"{self.reducer.name}[{self.partition}] lost fetched records of {topic} before "
                    f"{start}"
                )
            if start < end:
                records = self._inputs[topic][start : min(end, start + _FETCH)]
                self._fetched[topic] = start + len(records)
                self._merge.add(topic, records)

    def _end(self, topic: str) -> int:
        end = len(self._inputs[topic])
        return min(end, self.sees.get(topic, end))
