"""What sales heard, and what content came before what: reasons, objections, competitors; content
seen, sent and asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from services.insights.figures.wilson_interval import Share
from services.insights.reports.context import Context

_ENDS: Final = ("rejected", "lost", "recycled", "disqualified")
_REASONS: Final = """SELECT event, reason, segment, sum(number) number FROM reasons_by_span
    WHERE {spans} AND (:segment IS NULL OR segment = :segment) GROUP BY 1, 2, 3"""
_NAMED: Final = """SELECT kind, word, sum(number) leads FROM mentions_by_span
    WHERE {spans} AND kind IN ('objection', 'competitor') AND before < :first_day
    GROUP BY 1, 2"""
_ENDED: Final = """SELECT kind, word, state, sum(deals) deals FROM deals_by_mention
    WHERE {spans} AND (:segment IS NULL OR segment = :segment) GROUP BY 1, 2, 3"""
_SEEN: Final = """SELECT title, state, sum(deals) deals FROM content_by_span
    WHERE {spans} AND (:segment IS NULL OR segment = :segment) GROUP BY 1, 2"""
_OFFERED: Final = """SELECT kind, word, sum(number) number FROM mentions_by_span
    WHERE {spans} AND kind IN ('sent', 'asked') GROUP BY 1, 2"""


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
    """Objections and competitors: with how many leads people named them in the period, and what
    became of the deals that ended in it, of whose lead they had been named before."""
    period = (context.from_ms, context.until_ms)
    counts: dict[tuple[str, str], Counter[str]] = {}
    first_day = context.filters.from_day.isoformat()
    for row in context.counted(_NAMED, *period, first_day=first_day):
        counts.setdefault((row["kind"], row["word"]), Counter())["leads"] += row["leads"]
    for row in context.counted(_ENDED, *period, segment=context.filters.segment):
        counts.setdefault((row["kind"], row["word"]), Counter())[row["state"]] += row["deals"]
    most = sorted(counts.items(), key=lambda item: (-item[1]["leads"], item[0]))
    rows: list[dict[str, Any]] = [
        {"kind": kind, "word": word, **{name: by[name] for name in ("leads", "won", "lost")}}
        for (kind, word), by in most
    ]
    return {
        "objections": [row for row in rows if row["kind"] == "objection"],
        "competitors": [row for row in rows if row["kind"] == "competitor"],
    }


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
    for row in context.counted(_OFFERED, context.from_ms, context.until_ms):
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
