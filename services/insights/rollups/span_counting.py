"""What a counting is: a query for the rows of some leads, and what each row adds to which count.
Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from baton.evolve import quick
from services.insights.facts.table import Table
from services.insights.rollups.spans import spans_of

Row = tuple[Any, ...]
Key = tuple[Any, ...]


@quick
@dataclass(frozen=True, slots=True)
class Add:
    """``values`` are added to the count at ``key``, in the order of the table's columns."""

    table: Table
    key: Key
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How the units are found that a new row changes: the row's ``column`` names the unit, or a row
    of another table that ``referred`` finds it by."""

    column: str
    referred: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """``statement``: the rows of some units (leads, or events, clocks and so on), with ``{these}``
    after each column that names them. A row counts by itself, whatever other rows there are, so
    that the difference of two readings is that of their rows. ``sources``: by the table of a new
    row the units whose counts it changes. ``family``: so does one of a lead that ends in the same
    lead."""

    statement: str
    adds: Callable[[Iterable[Row], str], Iterator[Add]]
    tables: tuple[Table, ...]
    sources: Mapping[str, tuple[Source, ...]]
    family: bool = False

    def of_all(self) -> str:
        """The query for every row there is."""
        return self.statement.replace("{these}", "IS NOT NULL")

    def of_some(self) -> str:
        """The query for some units, as in
        :func:`~services.insights.projection.rows_of_many.rows_of_some`."""
        return self.statement.replace("{these}", "IN ({these})")


def named_by(column: str, *tables: str) -> dict[str, tuple[Source, ...]]:
    """Rows of these tables change the unit that their column names."""
    return {table: (Source(column=column),) for table in tables}


_LEAD: Final = Source(column="lead_id")
LEAD_SOURCES: Final[Mapping[str, tuple[Source, ...]]] = {
    "merged": (Source(column="loser"), Source(column="survivor")),
    "handoff": (
        _LEAD,
        Source(
            column="qualification_id",
            referred="SELECT lead_id FROM qualification WHERE qualification_id IN ({these})",
        ),
    ),
    "stage_move": (
        _LEAD,
        Source(
            column="qualification_id",
            referred="SELECT lead_id FROM qualification WHERE qualification_id IN ({these})",
        ),
        Source(
            column="handoff_id",
            referred="SELECT lead_id FROM handoff WHERE handoff_id IN ({these})",
        ),
    ),
    "reactivated": (
        _LEAD,
        Source(
            column="recycle_id",
            referred="SELECT lead_id FROM recycled WHERE recycle_id IN ({these})",
        ),
    ),
    "retraction": (
        _LEAD,
        Source(column="event_id", referred="SELECT lead_id FROM touch WHERE event_id IN ({these})"),
    ),
}
"""What a row refers to may be of another lead, which was merged meanwhile."""


def by_lead(*tables: str) -> dict[str, tuple[Source, ...]]:
    """Rows of these tables change the counts of the leads that they are about."""
    return {table: LEAD_SOURCES.get(table, (_LEAD,)) for table in tables}


def by_span(
    table: Table, at_ms: int, zone: str, key: Key, values: tuple[int, ...]
) -> Iterator[Add]:
    """Under the day and under the month of a moment."""
    for span in spans_of(at_ms, zone):
        yield Add(table, (span, *key), values)
