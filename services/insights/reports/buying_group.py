"""One account as a buying group: its people and who works on them, its deals, what touched them,
and what happened of late."""

from __future__ import annotations

from typing import Any, Final

from services.insights.figures.attribution import DEFINITIONS
from services.insights.reports.context import DAY_MS, Context

_MOST_PEOPLE: Final = 60
_GROUP: Final = "SELECT * FROM account WHERE account_id = :account"
_IN_IT: Final = "l.account_id = :account AND l.survivor IS NULL AND l.erased = 0"
_PEOPLE: Final = f"""SELECT l.lead_id, l.holder, l.holder_kind, l.stage, l.level, l.grade, l.pool,
    l.hand_raised, l.engagement_micro, l.last_seen_ms, l.last_act_ms, l.next_at_ms, l.reason
    FROM lead l WHERE {_IN_IT} ORDER BY l.engagement_micro DESC, l.lead_id LIMIT {_MOST_PEOPLE}"""
_NUMBER: Final = f"SELECT count(*) FROM lead l WHERE {_IN_IT}"
_DEALS: Final = """SELECT d.deal, d.lead_id, l.holder, d.opportunity_id, d.state, d.amount_minor,
    d.currency, d.expected_close, d.opened_at_ms, d.ended_at_ms, d.reason, d.by_person
    FROM lead l CROSS JOIN deal d ON d.root = l.lead_id
    WHERE l.account_id = :account AND l.erased = 0
    ORDER BY d.state = 'open' DESC, COALESCE(d.ended_at_ms, d.opened_at_ms, 0) DESC, d.deal
    LIMIT 40"""
_SUMS: Final = """SELECT d.state, d.currency, count(*) number, sum(d.amount_minor) amount
    FROM lead l CROSS JOIN deal d ON d.root = l.lead_id
    WHERE l.account_id = :account AND l.erased = 0 GROUP BY 1, 2 ORDER BY 1, 2"""
_CREDITS: Final = """SELECT c.campaign, c.currency, sum(c.amount_minor) amount FROM credit c
    WHERE c.journey = :account AND c.model = :model GROUP BY 1, 2 ORDER BY 3 DESC, 1 LIMIT 12"""
_TOUCHES: Final = f"""SELECT COALESCE(t.campaign, '') campaign, count(*) touches,
    count(DISTINCT t.lead_id) people, max(t.occurred_at_ms) last_ms
    FROM lead l CROSS JOIN touch t ON t.lead_id = l.lead_id
    WHERE {_IN_IT} AND t.automatic = 0 AND t.occurred_at_ms >= :since
    AND NOT EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = t.event_id)
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12"""
_LATELY: Final = """SELECT m.lead_id, l.holder, m.event, m.from_stage, m.to_stage, m.reason,
    m.by_person, m.occurred_at_ms FROM lead l CROSS JOIN stage_move m ON m.lead_id = l.lead_id
    WHERE l.account_id = :account AND l.erased = 0
    ORDER BY m.occurred_at_ms DESC, m.fact_id LIMIT 20"""
_TOUCHED_DAYS: Final = 90


class AccountUnknown(LookupError):
    """There is no such account on the board."""


def account(context: Context, account_id: str) -> dict[str, Any]:
    """The page of one account; raises AccountUnknown."""
    asked = {"account": account_id}
    scored = context.rows(_GROUP, **asked)
    number = context.value(_NUMBER, **asked)
    if not scored and not number:
        raise AccountUnknown(account_id)
    model = context.filters.model
    since_ms = context.now_ms - _TOUCHED_DAYS * DAY_MS
    return {
        "account_id": account_id,
        "group": scored[0] if scored else None,
        "people": context.named(context.rows(_PEOPLE, **asked)),
        "number": number,
        "deals": context.named(context.rows(_DEALS, **asked)),
        "sums": context.rows(_SUMS, **asked),
        "credits": context.rows(_CREDITS, model=model.value, **asked),
        "model": model,
        "definition": DEFINITIONS[model],
        "touches": context.rows(_TOUCHES, since=since_ms, **asked),
        "touched_days": _TOUCHED_DAYS,
        "lately": context.named(context.rows(_LATELY, **asked)),
    }
