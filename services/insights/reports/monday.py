"""The meeting's page: one A4 with the figures both teams argue about, of the last whole week, as
known at a moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from baton.contracts.topic_names import BATON_AGREEMENTS
from services.insights.figures.attribution import Model
from services.insights.reports.clocks import side_by_side, speed_to_lead, weeks_before
from services.insights.reports.context import Context
from services.insights.reports.decisions import decisions
from services.insights.reports.funnel import acceptance_of_all
from services.insights.reports.goals import goals
from services.insights.reports.now import counted, first_of
from services.insights.reports.recycling import returning

_ENDED = """SELECT d.lead_id, l.holder, l.account_id, d.state event, d.amount_minor, d.currency, d.reason, d.ended_at_ms occurred_at_ms, d.by_person,
    (SELECT campaign FROM credit c WHERE c.conversion_id = d.ended_by AND c.model = :first LIMIT 1) first_touch, d.opportunity_id, l.first_seen_ms
    FROM deal d JOIN lead l ON l.lead_id = d.lead_id WHERE d.state IN ('won', 'lost') AND d.ended_at_ms >= :from_ms
    AND d.ended_at_ms < :until_ms ORDER BY d.state DESC, COALESCE(d.amount_minor, -1) DESC, d.ended_by, d.deal LIMIT 8"""
_FIRST = 6
"""So many of the hot and of the late ones are on the page."""
_AGREED = "SELECT count(*) FROM reference WHERE topic = :topic AND log_ms >= :from_ms"


def monday(context: Context) -> dict[str, Any]:
    """The page Monday."""
    weeks = weeks_before(context, 5)
    from_ms, until_ms = weeks[0]
    accepted, reasons = acceptance_of_all(context, from_ms, until_ms)
    counts = counted(context)
    shown = goals(context)
    upcoming = context.start_of(
        context.today - timedelta(days=context.today.weekday()) + timedelta(days=7)
    )
    return {
        "from_ms": from_ms,
        "until_ms": until_ms,
        "goals": shown["rows"],
        "coverages": shown["coverages"],
        "weeks": [(start, side_by_side(context, start, end)) for start, end in reversed(weeks)],
        "speed": speed_to_lead(context, from_ms, until_ms),
        "acceptance": accepted,
        "reasons": reasons.most_common(3),
        "ended": context.named(
            context.rows(_ENDED, from_ms=from_ms, until_ms=until_ms, first=Model.FIRST.value)
        ),
        "counts": counts,
        "hot": first_of(context, "hot", _FIRST),
        "late": first_of(context, "late", _FIRST),
        "returning": returning(context, context.now_ms, upcoming)[:6],
        "decisions": decisions(context),
        "agreed": context.value(_AGREED, topic=BATON_AGREEMENTS, from_ms=from_ms),
    }
