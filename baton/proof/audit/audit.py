"""The whole audit: one pass over the facts, every task computed again, a pass over what came
meanwhile, then bucket by bucket."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from baton.agreement.canonical import load_canonical
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.cluster.log import Record
from baton.contracts.codec import ContractError, codec_for
from baton.contracts.topic_names import ROUTER_QUEUE, SCORER_ACCOUNTS, SLA_TALLIES
from baton.contracts.topics import TOPICS, ticks_topic
from baton.engine.reducer import Reducer
from baton.proof.audit.endings import check_acts, check_claims, check_erasure, check_returns
from baton.proof.audit.events import check_event
from baton.proof.audit.facts import FOUND_LATER, REBUILT, check_compacted, check_fact
from baton.proof.audit.findings import Dated, Finding, Invariant, Place, Report
from baton.proof.audit.groups import (
    IN_ACCOUNT,
    WAS_PERSON,
    Achieved,
    Counted,
    Joined,
    Part,
    Tally,
    check_account,
    check_goal,
    check_identity,
)
from baton.proof.audit.handouts import check_handouts, check_next_change, check_releases
from baton.proof.audit.history import check_history
from baton.proof.audit.lateness import check_lateness
from baton.proof.audit.leads import check_lead
from baton.proof.audit.periods import period_name
from baton.proof.audit.pools import check_offers, check_pool, of_plain
from baton.proof.audit.reading import COMPACTED, FACT_TOPICS, Sorter
from baton.proof.audit.rebuilding import read_book
from baton.proof.audit.source import Source
from baton.proof.audit.tasks import Tasks
from baton.proof.audit.verdicts import check_verdicts

Progress = Callable[[str, int, int], None]
"""``(what is being done, done, of how many)``"""

_SAID_EVERY = 10_000


class Audit:
    """``reducers``: all of the flow. ``acknowledged``: event ids that a sender was told are taken.
    ``since_ms``: look only at events and leads of which anything was appended since. ``grace_ms``:
    how long after its deadline a clock may still run. ``buckets``: memory is a bucket's.
    ``until_ms``: the log's time, where that is known to be later than its last record.
    ``processes``: how many compute tasks again."""

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
        self._whole: dict[str, bool] = {}
        self._rebuilt: frozenset[str] = frozenset()
        self._agreements: dict[str, CompiledAgreement | None] = {}

    def run(self) -> Report:
        """Check everything; raises what a client raises that cannot read."""
        with ExitStack() as stack:
            self._sorter = sorter = Sorter(self._report, stack, buckets=self._buckets)
            sorter.acknowledged(self._acknowledged)
            self._read_all(sorter.take)
            self._until_ms = max(self._until_ms, sorter.until_ms, self._ticked_ms())
            self._book = read_book(self._source)
            if self._recompute:
                self._compute_again()
                self._read_all(lambda record: sorter.take_fact(record, FOUND_LATER))
            else:
                self._report.unchecked.append("tasks were not computed again, as asked")
            self._check()
        return self._report

    # ------------------------------------------------------------------ reading

    def _read_all(self, take: Callable[[Record], None]) -> None:
        """Read on from where the reading before ended."""
        places = [
            (spec.name, number)
            for spec in FACT_TOPICS
            for number in range(self._source.partitions(spec.name))
        ]
        starts = {place: self._ends.get(place) for place in places}
        total = sum(self._source.length(place, start) for place, start in starts.items())
        for number, record in enumerate(self._source.read_all(starts)):
            if number % _SAID_EVERY == 0:
                self._progress("reading topics", number, max(total, number))
            self._ends[record.topic, record.partition] = record.offset + 1
            take(record)
        self._progress("reading topics", total, total)

    def _ticked_ms(self) -> int:
        """The end of the log: what a task of the clocks last heard from the brokers counts too."""
        topic = ticks_topic("clocks")
        places = {(topic, number): None for number in range(self._source.partitions(topic))}
        return max((record.at_ms for record in self._source.read_all(places)), default=0)

    # ------------------------------------------------------------------ computing again

    def _compute_again(self) -> None:
        tasks = Tasks(self._source, self._reducers, self._book, self._namespace)
        left_out: set[str] = set()
        for number, outcome in enumerate(
            tasks.run(self._rebuilt_row, self._report.add, processes=self._processes)
        ):
            self._progress("computing tasks again", number, tasks.number)
            self._report.checked["batches"] += outcome.batches
            if outcome.obstacle is not None:
                self._report.unchecked.append(outcome.obstacle)
                left_out.update(outcome.outputs)
        self._progress("computing tasks again", tasks.number, tasks.number)
        self._rebuilt = (
            frozenset(topic for reducer in self._reducers for topic in reducer.outputs) - left_out
        )

    def _rebuilt_row(
        self, fact_id: str, topic: str, partition: int, key: bytes, said: bytes
    ) -> None:
        row = (REBUILT, topic, partition, -1, said)
        if topic in COMPACTED:
            self._sorter.facts.add(f"{topic}/{key.decode('utf-8', 'replace')}", (*row, fact_id))
        else:
            self._sorter.facts.add(fact_id, row)

    # ------------------------------------------------------------------ checking

    def _check(self) -> None:
        sorter, add = self._sorter, self._report.add
        for fact_id, facts in self._said("checking facts", sorter.facts.groups()):
            if facts[0][1] in COMPACTED:
                check_compacted(facts, rebuilt=self._rebuilt, add=add)
            else:
                check_fact(fact_id, facts, rebuilt=self._rebuilt, add=add)
        for event_id, events in self._said("checking events", sorter.events.groups()):
            self._report.checked["events"] += 1
            if self._is_recent(events):
                check_event(event_id, [row[1:] for row in events], add)
        for pool, rows in self._said("checking pools", sorter.pools.groups()):
            self._check_pool(pool, rows)
        for _, rows in self._said("checking identities", sorter.identities.groups()):
            check_identity(rows, self._claim)
        if self._is_whole(SCORER_ACCOUNTS, "accounts"):
            for account, rows in self._said("checking accounts", sorter.accounts.groups()):
                self._check_account(account, rows)
        if self._is_whole(SLA_TALLIES, "goals"):
            for goal, rows in self._said("checking goals", sorter.goals.groups()):
                self._check_goal(goal, rows)
        for lead_id, leads in self._said("checking leads", sorter.leads.groups()):
            self._report.checked["leads"] += 1
            if self._is_recent(leads):
                self._check_lead(lead_id, leads)

    def _said(
        self, what: str, groups: Iterable[tuple[str, list[Any]]]
    ) -> Iterable[tuple[str, list[Any]]]:
        for number, group in enumerate(groups):
            if number % _SAID_EVERY == 0:
                self._progress(what, number, number + 1)
            yield group

    def _is_recent(self, rows: list[tuple[Any, ...]]) -> bool:
        return not self._since_ms or any(row[0] >= self._since_ms or row[0] == 0 for row in rows)

    def _check_pool(self, pool: str, rows: list[tuple[Any, ...]]) -> None:
        decisions, releases, answers = of_plain(rows)
        check_pool(
            pool,
            decisions,
            releases,
            period_of=lambda at_ms: self._period(pool, at_ms),
            add=self._report.add,
        )

        if self._is_whole(ROUTER_QUEUE, "offers and ended hand-offs"):
            check_offers(
                decisions,
                releases,
                answers,
                limit_of=lambda at_ms, who: self._offers(pool, at_ms, who),
                add=self._report.add,
            )

    def _offers(self, pool: str, at_ms: int, person: str) -> int | None:
        """How many unanswered offers the person may have in the pool then; the larger number where
        that has just changed."""
        limits = []
        for moment in (at_ms, at_ms - 1):
            reference = self._book.at(moment)
            found = reference.agreement.pools.get(pool) if reference is not None else None
            limits += (
                [member.offers for member in found.members if member.person == person]
                if found is not None
                else []
            )
        return (
            None
            if not limits or None in limits
            else max(limit for limit in limits if limit is not None)
        )

    def _is_whole(self, topic: str, what: str) -> bool:
        """Whether nothing of the topic was deleted by retention; else says that ``what`` is left
        out."""
        if topic not in self._whole:
            starts = [
                self._source.first(topic, partition)
                for partition in range(self._source.partitions(topic))
            ]
            self._whole[topic] = not any(starts)
            if any(starts):
                words = (
                    f"{what}: {topic} begins at {max(starts)}, what came before was deleted by "
                    "retention"
                )
                self._report.unchecked.append(words)
        return self._whole[topic]

    def _claim(self, lead_id: str, what: str, at_ms: int, where: tuple[str, int, int]) -> None:
        """To be held against the lead's own records, which are looked at afterwards."""
        topic, partition, offset = where
        self._sorter.leads.add(lead_id, (at_ms, what, partition, offset, topic.encode()))

    def _check_account(self, account: str, rows: list[tuple[Any, ...]]) -> None:
        parts = [Part._make(row) for row in rows if len(row) == len(Part._fields)]
        counts = [Counted._make(row) for row in rows if len(row) == len(Counted._fields)]
        until_ms = self._until_ms - self._grace_ms
        check_account(
            account, parts, counts, until_ms=until_ms, claim=self._claim, add=self._report.add
        )

    def _check_goal(self, goal: str, rows: list[tuple[Any, ...]]) -> None:
        told = [Achieved._make(row) for row in rows if len(row) == len(Achieved._fields)]
        tallies, joined = [], []
        for row in rows:
            if len(row) == len(Achieved._fields):
                continue
            at_ms, where, tally_id, amount, metric, occurred_at_ms, (lead_id, cycle, into) = row
            if into is not None:
                joined.append(Joined(lead_id, into))
                continue
            reference = self._book.at(at_ms)
            agreed = reference.agreement.goals.get(goal) if reference is not None else None
            if (
                reference is None
                or agreed is None
                or metric != agreed.metric
                or agreed.currency is not None
            ):
                return  # money, or a goal that has changed: counted by other rules
            period = period_name(agreed.per, reference.agreement.timezone, occurred_at_ms)
            tallies.append(Tally(at_ms, where, tally_id, lead_id, cycle, period, amount < 0))
        whole = len(self._book.terms()) == 1
        check_goal(
            goal,
            tallies,
            joined,
            told,
            until_ms=self._until_ms - self._grace_ms,
            whole=whole,
            add=self._report.add,
        )

    def _period(self, pool: str, at_ms: int) -> str:
        """The period in which the pool counted a turn then, by the agreement in force."""
        reference = self._book.at(at_ms)
        agreement = None if reference is None else reference.agreement
        if agreement is None or pool not in agreement.pools:
            return ""
        return period_name(agreement.pools[pool].period, agreement.timezone, at_ms)

    def _check_lead(self, lead_id: str, rows: list[tuple[int, str, int, int, bytes]]) -> None:
        dated, claims = [], []
        for at_ms, topic, partition, offset, value in sorted(rows):
            if topic in (IN_ACCOUNT, WAS_PERSON):
                place = Place(topic=value.decode(), partition=partition, offset=offset)
                claims.append(Dated(at_ms=at_ms, place=place, value=topic))
                continue
            record_type = TOPICS[topic].record
            assert record_type is not None, f"{topic} has no record type"
            place = Place(topic=topic, partition=partition, offset=offset)
            try:
                dated.append(
                    Dated(at_ms=at_ms, place=place, value=codec_for(record_type).decode(value))
                )
            except ContractError as error:
                self._report.add(
                    Finding(invariant=Invariant.READABLE, words=error.reason, place=place)
                )
        add, until_ms, grace_ms = self._report.add, self._until_ms, self._grace_ms
        check_lead(dated, until_ms=until_ms, grace_ms=grace_ms, add=add)
        check_handouts(dated, self._agreement, grace_ms=grace_ms, add=add)
        check_next_change(dated, until_ms=until_ms - grace_ms, add=add)
        check_erasure(dated, until_ms=until_ms - grace_ms, add=add)
        check_returns(dated, self._agreement, add)
        check_acts(dated, grace_ms=grace_ms, add=add)
        check_lateness(dated, until_ms=until_ms - grace_ms, add=add)
        if self._is_whole(ROUTER_QUEUE, "offers and ended hand-offs"):
            check_releases(dated, until_ms=until_ms - grace_ms, add=add)
        if self._is_whole(SLA_TALLIES, "goals"):
            check_verdicts(dated, self._agreement, until_ms=until_ms - grace_ms, add=add)
        check_claims(lead_id, dated, claims, until_ms=until_ms - grace_ms, add=add)
        self._report.checked["scores"] += check_history(
            lead_id, dated, self._agreement, until_ms=until_ms, grace_ms=grace_ms, add=add
        )

    def _agreement(self, version: str) -> CompiledAgreement | None:
        if version not in self._agreements:
            text = self._book.versions().get(version)
            self._agreements[version] = None if text is None else load_canonical(text)
        return self._agreements[version]
