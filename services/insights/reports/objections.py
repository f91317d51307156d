"""What sales heard, and what content came before what: reasons, objections, competitors; content
seen, sent and asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from services.insights.figures.intervals import Share
from services.insights.reports.context import Context

_ENDS: Final = ("rejected", "lost", "recycled", "disqualified")
_REASONS: Final = """SELECT event, reason, segment, sum(number) number FROM reasons_by_span
    WHERE {spans} AND (:segment IS NULL OR segment = :segment) GROUP BY 1, 2, 3"""
_HEARD: Final = """SELECT m.kind, m.word, count(*) leads, sum(COALESCE(e.won, 0)) won,
    sum(COALESCE(e.lost, 0)) lost FROM (SELECT DISTINCT kind, word, lead_id FROM mention
        WHERE kind IN ('objection', 'competitor')
        AND occurred_at_ms >= :from_ms AND occurred_at_ms < :until_ms) m
    LEFT JOIN (SELECT lead_id, max(CASE WHEN state = 'won' THEN 1 ELSE 0 END) won,
        max(CASE WHEN state = 'lost' THEN 1 ELSE 0 END) lost FROM deal
        WHERE state IN ('won', 'lost') AND ended_at_ms >= :from_ms AND ended_at_ms < :until_ms
        AND (:segment IS NULL OR segment = :segment) GROUP BY 1) e ON e.lead_id = m.lead_id
    GROUP BY 1, 2 ORDER BY 3 DESC, 2"""
_SEEN: Final = """SELECT title, state, sum(deals) deals FROM content_by_span
    WHERE {spans} AND (:segment IS NULL OR segment = :segment) GROUP BY 1, 2"""
_OFFERED: Final = """SELECT kind, word, count(*) number FROM mention
    WHERE kind IN ('sent', 'asked')
    AND occurred_at_ms >= :from_ms AND occurred_at_ms < :until_ms GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Of the deals that were won, and of those that were lost, before how many the lead had seen
    it."""

    title: str
    won: Share
    lost: Share

    @property
    def lift(self) -> Fraction | None:
        """How much more often the won had seen it; None where a share is of too few, or zero."""
        if not (self.won.shown and self.lost.shown and self.lost.count):
            return None
        return Fraction(self.won.count * self.lost.total, self.won.total * self.lost.count)


def _period(context: Context) -> dict[str, Any]:
    return {"from_ms": context.from_ms, "until_ms": context.until_ms}


def reasons(context: Context) -> list[dict[str, Any]]:
    """Why leads were rejected, lost, recycled or disqualified; the most frequent reason first, with
    the segments it was heard in."""
    counts: dict[str, Counter[str]] = {}
    segments: dict[str, Counter[str]] = {}
    for row in context.counted(
        _REASONS, context.from_ms, context.until_ms, segment=context.filters.segment
    ):
        counts.setdefault(row["reason"], Counter())[row["event"]] += row["number"]
        segments.setdefault(row["reason"], Counter())[row["segment"] or "—"] += row["number"]
    rows = [
        {
            "reason": reason or None,
            "total": by_event.total(),
            "segments": _most(segments[reason], 3),
            **{event: by_event[event] for event in _ENDS},
        }
        for reason, by_event in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row["total"], row["reason"] or ""))


def _most(counted: Counter[str], number: int | None = None) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:number]


def heard(context: Context) -> dict[str, list[dict[str, Any]]]:
    """Objections and competitors that people named in the period: with how many leads, and what
    became of the deals that ended in it."""
    groups = {"objection": "objections", "competitor": "competitors"}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in groups.values()}
    for row in context.rows(_HEARD, segment=context.filters.segment, **_period(context)):
        found[groups[row["kind"]]].append(row)
    return found


def content_seen(context: Context) -> list[Content]:
    """What the leads of deals that ended in the period had seen before the deal's end."""
    seen: dict[str, Counter[str]] = {}
    asked = {"segment": context.filters.segment}
    for row in context.counted(_SEEN, context.from_ms, context.until_ms, **asked):
        seen.setdefault(row["title"], Counter())[row["state"]] += row["deals"]
    every = seen.pop("", Counter())
    rows = [
        Content(
            title=title,
            won=Share(count=by["won"], total=every["won"]),
            lost=Share(count=by["lost"], total=every["lost"]),
        )
        for title, by in seen.items()
    ]
    return sorted(rows, key=lambda row: (-row.won.count - row.lost.count, row.title))


def content_offered(context: Context) -> list[dict[str, Any]]:
    """Content that sales sent, and that buyers asked for."""
    counted: dict[str, Counter[str]] = {}
    for row in context.rows(_OFFERED, **_period(context)):
        counted.setdefault(row["word"], Counter())[row["kind"]] += row["number"]
    rows = [
        {"content": name, "sent": by["sent"], "asked": by["asked"]} for name, by in counted.items()
    ]
    return sorted(rows, key=lambda row: (-row["sent"] - row["asked"], row["content"]))


def objections(context: Context) -> dict[str, Any]:
    """The page Objections."""
    return {
        "reasons": reasons(context),
        "heard": heard(context),
        "seen": content_seen(context)[:40],
        "offered": content_offered(context)[:40],
    }
