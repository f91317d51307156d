"""Goals of both sides as they stand, with what the last periods gave: the latest record of each
goal and period.

Read from the board's file, or from ``goals.progress.v1`` backwards in growing windows until every
goal of the agreement has been found.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from baton.contracts.codec import codec_for
from baton.contracts.goals import GoalProgress
from baton.contracts.topic_names import GOALS_PROGRESS
from baton.screens.live import Live
from services.insights.projection.dialect import StorePlace, reader

_COLUMNS = (
    "goal",
    "period",
    "metric",
    "side",
    "segment",
    "target",
    "achieved",
    "pace_ppm",
    "working_days_gone",
    "working_days",
    "state",
)
_FORMER = 6
_DAY_MS = 86_400_000
_WINDOWS_DAYS = (1, 4, 32, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRow:
    """A goal in its latest period. ``pace``: achieved / (target * share of working days gone); 1.0
    is on course. ``expected``: what the period gives at this pace. ``former``: by period."""

    goal: str
    period: str
    metric: str
    side: str
    segment: str | None
    target: int
    achieved: int
    pace: float | None
    expected: int | None
    working_days_gone: int
    working_days: int
    state: str
    former: Mapping[str, int] = field(default_factory=dict)


def goals_of_board(path: StorePlace) -> list[GoalRow]:
    """From the board's file, opened read-only."""
    connection = reader(path)
    try:
        rows = connection.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM goal ORDER BY goal, period"
        ).fetchall()
    finally:
        connection.close()
    return rows_of(dict(zip(_COLUMNS, row, strict=True)) for row in rows)


def goals_of_log(cluster: Live) -> list[GoalRow]:
    """From ``goals.progress.v1``, backwards in growing windows until every goal of the agreement
    has been found."""
    wanted = cluster.reference.agreement.goals.keys()
    codec, found = codec_for(GoalProgress), list[GoalRow]()
    places = {GOALS_PROGRESS: list(range(cluster.reader.partitions(GOALS_PROGRESS)))}
    for days in _WINDOWS_DAYS:
        records = cluster.reader.read(places, since_ms=cluster.now_ms - days * _DAY_MS)
        found = goals_of_records(
            codec.decode(record.value) for record in records if record.value is not None
        )
        if {row.goal for row in found} >= wanted:
            break
    return found


def goals_of_records(records: Iterable[GoalProgress]) -> list[GoalRow]:
    """From records of ``goals.progress.v1`` in the order of the log."""
    latest: dict[tuple[str, str], GoalProgress] = {}
    for record in records:
        latest[record.goal, record.period] = record
    ordered = [latest[key] for key in sorted(latest)]
    rows = rows_of({name: getattr(record, name) for name in _COLUMNS} for record in ordered)
    said = {record.goal: record.last_periods for record in ordered}
    return [_with_former(row, said[row.goal]) for row in rows]


def rows_of(found: Iterable[Mapping[str, Any]]) -> list[GoalRow]:
    """The latest period of each goal; ``found`` is in the order of goal and period."""
    by_goal: dict[str, list[Mapping[str, Any]]] = {}
    for values in found:
        by_goal.setdefault(values["goal"], []).append(values)
    return [_row(periods) for _, periods in sorted(by_goal.items())]


def _row(periods: list[Mapping[str, Any]]) -> GoalRow:
    values = dict(periods[-1])
    pace_ppm = values.pop("pace_ppm")
    gone = values["working_days_gone"]
    return GoalRow(
        **values,
        pace=round(pace_ppm / 1_000_000, 3) if gone else None,
        expected=values["achieved"] * values["working_days"] // gone if gone else None,
        former={other["period"]: other["achieved"] for other in periods[:-1][-_FORMER:]},
    )


def _with_former(row: GoalRow, former: Mapping[str, int]) -> GoalRow:
    values = {name: getattr(row, name) for name in row.__dataclass_fields__}
    merged = dict(sorted({**former, **row.former}.items())[-_FORMER:])
    return GoalRow(**values | {"former": merged})
