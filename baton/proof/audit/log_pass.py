"""The pass over the log: each record looked at once, and what is to be looked at together put
together."""

import json
from collections.abc import Iterable
from typing import Any

from baton.cluster.log import Record
from baton.contracts.accounts import AccountPart, AccountScored
from baton.contracts.codec import ContractError, codec_for
from baton.contracts.goals import GoalProgress, GoalTally
from baton.contracts.intake import AliasKind, IdentityAlias
from baton.contracts.routing import LeadRouted, QueueItem, RequestKind
from baton.contracts.streams import RoutingAnswer
from baton.contracts.topic_names import (
    BATON_SKIPS,
    INTAKE_KEYED,
    INTAKE_LEADS,
    LEADS_ACCEPTED,
    LEADS_ACTS,
    LEADS_COMMANDS,
    LEADS_HANDOFFS,
    LEADS_MERGES,
    LEADS_PERSONS,
    LEADS_QUALIFIED,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_REFUSALS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SCORED,
    LEADS_SLA_CLOCKS,
    LEADS_SLA_VIOLATIONS,
    LEADS_STAGES,
    LEADS_UNROUTED,
    ROUTER_ANSWERS,
)
from baton.contracts.topics import DLQ_PREFIX
from baton.contracts.transfers import LeadTransfer
from baton.derived_ids import derived_id
from baton.proof.audit.events import ACCEPTED, ACKNOWLEDGED, DEAD, DROPPED, KEYED
from baton.proof.audit.fact_matching import FACT_TOPICS, FOUND, Row
from baton.proof.audit.findings import Add, Finding, Invariant, Place, Report
from baton.proof.audit.pools import (
    answer_of,
    decision_of,
    denied_of,
    let_go_of,
    plain,
    release_of,
)
from baton.proof.audit.rebuilding import dead_letter_id, digest
from baton.proof.audit.spills import Spills
from baton.proof.audit.turns import check_turn

_FROM_OUTSIDE = frozenset({INTAKE_KEYED, BATON_SKIPS})
"""The gateway's and the operator's: they come from the outside and follow from nothing."""
_ACCEPTED = frozenset({LEADS_ACCEPTED, LEADS_ACTS, LEADS_COMMANDS})
_OF_LEADS = frozenset(
    {
        LEADS_ACCEPTED,
        LEADS_ACTS,
        LEADS_MERGES,
        LEADS_SCORED,
        LEADS_QUALIFIED,
        LEADS_STAGES,
        LEADS_REFUSALS,
        LEADS_ROUTED_SDR,
        LEADS_ROUTED_SALES,
        LEADS_UNROUTED,
        LEADS_HANDOFFS,
        ROUTER_ANSWERS,
        LEADS_SLA_CLOCKS,
        LEADS_SLA_VIOLATIONS,
        LEADS_RECYCLED,
        LEADS_REACTIVATED,
        INTAKE_LEADS,
        LEADS_PERSONS,
    }
)
_LOOKED_INTO = frozenset(
    {
        IdentityAlias,
        LeadRouted,
        RoutingAnswer,
        QueueItem,
        AccountPart,
        AccountScored,
        GoalTally,
        GoalProgress,
        LeadTransfer,
    }
)
_DECODED = {
    spec.name: codec_for(spec.record)
    for spec in FACT_TOPICS
    if spec.record is not None
    and (spec.record in _LOOKED_INTO or spec.name in _ACCEPTED | {INTAKE_KEYED})
}


class Sorter:
    """Puts what is read into ``spills``. ``until_ms`` is the latest time seen."""

    def __init__(self, report: Report, spills: Spills) -> None:
        self._spills, self._report = spills, report
        self.until_ms = 0

    def acknowledged(self, event_ids: Iterable[str]) -> None:
        """What was acknowledged to a sender."""
        for event_id in event_ids:
            self._spills.events.add(event_id, (0, ACKNOWLEDGED, "", 0, 0))

    def take(self, record: Record) -> None:
        """One record of a fact topic."""
        if record.at_ms > self.until_ms:
            self.until_ms = record.at_ms
        self._report.checked[record.topic] += 1
        self.take_fact(record)
        if record.value is None or record.topic.startswith(DLQ_PREFIX):
            return
        if record.topic in _OF_LEADS and record.key is not None:
            row = (record.at_ms, record.topic, record.partition, record.offset, record.value)
            self._spills.leads.add(record.key.decode(), row)
        if record.topic in _DECODED:
            try:
                self._look_into(record, _DECODED[record.topic].decode(record.value))
            except ContractError as error:
                self._report.add(
                    Finding(
                        invariant=Invariant.READABLE, words=error.reason, place=place_of(record)
                    )
                )

    def take_fact(self, record: Record, found: str = FOUND) -> None:
        """Remember what the record says, by its id."""
        named = dict(record.headers)
        if record.topic.startswith(DLQ_PREFIX):
            fact_id = dead_letter_id(named["__dlq.errors.partition"], named["__dlq.errors.offset"])
            if found == FOUND and record.value is not None:
                self._dead(record, record.value)
        elif "baton_cause" in named:
            fact_id = named.get("ce_id", b"").decode("utf-8", "replace")
        elif record.topic in _FROM_OUTSIDE:
            return
        else:
            self._report.add(
                Finding(
                    invariant=Invariant.CAUSED,
                    words="the record names no cause",
                    place=place_of(record),
                )
            )
            fact_id = named.get("ce_id", b"").decode("utf-8", "replace")
        key = record.key or b""
        seen = digest(record.key, record.value, record.headers)
        row: Row = (found, record.topic, record.partition, record.offset, seen)
        self._spills.add_fact(fact_id, key, row)

    def _dead(self, record: Record, value: bytes) -> None:
        """What could not be taken may yet name its event; one that was acknowledged before it was
        refused is accounted for."""
        try:
            reported = json.loads(value)
            event_id = derived_id("event", reported["source"], reported["id"])
        except (ValueError, KeyError, TypeError):
            return
        self._spills.events.add(
            event_id, (record.at_ms, DEAD, record.topic, record.partition, record.offset)
        )

    def _queued(self, record: Record, item: QueueItem) -> None:
        if item.kind in (RequestKind.DENIED, RequestKind.ROOM):
            at = record.topic, record.partition, record.offset
            for denied in denied_of(item, record.at_ms, at) or ():
                self._spills.pools.add(item.pool, plain(denied))
            return
        _check_overflow(item, place_of(record), self._report.add)
        row = release_of(item, record.at_ms) or answer_of(item, record.at_ms)
        if row is not None:
            self._spills.pools.add(item.pool, plain(row))
        if record.value is not None:
            where = record.at_ms, record.topic, record.partition, record.offset
            self._spills.leads.add(item.lead_id, (*where, record.value))

    def _look_into(self, record: Record, value: Any) -> None:
        where, spills = (record.topic, record.partition, record.offset), self._spills
        match value:
            case LeadRouted():
                check_turn(value, place_of(record), self._report.add)
            case RoutingAnswer():
                # A hand-off that did not stand any more had a turn too, until its release.
                if (routed := value.routed) is not None:
                    spills.pools.add(routed.pool, plain(decision_of(routed, where)))
                elif value.unrouted is not None and (gone := let_go_of(value.unrouted)) is not None:
                    pool, release = gone
                    spills.pools.add(pool, plain(release))
            case QueueItem():
                self._queued(record, value)
            case AccountPart():
                spills.accounts.add(
                    value.account_id, (record.at_ms, where, value.lead_id, value.kind != "remove")
                )
            case AccountScored():
                spills.accounts.add(value.account_id, (record.at_ms, where, value.people))
            case GoalTally():
                if record.value is not None:
                    who = value.lead_id, value.cycle, value.into
                    counted = value.tally_id, value.amount, value.metric, value.occurred_at_ms
                    spills.goals.add(value.goal, (record.at_ms, where, *counted, who))
                    spills.leads.add(value.lead_id, (record.at_ms, *where, record.value))
            case GoalProgress():
                spills.goals.add(value.goal, (record.at_ms, where, value.achieved, value.period))
            case LeadTransfer():
                for lead_id in (value.loser, value.survivor):
                    spills.leads.add(lead_id, (record.at_ms, *where, record.value))
            case IdentityAlias():
                if value.kind == AliasKind.RESOLVED and value.lead_id:
                    spills.identities.add(value.identity, (record.at_ms, where, value.lead_id))
                if value.kind == AliasKind.DROPPED:
                    spills.events.add(value.cause_id, (record.at_ms, DROPPED, *where))
            case _:
                what = KEYED if record.topic == INTAKE_KEYED else ACCEPTED
                spills.events.add(value.event_id, (record.at_ms, what, *where))


def _check_overflow(item: QueueItem, place: Place, add: Add) -> None:
    if item.pool in item.overflowed_from:
        words = f"hand-off {item.handoff_id} comes back to {item.pool}, which it had left"
        add(Finding(invariant=Invariant.OVERFLOW, words=words, place=place))


def place_of(record: Record) -> Place:
    """Where a record lies."""
    return Place(topic=record.topic, partition=record.partition, offset=record.offset)
