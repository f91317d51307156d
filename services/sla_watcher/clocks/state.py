"""What the clocks reducer remembers of one lead: a head, small because it holds only what is still
open.

The truth of a clock is when it started, its pauses and the agreement; ``deadline_ms`` and
``next_at_ms`` are computed from them and kept so that a step need not compute them again. Nothing
here is ever "time remaining".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from baton.agreement.quantities import LONGEST_WAIT_MS
from baton.contracts.handoff import ProjectedHandoff
from baton.contracts.streams import HandoffChange
from baton.engine.reducer import EntryKind
from baton.evolve import quick


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPause:
    """A stretch in which the clock stood still; ``until_ms`` None: it still does, for
    ``longest_ms`` at most. ``deadline_ms`` is what it was before."""

    reason: str
    from_ms: int
    until_ms: int | None = None
    deadline_ms: int = 0
    longest_ms: int = LONGEST_WAIT_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One human attempt that counts towards a cadence."""

    evidence_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWord:
    """What is to end a clock. One that came after the deadline is kept until nothing from before it
    can be on its way any more.

    ``evidence_id`` None: no act, but the end of what the clock waited for (``reason``).
    """

    at_ms: int
    evidence_id: str | None = None
    inferred: bool = False
    reason: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class OpenClock:
    """A clock that is ``running`` or ``breached``.

    ``queue`` and ``stage`` are what its target is looked up by, besides level, segment, source and
    campaign. ``promised_ms``: an earlier agreement's deadline that stands, because a later one
    would have put it into the past at ``promised_at_ms``. ``warned``: warnings given. A breached
    clock is settled at ``settle_at_ms`` (None: it is): from then on no evidence from before the
    deadline is expected. ``rung`` is the next step of the ladder, due at ``rung_at_ms``; None once
    the ladder has stopped. ``superseded``: the lead was handed on. ``due``: the deadline had passed
    when the agreement changed, so it stands. ``track``: what ``nurture`` runs on. ``raised_at_ms``:
    the buyer raised a hand while it ran; from then on the promise for ``level`` is counted, and
    that for ``former_level`` from the start on: the earlier deadline holds.
    """

    clock_id: str
    clock: str
    state: str
    started_at_ms: int
    deadline_ms: int
    cause_id: str
    side: str
    target: str
    queue: str | None = None
    stage: str | None = None
    handoff_id: str | None = None
    qualification_id: str | None = None
    owner: str | None = None
    pool: str | None = None
    level: str | None = None
    segment: str | None = None
    source: str | None = None
    campaign: str | None = None
    pauses: tuple[ClockPause, ...] = ()
    promised_ms: int = 0
    promised_at_ms: int = 0
    warned: int = 0
    next_at_ms: int | None = None
    settle_at_ms: int | None = None
    rung: int = 0
    rung_at_ms: int | None = None
    late: LastWord | None = None
    attempts: tuple[Attempt, ...] = ()
    superseded: bool = False
    due: bool = False
    track: str | None = None
    raised_at_ms: int = 0
    former_level: str | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has the lead now, and how far they got.

    ``handoff``: the hand-off as dispatch describes it, since when by the log of this service; of
    a lead that was claimed out of a queue, what the acceptance says of it until dispatch answers
    (attempt 0). ``bars``: the attempt that was under way when this one was reinstated; news of it
    change nothing."""

    handoff: ProjectedHandoff
    bars: int = 0
    accepted: bool = False
    touched: bool = False

    @property
    def owner(self) -> str:
        """The person."""
        return self.handoff.owner or ""

    @property
    def pool(self) -> str:
        """The pool they have it from; empty where nobody said."""
        return self.handoff.pool or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One qualification on its way to a verdict.

    ``qualified_at_ms``: when the lead reducer said so; its moves of a former qualification were
    before. ``reassigned`` counts against the ladder's limit, ``returned`` the rejections after
    which somebody else was asked. ``moved`` is the hand-off that was last asked to be taken away;
    ``failed`` are the people not to be asked again.
    """

    qualification_id: str
    cycle: int
    leg: str
    level: str
    segment: str | None = None
    qualified_at_ms: int = 0
    grade: str = ""
    hand_raised: bool = False
    reassigned: int = 0
    returned: int = 0
    moved: str | None = None
    escalated: bool = False
    queued: bool = False
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """A cycle that has ended, and when the lead comes back; ``return_at_ms`` None: not by itself.

    ``nurtured``: consent allows it, so marketing owes touches. ``back``: a return date has come;
    ``return_at_ms`` is the next one then, so that a lead that does not qualify after its return is
    looked at again. ``returned``: the lead has qualified anew, and the rest is over. ``left_at_ms``
    and ``recycles`` (how often it had been recycled before) are what its dates follow from,
    whenever the end of a contract becomes known.
    """

    recycle_id: str
    cycle: int
    outcome: str
    reason: str
    track: str | None = None
    cool_off_until_ms: int | None = None
    return_at_ms: int | None = None
    nurtured: bool = True
    back: bool = False
    returned: bool = False
    left_at_ms: int = 0
    recycles: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeal:
    """An opportunity that counts towards the pipeline. ``due``: the day on which it is expected to
    close."""

    opportunity_id: str
    amount_minor: int
    currency: str
    due: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WonDeal:
    """A win as it was counted: it may be corrected (``version``: how often it was), or taken back.
    ``cycle`` is the one that it ended."""

    opportunity_id: str
    amount_minor: int
    currency: str
    won_at_ms: int
    cycle: int
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMark:
    """From ``from_ms`` on, until the next mark, the lead's time is spent by ``kind``: system,
    queue, human, buyer or rest."""

    kind: str
    from_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadClocks:
    """The head of the clocks reducer. ``handoff`` is the latest hand-off of the qualification that
    stands, as dispatch describes it (:mod:`baton.contracts.handoff`); ``holder`` who has the lead,
    by that and by their own acts, which may be read first. ``ahead``: what dispatch says of a
    qualification that the lead reducer has not published here yet. ``consents`` are those it was
    last qualified with. ``contract_end``: of the buyer's contract with somebody else, as reported
    last. ``learnt``: what else sales have learnt of the buyer. ``tallied`` is what this cycle has
    counted for already. ``ended`` (merged, erased) makes it a tombstone that nothing starts
    again."""

    cycle: int = 0
    level: str | None = None
    segment: str | None = None
    source: str | None = None
    campaign: str | None = None
    consents: Mapping[str, str] = field(default_factory=dict)
    contract_end: str | None = None
    learnt: Mapping[str, str] = field(default_factory=dict)
    clocks: tuple[OpenClock, ...] = ()
    passing: Pass | None = None
    handoff: ProjectedHandoff | None = None
    holder: Holder | None = None
    rest: Rest | None = None
    recycles: int = 0
    tallied: tuple[str, ...] = ()
    deals: tuple[OpenDeal, ...] = ()
    won: tuple[WonDeal, ...] = ()
    marks: tuple[TimeMark, ...] = ()
    ahead: tuple[HandoffChange, ...] = ()
    ended: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenPromise:
    """A clock that ended late or was given up. Its violation can still be taken back, by evidence
    from before its deadline."""

    clock: OpenClock
    ended_at_ms: int


BROKEN: Final = EntryKind("broken", BrokenPromise)
"""Items are ``<time of the end>-<clock id>``: the oldest come first."""
