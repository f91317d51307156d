"""Does the score say what it should? Conversion by band of score, with lift and interval."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.insights.figures.wilson_interval import Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One qualification: the score in force before any act of sales, and whether it converted in
    the window."""

    score: float
    converted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BandFigures:
    """Scores from ``low`` up to below ``high``. ``lift``: rate by the rate of all; ``of_all``:
    share of all conversions."""

    low: float
    high: float
    share: Share
    lift: float | None
    of_all: float | None


def by_band(scored: Iterable[Scored], edges: Sequence[float]) -> tuple[BandFigures, ...]:
    """Between neighbouring ``edges``; equal scores are in one band, whatever their number. The last
    band has its upper edge too."""
    known = list(scored)
    conversions = sum(outcome.converted for outcome in known)
    base = conversions / len(known) if known else 0.0
    found = []
    for place, (low, high) in enumerate(itertools.pairwise(edges)):
        last = place == len(edges) - 2
        mine = [
            outcome
            for outcome in known
            if low <= outcome.score < high or (last and outcome.score == high)
        ]
        share = Share(count=sum(outcome.converted for outcome in mine), total=len(mine))
        lift = share.rate / base if share.rate is not None and base else None
        found.append(
            BandFigures(
                low=low,
                high=high,
                share=share,
                lift=lift,
                of_all=share.count / conversions if conversions else None,
            )
        )
    return tuple(found)
