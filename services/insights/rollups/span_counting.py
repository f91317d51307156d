"""What a counting is: a query for the rows of some leads, and what each row adds to which count.
Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from services.insights.facts.table import Table
from services.insights.rollups.spans import spans_of

Row = tuple[Any, ...]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Add:
    """``values`` are added to the count at ``key``, in the order of the table's columns."""

    table: Table
    key: Key
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """``statement``: the rows of some leads (or of a journey), with ``{these}`` after each column
    that names them. ``sources``: tables of which a new row of a lead changes its counts.
    ``family``: so does one of a lead that ends in the same lead."""

    statement: str
    adds: Callable[[Iterable[Row], str], Iterator[Add]]
    tables: tuple[Table, ...]
    sources: frozenset[str]
    family: bool = False

    def of_all(self) -> str:
        """The query for every row there is."""
        return self.statement.format(these="IS NOT NULL")

    def of_some(self, number: int) -> str:
        """The query for so many leads; their ids are the parameters."""
        marks = ", ".join(f"?{place}" for place in range(1, number + 1))
        return self.statement.format(these=f"IN ({marks})")


def by_span(
    table: Table, at_ms: int, zone: str, key: Key, values: tuple[int, ...]
) -> Iterator[Add]:
    """Under the day and under the month of a moment."""
    for span in spans_of(at_ms, zone):
        yield Add(table, (span, *key), values)
