"""What holds for all rows of a list, and what is wrong with one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from baton.importing.cells import DateOrder
from baton.intake.fields import EARLIEST_MS
from baton.intake.line_reading import Problem

UNDATED_MS = EARLIEST_MS
"""When that happened of which nobody knows when: before everything that is dated."""

Cells = Mapping[str, Sequence[str]]
"""For each field what the columns of a row say that fill it."""


class RowWrong(ValueError):
    """A row that cannot be an event; ``problem`` names the field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(field, reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTerms:
    """What holds for all rows. ``act``: what the people on the list did, if it is a list of who did
    something. ``fill_empty``: add only what is not known. ``update_only``: begin no lead.
    ``dates`` and ``zone``: how moments are written."""

    source: str
    at_ms: int
    act: str | None = None
    campaign: str | None = None
    backfill: bool = True
    fill_empty: bool = False
    update_only: bool = False
    dates: DateOrder | None = None
    zone: tzinfo = UTC
