"""A lead's story: who holds it, why it scored as it did, everything that happened, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from baton.contracts.leads import LeadQualified, LeadScored, LeadStaged
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadReactivated, LeadRecycled
from services.insights.projection.deriving import decoded
from services.insights.reports.context import Context

_MICRO: Final = 1_000_000
_SHOWN_EVENTS: Final = 400


class LeadUnknown(LookupError):
    """There is no such lead on the board."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the story. ``kind`` is a word for the sign beside it; ``who`` a person of the
    teams."""

    at_ms: int
    kind: str
    text: str
    detail: str = ""
    who: str | None = None


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
    facts = [
        (at, decoded(topic, value))
        for topic, at, value in context.db.execute(
            "SELECT topic, log_ms, value FROM fact WHERE lead_id = ? ORDER BY log_ms, log_offset",
            (lead_id,),
        )
    ]
    scored = [value for _, value in facts if isinstance(value, LeadScored)]
    routed = [value for _, value in facts if isinstance(value, LeadRouted)]
    qualified = [value for _, value in facts if isinstance(value, LeadQualified)]
    events = sorted(_events(context, lead_id, facts), key=lambda each: -each.at_ms)
    return {
        "lead": row,
        "events": events[:_SHOWN_EVENTS],
        "cut": max(0, len(events) - _SHOWN_EVENTS),
        "curve": [_point(each) for each in scored],
        "score": scored[-1] if scored else None,
        "routed": routed[-1] if routed else None,
        "qualified": qualified[-1] if qualified else None,
        "clocks": context.rows(
            "SELECT * FROM clock WHERE lead_id = :lead ORDER BY started_at_ms DESC, deadline_ms",
            lead=lead_id,
        ),
        "open_clocks": context.rows(
            "SELECT * FROM clock WHERE lead_id = :lead AND state IN ('running', 'breached') ORDER "
            "BY deadline_ms",
            lead=lead_id,
        ),
        "colleagues": context.named(
            context.rows(
                """SELECT lead_id, holder, holder_kind, stage, level FROM lead WHERE account_id = :account AND lead_id <> :lead
                AND survivor IS NULL AND erased = 0 ORDER BY last_seen_ms DESC LIMIT 12""",
                account=row["account_id"],
                lead=lead_id,
            )
        )
        if row["account_id"]
        else [],
    }


def _point(scored: LeadScored) -> Point:
    return Point(
        at_ms=scored.scored_at_ms,
        fit=scored.fit_micro / _MICRO,
        engagement=scored.engagement_micro / _MICRO,
        grade=scored.grade,
        level=scored.level,
    )


def _events(context: Context, lead_id: str, facts: list[tuple[int, Any]]) -> Iterator[Event]:
    for touch in context.rows("SELECT * FROM touch WHERE lead_id = :lead", lead=lead_id):
        detail = " · ".join(
            filter(
                None,
                (touch["content_title"], touch["campaign"] and f"campaign {touch['campaign']}"),
            )
        )
        yield Event(
            at_ms=touch["occurred_at_ms"],
            kind="touch",
            text=touch["act"].replace("_", " "),
            detail=detail,
        )
    for act in context.rows("SELECT * FROM act WHERE lead_id = :lead", lead=lead_id):
        detail = act["outcome"] or (context.label_of_reason(act["reason"]) if act["reason"] else "")
        yield Event(
            at_ms=act["occurred_at_ms"],
            kind="act",
            text=act["kind"].replace("_", " "),
            detail=detail,
            who=act["by_person"],
        )
    for refused in context.rows("SELECT * FROM refusal WHERE lead_id = :lead", lead=lead_id):
        text = f"{refused['event'].replace('_', ' ')} was not carried out"
        yield Event(
            at_ms=refused["log_ms"],
            kind="refused",
            text=text,
            detail=context.label_of_reason(refused["reason"]),
            who=refused["by_person"],
        )
    for broken in context.rows("SELECT * FROM violation WHERE lead_id = :lead", lead=lead_id):
        text = f"{broken['kind']}: {broken['clock'].replace('_', ' ')}"
        yield Event(
            at_ms=broken["log_ms"],
            kind=broken["kind"],
            text=text,
            detail=broken["reason"] or "",
            who=broken["owner"],
        )
    for step in context.rows("SELECT * FROM ladder_step WHERE lead_id = :lead", lead=lead_id):
        yield Event(
            at_ms=step["log_ms"],
            kind="step",
            text=step["kind"].replace("_", " "),
            detail=step["reason"] or "",
            who=step["to_person"],
        )
    for at, value in facts:
        describe = _DESCRIBE.get(type(value))
        if describe is not None and (event := describe(context, at, value)) is not None:
            yield event


def _moved(context: Context, at: int, move: LeadStaged) -> Event | None:
    if move.event == "consent_changed":
        return None
    reason = context.label_of_reason(move.reason) if move.reason else ""
    skipped = f"skipped {', '.join(move.inferred)}" if move.inferred else ""
    return Event(
        at_ms=move.occurred_at_ms,
        kind="stage",
        text=f"{move.from_stage} → {move.to_stage}",
        detail=" · ".join(filter(None, (move.event.replace("_", " "), reason, skipped))),
        who=move.by,
    )


def _handed(context: Context, at: int, routed: LeadRouted) -> Event:
    return Event(
        at_ms=at,
        kind="routed",
        text=f"handed to {context.person_name(routed.owner)}",
        detail=(
            f"{routed.pool} · by "
            f"{routed.rule.replace(';', '; ').replace(':', ' ').replace('_', ' ')}"
        ),
    )


def _waits(context: Context, at: int, fact: LeadUnrouted) -> Event:
    return Event(
        at_ms=at,
        kind="held",
        text=f"no person: {fact.outcome}",
        detail=f"{fact.pool or ''} · {fact.reason}".strip(" ·"),
    )


def _note(context: Context, at: int, fact: HandoffNoted) -> Event:
    return Event(
        at_ms=at,
        kind="note",
        text=f"hand-off {fact.kind}",
        detail=fact.reason.replace("_", " "),
        who=fact.by,
    )


def _ended(context: Context, at: int, fact: LeadRecycled) -> Event:
    back = f"comes back {context.day_of(fact.return_at_ms)}" if fact.return_at_ms else ""
    detail = " · ".join(
        filter(
            None, (context.label_of_reason(fact.reason), fact.track and f"track {fact.track}", back)
        )
    )
    return Event(at_ms=at, kind="recycled", text=fact.outcome, detail=detail, who=fact.by)


def _back(context: Context, at: int, fact: LeadReactivated) -> Event:
    return Event(at_ms=at, kind="back", text="back", detail=fact.reason.replace("_", " "))


_DESCRIBE: Final[dict[type, Callable[[Context, int, Any], Event | None]]] = {
    LeadStaged: _moved,
    LeadRouted: _handed,
    LeadUnrouted: _waits,
    HandoffNoted: _note,
    LeadRecycled: _ended,
    LeadReactivated: _back,
}
