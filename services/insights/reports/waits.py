"""How long steps take, read from counts: from a stage to the next, from a raised hand to the first
attempt and contact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from services.insights.figures.survival import Survival, survival
from services.insights.reports.context import Context
from services.insights.rollups.durations import rounded_up
from services.insights.rollups.wait_counts import ALL

_WAITS: Final = """SELECT step, ended, length_ms, sum(number) number FROM waits_by_span
    WHERE segment = :segment AND pool = :pool AND step IN ({steps}) AND {spans} GROUP BY 1, 2, 3"""


def waits(
    context: Context, steps: Sequence[str], from_ms: int, until_ms: int
) -> dict[str, Survival]:
    """The curve of each step, of those who began it in the period. Who is still there, or left
    another way, is censored."""
    ended: dict[str, Counter[int]] = {step: Counter() for step in steps}
    still: dict[str, Counter[int]] = {step: Counter() for step in steps}
    named = {f"step_{number}": step for number, step in enumerate(steps)}
    statement = _WAITS.replace("{steps}", ", ".join(f":{name}" for name in named))
    segment = context.filters.segment
    asked = {
        "segment": ALL if segment is None else segment,
        "pool": context.filters.pool or ALL,
    }
    for row in context.counted(statement, from_ms, until_ms, **named, **asked):
        length = row["length_ms"]
        if row["ended"] == "open":
            length = rounded_up(context.now_ms - length)
        into = ended if row["ended"] == "reached" else still
        into[row["step"]][length] += row["number"]
    return {step: survival(ended[step], still[step]) for step in steps}
