"""Supervises one assigned partition: runs its task, and decides what follows when it ends by
itself.

A task that was lost (fenced, or failed by the brokers) starts again, after a backoff and only if
the group's coordinator still assigns the partition to this process in the current generation: two
owners that start again whenever they are fenced would fence each other for ever. A task that
stopped waits for an order to skip what stopped it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from aiokafka.errors import KafkaError

from baton.engine.core import Core
from baton.engine.disk.state_directory import StateInUse
from baton.engine.errors import EngineError, StateMismatch
from baton.engine.kafka.batch_size import BatchSize
from baton.engine.kafka.host_context import TaskContext
from baton.engine.kafka.restore import RestoreStalled
from baton.engine.kafka.status import TaskState, TaskStatus
from baton.engine.kafka.task import Flooded, Task
from baton.engine.kafka.task_startup import Memory, StaleMemory
from baton.engine.kafka.transaction import TaskLost
from baton.engine.metrics import RESTARTS
from baton.engine.store import StoreFailed

_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.2, 10.0
_LIVED_WELL_S = 60.0


class TaskSupervisor:
    """One partition of a reducer, as long as the group assigns it. ``fatal`` is called with what
    must stop the whole service."""

    def __init__(
        self, context: TaskContext, memory: Memory | None, fatal: Callable[[Exception], None]
    ) -> None:
        self._context, self._fatal = context, fatal
        self._skips, self._reducer, self._partition = (
            context.host.skips,
            context.reducer.name,
            context.partition,
        )
        self._log = context.log(__name__)
        self.status = TaskStatus(reducer=self._reducer, partition=self._partition)
        self.memory = memory
        self.failure: EngineError | None = None
        self.task: Task | None = None
        self._stopped = asyncio.Event()
        self._life = asyncio.create_task(self._live())

    async def leave(self, limit_s: float) -> None:
        """Finish or abort the open batch, close the producer, and end; after the limit the task is
        cancelled."""
        self._stopped.set()
        if self.task is not None:
            self.task.stop()
        await asyncio.wait([self._life], timeout=limit_s)
        self._life.cancel()
        await asyncio.gather(self._life, return_exceptions=True)

    def forget(self, *, erase: bool = False) -> None:
        """Drop the task's state from memory; ``erase``: from disk too."""
        memory, self.memory = self.memory, None
        if memory is not None:
            memory.core.store.close(erase=erase)

    def refresh(self) -> TaskStatus:
        """The status, brought up to date."""
        if self.task is not None:
            self.task.refresh()
        return self.status

    async def _live(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while not self._stopped.is_set():
            began = monotonic()
            try:
                await self._run_once()
            except Flooded as flooded:
                self._set_state(TaskState.STOPPED, flooded)
                self._fatal(flooded)
                return
            except StaleMemory as stale:
                self._log.warning(
                    "discarding the kept state: %s; restoring from the whole changelog", stale
                )
                self.forget(erase=True)
                await self._wait_until_assigned(_FIRST_BACKOFF_S)
            except StoreFailed as failed:
                self._set_state(TaskState.LOST, failed)
                self.forget(erase=failed.damaged)
                backoff_s = min(backoff_s * 2, _LONGEST_BACKOFF_S)
                await self._wait_until_assigned(backoff_s)
            except EngineError as stopped:
                self._set_state(TaskState.STOPPED, stopped)
                if isinstance(stopped, StateMismatch):
                    self.forget()
                await self._wait_for_skip(stopped)
            except Exception as lost:  # noqa: BLE001 - the one place that catches a lost task; whatever it was, it starts again
                self._set_state(TaskState.LOST, lost)
                backoff_s = (
                    _FIRST_BACKOFF_S
                    if monotonic() - began > _LIVED_WELL_S
                    else min(backoff_s * 2, _LONGEST_BACKOFF_S)
                )
                await self._wait_until_assigned(backoff_s)

    async def _run_once(self) -> None:
        if self.memory is None:
            size = BatchSize(self._context.host.settings.batch_records)
            self.memory = Memory.of(await self._new_core(), size)
        self.failure = None
        await self._skips.known()
        self.task = Task(self._context, self.memory, self.status)
        if not self._stopped.is_set():
            await self.task.run()

    async def _new_core(self) -> Core:
        """A core whose store was opened in a thread, since the disk may take its time; if nobody
        waits for it any more, it is closed at once."""
        opening = asyncio.ensure_future(asyncio.to_thread(self._context.core))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close)
            raise

    async def _wait_for_skip(self, stopped: EngineError) -> None:
        place = getattr(stopped, "place", None)
        if place is None:
            await self._stopped.wait()
            return
        ordered = asyncio.ensure_future(self._skips.ordered(self._reducer, self._partition, place))
        leaving = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait([ordered, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ordered.cancel()
            leaving.cancel()

    async def _wait_until_assigned(self, backoff_s: float) -> None:
        """Return when the group's coordinator assigns the partition to this process, or when it has
        to leave."""
        RESTARTS.labels(self._reducer).inc()
        wanted = set(self._context.places)
        while not self._stopped.is_set():
            try:
                async with asyncio.timeout(backoff_s):
                    await self._stopped.wait()
            except TimeoutError:
                pass
            try:
                host = self._context.host
                name = host.settings.instance_id
                if wanted <= await host.cluster.assigned(self._reducer, name):
                    return
            except KafkaError as error:
                self._log.warning(
                    "cannot ask the coordinator who owns the partition: %s", type(error).__name__
                )

    def _set_state(self, state: TaskState, error: Exception) -> None:
        reason = (
            str(error)
            if isinstance(error, EngineError | TaskLost | RestoreStalled | StateInUse)
            else f"{type(error).__name__}: {error}"
        )
        self.failure = None
        if state is TaskState.STOPPED and isinstance(error, EngineError):
            self.failure = error
        self.status.state, self.status.reason = state, reason
        self.status.place = getattr(error, "place", "")
        level = logging.ERROR if state is TaskState.STOPPED else logging.WARNING
        unforeseen = not isinstance(
            error,
            EngineError
            | KafkaError
            | TaskLost
            | RestoreStalled
            | StateInUse
            | TimeoutError
            | OSError,
        )
        self._log.log(level, "%s: %s", state, reason, exc_info=unforeseen)


def _close(opening: asyncio.Future[Core]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().store.close()
