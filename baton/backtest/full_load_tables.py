"""Tables of a backtest over all leads: promises at that load, and goals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from baton.agreement.quantities import duration_words
from baton.backtest.goal_outlook import GoalOutlook
from baton.backtest.promises_at_load import Missed, PoolPromises


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table; ``note`` stands under it."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


def promises_table(promises: Sequence[PoolPromises], works_for_ms: int) -> Table:
    """Promises to accept that would be missed."""
    return Table(
        title="Promises to accept that would be missed at that load",
        headings=("pool", "people", "old", "new", "queue old", "queue new", "history"),
        rows=[
            (
                one.pool,
                f"{one.people_old}"
                if one.people_old == one.people_new
                else f"{one.people_old} -> {one.people_new}",
                _missed(one.old),
                _missed(one.new),
                str(one.old.longest_queue),
                str(one.new.longest_queue),
                "" if one.history is None else f"{one.history[1]:,} of {one.history[0]:,}",
            )
            for one in promises
        ],
        note=(
            f"assumed: {duration_words(works_for_ms)} of work on a lead, the most urgent first, "
            "nobody away; where old and history lie far apart, the assumption is wrong"
        ),
    )


def goals_table(goals: Sequence[GoalOutlook]) -> Table:
    """Goals in whole periods."""
    return Table(
        title="Goals",
        headings=("goal", "period", "target", "old", "new", "under the new one"),
        rows=[
            (
                one.goal,
                one.period,
                f"{one.target:,}",
                f"{one.old:,}",
                f"{one.new_least:,}"
                + (f" and up to {one.not_evaluable:,} more" if one.not_evaluable else ""),
                one.verdict,
            )
            for one in goals
        ],
        note="what people would have made of leads that they never had, nobody can say",
    )


def _missed(one: Missed) -> str:
    return f"{one.missed:,} of {one.leads:,}"
