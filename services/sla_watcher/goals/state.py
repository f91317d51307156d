"""What the goals reducer remembers of one goal: sums by period, and which tallies it has counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from baton.engine.reducer import EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalBook:
    """The head of the goals reducer.

    ``period`` (``2026-10``, ``2026-Q4``) is the one that is open: an earlier one is closed when everything from before its end is
    known. ``sums`` by period: leads, or minor units of money. ``open_minor`` is the pipeline now. ``alarmed``: the violation of the open
    period has been told. ``gone``: the agreement does not have this goal any more.
    """

    period: str
    sums: Mapping[str, int] = field(default_factory=dict)
    open_minor: int = 0
    alarmed: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTally:
    """A tally that was counted, kept so that it is not counted twice."""

    amount: int


COUNTED: Final = EntryKind("counted", CountedTally)
"""Items are ``<period>/<tally id>``: the oldest come first."""
