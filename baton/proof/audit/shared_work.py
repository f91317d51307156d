"""The work of an audit that can be shared: every task of the flow computed again, then what was
sorted checked bucket by bucket. No task needs another, and no bucket another of its stage.

:class:`Crew` does it in this process when it is asked for;
:class:`~baton.proof.audit.side_by_side.SideBySide` by several processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from baton.contracts.topic_names import BATON_PEOPLE, LEADS_ACCEPTED
from baton.engine.reducer import Reducer
from baton.proof.audit.audit_scope import Known, Scope
from baton.proof.audit.checking import Checking
from baton.proof.audit.fact_matching import REBUILT
from baton.proof.audit.findings import Add, Report
from baton.proof.audit.presence import absences_of
from baton.proof.audit.rebuilding import Outcome, TaskAudit, read_book
from baton.proof.audit.source import Source
from baton.proof.audit.spills import Spills

Task = tuple[int, int]
"""Number of the reducer, and partition."""


class Work:
    """What any process can do for the audit of ``source`` with ``spills`` of its own; ``reducers``:
    all of the flow."""

    def __init__(
        self,
        source: Source,
        reducers: Sequence[Reducer[Any, Any]],
        namespace: str,
        spills: Spills,
        add: Add,
    ) -> None:
        self._source, self._reducers, self._namespace = source, reducers, namespace
        self._spills, self._add = spills, add
        self._book = read_book(source)
        self._checking: tuple[Scope, Checking] | None = None

    def compute(self, task: Task) -> Outcome:
        """One task again: its facts go into the spill of facts."""
        number, partition = task
        audit = TaskAudit(
            self._source, self._reducers[number], partition, self._book, self._namespace
        )
        return audit.run(self._take_fact, self._add)

    def check(self, scope: Scope, what: str, bucket: int) -> Report:
        """One bucket of a stage."""
        if self._checking is None or self._checking[0] != scope:
            known = Known(
                book=read_book(self._source),
                absences=absences_of(self._source.read(BATON_PEOPLE, 0)),
            )
            self._checking = scope, Checking(self._source, self._spills, scope, known)
        return self._checking[1].check(what, bucket)

    def _take_fact(self, fact_id: str, topic: str, partition: int, key: bytes, said: bytes) -> None:
        self._spills.add_fact(fact_id, key, (REBUILT, topic, partition, -1, said))


class Crew:
    """Everything in this process, one after the other."""

    def __init__(
        self,
        source: Source,
        reducers: Sequence[Reducer[Any, Any]],
        namespace: str,
        spills: Spills,
        add: Add,
    ) -> None:
        self._source, self._reducers, self._spills, self._add = source, reducers, spills, add
        self._namespace = namespace
        self._tasks: list[Task] = []
        self._here: Work | None = None

    def begin(self) -> int:
        """Compute every task again from now on, or when the outcomes are asked for; how many there
        are."""
        self._tasks = [
            (number, partition)
            for number in range(len(self._reducers))
            for partition in range(self._source.partitions(LEADS_ACCEPTED))
        ]
        return len(self._tasks)

    def look(self) -> None:
        """Take over what is done by now, without waiting."""

    def outcomes(self) -> Iterator[Outcome]:
        """Of each task what it came to, when it is done."""
        for task in self._tasks:
            yield self._work().compute(task)

    def reports(self, scope: Scope, stage: Sequence[str]) -> Iterator[Report]:
        """What each bucket of the stage comes to, in their order."""
        for what in stage:
            for bucket in range(self._spills.buckets):
                yield self._work().check(scope, what, bucket)

    def _work(self) -> Work:
        if self._here is None:
            self._here = Work(
                self._source, self._reducers, self._namespace, self._spills, self._add
            )
        return self._here
