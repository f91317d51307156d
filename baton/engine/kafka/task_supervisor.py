"""The supervision of one assigned partition: runs its task, and decides what follows when it ends by itself.

A task that was lost (fenced, or the brokers failed it) starts again from the beginning, after a backoff and only when the group's
coordinator says that it still gives the partition to this process in the current generation: two owners that start again whenever
they are fenced would fence each other for ever. A task that stopped waits for an order to skip what stopped it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from baton.engine.errors import EngineError, StateMismatch
from baton.engine.kafka.host_context import HostContext
from baton.engine.kafka.restore import RestoreStalled
from baton.engine.kafka.status import TaskState, TaskStatus
from baton.engine.kafka.task import Flooded, Task
from baton.engine.kafka.task_startup import Memory, StaleMemory
from baton.engine.kafka.transaction import TaskLost
from baton.engine.kafka.upstream_proof import UpstreamProof
from baton.engine.metrics import RESTARTS
from baton.engine.reducer import Reducer
from baton.logs import log_of

_FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.2, 10.0
_LIVED_WELL_S = 60.0


class TaskSupervisor:
    """One partition of a reducer, as long as the group assigns it. ``fatal`` is told what must stop the whole service."""

    def __init__(
        self,
        context: HostContext,
        reducer: Reducer[Any, Any],
        partition: int,
        consumer: AIOKafkaConsumer,
        upstream: UpstreamProof | None,
        memory: Memory | None,
        fatal: Callable[[Exception], None],
    ) -> None:
        self._context, self._reducer, self._partition = context, reducer, partition
        self._consumer, self._upstream, self._fatal = consumer, upstream, fatal
        self._log = log_of(__name__, reducer=reducer.name, partition=partition)
        self.status = TaskStatus(reducer=reducer.name, partition=partition)
        self.memory = memory
        self.failure: EngineError | None = None
        self.task: Task | None = None
        self._stopped = asyncio.Event()
        self._life = asyncio.create_task(self._live())

    async def leave(self, limit_s: float) -> None:
        """Finish or abort the open batch, close the producer, and end; what takes longer than the limit is cut off."""
        self._stopped.set()
        if self.task is not None:
            self.task.stop()
        await asyncio.wait([self._life], timeout=limit_s)
        self._life.cancel()
        await asyncio.gather(self._life, return_exceptions=True)

    def look(self) -> None:
        """Bring the status up to date."""
        if self.task is not None:
            self.task.look()

    async def _live(self) -> None:
        backoff_s = _FIRST_BACKOFF_S
        while not self._stopped.is_set():
            began = monotonic()
            try:
                await self._run_once()
            except Flooded as flooded:
                self._note(TaskState.STOPPED, flooded)
                self._fatal(flooded)
                return
            except StaleMemory as stale:
                self._log.warning("what was kept of the state is left: %s; reading all of the changelog", stale)
                self.memory = None
                await self._until_ours(_FIRST_BACKOFF_S)
            except EngineError as stopped:
                self._note(TaskState.STOPPED, stopped)
                if isinstance(stopped, StateMismatch):
                    self.memory = None
                await self._until_told(stopped)
            except Exception as lost:  # noqa: BLE001 - the one place where a lost task is caught; whatever it was, it starts again
                self._note(TaskState.LOST, lost)
                backoff_s = _FIRST_BACKOFF_S if monotonic() - began > _LIVED_WELL_S else min(backoff_s * 2, _LONGEST_BACKOFF_S)
                await self._until_ours(backoff_s)

    async def _run_once(self) -> None:
        if self.memory is None:
            self.memory = Memory(core=self._context.core(self._reducer, self._partition))
        self.failure = None
        await self._context.skips.known()
        self.task = Task(self._context, self._reducer, self._partition, self._consumer, self._upstream, self.memory, self.status)
        if not self._stopped.is_set():
            await self.task.run()

    async def _until_told(self, stopped: EngineError) -> None:
        place = getattr(stopped, "place", None)
        if place is None:
            await self._stopped.wait()
            return
        ordered = asyncio.ensure_future(self._context.skips.ordered(self._reducer.name, self._partition, place))
        leaving = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait([ordered, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ordered.cancel()
            leaving.cancel()

    async def _until_ours(self, backoff_s: float) -> None:
        """Return when the group's coordinator gives the partition to this process, or when it was told to leave."""
        RESTARTS.labels(self._reducer.name).inc()
        wanted = {(topic, self._partition) for topic in self._reducer.inputs}
        while not self._stopped.is_set():
            try:
                async with asyncio.timeout(backoff_s):
                    await self._stopped.wait()
            except TimeoutError:
                pass
            try:
                if wanted <= await self._context.cluster.assigned(self._reducer.name):
                    return
            except KafkaError as error:
                self._log.warning("asking who owns it: %s", type(error).__name__)

    def _note(self, state: TaskState, error: Exception) -> None:
        told = str(error) if isinstance(error, EngineError | TaskLost | RestoreStalled) else f"{type(error).__name__}: {error}"
        self.failure = error if isinstance(error, EngineError) else None
        self.status.state, self.status.reason = state, told
        self.status.place = getattr(error, "place", "")
        level = logging.ERROR if state is TaskState.STOPPED else logging.WARNING
        unforeseen = not isinstance(error, EngineError | KafkaError | TaskLost | RestoreStalled | TimeoutError | OSError)
        self._log.log(level, "%s: %s", state, told, exc_info=unforeseen)
