"""What assignment keeps of a pool: turns, loads, the queue, and each open hand-off of the pool.

The head is bounded by the pool's people and the agreement's levels; the queue and the open work
grow, so they are entries. The queue is made of lanes: the leads of a lane ask the same of a person,
so where nobody can take the first of them nobody can take the others. Only the first lead of a lane
stands in the index that is looked at, so a decision costs the same however long the queue is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import lcm
from typing import Final

from baton.contracts.leads import LeadQualified
from baton.contracts.routing import URGENCY, QueueItem
from baton.derived_ids import derived_id
from baton.engine.reducer import EntryKind
from baton.evolve import evolve
from services.router.assignment.barred import Barred
from services.router.assignment.open_loads import Loads, loads_of
from services.router.assignment.turn_ledger import Ledger
from services.router.assignment.turn_order import Share, fraction_text


class WorkState(StrEnum):
    """Where a hand-off is in this pool. ``forwarded``: it overflowed, and what follows goes after
    it."""

    HELD = "held"
    WATCHED = "watched"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    FORWARDED = "forwarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """The head of a pool. ``decided`` counts its turns.

    ``resume`` is where an unfinished pass over the queue goes on; ``again``: something changed
    meanwhile, so that another pass follows. ``review`` is where an unfinished look at each waiting
    lead goes on, after a new agreement. ``deserted``: everybody of the pool is away, and every lead
    that waits says so. ``relieving``: more accepted work of people who are away may be left to hand
    over. ``barred``: who takes nothing for now, being at a limit over all pools. ``open_loads`` is
    what everybody has open. ``latest`` is who had a turn when, over all levels and periods: the
    ordinal of each one's latest.
    """

    pool: str
    decided: int = 0
    ledgers: tuple[Ledger, ...] = ()
    resume: str | None = None
    again: bool = False
    review: str | None = None
    deserted: bool = False
    relieving: bool = False
    barred: tuple[Barred, ...] = ()
    open_loads: str = ""
    latest: str = ""

    @property
    def loads(self) -> Loads:
        """What everybody has open, by person; not to be changed."""
        return loads_of(self.open_loads)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What the lead added to a person's target; an exact fraction, ``n/d``."""

    person: str
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCredit:
    """A turn that was taken in the ledger ``level`` of ``period``, so that it can be given back.

    ``parts`` is what it did to the targets; ``before`` was the person's latest turn until this one,
    ``ordinal``. Of a large pool it is kept shorter: the ``total`` of the sharers' weights, and who
    of the pool did not share (``but``, names with blanks between them).
    """

    level: str
    period: str
    ordinal: int
    before: int
    parts: tuple[Part, ...]
    total: int = 0
    but: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolWork:
    """One open hand-off of the pool, by its id.

    ``queued`` is its place while held, ``to_pool`` where it was forwarded, even if it came back.
    ``turn`` None: it took no turn. ``handed_on``: the day on which it was handed to ``person``;
    None: they took it up by themselves.
    """

    state: str
    lead_id: str
    since_ms: int
    person: str | None = None
    queued: str | None = None
    to_pool: str | None = None
    turn: TurnCredit | None = None
    handed_on: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolHeld:
    """A lead that waits in the queue, by its place in it."""

    item: QueueItem
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneHead:
    """The first lead of a lane, by its place among all that wait."""

    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOffer:
    """An offer that is not answered, by person and hand-off: what names it, and what it asks of a
    person, should it go to another. ``amended``: what became known of the lead since, where a limit
    over all pools may still send the offer back."""

    lead_id: str
    qualification_id: str
    attempt: int
    cycle: int
    level: str
    skills: tuple[str, ...] = ()
    not_to: tuple[str, ...] = ()
    amended: LeadQualified | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTask:
    """An accepted lead, by person and hand-off: what its offer said, should somebody else have to
    take it over."""

    offer: OpenOffer


WORK = EntryKind("work", PoolWork)
HELD = EntryKind("held", PoolHeld)
LANE = EntryKind("lane", LaneHead)
OFFER = EntryKind("offer", OpenOffer)
TASK = EntryKind("task", OpenTask)

COMMON_LANE = ""
LISTED_SHARERS: Final = 60
"""A turn that more people shared is kept in its short form."""
_MARK = "~"


def place_in_queue(item: QueueItem) -> str:
    """The order of the queue: who raised their hand, then the warmer, then who has waited
    longest."""
    qualified = item.qualified
    if qualified is None:
        raise ValueError("only a request waits in a queue")
    raised = 0 if qualified.hand_raised else 1
    rank = URGENCY.get(qualified.level, len(URGENCY))
    return f"{raised}{rank}/{max(qualified.qualified_at_ms, 0):015d}/{item.handoff_id}"


def lane_of(item: QueueItem, *, to: str | None = None) -> str:
    """The lane of the queue that a lead waits in: the same for all that ask the same of a person,
    may go to the same pools, and are to go to the same person (``to``), if to any."""
    rejecters = item.qualified.rejecters if item.qualified else ()
    asks = (
        sorted(item.skills),
        sorted({*item.exclude, *rejecters}),
        to or item.person or "",
        sorted(item.overflowed_from),
    )
    if not any(asks):
        return COMMON_LANE
    words = ("|".join(part) if isinstance(part, list) else part for part in asks)
    return f"{_MARK}{derived_id('lane', *words)}{_MARK}"


def split_place(key: str) -> tuple[str, str]:
    """The lane and the place among all that wait, of an entry of the queue."""
    lane, mark, place = key.rpartition(_MARK)
    return lane + mark, place


def with_sharers(credit: TurnCredit, share: Share, sharers: Mapping[str, int]) -> TurnCredit:
    """The credit with who shared the turn; ``sharers``: everybody of the pool who may."""
    if len(share.weights) > LISTED_SHARERS:
        but = " ".join(sorted(sharers.keys() - share.weights.keys()))
        return evolve(credit, total=share.total, but=but)
    parts = (
        Part(person=who, part=fraction_text(share.weights[who], share.total))
        for who in sorted(share.weights)
    )
    return evolve(credit, parts=tuple(parts))


def credited_share(turn: TurnCredit, sharers_now: Mapping[str, int]) -> Share:
    """What a turn added to the targets. ``sharers_now``: everybody of the pool with their weights,
    for a turn of a large pool."""
    if turn.parts:
        parts = {part.person: Fraction(part.part) for part in turn.parts}
        total = lcm(*(part.denominator for part in parts.values()))
        return Share({person: int(part * total) for person, part in parts.items()}, total)
    but = frozenset(turn.but.split())
    weights = {person: weight for person, weight in sharers_now.items() if person not in but}
    # Where the pool has changed since, who shared is not known any more; the turn is given back all
    # the same.
    return Share(weights, turn.total) if sum(weights.values()) == turn.total else Share()
