"""What was read, checked group by group: facts, events, pools, identities, accounts, goals, leads.

Every model is handed what it needs; here it is only put together.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.contracts.codec import ContractError, codec_for
from baton.contracts.intake import LeadEvent, LeadInput
from baton.contracts.leads import LeadScored
from baton.contracts.topic_names import ROUTER_QUEUE, SCORER_ACCOUNTS, SLA_TALLIES
from baton.contracts.topics import TOPICS
from baton.proof.audit.audit_scope import Known, Scope
from baton.proof.audit.endings import check_acts, check_claims, check_erasure, check_returns
from baton.proof.audit.events import check_event
from baton.proof.audit.fact_matching import COMPACTED, check_compacted, check_fact
from baton.proof.audit.findings import Dated, Finding, Invariant, Place, Report
from baton.proof.audit.given_back import check_releases
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
from baton.proof.audit.handouts import check_handouts, check_next_change
from baton.proof.audit.lateness import check_lateness
from baton.proof.audit.lead_check import check_lead, check_scores
from baton.proof.audit.lead_history import check_history
from baton.proof.audit.lead_sums import sums_of
from baton.proof.audit.limits_across_pools import Agreed, Given, check_person, given_of
from baton.proof.audit.loads import check_capacity, check_loads, check_offers
from baton.proof.audit.partings import check_partings
from baton.proof.audit.pools import check_pool, of_plain
from baton.proof.audit.presence import check_presence
from baton.proof.audit.source import Source
from baton.proof.audit.spill import Spill
from baton.proof.audit.spills import Spills
from baton.proof.audit.turn_periods import period_name
from baton.proof.audit.verdicts import check_verdicts

STAGES: Final = (
    ("facts", "events", "pools", "identities", "accounts", "goals"),
    ("leads",),
    ("people",),
)
"""What is checked; a stage needs what the ones before it came to."""


_MOST: Final = frozenset({LeadEvent, LeadInput, LeadScored})


class Checking:
    """Looks at one bucket after the other; what it learns on the way goes into ``spills``."""

    def __init__(self, source: Source, spills: Spills, scope: Scope, known: Known) -> None:
        self._source, self._spills, self._scope, self._known = source, spills, scope, known
        self._report = Report()
        self._whole: dict[str, bool] = {}
        self._agreements: dict[str, CompiledAgreement | None] = {}
        self._agreed = Agreed(known.book)

    def check(self, what: str, bucket: int) -> Report:
        """What one bucket of one of :data:`STAGES` comes to."""
        self._report = Report()
        match what:
            case "facts":
                self._each(self._spills.facts, bucket, self._check_fact)
            case "events":
                self._each(self._spills.events, bucket, self._check_event)
            case "pools":
                self._each(self._spills.pools, bucket, self._check_pool)
            case "identities":
                self._each(
                    self._spills.identities,
                    bucket,
                    lambda _, rows: check_identity(rows, self._claim),
                )
            case "accounts" if self._is_whole(SCORER_ACCOUNTS, "accounts"):
                self._each(self._spills.accounts, bucket, self._check_account)
            case "goals" if self._is_whole(SLA_TALLIES, "goals"):
                self._each(self._spills.goals, bucket, self._check_goal)
            case "leads":
                self._each(self._spills.leads, bucket, self._check_lead)
            case "people":
                self._each(self._spills.people, bucket, self._check_person)
        return self._report

    def _each(self, spill: Spill, bucket: int, check: Callable[[str, list[Any]], None]) -> None:
        for key, rows in spill.groups(bucket).items():
            check(key, rows)

    def _check_fact(self, fact_id: str, facts: list[Any]) -> None:
        rebuilt, add = self._scope.rebuilt, self._report.add
        if facts[0][1] in COMPACTED:
            check_compacted(facts, rebuilt=rebuilt, add=add)
        else:
            check_fact(fact_id, facts, rebuilt=rebuilt, add=add)

    def _check_event(self, event_id: str, rows: list[Any]) -> None:
        self._report.checked["events"] += 1
        if self._is_recent(rows):
            check_event(event_id, [row[1:] for row in rows], self._report.add)

    def _check_person(self, person: str, rows: list[Any]) -> None:
        check_person(person, [Given._make(row) for row in rows], self._agreed, self._report.add)

    def _is_recent(self, rows: list[tuple[Any, ...]]) -> bool:
        return not self._scope.since_ms or any(
            row[0] >= self._scope.since_ms or row[0] == 0 for row in rows
        )

    def _check_pool(self, pool: str, rows: list[tuple[Any, ...]]) -> None:
        decisions, releases, answers = of_plain(rows)
        check_pool(
            pool,
            decisions,
            releases,
            period_of=lambda at_ms: self._period(pool, at_ms),
            add=self._report.add,
        )
        check_capacity(decisions, releases, self._report.add)
        if self._is_whole(ROUTER_QUEUE, "offers, loads and ended hand-offs"):
            check_loads(pool, decisions, releases, answers, self._report.add)
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
            reference = self._known.book.at(moment)
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
        self._spills.leads.add(lead_id, (at_ms, what, partition, offset, topic.encode()))

    def _check_account(self, account: str, rows: list[tuple[Any, ...]]) -> None:
        parts = [Part._make(row) for row in rows if len(row) == len(Part._fields)]
        counts = [Counted._make(row) for row in rows if len(row) == len(Counted._fields)]
        until_ms = self._scope.until_ms - self._scope.grace_ms
        check_account(
            account, parts, counts, until_ms=until_ms, claim=self._claim, add=self._report.add
        )

    def _check_goal(self, goal: str, rows: list[tuple[Any, ...]]) -> None:
        reported = [Achieved._make(row) for row in rows if len(row) == len(Achieved._fields)]
        tallies, joined = [], []
        for row in rows:
            if len(row) == len(Achieved._fields):
                continue
            at_ms, where, tally_id, amount, metric, occurred_at_ms, (lead_id, cycle, into) = row
            if into is not None:
                joined.append(Joined(lead_id, into))
                continue
            reference = self._known.book.at(at_ms)
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
        whole = len(self._known.book.terms()) == 1
        check_goal(
            goal,
            tallies,
            joined,
            reported,
            until_ms=self._scope.until_ms - self._scope.grace_ms,
            whole=whole,
            add=self._report.add,
        )

    def _period(self, pool: str, at_ms: int) -> str:
        """The period in which the pool counted a turn then, by the agreement in force."""
        reference = self._known.book.at(at_ms)
        agreement = None if reference is None else reference.agreement
        if agreement is None or pool not in agreement.pools:
            return ""
        return period_name(agreement.pools[pool].period, agreement.timezone, at_ms)

    def _check_lead(self, lead_id: str, rows: list[tuple[int, str, int, int, bytes]]) -> None:
        self._report.checked["leads"] += 1
        if not self._is_recent(rows):
            return
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
        self._check_dated(lead_id, dated, claims)

    def _check_dated(self, lead_id: str, dated: Sequence[Dated], claims: Sequence[Dated]) -> None:
        """``moves``: without what most records are, for the models that look at none of those."""
        moves = [record for record in dated if type(record.value) not in _MOST]
        self._report.sums.update(sums_of(moves))
        add, until_ms, grace_ms = self._report.add, self._scope.until_ms, self._scope.grace_ms
        check_scores(dated, add)
        check_lead(moves, until_ms=until_ms, grace_ms=grace_ms, add=add)
        check_handouts(dated if moves else (), self._agreement, grace_ms=grace_ms, add=add)
        check_next_change(dated, until_ms=until_ms - grace_ms, add=add)
        check_erasure(dated, until_ms=until_ms - grace_ms, add=add)
        check_partings(lead_id, dated, until_ms=until_ms - grace_ms, add=add)
        check_presence(moves, self._known.absences, add)
        check_returns(moves, self._agreement, add)
        check_acts(moves, grace_ms=grace_ms, add=add)
        check_lateness(moves, until_ms=until_ms - grace_ms, add=add)
        if self._is_whole(ROUTER_QUEUE, "offers, loads and ended hand-offs"):
            check_releases(moves, until_ms=until_ms - grace_ms, add=add)
            for person, given in given_of(moves):
                if self._agreed.shared(person):
                    self._spills.people.add(person, tuple(given))
        if self._is_whole(SLA_TALLIES, "goals"):
            check_verdicts(moves, self._agreement, until_ms=until_ms - grace_ms, add=add)
        if claims:
            check_claims(lead_id, dated, claims, until_ms=until_ms - grace_ms, add=add)
        self._report.checked["scores"] += check_history(
            lead_id, dated, self._agreement, until_ms=until_ms, grace_ms=grace_ms, add=add
        )

    def _agreement(self, version: str) -> CompiledAgreement | None:
        if version not in self._agreements:
            self._agreements[version] = self._known.book.compiled(version)
        return self._agreements[version]
