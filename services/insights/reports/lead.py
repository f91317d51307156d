"""A lead: who holds it, why it scored as it did, everything that happened, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from baton.contracts.leads import LeadAmended, LeadQualified, LeadScored
from baton.contracts.routing import LeadRouted
from services.insights.projection.kept_history import decoded
from services.insights.reports.context import Context
from services.insights.reports.timeline import events

_MICRO: Final = 1_000_000
_SHOWN_EVENTS: Final = 400
_CLOCKS: Final = (
    "SELECT * FROM clock WHERE lead_id = :lead ORDER BY started_at_ms DESC, deadline_ms"
)
_COLLEAGUES: Final = """SELECT lead_id, holder, holder_kind, stage, level, hand_raised FROM lead
    WHERE account_id = :account AND lead_id <> :lead AND survivor IS NULL AND erased = 0
    ORDER BY last_seen_ms DESC, lead_id LIMIT 12"""


class LeadUnknown(LookupError):
    """There is no such lead on the board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The score at a moment."""

    at_ms: int
    fit: float
    engagement: float
    grade: str
    level: str


def lead(context: Context, lead_id: str) -> dict[str, Any]:
    """The page Lead; raises LeadUnknown."""
    found = context.rows("SELECT * FROM lead WHERE lead_id = :lead", lead=lead_id)
    if not found:
        raise LeadUnknown(lead_id)
    row = context.named(found)[0]
    facts = _facts(context, lead_id)
    scored = [value for _, value in facts if isinstance(value, LeadScored)]
    happened = events(context, lead_id, facts)
    clocks = context.rows(_CLOCKS, lead=lead_id)
    return {
        "lead": row,
        "events": happened[:_SHOWN_EVENTS],
        "cut": max(0, len(happened) - _SHOWN_EVENTS),
        "curve": [_point(score) for score in scored],
        "score": scored[-1] if scored else None,
        "routed": _last(facts, LeadRouted),
        "brief": _brief(facts),
        "clocks": clocks,
        "open_clocks": sorted(
            (clock for clock in clocks if clock["state"] in ("running", "breached")),
            key=lambda clock: clock["deadline_ms"],
        ),
        "colleagues": _colleagues(context, row),
    }


def _facts(context: Context, lead_id: str) -> list[tuple[int, Any]]:
    """Append time and record of what was published of the lead, in the order of the log."""
    statement = "SELECT topic, log_ms, value FROM fact WHERE lead_id = :lead"
    kept = context.rows(f"{statement} ORDER BY log_ms, log_offset", lead=lead_id)
    return [(row["log_ms"], decoded(row["topic"], row["value"])) for row in kept]


_Fact = TypeVar("_Fact")


def _last(facts: Sequence[tuple[int, Any]], kind: type[_Fact]) -> _Fact | None:
    return next((value for _, value in reversed(facts) if isinstance(value, kind)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The hand-off brief as it is now. ``changed``: what was amended since the hand-off, by name;
    ``amended_ms``: when that was last."""

    content: Any
    changed: tuple[str, ...] = ()
    amended_ms: int | None = None


def _brief(facts: Sequence[tuple[int, Any]]) -> Brief | None:
    """The brief of the latest qualification, with every amendment of it."""
    qualified = _last(facts, LeadQualified)
    if qualified is None:
        return None
    amended = [
        value
        for _, value in facts
        if isinstance(value, LeadAmended) and value.qualification_id == qualified.qualification_id
    ]
    if not amended:
        return Brief(content=qualified.story)
    changed = dict.fromkeys(name for amendment in amended for name in amendment.changed)
    latest = amended[-1]
    return Brief(content=latest.brief, changed=tuple(changed), amended_ms=latest.at_ms)


def _colleagues(context: Context, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Other leads of the account, the latest seen first."""
    if not row["account_id"]:
        return []
    found = context.rows(_COLLEAGUES, account=row["account_id"], lead=row["lead_id"])
    return context.named(found)


def _point(scored: LeadScored) -> Point:
    return Point(
        at_ms=scored.scored_at_ms,
        fit=scored.fit_micro / _MICRO,
        engagement=scored.engagement_micro / _MICRO,
        grade=scored.grade,
        level=scored.level,
    )
