"""All tasks of the flow computed again, one after the other or several processes side by side: no
task needs another.

A process has its own client and its own book of agreements; what it computes comes back in pieces,
so that neither side holds a task whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.context import SpawnContext
from multiprocessing.queues import Queue
from queue import Empty
from typing import Any

from baton.agreement.reference import AgreementBook
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
        book: AgreementBook,
        namespace: str,
    ) -> None:
        self._source, self._reducers, self._book, self._namespace = (
            source,
            reducers,
            book,
            namespace,
        )
        self._places = [
            (number, partition)
            for number in range(len(reducers))
            for partition in range(_partitions(source))
        ]

    @property
    def number(self) -> int:
        """How many there are."""
        return len(self._places)

    def run(self, row: FactRow, add: Add, *, processes: int) -> Iterator[Outcome]:
        """Compute all of them, and give each one's outcome when it is done. Raises
        :class:`ProcessEnded`."""
        recipe = self._source.recipe() if processes > 1 else None
        if recipe is None:
            for number, partition in self._places:
                yield TaskAudit(
                    self._source, self._reducers[number], partition, self._book, self._namespace
                ).run(row, add)
        else:
            yield from self._side_by_side(recipe, processes, row, add)

    def _side_by_side(
        self, recipe: Recipe, processes: int, row: FactRow, add: Add
    ) -> Iterator[Outcome]:
        context = get_context("spawn")
        todo: Queue[tuple[int, int] | None] = context.Queue()
        done: Queue[Any] = context.Queue(_PIECES_WAITING)
        for place in (*self._places, *[None] * processes):
            todo.put(place)
        workers = _started(
            context, processes, (recipe, list(self._reducers), self._namespace, todo, done)
        )
        try:
            left = len(self._places)
            while left:
                match _next(done, workers):
                    case Outcome() as outcome:
                        left -= 1
                        yield outcome
                    case Finding() as finding:
                        add(finding)
                    case rows:
                        for cells in rows:
                            row(*cells)
        finally:
            for worker in workers:
                worker.terminate()
                worker.join()


def _started(context: SpawnContext, processes: int, given: tuple[Any, ...]) -> list[Any]:
    workers = [context.Process(target=_work, args=given, daemon=True) for _ in range(processes)]
    for worker in workers:
        worker.start()
    return workers


def _next(done: "Queue[Any]", workers: Sequence[Any]) -> Any:
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
    todo: "Queue[tuple[int, int] | None]",
    done: "Queue[Any]",
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
