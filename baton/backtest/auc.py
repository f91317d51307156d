"""How well a score ranks: the area under the curve, with its interval. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from services.insights.figures.wilson_interval import FEWEST_FOR_A_RATE, Z_95

FEWEST_OF_EACH: Final = 5
"""Conversions, and leads without one, that an AUC needs at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auc:
    """How often a lead that converted had the higher score than one that did not; a half for equal
    ones. The bounds are Hanley and McNeil's (1982), 95 %."""

    value: float
    low: float
    high: float


def auc_of(scored: Sequence[tuple[float, bool]]) -> Auc | None:
    """The area under the curve, by ranks; None where there are too few of either kind."""
    yes = sum(converted for _, converted in scored)
    no = len(scored) - yes
    if len(scored) < FEWEST_FOR_A_RATE or min(yes, no) < FEWEST_OF_EACH:
        return None
    ranks, total = _mean_ranks([score for score, _ in scored]), 0.0
    for rank, (_, converted) in zip(ranks, scored, strict=True):
        total += rank if converted else 0.0
    value = (total - yes * (yes + 1) / 2) / (yes * no)
    q1, q2 = value / (2 - value), 2 * value * value / (1 + value)
    variance = (value * (1 - value) + (yes - 1) * (q1 - value**2) + (no - 1) * (q2 - value**2)) / (
        yes * no
    )
    margin = Z_95 * sqrt(max(variance, 0.0))
    return Auc(value=value, low=max(value - margin, 0.0), high=min(value + margin, 1.0))


def _mean_ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1 on; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=lambda index: values[index])
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + 1 + end) / 2
        start = end
    return ranks
