"""Rows of what Baton decides about a lead on its way. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from baton.contracts.leads import (
    LeadAmended,
    LeadQualified,
    LeadRefused,
    LeadScored,
    LeadStaged,
    Story,
)
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadOrphan, LeadReactivated, LeadRecycled
from services.insights.facts.change import Change, Forget, Taken, kept_fact, put
from services.insights.facts.flow_tables import (
    AMENDMENT,
    HANDOFF,
    NOTE,
    ORPHAN,
    QUALIFICATION,
    REACTIVATED,
    RECYCLED,
    REFUSAL,
    STAGE_MOVE,
    UNROUTED,
)


def fold_scored(taken: Taken, scored: LeadScored) -> Iterator[Change]:
    yield from kept_fact(taken, scored.lead_id, scored)


def fold_qualified(taken: Taken, fact: LeadQualified) -> Iterator[Change]:
    story = fact.story
    yield put(
        QUALIFICATION,
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


def fold_amended(taken: Taken, fact: LeadAmended) -> Iterator[Change]:
    yield put(
        AMENDMENT,
        amendment_id=fact.amendment_id,
        lead_id=fact.lead_id,
        cycle=fact.cycle,
        qualification_id=fact.qualification_id,
        handoff_id=fact.handoff_id,
        changed=";".join(fact.changed),
        leg=fact.leg,
        level=fact.level,
        hand_raised=fact.hand_raised,
        segment=fact.segment,
        at_ms=fact.at_ms,
        cause_id=fact.cause_id,
        log_ms=taken.at_ms,
    )
    yield from kept_fact(taken, fact.lead_id, replace(fact, brief=replace(fact.brief, person=None)))


def fold_staged(taken: Taken, move: LeadStaged) -> Iterator[Change]:
    yield put(
        STAGE_MOVE,
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


def fold_routed(taken: Taken, routed: LeadRouted) -> Iterator[Change]:
    yield put(
        HANDOFF,
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
    # The story is kept with the qualification; here it would be a second copy, with the person in
    # it.
    yield from kept_fact(
        taken, routed.lead_id, replace(routed, qualified=replace(routed.qualified, story=Story()))
    )


def fold_unrouted(taken: Taken, fact: LeadUnrouted) -> Iterator[Change]:
    yield put(
        UNROUTED,
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


def fold_noted(taken: Taken, note: HandoffNoted) -> Iterator[Change]:
    yield put(
        NOTE,
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


def fold_recycled(taken: Taken, fact: LeadRecycled) -> Iterator[Change]:
    yield put(
        RECYCLED,
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


def fold_reactivated(taken: Taken, fact: LeadReactivated) -> Iterator[Change]:
    yield put(
        REACTIVATED,
        fact_id=taken.id,
        lead_id=fact.lead_id,
        recycle_id=fact.recycle_id,
        reason=fact.reason,
        log_ms=taken.at_ms,
    )
    yield from kept_fact(taken, fact.lead_id, fact)


def fold_refused(taken: Taken, refused: LeadRefused) -> Iterator[Change]:
    yield put(
        REFUSAL,
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


def fold_orphaned(taken: Taken, orphan: LeadOrphan) -> Iterator[Change]:
    yield put(
        ORPHAN,
        lead_id=orphan.lead_id,
        kind=orphan.kind,
        cause=orphan.cause,
        since_ms=orphan.since_ms,
        stage=orphan.stage,
        holder=orphan.holder,
        log_ms=taken.at_ms,
        log_offset=taken.offset,
    )
