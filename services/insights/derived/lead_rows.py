"""A lead as it stands, from its facts alone: the order in which they arrived changes nothing.

Who holds the lead is read off by the projection that custody and the story of a lead use too
(:mod:`baton.contracts.custody`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from baton.contracts.custody import HolderKind, Holding, holder_of, updated
from baton.contracts.handoff import ProjectedHandoff
from baton.contracts.leads import (
    LeadAmended,
    LeadQualified,
    LeadScored,
    LeadStaged,
    Stage,
    StageEvent,
)
from baton.contracts.routing import LeadRouted
from baton.contracts.topic_names import (
    LEADS_AMENDMENTS,
    LEADS_HANDOFFS,
    LEADS_QUALIFIED,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_SCORED,
    LEADS_STAGES,
    LEADS_UNROUTED,
)
from baton.evolve import quick
from services.insights.derived.public_streams import stream_records
from services.insights.facts.change import Put, put, stored
from services.insights.facts.derived_tables import LEAD
from services.insights.facts.score_head import ScoreHead

_FLOW: Final = (
    LEADS_SCORED,
    LEADS_QUALIFIED,
    LEADS_STAGES,
    LEADS_AMENDMENTS,
    LEADS_UNROUTED,
    LEADS_HANDOFFS,
    LEADS_ROUTED_SDR,
    LEADS_ROUTED_SALES,
    LEADS_REACTIVATED,
    LEADS_RECYCLED,
)
MARKETING: Final = "marketing"
"""Holds a lead that has never been ready for a person."""
_RATING: Final = ("grade", "fit_micro", "engagement_micro", "scored_at_ms")
_UNRATED: Final[Mapping[str, Any]] = dict(zip(_RATING, ("", 0, 0, 0), strict=True))
_RATED: Final = slice(LEAD.names.index("grade"), LEAD.names.index("scored_at_ms") + 1)
_LEVEL: Final = LEAD.names.index("level")
_SINCE: Final = LEAD.names.index("stage_since_ms")
_ACCOUNT, _JOURNEY = LEAD.names.index("account_id"), LEAD.names.index("journey")
_FIRST_SEEN, _LAST_SEEN = LEAD.names.index("first_seen_ms"), LEAD.names.index("last_seen_ms")
_LAST_ACT: Final = LEAD.names.index("last_act_ms")
assert LEAD.names[_RATED] == _RATING


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A fact of the lead as it was kept."""

    topic: str
    log_ms: int
    log_offset: int
    value: Any
    fact_id: str = ""

    @property
    def order(self) -> tuple[int, int, int]:
        """Append time, then the order of the flow: facts of one moment lie in several topics."""
        return (
            self.log_ms,
            _FLOW.index(self.topic) if self.topic in _FLOW else len(_FLOW),
            self.log_offset,
        )


@quick
@dataclass(frozen=True, slots=True)
class Rating:
    """What the latest score of the lead says of it. ``order``: its place in the log, and its id."""

    order: tuple[int, int, str]
    level: str
    grade: str
    fit_micro: int
    engagement_micro: int
    scored_at_ms: int


def rating_of(scored: LeadScored | ScoreHead, order: tuple[int, int, str]) -> Rating:
    """The rating that a score gives."""
    level, grade = stored([scored.level, scored.grade])
    return Rating(
        order, level, grade, scored.fit_micro, scored.engagement_micro, scored.scored_at_ms
    )


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What other tables know of the lead. ``root``: the lead it ended in, through any chain of
    merges, or itself."""

    account_id: str | None
    root: str
    journey: str
    seen: tuple[int, int]
    last_act_ms: int | None
    erased: bool


@dataclass(slots=True)
class _Latest:
    moved_ms: int | None = None
    moved: LeadStaged | None = None
    qualified: LeadQualified | None = None
    amended: LeadAmended | None = None
    routed: LeadRouted | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """What the facts of a lead come to, its scores apart. ``settled``: the cells of its row that
    follow from them, with where it ended and whether it is forgotten."""

    holding: Holding
    latest: _Latest
    settled: dict[tuple[str, str, bool], tuple[Any, ...]]


def flow_of(facts: Iterable[Kept]) -> Flow:
    """The facts in the order of the log, put together."""
    ordered = sorted(facts, key=lambda fact: fact.order)
    holding, latest = Holding(), _Latest()
    for record in stream_records([kept.value for kept in ordered]):
        holding = updated(holding, record)
    for kept in ordered:
        _note(latest, kept)
    return Flow(holding, latest, {})


def lead_row(lead_id: str, flow: Flow, rating: Rating | None, around: Surroundings) -> Put:
    """The row of the lead. A touch or a score changes a few of its cells; the others are kept with
    the flow."""
    place = (lead_id, around.root, around.erased)
    settled = flow.settled.get(place)
    if settled is None:
        settled = flow.settled[place] = _settled(flow.holding, flow.latest, place)
    cells = list(settled)
    cells[_JOURNEY], cells[_ACCOUNT] = around.journey, around.account_id
    cells[_FIRST_SEEN], cells[_LAST_SEEN] = around.seen
    cells[_LAST_ACT] = around.last_act_ms
    if not cells[_SINCE]:
        cells[_SINCE] = around.seen[0]
    if rating is not None:
        cells[_RATED] = rating.grade, rating.fit_micro, rating.engagement_micro, rating.scored_at_ms
        if cells[_LEVEL] is None:
            cells[_LEVEL] = rating.level
    elif cells[_LEVEL] is None:
        cells[_LEVEL] = "cold"
    return Put(LEAD, tuple(cells))


def _note(latest: _Latest, kept: Kept) -> None:
    match kept.value:
        case LeadStaged(event=event) as move if event != StageEvent.CONSENT_CHANGED:
            if latest.moved is None or latest.moved.to_stage != move.to_stage:
                latest.moved_ms = move.occurred_at_ms
            latest.moved = move
        case LeadQualified() as qualified:
            latest.qualified = qualified
        case LeadAmended() as amended:
            latest.amended = amended
        case LeadRouted() as routed:
            latest.routed = routed


@dataclass(frozen=True, slots=True)
class _Standing:
    """What stands of the lead's qualification, with what became known of it since, and of its
    hand-off."""

    qualified: LeadQualified | LeadAmended | None
    qualified_at_ms: int | None
    handoff: ProjectedHandoff | None
    routed: LeadRouted | None


def _standing(holding: Holding, latest: _Latest) -> _Standing:
    stands, handoff = holding.qualification_id, holding.standing
    qualified = _of_qualification(latest.qualified, stands)
    routed = latest.routed
    return _Standing(
        qualified=(_of_qualification(latest.amended, stands) or qualified) if qualified else None,
        qualified_at_ms=qualified.qualified_at_ms if qualified else None,
        handoff=handoff,
        routed=routed if handoff and routed and handoff.handoff_id == routed.handoff_id else None,
    )


_Fact = TypeVar("_Fact", LeadQualified, LeadAmended)


def _of_qualification(fact: _Fact | None, qualification_id: str | None) -> _Fact | None:
    return fact if fact is not None and fact.qualification_id == qualification_id else None


def _settled(holding: Holding, latest: _Latest, place: tuple[str, str, bool]) -> tuple[Any, ...]:
    """Cells that neither touches nor scores change; those they do are empty."""
    standing, newest = _standing(holding, latest), latest.qualified
    lead_id, root, erased = place
    known = (
        (_of_qualification(latest.amended, newest.qualification_id) or newest) if newest else None
    )
    kind, who = _holder(holding, latest, place)
    qualified = standing.qualified
    values: dict[str, Any] = {**dict.fromkeys(LEAD.names), **_UNRATED}
    values |= _handed(standing)
    values |= {
        "lead_id": lead_id,
        "stage": holding.stage,
        "cycle": holding.cycle,
        "stage_since_ms": latest.moved_ms,
        "reason": holding.reason,
        "holder_kind": kind,
        "holder": who,
        "missing": "" if kind != HolderKind.NOBODY else str(holder_of(holding).missing),
        "next_at_ms": holder_of(holding).next_at_ms,
        "qualification_id": holding.qualification_id,
        "segment": known.segment if known else None,
        # the urgency of a hand-off outranks the level of the score
        "level": qualified.level if qualified else None,
        "hand_raised": bool(qualified and qualified.hand_raised),
        "survivor": root if root != lead_id else None,
        "erased": erased or holding.ended == "erased",
    }
    return put(LEAD, **values).row


def _handed(standing: _Standing) -> dict[str, Any]:
    """Columns of the hand-off that stands."""
    qualified, handoff, routed = standing.qualified, standing.handoff, standing.routed
    return {
        "handoff_id": handoff.handoff_id if handoff else None,
        "qualified_at_ms": standing.qualified_at_ms,
        "routed_at_ms": routed.routed_at_ms if routed else None,
        "pool": routed.pool if routed else handoff.pool or handoff.queue if handoff else None,
        "leg": routed.leg if routed else qualified.leg if qualified else None,
    }


def _holder(holding: Holding, latest: _Latest, place: tuple[str, str, bool]) -> tuple[str, str]:
    """Who holds the lead. One that never qualified is nobody's to work on: it is marketing's."""
    lead_id, root, erased = place
    if root != lead_id:
        return HolderKind.LEAD.value, root
    if erased or holding.ended:
        return HolderKind.END.value, holding.ended or "erased"
    if (
        latest.qualified is None
        and holding.rest is None
        and (latest.moved is None or latest.moved.to_stage == Stage.INQUIRY)
    ):
        return MARKETING, ""
    holder = holder_of(holding)
    return holder.kind.value, holder.who
