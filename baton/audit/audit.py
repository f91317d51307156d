"""The whole audit: one pass over the facts, every task computed again, a pass over what came meanwhile, then bucket by bucket."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from baton.audit.events import ACCEPTED, ACKNOWLEDGED, KEYED, check_event
from baton.audit.facts import FOUND, FOUND_LATER, REBUILT, check_fact
from baton.audit.findings import Finding, Invariant, Place, Report
from baton.audit.leads import Dated, check_lead
from baton.audit.rebuilding import TaskAudit, dead_letter_id, digest, read_book
from baton.audit.source import Source
from baton.audit.spill import Spill
from baton.audit.turns import check_turn
from baton.broker.log import Record
from baton.contracts.codec import ContractError, codec_for
from baton.contracts.routing import LeadRouted
from baton.contracts.topics import DLQ_PREFIX, REFERENCE_TOPICS, TOPICS, Audience, TopicSpec, ticks_topic
from baton.engine.reducer import Reducer

Progress = Callable[[str, int, int], None]
"""``(what is being done, done, of how many)``"""

FACT_TOPICS: tuple[TopicSpec, ...] = tuple(
    spec
    for spec in TOPICS.values()
    if not spec.outside and spec.audience is not Audience.ENGINE and spec.name not in REFERENCE_TOPICS
)
_KEYED = "intake.keyed.v1"
_ACCEPTED = frozenset({"leads.accepted.v1", "leads.acts.v1", "leads.commands.v1"})
_OF_LEADS = frozenset(
    {
        "leads.scored.v1",
        "leads.qualified.v1",
        "leads.stages.v1",
        "leads.routed.sdr.v1",
        "leads.routed.sales.v1",
        "leads.unrouted.v1",
        "leads.handoffs.v1",
        "leads.sla-clocks.v1",
        "leads.sla-violations.v1",
        "leads.recycled.v1",
        "leads.reactivated.v1",
    }
)


class Audit:
    """``reducers``: all of the flow. ``acknowledged``: event ids that a sender was told are taken. ``since_ms``: look only at events and
    leads of which anything was appended since. ``grace_ms``: how long after its deadline a clock may still run. ``buckets``: memory is a bucket's.
    ``until_ms``: the log's time, where that is known to be later than its last record."""

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
        progress: Progress = lambda what, done, total: None,
    ) -> None:
        self._source, self._reducers, self._namespace = source, reducers, namespace
        self._acknowledged, self._since_ms, self._grace_ms = acknowledged, since_ms, grace_ms
        self._recompute, self._buckets, self._progress = recompute, buckets, progress
        self._report = Report()
        self._ends: dict[tuple[str, int], int] = {}
        self._until_ms = until_ms
        self._rebuilt: frozenset[str] = frozenset()

    def run(self) -> Report:
        """Check everything; raises what a client raises that cannot read."""
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="baton-audit-")))
            self._events = stack.enter_context(Spill(folder, "events", self._buckets))
            self._facts = stack.enter_context(Spill(folder, "facts", self._buckets))
            self._leads = stack.enter_context(Spill(folder, "leads", self._buckets))
            for event_id in self._acknowledged:
                self._events.add(event_id, (0, ACKNOWLEDGED, "", 0, 0))
            self._read_all(self._take)
            self._read_time()
            if self._recompute:
                self._compute_again()
                self._read_all(lambda record: self._take_fact(record, FOUND_LATER))
            else:
                self._report.unchecked.append("tasks were not computed again, as asked")
            self._check()
        return self._report

    # ------------------------------------------------------------------ reading

    def _read_all(self, take: Callable[[Record], None]) -> None:
        """Read on from where the reading before ended."""
        for number, spec in enumerate(FACT_TOPICS):
            self._progress("reading topics", number, len(FACT_TOPICS))
            for partition in range(self._source.partitions(spec.name)):
                place = spec.name, partition
                for record in self._source.read(spec.name, partition, self._ends.get(place)):
                    self._ends[place] = record.offset + 1
                    take(record)
        self._progress("reading topics", len(FACT_TOPICS), len(FACT_TOPICS))

    def _read_time(self) -> None:
        """The end of the log: what a task of the clocks last heard from the brokers counts too."""
        topic = ticks_topic("clocks")
        for partition in range(self._source.partitions(topic)):
            for record in self._source.read(topic, partition):
                self._until_ms = max(self._until_ms, record.at_ms)

    def _take(self, record: Record) -> None:
        self._until_ms = max(self._until_ms, record.at_ms)
        self._report.checked[record.topic] += 1
        self._take_fact(record)
        record_type = TOPICS[record.topic].record
        if record.value is None or record_type is None:
            return
        if record.topic in _OF_LEADS and record.key is not None:
            row = (record.at_ms, record.topic, record.partition, record.offset, record.value)
            self._leads.add(record.key.decode(), row)
        try:
            self._look_into(record, record_type)
        except ContractError as error:
            self._report.add(Finding(invariant=Invariant.READABLE, words=error.reason, place=_place(record)))

    def _look_into(self, record: Record, record_type: type) -> None:
        if record.topic == _KEYED or record.topic in _ACCEPTED:
            what = KEYED if record.topic == _KEYED else ACCEPTED
            event_id = self._decoded(record).event_id
            self._events.add(event_id, (record.at_ms, what, record.topic, record.partition, record.offset))
        if record_type is LeadRouted:
            check_turn(self._decoded(record), _place(record), self._report.add)

    def _take_fact(self, record: Record, found: str = FOUND) -> None:
        self._ends[record.topic, record.partition] = record.offset + 1
        if record.topic.startswith(DLQ_PREFIX):
            named = dict(record.headers)
            fact_id = dead_letter_id(named["__dlq.errors.partition"], named["__dlq.errors.offset"])
        elif record.header("baton_cause") is None:
            return  # the gateway's: it comes from the outside and follows from nothing
        else:
            fact_id = record.header("ce_id") or ""
        seen = digest(record.key, record.value, record.headers)
        self._facts.add(fact_id, (found, record.topic, record.partition, record.offset, seen))

    def _decoded(self, record: Record) -> Any:
        record_type = TOPICS[record.topic].record
        assert record_type is not None, f"{record.topic} has no record type"
        assert record.value is not None, "tombstones are passed over before"
        return codec_for(record_type).decode(record.value)

    # ------------------------------------------------------------------ computing again

    def _compute_again(self) -> None:
        book = read_book(self._source)
        partitions = self._source.partitions("leads.accepted.v1")
        tasks = [
            TaskAudit(self._source, reducer, partition, book, self._namespace)
            for reducer in self._reducers
            for partition in range(partitions)
        ]
        left_out: set[str] = set()
        for number, task in enumerate(tasks):
            self._progress("computing tasks again", number, len(tasks))
            obstacle = task.obstacle()
            if obstacle is None:
                self._report.checked["batches"] += task.run(self._rebuilt_row, self._report.add)
            else:
                self._report.unchecked.append(obstacle)
                left_out.update(task.outputs)
        self._progress("computing tasks again", len(tasks), len(tasks))
        self._rebuilt = frozenset(topic for reducer in self._reducers for topic in reducer.outputs) - left_out

    def _rebuilt_row(self, fact_id: str, topic: str, partition: int, said: bytes) -> None:
        self._facts.add(fact_id, (REBUILT, topic, partition, -1, said))

    # ------------------------------------------------------------------ checking

    def _check(self) -> None:
        for fact_id, facts in self._facts.groups():
            check_fact(fact_id, facts, rebuilt=self._rebuilt, add=self._report.add)
        for event_id, events in self._events.groups():
            self._report.checked["events"] += 1
            if self._is_recent(events):
                check_event(event_id, [row[1:] for row in events], self._report.add)
        for number, (lead_id, leads) in enumerate(self._leads.groups()):
            if number % 1000 == 0:
                self._progress("checking leads", number, number + 1)
            self._report.checked["leads"] += 1
            if self._is_recent(leads):
                self._check_lead(lead_id, leads)

    def _is_recent(self, rows: list[tuple[Any, ...]]) -> bool:
        return any(row[0] >= self._since_ms or row[0] == 0 for row in rows)

    def _check_lead(self, lead_id: str, rows: list[tuple[int, str, int, int, bytes]]) -> None:
        dated = []
        for at_ms, topic, partition, offset, value in sorted(rows):
            record_type = TOPICS[topic].record
            assert record_type is not None, f"{topic} has no record type"
            place = Place(topic=topic, partition=partition, offset=offset)
            try:
                dated.append(Dated(at_ms=at_ms, place=place, value=codec_for(record_type).decode(value)))
            except ContractError as error:
                self._report.add(Finding(invariant=Invariant.READABLE, words=error.reason, place=place))
        check_lead(dated, until_ms=self._until_ms, grace_ms=self._grace_ms, add=self._report.add)


def _place(record: Record) -> Place:
    return Place(topic=record.topic, partition=record.partition, offset=record.offset)
