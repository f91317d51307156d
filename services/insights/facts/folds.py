"""What each public record adds to the board: record -> rows, one function a topic. Pure, total over the topics of :data:`FOLDS`.

Every row has a key of its own, so a record that comes twice changes nothing, and rows of several topics never wait for each other: an
acceptance may come before the hand-off it answers. Direct identifiers go to ``person`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadAct, LeadEvent, LeadMerge, LeadPerson
from baton.contracts.leads import (
    AccountScored,
    LeadQualified,
    LeadRefused,
    LeadScored,
    LeadStaged,
    Story,
)
from baton.contracts.levels import (
    GoalProgress,
    LeadOrphan,
    LeadReactivated,
    LeadRecycled,
    SlaAction,
    SlaClock,
    SlaViolation,
)
from baton.contracts.reference import AgreementRecord, PeopleRecord
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from services.insights.facts import tables as t

ACCOUNT_FIELD: Final = "domain"
"""The field of a profile that names the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One record. ``id``: of the fact; ``value``: decoded; None is a tombstone. ``at_ms``: when it was appended."""

    topic: str
    partition: int
    offset: int
    id: str
    key: str
    value: Any
    at_ms: int


@dataclass(frozen=True, slots=True)
class Put:
    """A row of a table of facts, in the order of its columns."""

    table: t.Table
    row: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Forget:
    """A person is to be forgotten: every name of the lead goes."""

    lead_id: str


@dataclass(frozen=True, slots=True)
class Touched:
    """The derived rows of this lead are to be made anew."""

    lead_id: str


Change = Put | Forget | Touched


def put(table: t.Table, **values: Any) -> Put:
    """A row from named values; raises TypeError for a column that is missing or too much."""
    try:
        row = tuple([int(value) if value is True or value is False else value for value in map(values.__getitem__, table.names)])
    except KeyError as error:
        raise TypeError(f"{table.name} needs {error}") from None
    if len(row) != len(values):
        raise TypeError(f"{table.name} has no {sorted(values.keys() - set(table.names))}")
    return Put(table, row)


def changes_of(taken: Taken) -> Iterator[Change]:
    """Every row that the record adds; nothing for a tombstone, but of ``leads.persons.v1``."""
    if taken.value is None:
        if taken.topic == "leads.persons.v1":
            yield Forget(taken.key)
        return
    yield from FOLDS[taken.topic](taken, taken.value)


def kept_fact(taken: Taken, lead_id: str, value: Any) -> Iterator[Change]:
    """The record as it is kept for the lead's page, and the wish to make the lead's row anew."""
    kind: Any = type(value)
    encoded = codec_for(kind).encode(value)
    yield put(
        t.FACT,
        lead_id=lead_id,
        topic=taken.topic,
        fact_id=taken.id,
        log_ms=taken.at_ms,
        log_offset=taken.offset,
        value=encoded,
    )
    yield Touched(lead_id)


def _accepted(taken: Taken, event: LeadEvent) -> Iterator[Change]:
    engagement = event.engagement
    if engagement is not None:
        yield put(
            t.TOUCH,
            event_id=event.event_id,
            lead_id=event.lead_id,
            occurred_at_ms=event.occurred_at_ms,
            received_at_ms=event.received_at_ms,
            source=event.source,
            act=engagement.act,
            campaign=engagement.campaign,
            content_id=engagement.content_id,
            content_title=engagement.content_title,
            content_stage=engagement.content_stage,
            topics=";".join(engagement.topics),
            automatic=engagement.automatic,
            backfill=event.backfill,
            clamped=event.clamped,
            log_ms=taken.at_ms,
        )
    if event.retracts is not None:
        yield put(t.RETRACTION, event_id=event.retracts, lead_id=event.lead_id, log_ms=taken.at_ms)
    if ACCOUNT_FIELD in event.profile:
        yield put(
            t.MEMBERSHIP,
            event_id=event.event_id,
            lead_id=event.lead_id,
            occurred_at_ms=event.occurred_at_ms,
            account_id=event.profile[ACCOUNT_FIELD] or None,
        )
    yield Touched(event.lead_id)


def _act(taken: Taken, told: LeadAct) -> Iterator[Change]:
    act = told.act
    yield put(
        t.ACT,
        event_id=told.event_id,
        lead_id=told.lead_id,
        kind=act.kind,
        by_person=act.by,
        actor=act.actor,
        handoff_id=act.handoff_id,
        occurred_at_ms=told.occurred_at_ms,
        received_at_ms=told.received_at_ms,
        source=told.source,
        reason=act.reason,
        outcome=act.outcome,
        automatic=act.automatic,
        opportunity_id=act.opportunity_id,
        amount_minor=act.amount_minor,
        currency=act.currency,
        expected_close=act.expected_close,
        contract_end=act.contract_end,
        log_ms=taken.at_ms,
    )
    yield Touched(told.lead_id)


def _person(_: Taken, told: LeadPerson) -> Iterator[Change]:
    if told.erased:
        yield Forget(told.lead_id)
        return
    person = told.person
    yield put(
        t.PERSON,
        lead_id=told.lead_id,
        event_id=told.event_id,
        occurred_at_ms=told.occurred_at_ms,
        first_name=person.first_name,
        last_name=person.last_name,
        company=person.company,
        email=person.email,
        phone=person.phone,
    )


def _merge(_: Taken, merge: LeadMerge) -> Iterator[Change]:
    yield put(t.MERGE, loser=merge.loser, survivor=merge.survivor, occurred_at_ms=merge.occurred_at_ms)
    yield Touched(merge.loser)
    yield Touched(merge.survivor)


def _scored(taken: Taken, scored: LeadScored) -> Iterator[Change]:
    yield from kept_fact(taken, scored.lead_id, scored)


def _qualified(taken: Taken, fact: LeadQualified) -> Iterator[Change]:
    story = fact.story
    yield put(
        t.QUALIFICATION,
        qualification_id=fact.qualification_id,
        lead_id=fact.lead_id,
        cycle=fact.cycle,
        leg=fact.leg,
        stage=fact.stage,
        level=fact.level,
        grade=fact.grade,
        fit_micro=fact.fit_micro,
        engagement_micro=fact.engagement_micro,
        hand_raised=fact.hand_raised,
        qualified_at_ms=fact.qualified_at_ms,
        cause_id=fact.cause_id,
        segment=fact.segment,
        account_id=story.account_id,
        source=story.source,
        first_campaign=story.first_campaign,
        latest_campaign=story.latest_campaign,
        agreement=fact.agreement,
    )
    yield from kept_fact(taken, fact.lead_id, replace(fact, story=replace(story, person=None)))


def _staged(taken: Taken, move: LeadStaged) -> Iterator[Change]:
    yield put(
        t.STAGE_MOVE,
        fact_id=taken.id,
        lead_id=move.lead_id,
        cycle=move.cycle,
        from_stage=move.from_stage,
        to_stage=move.to_stage,
        event=move.event,
        actor=move.actor,
        by_person=move.by,
        reason=move.reason,
        occurred_at_ms=move.occurred_at_ms,
        log_ms=taken.at_ms,
        handoff_id=move.handoff_id,
        qualification_id=move.qualification_id,
        inferred=";".join(move.inferred),
        segment=move.segment,
        level=move.level,
        opportunity_id=move.opportunity_id,
        amount_minor=move.amount_minor,
        currency=move.currency,
        expected_close=move.expected_close,
        hand_raised=move.hand_raised,
        cause_id=move.cause_id,
    )
    if move.event == "erased":
        yield Forget(move.lead_id)
    yield from kept_fact(taken, move.lead_id, move)


def _routed(taken: Taken, routed: LeadRouted) -> Iterator[Change]:
    yield put(
        t.HANDOFF,
        handoff_id=routed.handoff_id,
        qualification_id=routed.qualification_id,
        attempt=routed.attempt,
        lead_id=routed.lead_id,
        leg=routed.leg,
        pool=routed.pool,
        owner=routed.owner,
        level=routed.level,
        segment=routed.segment,
        hand_raised=routed.hand_raised,
        routed_at_ms=routed.routed_at_ms,
        qualified_at_ms=routed.qualified_at_ms,
        rule=routed.rule,
        turn_used=routed.turn_used,
        accept_by_ms=routed.accept_by_ms,
    )
    # The story is kept with the qualification; here it would be a second copy, with the person in it.
    yield from kept_fact(taken, routed.lead_id, replace(routed, qualified=replace(routed.qualified, story=Story())))


def _unrouted(taken: Taken, fact: LeadUnrouted) -> Iterator[Change]:
    yield put(
        t.UNROUTED,
        fact_id=taken.id,
        lead_id=fact.lead_id,
        handoff_id=fact.handoff_id,
        outcome=fact.outcome,
        reason=fact.reason,
        pool=fact.pool,
        next_try_at_ms=fact.next_try_at_ms,
        log_ms=taken.at_ms,
    )
    yield from kept_fact(taken, fact.lead_id, fact)


def _noted(taken: Taken, note: HandoffNoted) -> Iterator[Change]:
    yield put(
        t.NOTE,
        fact_id=taken.id,
        lead_id=note.lead_id,
        handoff_id=note.handoff_id,
        kind=note.kind,
        reason=note.reason,
        by_person=note.by,
        owner=note.owner,
        cause_id=note.cause_id,
        log_ms=taken.at_ms,
    )
    yield from kept_fact(taken, note.lead_id, note)


def _clock(taken: Taken, clock: SlaClock) -> Iterator[Change]:
    spent = {f"spent_{part}_ms": clock.spent_ms.get(part) for part in ("system", "queue", "human", "buyer", "rest")}
    yield put(
        t.CLOCK,
        clock_id=clock.clock_id,
        clock=clock.clock,
        lead_id=clock.lead_id,
        cycle=clock.cycle,
        side=clock.side,
        state=clock.state,
        started_at_ms=clock.started_at_ms,
        deadline_ms=clock.deadline_ms,
        ended_at_ms=clock.ended_at_ms,
        owner=clock.owner,
        pool=clock.pool,
        level=clock.level,
        segment=clock.segment,
        target=clock.target,
        reason=clock.reason,
        inferred=clock.inferred,
        log_ms=taken.at_ms,
        log_offset=taken.offset,
        **spent,
    )


def _violation(taken: Taken, found: SlaViolation) -> Iterator[Change]:
    yield put(
        t.VIOLATION,
        violation_id=found.violation_id,
        kind=found.kind,
        clock=found.clock,
        clock_id=found.clock_id,
        side=found.side,
        lead_id=found.lead_id,
        goal=found.goal,
        owner=found.owner,
        pool=found.pool,
        deadline_ms=found.deadline_ms,
        unproven=found.unproven,
        reason=found.reason,
        log_ms=taken.at_ms,
    )


def _action(taken: Taken, action: SlaAction) -> Iterator[Change]:
    yield put(
        t.ACTION,
        action_id=action.action_id,
        kind=action.kind,
        lead_id=action.lead_id,
        handoff_id=action.handoff_id,
        clock_id=action.clock_id,
        owner=action.owner,
        to_person=action.to,
        reason=action.reason,
        log_ms=taken.at_ms,
    )


def _recycled(taken: Taken, fact: LeadRecycled) -> Iterator[Change]:
    yield put(
        t.RECYCLED,
        recycle_id=fact.recycle_id,
        lead_id=fact.lead_id,
        cycle=fact.cycle,
        outcome=fact.outcome,
        reason=fact.reason,
        track=fact.track,
        cool_off_until_ms=fact.cool_off_until_ms,
        return_at_ms=fact.return_at_ms,
        by_person=fact.by,
        needs=fact.needs,
        nurture_allowed=fact.nurture_allowed,
        log_ms=taken.at_ms,
    )
    yield from kept_fact(taken, fact.lead_id, fact)


def _reactivated(taken: Taken, fact: LeadReactivated) -> Iterator[Change]:
    yield put(
        t.REACTIVATED,
        fact_id=taken.id,
        lead_id=fact.lead_id,
        recycle_id=fact.recycle_id,
        reason=fact.reason,
        log_ms=taken.at_ms,
    )
    yield from kept_fact(taken, fact.lead_id, fact)


def _refused(taken: Taken, refused: LeadRefused) -> Iterator[Change]:
    yield put(
        t.REFUSAL,
        fact_id=taken.id,
        lead_id=refused.lead_id,
        cause_id=refused.cause_id,
        event=refused.event,
        stage=refused.stage,
        actor=refused.actor,
        by_person=refused.by,
        reason=refused.reason,
        log_ms=taken.at_ms,
    )


def _goal(taken: Taken, goal: GoalProgress) -> Iterator[Change]:
    yield put(
        t.GOAL,
        goal=goal.goal,
        period=goal.period,
        metric=goal.metric,
        side=goal.side,
        segment=goal.segment,
        target=goal.target,
        achieved=goal.achieved,
        pace_ppm=goal.pace_ppm,
        working_days_gone=goal.working_days_gone,
        working_days=goal.working_days,
        state=goal.state,
        log_ms=taken.at_ms,
        log_offset=taken.offset,
    )


def _account(taken: Taken, account: AccountScored) -> Iterator[Change]:
    yield put(
        t.ACCOUNT,
        account_id=account.account_id,
        people=account.people,
        engaged_people=account.engaged_people,
        engagement_micro=account.engagement_micro,
        most_senior_role=account.most_senior_role,
        log_ms=taken.at_ms,
        log_offset=taken.offset,
    )


def _orphan(taken: Taken, orphan: LeadOrphan) -> Iterator[Change]:
    yield put(
        t.ORPHAN,
        lead_id=orphan.lead_id,
        kind=orphan.kind,
        cause=orphan.cause,
        since_ms=orphan.since_ms,
        stage=orphan.stage,
        holder=orphan.holder,
        log_ms=taken.at_ms,
        log_offset=taken.offset,
    )


def _reference(taken: Taken, record: AgreementRecord | PeopleRecord) -> Iterator[Change]:
    kind: Any = type(record)
    encoded = codec_for(kind).encode(record)
    yield put(t.REFERENCE, topic=taken.topic, log_offset=taken.offset, log_ms=taken.at_ms, value=encoded)


def dead_letter(taken: Taken, code: str) -> Put:
    """The row of a dead letter; its bytes are left where they are."""
    return put(
        t.DEAD_LETTER,
        topic=taken.topic,
        partition=taken.partition,
        log_offset=taken.offset,
        code=code,
        log_ms=taken.at_ms,
    )


Fold = Callable[[Taken, Any], Iterator[Change]]

FOLDS: Final[Mapping[str, Fold]] = {
    "leads.accepted.v1": _accepted,
    "leads.acts.v1": _act,
    "leads.persons.v1": _person,
    "leads.merges.v1": _merge,
    "leads.scored.v1": _scored,
    "leads.qualified.v1": _qualified,
    "leads.stages.v1": _staged,
    "leads.routed.sdr.v1": _routed,
    "leads.routed.sales.v1": _routed,
    "leads.unrouted.v1": _unrouted,
    "leads.handoffs.v1": _noted,
    "leads.sla-clocks.v1": _clock,
    "leads.sla-violations.v1": _violation,
    "leads.sla-actions.v1": _action,
    "leads.recycled.v1": _recycled,
    "leads.reactivated.v1": _reactivated,
    "leads.refusals.v1": _refused,
    "leads.orphans.v1": _orphan,
    "goals.progress.v1": _goal,
    "accounts.scored.v1": _account,
    "baton.agreements.v1": _reference,
    "baton.people.v1": _reference,
}
"""By topic: every public topic but the inbox, the commands and the dead letters (``leads.commands.v1`` is answered by what follows it)."""

DEAD_LETTERS: Final = "dlq.leads.inbox.v1"
"""Read too: only reason and place are kept."""
