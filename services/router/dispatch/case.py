"""One lead at one moment as dispatch looks at it, what a request may ask for, and what comes of it.

Values only; nothing here decides.
"""

from dataclasses import dataclass

from baton.engine.reducer import Fact
from services.router.dispatch.state import DispatchState, OpenQualification


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One lead at one moment: what runs, its log time, the agreement in force, and the state so
    far.

    ``at`` is the append time of the record that runs: states are dated by it, so that what was
    decided before one and comes after it is recognised.
    """

    cause: str
    now: int
    at: int
    agreement: str
    head: DispatchState
    open_qualification: OpenQualification | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What came of it: the head and the open qualification from now on, and what to publish, in
    order."""

    head: DispatchState
    open_qualification: OpenQualification | None
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks for besides a holder; see :class:`HandoffRequest`."""

    reason: str | None = None
    exclude: tuple[str, ...] = ()
    person: str | None = None
    pool: str | None = None
    owner: str | None = None
    watcher: str | None = None
    rejecters: tuple[str, ...] = ()
    deputy: str | None = None


def unchanged(case: Case, *facts: Fact) -> Change:
    """Nothing moves; at most something is said."""
    return Change(head=case.head, open_qualification=case.open_qualification, facts=facts)
