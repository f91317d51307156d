"""All tasks of the flow computed again, one after the other or several processes side by side: no
task needs another.

A process has its own client and its own book of agreements; what it computes comes back in pieces,
so that neither side holds a task whole.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.context import SpawnContext
from multiprocessing.queues import Queue
from queue import Empty
from typing import Any

from baton.contracts.topic_names import LEADS_ACCEPTED
from baton.engine.reducer import Reducer
from baton.proof.audit.findings import Add, Finding
from baton.proof.audit.rebuilding import FactRow, Outcome, TaskAudit, read_book
from baton.proof.audit.source import KafkaSource, Source

_PIECE_ROWS = 5_000
_PIECES_WAITING = 16
_LOOK_S = 5.0

Recipe = tuple[Mapping[str, Any], str]


class ProcessEnded(RuntimeError):
    """A process that computes tasks ended before it was done."""


class Tasks:
    """``reducers`` of all services; each partition of each is a task."""

    def __init__(
        self,
        source: Source,
        reducers: Sequence[Reducer[Any, Any]],
        namespace: str,
    ) -> None:
        self._source, self._reducers, self._namespace = source, reducers, namespace
        self._places = [
            (number, partition)
            for number in range(len(reducers))
            for partition in range(_partitions(source))
        ]

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self._places)

    @contextmanager
    def begun(self, row: FactRow, add: Add, *, processes: int) -> Iterator[Computing]:
        """They are computed side by side by so many processes from now on, or one after the other
        when their outcomes are asked for; inside, what they come to."""
        recipe = self._source.recipe() if processes > 1 else None
        if recipe is None:
            yield Computing(self._one_by_one(row, add))
            return
        context = get_context("spawn")
        todo: Queue[tuple[int, int] | None] = context.Queue()
        done: Queue[Any] = context.Queue(_PIECES_WAITING)
        for place in (*self._largest_first(), *[None] * processes):
            todo.put(place)
        workers = _started(
            context, processes, (recipe, list(self._reducers), self._namespace, todo, done)
        )
        try:
            yield SideBySide(len(self._places), done, workers, row, add)
        finally:
            for worker in workers:
                worker.terminate()
                worker.join()

    def _one_by_one(self, row: FactRow, add: Add) -> Iterator[Outcome]:
        book = read_book(self._source)
        for number, partition in self._places:
            yield TaskAudit(
                self._source, self._reducers[number], partition, book, self._namespace
            ).run(row, add)

    def _largest_first(self) -> list[tuple[int, int]]:
        """So that no process is left with the largest when the others are done."""

        def records(place: tuple[int, int]) -> int:
            number, partition = place
            return sum(
                self._source.length((topic, partition), None)
                for topic in self._reducers[number].inputs
            )

        return sorted(self._places, key=records, reverse=True)


class Computing:
    """Tasks that are computed when their outcomes are asked for."""

    def __init__(self, outcomes: Iterator[Outcome]) -> None:
        self._outcomes = outcomes

    def look(self) -> None:
        """Take over what is done by now, without waiting."""

    def outcomes(self) -> Iterator[Outcome]:
        """Of each task what it came to, when it is done. Raises :class:`ProcessEnded`."""
        yield from self._outcomes


class SideBySide(Computing):
    """Tasks that ``workers`` compute meanwhile; they wait where nobody looks at what is done."""

    def __init__(
        self, tasks: int, done: Queue[Any], workers: Sequence[Any], row: FactRow, add: Add
    ) -> None:
        super().__init__(iter(()))
        self._left, self._done, self._workers, self._row, self._add = tasks, done, workers, row, add
        self._ended: deque[Outcome] = deque()

    def look(self) -> None:
        with suppress(Empty):
            while True:
                self._take(self._done.get_nowait())

    def outcomes(self) -> Iterator[Outcome]:
        while self._left or self._ended:
            if self._ended:
                yield self._ended.popleft()
            else:
                self._take(_next(self._done, self._workers))

    def _take(self, found: Any) -> None:
        match found:
            case Outcome():
                self._left -= 1
                self._ended.append(found)
            case Finding():
                self._add(found)
            case rows:
                for cells in rows:
                    self._row(*cells)


def _started(context: SpawnContext, processes: int, given: tuple[Any, ...]) -> list[Any]:
    workers = [context.Process(target=_work, args=given, daemon=True) for _ in range(processes)]
    for worker in workers:
        worker.start()
    return workers


def _next(done: Queue[Any], workers: Sequence[Any]) -> Any:
    while True:
        try:
            return done.get(timeout=_LOOK_S)
        except Empty:
            if any(worker.exitcode not in (None, 0) for worker in workers):
                raise ProcessEnded(
                    "a process that computed tasks again has ended; try with one: --processes 1"
                ) from None


def _partitions(source: Source) -> int:
    return source.partitions(LEADS_ACCEPTED)


def _work(
    recipe: Recipe,
    reducers: Sequence[Reducer[Any, Any]],
    namespace: str,
    todo: Queue[tuple[int, int] | None],
    done: Queue[Any],
) -> None:
    with closing(KafkaSource(*recipe)) as source:
        book = read_book(source)
        piece: list[tuple[str, str, int, bytes, bytes]] = []

        def row(*fact: Any) -> None:
            piece.append(fact)
            if len(piece) >= _PIECE_ROWS:
                done.put(piece.copy())
                piece.clear()

        while (place := todo.get()) is not None:
            number, partition = place
            outcome = TaskAudit(source, reducers[number], partition, book, namespace).run(
                row, done.put
            )
            done.put(piece.copy())
            piece.clear()
            done.put(outcome)
