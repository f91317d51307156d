"""Rows of what Baton decides about a lead on its way, where a record is more than a row. Pure.

The person is taken out of what is kept: names stand in ``person`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from baton.contracts.leads import LeadAmended, LeadQualified, LeadStaged, Story
from baton.contracts.public_record import PublicRecord
from baton.contracts.routing import LeadRouted
from baton.contracts.slas import LeadRecycled, SlaClock
from services.insights.facts.change import Change, Forget, kept_fact, row_of
from services.insights.facts.flow_tables import (
    AMENDMENT,
    HANDOFF,
    QUALIFICATION,
    RECYCLED,
    REST,
    STAGE_MOVE,
)
from services.insights.facts.level_tables import CLOCK


def fold_qualified(taken: PublicRecord, fact: LeadQualified) -> Iterator[Change]:
    brief = fact.story
    yield row_of(
        QUALIFICATION,
        taken,
        fact,
        account_id=brief.account_id,
        source=brief.source,
        first_campaign=brief.first_campaign,
        latest_campaign=brief.latest_campaign,
    )
    yield from kept_fact(taken, fact.lead_id, replace(fact, story=replace(brief, person=None)))


def fold_amended(taken: PublicRecord, fact: LeadAmended) -> Iterator[Change]:
    yield row_of(AMENDMENT, taken, fact)
    yield from kept_fact(taken, fact.lead_id, replace(fact, brief=replace(fact.brief, person=None)))


def fold_staged(taken: PublicRecord, move: LeadStaged) -> Iterator[Change]:
    yield row_of(STAGE_MOVE, taken, move, by_person=move.by)
    if move.event == "erased":
        yield Forget(move.lead_id)
    yield from kept_fact(taken, move.lead_id, move)


def fold_routed(taken: PublicRecord, routed: LeadRouted) -> Iterator[Change]:
    """The brief is kept with the qualification: here it would be a second copy."""
    yield row_of(HANDOFF, taken, routed)
    bare = replace(routed, qualified=replace(routed.qualified, story=Story()))
    yield from kept_fact(taken, routed.lead_id, bare)


def fold_recycled(taken: PublicRecord, ended: LeadRecycled) -> Iterator[Change]:
    """A revision ends nothing anew: it says how the lead rests from then on."""
    if not ended.revised:
        yield row_of(RECYCLED, taken, ended, by_person=ended.by)
    yield row_of(REST, taken, ended)
    yield from kept_fact(taken, ended.lead_id, ended)


def fold_clock_changed(taken: PublicRecord, clock: SlaClock) -> Iterator[Change]:
    parts = ("system", "queue", "human", "buyer", "rest")
    spent = {f"spent_{part}_ms": clock.spent_ms.get(part) for part in parts}
    yield row_of(CLOCK, taken, clock, **spent)
