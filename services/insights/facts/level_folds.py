"""Rows of service levels, goals and accounts. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from baton.contracts.accounts import AccountScored
from baton.contracts.goals import GoalProgress
from baton.contracts.slas import SlaAction, SlaClock, SlaViolation
from services.insights.facts.change import Change, Taken, put
from services.insights.facts.level_tables import ACCOUNT, ACTION, CLOCK, GOAL, VIOLATION


def fold_clock_changed(taken: Taken, clock: SlaClock) -> Iterator[Change]:
    spent = {
        f"spent_{part}_ms": clock.spent_ms.get(part)
        for part in ("system", "queue", "human", "buyer", "rest")
    }
    yield put(
        CLOCK,
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


def fold_violated(taken: Taken, found: SlaViolation) -> Iterator[Change]:
    yield put(
        VIOLATION,
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


def fold_stepped(taken: Taken, action: SlaAction) -> Iterator[Change]:
    yield put(
        ACTION,
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


def fold_goal_progressed(taken: Taken, goal: GoalProgress) -> Iterator[Change]:
    yield put(
        GOAL,
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


def fold_account_scored(taken: Taken, account: AccountScored) -> Iterator[Change]:
    yield put(
        ACCOUNT,
        account_id=account.account_id,
        people=account.people,
        engaged_people=account.engaged_people,
        engagement_micro=account.engagement_micro,
        most_senior_role=account.most_senior_role,
        log_ms=taken.at_ms,
        log_offset=taken.offset,
    )
