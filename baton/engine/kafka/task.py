"""One task on Kafka: a reducer and a partition, from fencing the former owner to closing the producer.

A batch is one transaction; until it is committed nothing of it is in the state. What a task cannot go on from it raises:
:class:`~baton.engine.errors.EngineError` stops it until somebody looks, ``TaskLost`` and Kafka's errors want a new start.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from baton.engine.batch import Batch
from baton.engine.dead_letters import Flood
from baton.engine.errors import EngineError, ReducerFailed
from baton.engine.kafka.failpoints import Point, reached
from baton.engine.kafka.host_context import HostContext
from baton.engine.kafka.idle_progress import IdleProgress
from baton.engine.kafka.input_buffer import InputBuffer
from baton.engine.kafka.status import TaskState, TaskStatus
from baton.engine.kafka.task_metrics import TaskMetrics
from baton.engine.kafka.task_startup import Memory, TaskStartup
from baton.engine.kafka.transaction import BatchAborted, Transactions
from baton.engine.kafka.upstream_proof import UpstreamProof
from baton.engine.reducer import Reducer
from baton.logs import log_of

_YIELD_EVERY = 256
_REFERENCE_POLL_S = 0.1
_NOTHING_S = 0.02  # a batch that came to nothing is not made again at once
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.05, 5.0
_UNWRITABLE = (MessageSizeTooLargeError, RecordListTooLargeError)


class Flooded(EngineError):
    """So much of what the outside sends is refused that we must be what is broken: the service stops."""


class Task:
    """Run it once with :meth:`run`; :meth:`stop` ends it after the open batch."""

    def __init__(
        self,
        context: HostContext,
        reducer: Reducer[Any, Any],
        partition: int,
        consumer: AIOKafkaConsumer,
        upstream: UpstreamProof | None,
        memory: Memory,
        status: TaskStatus,
    ) -> None:
        settings = context.settings
        self._context, self._reducer, self._partition = context, reducer, partition
        self._memory, self._status, self._core = memory, status, memory.core
        self._name = f"{reducer.name}[{partition}]"
        self._log = log_of(__name__, reducer=reducer.name, partition=partition)
        self._transactions = Transactions(context.cluster, reducer.name, partition)
        self._woken = asyncio.Event()
        self._inputs = InputBuffer(
            consumer,
            context.cluster,
            reducer.name,
            reducer.inputs,
            partition,
            limit=settings.buffer_records,
            arrived=self._woken.set,
        )
        self._idle = IdleProgress(context, reducer, partition, self._core, self._inputs, upstream, self._woken.set)
        self._flood = Flood(
            window=settings.dead_letter_window, ratio=settings.dead_letter_percent / 100, run=settings.dead_letter_run
        )
        self._measures = TaskMetrics(reducer.name, partition)
        self._gather_s, self._patience_s = settings.gather_ms / 1000, settings.merge_wait_ms / 1000
        self._stopping = False
        self._more = self._mends = False
        self._cap: int | None = None
        self._backoff_s = 0.0
        self._failures = 0

    async def run(self) -> None:
        """Live until :meth:`stop` or an error."""
        try:
            self._say(TaskState.STARTING)
            began = monotonic()
            startup = TaskStartup(self._context, self._reducer, self._partition, self._memory, self._measures.restoring)
            starts = await startup.run(self._transactions, lambda: self._say(TaskState.RESTORING))
            self._mends = startup.mends
            self._measures.restored(monotonic() - began, self._core.standing())
            for place in self._context.skips.places(self._reducer.name, self._partition):
                self._core.skip(place)
            await self._reference()
            self._inputs.start_at(starts)
            self._say(TaskState.RUNNING)
            await self._work()
        finally:
            self._measures.left()
            await self._transactions.close()

    def stop(self) -> None:
        """End when the open batch is committed or aborted."""
        self._stopping = True
        self._woken.set()

    def look(self) -> None:
        """Bring the status and the gauges up to date."""
        core, status = self._core, self._status
        status.batch, status.now_ms = core.number, core.now
        if status.state is TaskState.RUNNING:
            status.lag, status.held, status.adopting = self._inputs.lag(), core.held, core.adopting
            behind_ms = self._context.clock.likely_ms() - core.now if status.lag else 0
            self._measures.looked(status, core.keys, core.timers, behind_ms, self._inputs.held_back())

    async def _reference(self) -> None:
        """Return when something was published on the reference topics; until then the task lives but is not ready."""
        self._say(TaskState.WAITING)
        while self._core.waits_for_reference and not self._stopping:
            self._woken.clear()
            await self._sleep(_REFERENCE_POLL_S)

    async def _work(self) -> None:
        fetching = asyncio.create_task(self._inputs.fetch())
        fetching.add_done_callback(lambda _: self._woken.set())
        try:
            while not self._stopping:
                if fetching.done():
                    fetching.result()
                await self._idle.look()
                self._woken.clear()
                if self._backoff_s:
                    await asyncio.sleep(self._backoff_s)
                    self._backoff_s = 0.0
                elif wait_s := self._wait_s():
                    await self._sleep(wait_s)
                else:
                    await self._batch()
        finally:
            fetching.cancel()
            self._idle.close()
            await asyncio.gather(fetching, return_exceptions=True)

    def _wait_s(self) -> float:
        """How long until a batch is worth making; 0: now."""
        inputs = self._inputs
        if self._more or self._mends or self._core.adopting:
            return 0.0
        if not inputs.count:
            return self._idle.wait_s()
        if inputs.count >= self._context.settings.batch_records:
            return inputs.behind(self._patience_s)
        gather_s = inputs.waiting_since + self._gather_s - asyncio.get_running_loop().time()
        return max(gather_s, inputs.behind(self._patience_s), 0.0)

    async def _sleep(self, wait_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._woken.wait()

    async def _batch(self) -> None:
        """Fill one batch, commit it, and take it into the state."""
        await self._know()
        began = monotonic()
        self._core.begin(self._context.wall_ms(), self._context.reference.offsets)
        try:
            batch = await self._fill()
            if batch is None:
                self._core.discard()
                self._idle.settle()
                self._backoff_s = _NOTHING_S
                return
            sealed = monotonic()
            self._reached(Point.SEALED)
            if flood := self._flood.judge(batch.verdicts):
                raise Flooded(f"{self._name} stops the service: {flood}")
            began_at = await self._transactions.write(batch)
        except BaseException as error:  # noqa: BLE001 - judged, and raised again unless it may go better the next time
            self._core.discard()
            self._try_again(error)
            return
        self._core.commit()
        self._inputs.settle()
        self._idle.settle()
        self._flood.keep(batch.verdicts)
        self._failures, self._cap, self._mends = 0, None, False
        self._memory.next_offset = self._memory.next_offset if began_at is None else began_at
        self._memory.own = batch.changelog[-1][1]
        self._measures.committed(batch, sealed - began, monotonic() - sealed)
        self._reached(Point.FOLDED)

    async def _know(self) -> None:
        """See to it that what may count by the time of the next record is known."""
        newest_ms, reference = self._inputs.newest_ms, self._context.reference
        reference.saw(newest_ms)
        self._context.clock.passed(newest_ms)
        if head := self._inputs.peek():
            await reference.know(head[1].timestamp)

    async def _fill(self) -> Batch | None:
        core = self._core
        self._reached(Point.TAKING)
        self._more = not await self._take_records(self._cap or self._context.settings.batch_records)
        for topic, stands in self._inputs.stands().items():
            if stands > core.positions.get(topic, -1):
                core.pass_over(topic, stands)
        if self._mends:  # also where nothing comes: others wait for the offsets of this group
            for topic, stands in core.positions.items():
                core.pass_over(topic, stands)
        if self._cap is None and not core.full:  # also where more records wait: they must not starve timers and adoption
            self._more = not self._idle.fill() or self._more
            if core.adopting and not core.full:
                core.adopt_slice(self._context.settings.adopt_keys)
        return core.seal()

    async def _take_records(self, limit: int) -> bool:
        """Take what is here, in order. False: there is more that could be taken at once."""
        inputs, take = self._inputs, self._core.process
        decidable_ms = self._context.reference.decidable_ms
        for number in range(1, limit + 1):
            head = inputs.peek()
            if head is None:
                return True
            topic, record = head
            if record.timestamp > decidable_ms or not take(topic, record):
                return False
            if inputs.take(topic) and inputs.behind(self._patience_s) > 0:
                return True
            if not number % _YIELD_EVERY:
                await asyncio.sleep(0)
        return False

    def _try_again(self, error: BaseException) -> None:
        """The batch came to nothing: raise what ended it, unless it may go better the next time."""
        taken = self._inputs.rewind()
        self._more = True
        match error:
            case BatchAborted() if not isinstance(error.__cause__, _UNWRITABLE):
                self._failures += 1
                self._backoff_s = min(_FIRST_BACKOFF_S * 2**self._failures, _LONGEST_BACKOFF_S)
                self._measures.aborted()
                self._log.warning("a batch was aborted (%s); trying again", error)
            case BatchAborted():
                raise EngineError(f"{self._name}: a batch holds a record that no broker takes: {error}") from error
            case ReducerFailed() if cap := taken if self._cap is None or taken < self._cap else taken // 2:
                self._cap = cap  # what came before it is committed first
            case _:
                raise error

    def _say(self, state: TaskState) -> None:
        self._status.state, self._status.reason, self._status.place = state, "", ""

    def _reached(self, point: Point) -> None:
        reached(point, self._reducer.name, self._partition)
