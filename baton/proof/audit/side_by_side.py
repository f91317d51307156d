"""Several processes that share the work of an audit.

Each has its own client and its own book of agreements. What there is much of it leaves in the
folder of the spills, where all of them read; findings and outcomes come back.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Any

from baton.engine.reducer import Reducer
from baton.proof.audit.audit_scope import Scope
from baton.proof.audit.findings import Add, Finding, Report
from baton.proof.audit.rebuilding import Outcome
from baton.proof.audit.shared_work import Crew, Task, Work
from baton.proof.audit.source import KafkaSource, Source
from baton.proof.audit.spills import Spills

_WAITING = 64
_LOOK_S = 5.0


class ProcessEnded(RuntimeError):
    """A process of the audit ended before it was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bucket:
    """To be checked; ``number``: of the job in its stage."""

    number: int
    scope: Scope
    what: str
    bucket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What a process begins with."""

    recipe: tuple[Mapping[str, Any], str]
    reducers: Sequence[Reducer[Any, Any]]
    folder: Path
    buckets: int
    writer: int
    writers: int


@contextmanager
def crew_of(
    processes: int,
    source: Source,
    reducers: Sequence[Reducer[Any, Any]],
    namespace: str,
    spills: Spills,
    add: Add,
) -> Iterator[Crew]:
    """So many processes, if others can read what ``source`` does; they end with it. ``spills``
    has room for as many other writers."""
    recipe = source.recipe() if processes > 1 else None
    if recipe is None:
        yield Crew(source, reducers, namespace, spills, add)
        return
    context = get_context("spawn")
    todo: Queue[Task | _Bucket] = context.Queue()
    done: Queue[Any] = context.Queue(_WAITING)
    workers = []
    for writer in range(1, processes + 1):
        given = _Given(
            recipe=recipe,
            reducers=list(reducers),
            folder=spills.folder,
            buckets=spills.buckets,
            writer=writer,
            writers=spills.writers,
        )
        workers.append(context.Process(target=_work, args=(given, todo, done), daemon=True))
        workers[-1].start()
    crew = SideBySide(source, reducers, namespace, spills, add)
    crew.joined(todo, done, workers)
    try:
        yield crew
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


class SideBySide(Crew):
    """Raises :class:`ProcessEnded`."""

    _todo: Queue[Task | _Bucket]
    _done: Queue[Any]

    def joined(self, todo: Queue[Task | _Bucket], done: Queue[Any], workers: Sequence[Any]) -> None:
        """Who does what is put into ``todo``, and where they leave what it comes to."""
        self._todo, self._done, self._workers = todo, done, workers
        self._ended: deque[Outcome] = deque()
        self._reports: dict[int, Report] = {}

    def begin(self) -> int:
        number = super().begin()
        for task in sorted(self._tasks, key=self._records, reverse=True):
            self._todo.put(task)
        return number

    def _records(self, task: Task) -> int:
        """The largest task first, so that no process is left with it when the others are done."""
        number, partition = task
        return sum(
            self._source.length((topic, partition), None) for topic in self._reducers[number].inputs
        )

    def look(self) -> None:
        with suppress(Empty):
            while True:
                self._take(self._done.get_nowait())

    def outcomes(self) -> Iterator[Outcome]:
        for _ in self._tasks:
            while not self._ended:
                self._take(self._next())
            yield self._ended.popleft()

    def reports(self, scope: Scope, stage: Sequence[str]) -> Iterator[Report]:
        self._spills.flush()
        jobs = [(what, bucket) for what in stage for bucket in range(self._spills.buckets)]
        for number, (what, bucket) in enumerate(jobs):
            self._todo.put(_Bucket(number=number, scope=scope, what=what, bucket=bucket))
        for number in range(len(jobs)):
            while number not in self._reports:
                self._take(self._next())
            yield self._reports.pop(number)

    def _take(self, found: Any) -> None:
        match found:
            case Outcome():
                self._ended.append(found)
            case Finding():
                self._add(found)
            case number, report:
                self._reports[number] = report

    def _next(self) -> Any:
        while True:
            try:
                return self._done.get(timeout=_LOOK_S)
            except Empty:
                if any(worker.exitcode is not None for worker in self._workers):
                    raise ProcessEnded(
                        "a process that shared the audit has ended; try with one: --processes 1"
                    ) from None


def _work(given: _Given, todo: Queue[Task | _Bucket], done: Queue[Any]) -> None:
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)  # records are let go by the million, and have no cycles
    spills = Spills(given.folder, buckets=given.buckets, writer=given.writer, writers=given.writers)
    with closing(KafkaSource(*given.recipe)) as source, spills:
        work = Work(source, given.reducers, given.recipe[1], spills, done.put)
        while True:
            job = todo.get()
            found: Any
            if isinstance(job, _Bucket):
                found = job.number, work.check(job.scope, job.what, job.bucket)
            else:
                found = work.compute(job)
            spills.flush()
            done.put(found)
