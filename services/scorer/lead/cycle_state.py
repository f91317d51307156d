"""Where a lead stands with sales in its present cycle: why it is work, who has it, why it rests.
What is reset together is one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from baton.contracts.handoff import ProjectedHandoff
from baton.contracts.transfers import Heard

UNTIL_DECIDED: Final = 1 << 60
"""The end of a cool-off that the SLA watcher has not planned yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerHandoff:
    """A hand-off of the same qualification that was taken from somebody; it stood from ``from_ms``
    until ``until_ms``."""

    handoff_id: str
    attempt: int
    leg: str
    owner: str | None = None
    pool: str | None = None
    from_ms: int = 0
    until_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawnHandoff:
    """The hand-off of a qualification that was withdrawn at ``until_ms`` before anybody was known
    to have accepted it: an acceptance from before that, reported late, brings it back."""

    handoff_id: str
    leg: str
    level: str
    owner: str | None
    from_ms: int
    until_ms: int
    raised_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """Why the lead is somebody's work in the present cycle, and what became of its hand-offs.

    ``qualification_id``: None where sales took the lead up without being handed it. ``raised_by``:
    the fast-track acts of the cycle. ``kept``: the work was accepted before a merge, or is of the
    hold-out, so it does not cool. ``bridged_by``: who of the bridge team passed it on to sales.
    ``attempt``: of the newest hand-off known. ``routed_at_ms``: when somebody was handed the lead
    last. ``rejected_at_ms``: when that hand-off was rejected, by event time; None where it was
    not.
    """

    qualification_id: str | None = None
    cause_id: str = ""
    leg: str = ""
    level: str = ""
    raised_by: tuple[str, ...] = ()
    kept: bool = False
    bridged_by: str | None = None
    attempt: int = 0
    routed_at_ms: int = 0
    rejected_at_ms: int | None = None
    former: tuple[FormerHandoff, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """The hand-off that stands.

    ``latest``: who has it, by the one projection of what dispatch publishes; its ``handoff_id`` is
    empty where sales took the lead up without being handed it. ``from_ms``: since when.
    ``accepted``, ``touched``: what the holder did, which is known here first.
    """

    latest: ProjectedHandoff
    from_ms: int = 0
    accepted: bool = False
    touched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Why and until when the lead rests, or rested last. ``rest_id``: None until the SLA watcher
    has planned it. ``return_at_ms`` None: not by itself."""

    rest_id: str | None = None
    reason: str | None = None
    track: str | None = None
    cool_off_until_ms: int = 0
    return_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleState:
    """Where the present cycle stands with sales: what is reset together is one value.

    ``withdrawn``: the hand-off of a qualification that was withdrawn since. ``qualified_at_ms``:
    when the lead was last qualified; 0 for never. ``customer_of``: the person who has the customer.
    ``absorbed``: transfers that were taken in. ``heard``: what acts named, see :mod:`.learnt`.
    """

    qualification: Qualification | None = None
    handoff: Handoff | None = None
    rest: Rest | None = None
    withdrawn: WithdrawnHandoff | None = None
    qualified_at_ms: int = 0
    customer_of: str | None = None
    rejecters: tuple[str, ...] = ()
    recycles: int = 0
    absorbed: tuple[str, ...] = ()
    heard: Mapping[str, Heard] = field(default_factory=dict)

    @property
    def work(self) -> Qualification:
        """The qualification, or one that says nothing."""
        return self.qualification or NO_WORK

    @property
    def hand_raised(self) -> bool:
        """Whether the lead asked for a contact."""
        return bool(self.work.raised_by)

    @property
    def qualification_id(self) -> str | None:
        """The qualification that stands."""
        return self.work.qualification_id

    @property
    def handoff_id(self) -> str | None:
        """The hand-off that stands; None before the lead is routed."""
        return (self.handoff.latest.handoff_id or None) if self.handoff else None

    @property
    def owner(self) -> str | None:
        """Who has the lead; a customer keeps their rep."""
        return (self.handoff.latest.owner if self.handoff else None) or self.customer_of

    @property
    def accepted(self) -> bool:
        """Whether the hand-off that stands was accepted."""
        return self.handoff is not None and self.handoff.accepted

    @property
    def touched(self) -> bool:
        """Whether its holder has tried to reach the buyer, or accepted it."""
        return self.handoff is not None and self.handoff.touched

    @property
    def handed_at_ms(self) -> int:
        """Since when somebody has the lead, or had it last; 0 where nobody was handed it yet."""
        return self.handoff.from_ms if self.handoff else self.work.routed_at_ms


NO_WORK: Final = Qualification()
NO_CYCLE: Final = CycleState()
