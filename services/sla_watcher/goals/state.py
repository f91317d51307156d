"""What the goals reducer remembers of one goal: sums by period, and which tallies it has
counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from baton.contracts.goals import GoalProgress
from baton.engine.reducer import EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalBook:
    """The head of the goals reducer.

    ``period`` (``2026-10``, ``2026-Q4``) is the one that is open: an earlier one is closed when
    everything from before its end is known. ``owed_from``: of a period in which the goal came into
    force, the day on which it did: its target is the share of the working days from then on.
    ``sums`` by period: leads, or minor units of money.
    ``open_by_day`` is the pipeline now, by the day on which it is expected to close (empty: not
    known). ``alarmed``: the violation of the open period has been published. ``gone``: the
    agreement does not have this goal any more. ``published``: the progress that was published last.
    """

    period: str
    sums: Mapping[str, int] = field(default_factory=dict)
    open_by_day: Mapping[str, int] = field(default_factory=dict)
    alarmed: bool = False
    gone: bool = False
    published: GoalProgress | None = None
    owed_from: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTally:
    """A tally that was counted, kept so that it is not counted twice."""

    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedLead:
    """A lead that has ended in another: what counts for it counts for ``into``."""

    into: str


COUNTED: Final = EntryKind("counted", CountedTally)
"""Items are ``<period>/<lead>/<cycle>``, or ``<period>/<tally id>`` where money is counted: the
oldest come first."""

JOINED: Final = EntryKind("joined", JoinedLead)
"""Items are ``<period in which it was joined>/<lead>``."""
