"""One task on Kafka: a reducer and a partition, from fencing the former owner to closing the
producer.

A batch is one transaction; until it is committed, nothing of it is in the state. An error from
which a task cannot continue is raised: :class:`~baton.engine.errors.EngineError` stops it until an
operator acts, ``TaskLost`` and Kafka's errors ask for a new start.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic

from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from baton.engine.batch import Batch, append_time_ms
from baton.engine.dead_letters import Flood
from baton.engine.errors import EngineError, ReducerFailed
from baton.engine.kafka.batch_filler import BatchFiller
from baton.engine.kafka.batch_pause import Gathering
from baton.engine.kafka.failpoints import Point
from baton.engine.kafka.host_context import TaskContext
from baton.engine.kafka.idle_progress import IdleProgress
from baton.engine.kafka.input_buffer import InputBuffer
from baton.engine.kafka.status import TaskState, TaskStatus
from baton.engine.kafka.task_metrics import TaskMetrics
from baton.engine.kafka.task_startup import Memory, TaskStartup
from baton.engine.kafka.transaction import BatchAborted, Transactions

_REFERENCE_POLL_S = 0.1
_NOTHING_S = 0.02  # a batch in which nothing happened is not repeated at once
_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.05, 5.0
_UNWRITABLE = (MessageSizeTooLargeError, RecordListTooLargeError)
_GAUGES_A_LOOK = 256


class Flooded(EngineError):
    """So many external records are refused that the fault is more likely ours: the service
    stops."""


class Task:
    """Run it once with :meth:`run`; :meth:`stop` ends it after the open batch."""

    def __init__(self, context: TaskContext, memory: Memory, status: TaskStatus) -> None:
        host = context.host
        settings = host.settings
        self._context, self._host, self._settings = context, host, settings
        self._memory, self._status, self._core = memory, status, memory.core
        self._log = context.log(__name__)
        self._transactions = Transactions(context)
        self._woken = asyncio.Event()
        self._inputs = InputBuffer(context, arrived=self._woken.set)
        self._idle = IdleProgress(context, self._core, self._inputs, self._woken.set)
        self._filler = BatchFiller(
            self._core, self._inputs, self._idle, host.share, adopt_keys=settings.adopt_keys
        )
        self._flood = Flood(
            window=settings.dead_letter_window,
            ratio=settings.dead_letter_percent / 100,
            run=settings.dead_letter_run,
        )
        self._metrics = TaskMetrics(context.reducer.name, context.partition)
        self._patience_s = settings.merge_wait_ms / 1000
        self._gathering = Gathering(
            least_s=settings.gather_ms / 1000, most_s=settings.gather_limit_ms / 1000
        )
        self._stopping = False
        self._more = self._recommits = False
        self._restarts: dict[str, int] = {}
        self._cap: int | None = None
        self._backoff_s = 0.0
        self._failures = 0
        self._progress_at = monotonic()

    async def run(self) -> None:
        """Live until :meth:`stop` or an error."""
        try:
            self._set_state(TaskState.STARTING)
            began = monotonic()
            startup = TaskStartup(self._context, self._memory, self._metrics.restoring)
            starts = await startup.run(
                self._transactions, lambda: self._set_state(TaskState.RESTORING)
            )
            self._recommits, self._restarts = startup.recommits, startup.restarts
            self._metrics.restored(monotonic() - began, startup.records)
            await self._export_gauges()
            for place in self._context.skipped_places():
                self._core.skip(place)
            await self._wait_for_reference()
            self._inputs.start_at(starts)
            self._progress_at = monotonic()
            self._set_state(TaskState.RUNNING)
            await self._work()
        finally:
            self._metrics.remove()
            await self._transactions.close()

    def stop(self) -> None:
        """End when the open batch is committed or aborted."""
        self._stopping = True
        self._woken.set()

    def refresh(self) -> None:
        """Bring the status and the gauges up to date."""
        core, status = self._core, self._status
        status.batch, status.now_ms, status.on_disk = core.number, core.now, core.store.durable
        if status.state is TaskState.RUNNING:
            status.lag, status.held, status.adopting = self._inputs.lag(), core.held, core.adopting
            status.stalled_s = monotonic() - self._progress_at if self._inputs.count else 0.0
            status.stalled = status.stalled_s * 1000 > self._settings.session_timeout_ms
            waits = (
                f"no batch was committed for {status.stalled_s:.0f} s while records wait; see the "
                "worker's log"
            )
            status.reason = waits if status.stalled else ""
            behind_ms = self._host.clock.likely_ms() - core.now if status.lag else 0
            self._metrics.refresh(status, core, behind_ms, self._inputs.held_back())

    async def _export_gauges(self) -> None:
        """Set the reducer's gauge from the restored state, in slices."""
        async with self._host.share as share:
            for number, amount in enumerate(self._core.gauges(), start=1):
                self._metrics.add(amount)
                if not number % _GAUGES_A_LOOK:
                    await share.rest()

    async def _wait_for_reference(self) -> None:
        """Return when something was published on the reference topics; until then the task lives
        but is not ready."""
        self._set_state(TaskState.WAITING)
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
                await self._idle.ask()
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
        if self._more or self._recommits or self._restarts or self._core.adopting:
            return 0.0
        if not inputs.count:
            self._progress_at = monotonic()
            return self._idle.wait_s()
        if inputs.count >= self._settings.batch_records:
            return inputs.behind(self._patience_s)
        gather_s = self._gathering.until(inputs.waiting_since) - monotonic()
        return max(gather_s, inputs.behind(self._patience_s), 0.0)

    async def _sleep(self, wait_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._woken.wait()

    async def _batch(self) -> None:
        """Fill one batch, commit it, and take it into the state."""
        await self._await_reference()
        began = monotonic()
        self._core.begin(self._host.wall_ms(), self._host.reference.offsets)
        try:
            batch = await self._fill()
            if batch is None:
                self._core.discard()
                self._idle.commit()
                self._backoff_s = _NOTHING_S
                return
            sealed = monotonic()
            self._context.reached(Point.SEALED)
            if flood := self._flood.judge(batch.verdicts):
                raise Flooded(f"{self._context.name} stops the service: {flood}")
            began_at = await self._transactions.write(batch)
        except BaseException as error:  # noqa: BLE001 - judged, and raised again unless a retry may succeed
            self._core.discard()
            self._try_again(error)
            return
        self._memory.next_offset = self._memory.next_offset if began_at is None else began_at
        self._memory.own = batch.changelog[-1][1]
        self._core.commit(self._memory.next_offset)
        self._memory.size.committed(taken := self._inputs.taken)
        self._inputs.commit()
        self._idle.commit()
        self._flood.keep(batch.verdicts)
        self._failures, self._cap, self._recommits = 0, None, False
        self._restarts.clear()
        self._progress_at = now = monotonic()
        committed_s = now - sealed
        if taken:  # no record waits for a transaction that had none
            self._gathering.committed(now, committed_s)
        self._metrics.committed(batch, sealed - began, committed_s)
        self._context.reached(Point.FOLDED)

    async def _await_reference(self) -> None:
        """Return when everything is known that may be in force at the time of the next record."""
        newest_ms, reference = self._inputs.newest_ms, self._host.reference
        reference.observed(newest_ms)
        self._host.clock.at_least(newest_ms)
        if head := self._inputs.peek():
            await reference.wait_until_known(append_time_ms(head[1]))

    async def _fill(self) -> Batch | None:
        core = self._core
        self._context.reached(Point.TAKING)
        for topic, first in self._restarts.items():
            core.pass_over(topic, first)
        batch = await self._filler.fill(
            records=self._memory.size.records if self._cap is None else self._cap,
            records_only=self._cap is not None,
            decidable_ms=self._host.reference.decidable_ms,
            patience_s=self._patience_s,
            recommits=self._recommits,
        )
        self._more = self._filler.more
        return batch

    def _try_again(self, error: BaseException) -> None:
        """The batch was discarded: raise what ended it, unless a retry may succeed."""
        taken = self._inputs.rewind()
        self._more = True
        if not isinstance(error, ReducerFailed):
            self._memory.size.failed(taken)
        match error:
            case BatchAborted() if not isinstance(error.__cause__, _UNWRITABLE):
                self._failures += 1
                self._backoff_s = min(_FIRST_BACKOFF_S * 2**self._failures, _LONGEST_BACKOFF_S)
                self._metrics.aborted()
                self._log.warning("batch aborted (%s); retrying", error)
            case BatchAborted():
                raise EngineError(
                    f"{self._context.name}: a batch holds a record that no broker takes: {error}"
                ) from error
            case ReducerFailed() if (
                cap := taken if self._cap is None or taken < self._cap else taken // 2
            ):
                self._cap = cap  # what came before the failure is committed first
            case _:
                raise error

    def _set_state(self, state: TaskState) -> None:
        self._status.state, self._status.reason, self._status.place = state, "", ""
        self._status.stalled, self._status.stalled_s = False, 0.0
