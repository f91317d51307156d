"""The whole audit: one pass over the facts, every task computed again, a pass over what came
meanwhile, then bucket by bucket."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from baton.cluster.log import Record
from baton.contracts.topics import ticks_topic
from baton.engine.reducer import Reducer
from baton.proof.audit.audit_scope import Scope
from baton.proof.audit.checking import STAGES
from baton.proof.audit.fact_matching import FACT_TOPICS, FOUND_LATER
from baton.proof.audit.findings import Report
from baton.proof.audit.log_pass import Sorter
from baton.proof.audit.shared_work import Crew
from baton.proof.audit.side_by_side import crew_of
from baton.proof.audit.source import Source
from baton.proof.audit.spills import Spills

Progress = Callable[[str, int, int], None]
"""``(what is being done, done, of how many)``"""

SAID_EVERY = 10_000


class Audit:
    """``reducers``: all of the flow. ``acknowledged``: event ids that were acknowledged to a
    sender. ``since_ms``: look only at events and leads of which anything was appended since.
    ``grace_ms``: how long after its deadline a clock may still run. ``buckets``: memory is a
    bucket's. ``until_ms``: the log's time, where that is known to be later than its last record.
    ``processes``: how many share the work beside this one, which reads."""

    def __init__(
        self,
        source: Source,
        reducers: Sequence[Reducer[Any, Any]],
        *,
        namespace: str = "baton",
        acknowledged: Iterable[str] = (),
        since_ms: int = 0,
        grace_ms: int = 420_000,
        recompute: bool = True,
        buckets: int = 64,
        until_ms: int = 0,
        processes: int = 1,
        progress: Progress = lambda what, done, total: None,
    ) -> None:
        self._source, self._reducers, self._namespace = source, reducers, namespace
        self._acknowledged, self._since_ms, self._grace_ms = acknowledged, since_ms, grace_ms
        self._recompute, self._buckets, self._progress = recompute, buckets, progress
        self._report = Report()
        self._ends: dict[tuple[str, int], int] = {}
        self._until_ms, self._processes = until_ms, processes
        self._rebuilt: frozenset[str] = frozenset()

    def run(self) -> Report:
        """Check everything; raises what a client raises that cannot read."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="baton-audit-")))
            spills = Spills(folder, buckets=self._buckets, writers=1 + self._processes)
            self._sorter = sorter = Sorter(self._report, stack.enter_context(spills))
            crew = stack.enter_context(
                crew_of(
                    self._processes,
                    self._source,
                    self._reducers,
                    self._namespace,
                    spills,
                    self._report.add,
                )
            )
            sorter.acknowledged(self._acknowledged)
            ticked_ms = self._ticked_ms()
            if self._recompute:
                self._read_and_compute(crew)
            else:
                self._read_all(sorter.take)
                self._report.unchecked.append("tasks were not computed again, as asked")
            self._check(crew, max(self._until_ms, sorter.until_ms, ticked_ms))
        return self._report

    def _check(self, crew: Crew, until_ms: int) -> None:
        scope = Scope(
            since_ms=self._since_ms,
            grace_ms=self._grace_ms,
            until_ms=until_ms,
            rebuilt=self._rebuilt,
        )
        for stage in STAGES:
            for number, report in enumerate(crew.reports(scope, stage), start=1):
                self._report.merge(report)
                what = stage[(number - 1) // self._buckets]
                self._progress(f"checking {what}", (number - 1) % self._buckets + 1, self._buckets)

    # ------------------------------------------------------------------ reading

    def _read_all(
        self, take: Callable[[Record], None], meanwhile: Callable[[], None] = lambda: None
    ) -> None:
        """Read on from where the reading before ended; ``meanwhile`` is called now and then."""
        places = _fact_places(self._source)
        starts = {place: self._ends.get(place) for place in places}
        total = sum(self._source.length(place, start) for place, start in starts.items())
        for number, record in enumerate(self._source.read_all(starts)):
            if number % SAID_EVERY == 0:
                self._progress("reading topics", number, max(total, number))
                meanwhile()
            self._ends[record.topic, record.partition] = record.offset + 1
            take(record)
        self._progress("reading topics", total, total)

    def _take(self, record: Record, ends: Mapping[tuple[str, int], int]) -> None:
        """What came after ``ends`` is there to be found, and may be newer than what tasks are
        computed up to."""
        if record.offset < ends[record.topic, record.partition]:
            self._sorter.take(record)
        else:
            self._sorter.take_fact(record, FOUND_LATER)

    def _ticked_ms(self) -> int:
        """The end of the log: what a task of the clocks last heard from the brokers counts too."""
        topic = ticks_topic("clocks")
        places = {(topic, number): None for number in range(self._source.partitions(topic))}
        return max((record.at_ms for record in self._source.read_all(places)), default=0)

    # ------------------------------------------------------------------ computing again

    def _read_and_compute(self, crew: Crew) -> None:
        """Tasks are computed again while the facts are read, each up to where its changelog stands
        when it is its turn: so facts from before the first of them are all among what is
        computed."""
        ends = {place: self._source.end(place) for place in _fact_places(self._source)}
        tasks = crew.begin()
        self._read_all(lambda record: self._take(record, ends), crew.look)
        self._compute_again(tasks, crew)
        self._read_all(lambda record: self._sorter.take_fact(record, FOUND_LATER))

    def _compute_again(self, tasks: int, crew: Crew) -> None:
        left_out: set[str] = set()
        for number, outcome in enumerate(crew.outcomes()):
            self._progress("computing tasks again", number, tasks)
            self._report.checked["batches"] += outcome.batches
            if outcome.obstacle is not None:
                self._report.unchecked.append(outcome.obstacle)
                left_out.update(outcome.outputs)
        self._progress("computing tasks again", tasks, tasks)
        self._rebuilt = (
            frozenset(topic for reducer in self._reducers for topic in reducer.outputs) - left_out
        )


def _fact_places(source: Source) -> list[tuple[str, int]]:
    return [
        (spec.name, number)
        for spec in FACT_TOPICS
        for number in range(source.partitions(spec.name))
    ]
