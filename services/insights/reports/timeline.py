"""What happened to a lead, line by line: what it did, what people did, what Baton decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from baton.contracts.leads import LeadAmended, LeadStaged, StageEvent
from baton.contracts.routing import HandoffNoted, LeadRouted, LeadUnrouted
from baton.contracts.slas import LeadReactivated, LeadRecycled
from services.insights.reports.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the timeline. ``kind`` is a word for the sign beside it; ``who`` a person of the
    teams."""

    at_ms: int
    kind: str
    text: str
    detail: str = ""
    who: str | None = None


def events(context: Context, lead_id: str, facts: Sequence[tuple[int, Any]]) -> list[Event]:
    """Every line, the latest first. ``facts``: append time and record of what Baton published."""
    return sorted(_events(context, lead_id, facts), key=lambda event: -event.at_ms)


def _events(context: Context, lead_id: str, facts: Sequence[tuple[int, Any]]) -> Iterator[Event]:
    for table, describe_row in _ROWS.items():
        for row in context.rows(f"SELECT * FROM {table} WHERE lead_id = :lead", lead=lead_id):
            yield describe_row(context, row)
    for at, value in facts:
        describe = _FACTS.get(type(value))
        if describe is not None and (event := describe(context, at, value)) is not None:
            yield event


def _touched(_: Context, touch: dict[str, Any]) -> Event:
    campaign = f"campaign {touch['campaign']}" if touch["campaign"] else None
    return Event(
        at_ms=touch["occurred_at_ms"],
        kind="touch",
        text=touch["act"].replace("_", " "),
        detail=" · ".join(filter(None, (touch["content_title"], campaign))),
    )


def _acted(context: Context, act: dict[str, Any]) -> Event:
    reason = context.label_of_reason(act["reason"]) if act["reason"] else ""
    return Event(
        at_ms=act["occurred_at_ms"],
        kind="act",
        text=act["kind"].replace("_", " "),
        detail=act["outcome"] or reason,
        who=act["by_person"],
    )


def _refused(context: Context, refused: dict[str, Any]) -> Event:
    return Event(
        at_ms=refused["log_ms"],
        kind="refused",
        text=f"{refused['event'].replace('_', ' ')} was not carried out",
        detail=context.label_of_reason(refused["reason"]),
        who=refused["by_person"],
    )


def _violated(_: Context, found: dict[str, Any]) -> Event:
    return Event(
        at_ms=found["log_ms"],
        kind=found["kind"],
        text=f"{found['kind']}: {found['clock'].replace('_', ' ')}",
        detail=(found["reason"] or "").replace("_", " "),
        who=found["owner"],
    )


def _stepped(_: Context, step: dict[str, Any]) -> Event:
    return Event(
        at_ms=step["log_ms"],
        kind="step",
        text=step["kind"].replace("_", " "),
        detail=(step["reason"] or "").replace("_", " "),
        who=step["to_person"],
    )


_ROWS: Final[dict[str, Callable[[Context, dict[str, Any]], Event]]] = {
    "touch": _touched,
    "act": _acted,
    "refusal": _refused,
    "violation": _violated,
    "ladder_step": _stepped,
}
"""By table: a row as a line."""


def _amended(_: Context, at: int, fact: LeadAmended) -> Event:
    changed = ", ".join(name.replace("_", " ").replace(".", " ") for name in fact.changed)
    return Event(at_ms=fact.at_ms, kind="amended", text="the brief was amended", detail=changed)


def _moved(context: Context, at: int, move: LeadStaged) -> Event | None:
    if move.event == StageEvent.CONSENT_CHANGED:
        return None
    reason = context.label_of_reason(move.reason) if move.reason else ""
    cause = move.event.replace("_", " ")
    moved = move.from_stage != move.to_stage
    skipped = f"skipped {', '.join(move.inferred)}" if move.inferred else ""
    return Event(
        at_ms=move.occurred_at_ms,
        kind="stage",
        text=f"{move.from_stage} → {move.to_stage}" if moved else cause,
        detail=" · ".join(filter(None, (cause if moved else "", reason, skipped))),
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
    text = f"{fact.outcome}, revised" if fact.revised else fact.outcome
    return Event(at_ms=at, kind="recycled", text=text, detail=detail, who=fact.by)


def _back(context: Context, at: int, fact: LeadReactivated) -> Event:
    return Event(at_ms=at, kind="back", text="back", detail=fact.reason.replace("_", " "))


_FACTS: Final[dict[type, Callable[[Context, int, Any], Event | None]]] = {
    LeadStaged: _moved,
    LeadAmended: _amended,
    LeadRouted: _handed,
    LeadUnrouted: _waits,
    HandoffNoted: _note,
    LeadRecycled: _ended,
    LeadReactivated: _back,
}
"""By record: a fact as a line; None: nothing that a reader has to know."""
